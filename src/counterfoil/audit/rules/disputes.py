"""Disputes, exits, erasures."""

from __future__ import annotations

from counterfoil.audit.rules.before import Before, Original, expect
from counterfoil.audit.rules.refunds import given_back
from counterfoil.audit.shapes import Wrong
from counterfoil.core.accounts import RESERVE, SUSPENSE, kept_for
from counterfoil.core.entry import Drawn, Entry, Move, Paid, Place, Repaid
from counterfoil.core.holdings import Lot
from counterfoil.core.reserves import reserve_for
from counterfoil.core.rulebook import packs
from counterfoil.core.rulebook.erasure import cancelled


def dispute(entry: Entry, before: Before) -> None:
    """A whole burn not yet refunded, once: what it was paid waits in suspense."""
    burn = _burn(entry, before)
    if burn.disputed:
        raise Wrong("a burn is disputed once")
    if burn.refunded:
        raise Wrong("it disputes a burn that was refunded")
    if not burn.paid_micros or entry.paid != (Paid(entry.partner, SUSPENSE, burn.paid_micros),):
        raise Wrong(f"the burn was paid {burn.paid_micros} micros")


def rule(entry: Entry, before: Before) -> None:
    """The burn stands and is paid again, or its points go back to their lots."""
    burn = _burn(entry, before)
    if burn.disputed != "open":
        raise Wrong("it rules on a burn that is not in dispute")
    if not entry.moves:
        if entry.lots or entry.paid != (Paid(SUSPENSE, entry.partner, burn.paid_micros),):
            raise Wrong(f"{burn.paid_micros} micros wait in suspense")
        return
    if entry.paid or entry.value_micros != burn.value_micros:
        raise Wrong("what was paid for the burn goes to the pool")
    given_back(entry, before, burn.burned or (), 0, burn.points)


def erase(entry: Entry, before: Before) -> None:
    """All that is free runs out, all that is pending is cancelled, all debts are dropped; holds were released before."""
    if entry.partner:
        raise Wrong("an erasure is no partner's")
    if any(hold.cost_micros is None for hold in before.who.holds.values()):
        raise Wrong("it erases a member who still has points held")
    lots = sorted(before.who.lots.values(), key=Lot.burn_key)
    moves = [Move(lot.entry, lot.index, Place.AVAILABLE, Place.EXPIRED, lot.available) for lot in lots if lot.available]
    moves += [Move(lot.entry, lot.index, Place.PENDING, Place.CANCELLED, lot.pending) for lot in lots if lot.pending]
    expect(entry, moves, "all free and pending points")
    if entry.repaid != tuple(Repaid(*name, debt.left) for name, debt in sorted(before.who.debts.items()) if debt.left):
        raise Wrong("it does not drop all debts")
    blocks: list[Drawn] = []
    for earn, points in cancelled(entry.moves, before.who.terms_of):
        original = before.books.originals[earn]
        blocks += packs.returned(original.drawn, original.returned, points)
    if entry.drawn != tuple(blocks):
        raise Wrong("cancelled points do not return to the packs they drew on")


def exit_partner(entry: Entry, before: Before) -> None:
    """The reserve is what the partner owes at use for points outstanding, less the breakage it names."""
    owed = sum(
        part.owed_micros * (lot.available + lot.held + lot.withdrawn)
        for who in before.books.holders.values() for lot in who.lots.values()
        if (part := lot.terms.funds.part(entry.partner)) is not None
    )  # fmt: skip
    micros = reserve_for(owed, entry.value_micros)
    expected = (Paid(entry.partner, kept_for(RESERVE, entry.partner), micros),) if micros else ()
    if entry.paid != expected:
        raise Wrong(f"the partner owes {owed} micros for points outstanding: a reserve of {micros}")


def _burn(entry: Entry, before: Before) -> Original:
    burn = before.original
    if (
        burn is None
        or burn.burned is None
        or before.books.now_of(burn.handle) != before.who.member
        or burn.partner != entry.partner
    ):
        raise Wrong(f"ent_{entry.refers_to:016x} is no burn of this member there")
    return burn
