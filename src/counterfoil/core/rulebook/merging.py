"""Merging: one person was enrolled twice. All that the one who goes has becomes the other's: lots, debts, holds as they are."""

from __future__ import annotations

from counterfoil.core.entry import Entry, Move, Place, Repaid, Verb
from counterfoil.core.holdings import Holdings, Lot, at
from counterfoil.core.journal import Journal
from counterfoil.core.rulebook.due import room, settle_up

OPEN = (Place.AVAILABLE, Place.HELD, Place.PENDING)


def merge(journal: Journal, gone: Holdings, kept: Holdings) -> Entry:
    """What became available beside a debt repays it right behind. Raises BalanceLimit."""
    settle_up(journal, gone)
    settle_up(journal, kept)
    for currency in {lot.terms.currency for lot in gone.lots.values()}:
        sums = gone.sums(currency)
        room(kept, sums.available + sums.held + sums.pending, currency)
    moves, debts = everything(gone)
    entry = journal.post(Verb.MERGE, (gone, kept), partner=0, moves=moves, repaid=debts)
    settle_up(journal, kept)
    return entry


def everything(who: Holdings) -> tuple[tuple[Move, ...], tuple[Repaid, ...]]:
    """All points that have not left, lots in burn order and of each the available, held, pending ones; all debts."""
    lots = sorted(who.lots.values(), key=Lot.burn_key)
    moves = [
        Move(lot.entry, lot.index, place, Place.MERGED, at(lot, place))
        for lot in lots
        for place in OPEN
        if at(lot, place)
    ]
    debts = [Repaid(*name, debt.left) for name, debt in sorted(who.debts.items()) if debt.left]
    return tuple(moves), tuple(debts)
