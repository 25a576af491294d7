"""What time brings: points that activate or run out, debts that are repaid."""

from __future__ import annotations

from counterfoil.audit.rules.before import Before, expect, points_in
from counterfoil.audit.shapes import Wrong
from counterfoil.core.entry import Entry, Move, Place, Repaid
from counterfoil.core.holdings import Lot, take


def activate(entry: Entry, before: Before) -> None:
    lots = [
        lot for lot in before.who.lots.values()
        if lot.pending and lot.terms.available_at == entry.occurred_at and lot.terms.issuer == entry.partner
    ]  # fmt: skip
    moves = [
        Move(lot.entry, lot.index, Place.PENDING, Place.AVAILABLE, lot.pending)
        for lot in sorted(lots, key=Lot.burn_key)
    ]
    expect(entry, moves, "what this partner issued and becomes available then")


def expire(entry: Entry, before: Before) -> None:
    lots = [
        lot for lot in before.who.lots.values()
        if lot.available and lot.terms.expires_at == entry.occurred_at and lot.terms.issuer == entry.partner
    ]  # fmt: skip
    moves = [
        Move(lot.entry, lot.index, Place.AVAILABLE, Place.EXPIRED, lot.available)
        for lot in sorted(lots, key=Lot.burn_key)
    ]
    expect(entry, moves, "what this partner issued and runs out then")


def repay(entry: Entry, before: Before) -> None:
    open_debts = [key for key, debt in before.who.debts.items() if debt.left]
    if not open_debts:
        raise Wrong("this member owes nothing")
    name = min(open_debts)
    debt = before.who.debts[name]
    moves = take(before.who.usable(entry.occurred_at, debt.made.currency), debt.left, Place.AVAILABLE, Place.REPAID)
    if entry.repaid != (Repaid(*name, points_in(moves)),) or entry.refers_to != name[0]:
        raise Wrong("it does not repay the oldest debt with what is free")
    if entry.partner != debt.made.issuer:
        raise Wrong(f"the debt is owed to partner {debt.made.issuer}")
    expect(entry, moves, "burn order")
