"""What time brings: points that activate or run out, debts that are repaid."""

from __future__ import annotations

from counterfoil.audit.rules.before import Before, expect, points_in
from counterfoil.audit.shapes import Wrong
from counterfoil.core.entry import Entry, Move, Place, Repaid
from counterfoil.core.holdings import Lot, at, take


def activate(entry: Entry, before: Before) -> None:
    _all_of(entry, before, Place.PENDING, "available_at", Place.AVAILABLE)


def expire(entry: Entry, before: Before) -> None:
    _all_of(entry, before, Place.AVAILABLE, "expires_at", Place.EXPIRED)


def _all_of(entry: Entry, before: Before, source: Place, instant: str, target: Place) -> None:
    """One partner's points of one instant change their place, all of them, in burn order."""
    lots = [
        lot for lot in before.who.lots.values()
        if at(lot, source) and getattr(lot.terms, instant) == entry.occurred_at and lot.terms.issuer == entry.partner
    ]  # fmt: skip
    moves = [Move(lot.entry, lot.index, source, target, at(lot, source)) for lot in sorted(lots, key=Lot.burn_key)]
    expect(entry, moves, f"all this partner issued with {instant} then")


def repay(entry: Entry, before: Before) -> None:
    """The oldest debt of a currency, from what is free of it: one of another currency may be older and wait."""
    first = before.who.debts.get((entry.repaid[0].entry, entry.repaid[0].index)) if entry.repaid else None
    currency = first.made.currency if first is not None else 0
    open_debts = [key for key, debt in before.who.debts.items() if debt.left and debt.made.currency == currency]
    if not open_debts:
        raise Wrong("this member owes nothing of that")
    name = min(open_debts)
    debt = before.who.debts[name]
    moves = take(before.who.usable(entry.occurred_at, debt.made.currency), debt.left, Place.AVAILABLE, Place.REPAID)
    if entry.repaid != (Repaid(*name, points_in(moves)),) or entry.refers_to != name[0]:
        raise Wrong("it does not repay the oldest debt with what is free")
    if entry.partner != debt.made.issuer:
        raise Wrong(f"the debt is owed to partner {debt.made.issuer}")
    expect(entry, moves, "burn order")
