"""Erasure: a member goes. What is held is released, what is pending cancelled, debts are dropped, the rest is forfeit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from counterfoil.core.calendar import valid_until
from counterfoil.core.entry import Drawn, Entry, Move, Place, Repaid, Verb
from counterfoil.core.holdings import Holdings, Lot
from counterfoil.core.journal import Journal
from counterfoil.core.legs import TermsOf
from counterfoil.core.rulebook.due import release, settle_up
from counterfoil.core.rulebook.packs import drawn_once

WAITING_DAYS = 30


def due_at(requested_at: int, zone: str) -> int:
    """00:00 local of the thirtieth day after the request."""
    return valid_until(requested_at, WAITING_DAYS - 1, zone)


BackToPacks = Callable[[int, int], tuple[Drawn, ...]]  # of an earn's pending points: the blocks they return to


def erase(journal: Journal, who: Holdings, to_packs: BackToPacks = lambda _earn, _points: ()) -> Entry | None:
    """Unused vouchers live on; None if the member had nothing else. Cancelled points return to the packs they drew on."""
    settle_up(journal, who)
    for held in sorted(who.holds.values(), key=lambda one: one.entry):
        if held.state == "open" and held.cost_micros is None:
            release(journal, who, held, occurred_at=journal.now)
    moves, dropped = forfeit(who)
    if not moves and not dropped:
        return None
    drawn = [block for earn, points in cancelled(moves, who.terms_of) for block in to_packs(earn, points)]
    return journal.post(Verb.ERASE, (who,), partner=0, moves=moves, repaid=dropped, drawn=tuple(drawn))


def cancelled(moves: Sequence[Move], terms_of: TermsOf) -> list[tuple[int, int]]:
    """Pending points cancelled that may have come from packs, by the earn that made them, in order."""
    found: dict[int, int] = {}
    for move in moves:
        if move.target is Place.CANCELLED:
            found[move.entry] = found.get(move.entry, 0) + drawn_once([move], terms_of)
    return list(found.items())


def forfeit(who: Holdings) -> tuple[tuple[Move, ...], tuple[Repaid, ...]]:
    """All free and pending points, in burn order, and all debts."""
    lots = sorted(who.lots.values(), key=Lot.burn_key)
    moves = [Move(lot.entry, lot.index, Place.AVAILABLE, Place.EXPIRED, lot.available) for lot in lots if lot.available]
    moves += [Move(lot.entry, lot.index, Place.PENDING, Place.CANCELLED, lot.pending) for lot in lots if lot.pending]
    dropped = [Repaid(*name, debt.left) for name, debt in sorted(who.debts.items()) if debt.left]
    return tuple(moves), tuple(dropped)
