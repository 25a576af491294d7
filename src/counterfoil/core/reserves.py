"""Reserves of partners that left: what stands for the points outstanding for whose use they still owe something.

A reserve is used first when such points are, then the partner pays; what comes back with points restored goes into it; what
is left of it returns with the last point.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from counterfoil.core.accounts import RESERVE, kept_for, owner_of
from counterfoil.core.entry import Entry, Move, Paid, Place, Posting
from counterfoil.core.legs import TermsOf
from counterfoil.core.units import BASIS_POINTS, MONEY, mul_div_up

_OUTSTANDING = {Place.AVAILABLE, Place.HELD, Place.WITHDRAWN}
_RESTORED = {Place.AVAILABLE, Place.RENEWED}


class Reserve(Struct):
    """What stands for a partner that left: micros, and the points outstanding for which it still owes something."""

    micros: int
    points: int


def reserve_for(owed_micros: int, breakage_bp: int) -> int:
    """Micros of a reserve."""
    return mul_div_up(owed_micros, BASIS_POINTS - breakage_bp, BASIS_POINTS)


def drawn(partner: int, reserve: Reserve, moves: Iterable[Move], postings: Iterable[Posting]) -> tuple[Paid, ...]:
    """What the reserve pays of what these moves make the partner pay, or takes of what comes back with points restored.

    What expires or is taken back is outstanding no more: its money is the partner's.
    """
    net = 0
    for one in postings:
        if one.unit == MONEY:
            net += one.amount * ((owner_of(one.credit) == partner) - (owner_of(one.debit) == partner))
    own = kept_for(RESERVE, partner)
    if net > 0 and not any(move.source is Place.BURNED and move.target in _RESTORED for move in moves):
        return ()
    if net > 0:
        return (Paid(partner, own, net),)
    used = min(-net, reserve.micros)
    return (Paid(own, partner, used),) if used else ()


def change(reserve: Reserve, partner: int, paid: Iterable[Paid]) -> None:
    """Fold what an entry paid into or out of the reserve."""
    own = kept_for(RESERVE, partner)
    for one in paid:
        reserve.micros += one.micros * ((one.credit == own) - (one.debit == own))


def outstanding_change(entry: Entry, partner: int, terms_of: TermsOf) -> int:
    """By how many points, of lots for whose use the partner owes something, an entry changes what is outstanding."""
    change = 0
    for made in entry.lots:
        part = made.terms.funds.part(partner)
        if part is not None and part.owed_micros and not made.terms.available_at:
            change += made.points
    for move in entry.moves:
        part = terms_of(move.entry, move.index).funds.part(partner)
        if part is not None and part.owed_micros:
            change += move.points * ((move.target in _OUTSTANDING) - (move.source in _OUTSTANDING))
    return change


def last_point(partner: int, reserve: Reserve) -> tuple[Paid, ...]:
    """With the last point the rest returns."""
    if reserve.points or not reserve.micros:
        return ()
    return (Paid(kept_for(RESERVE, partner), partner, reserve.micros),)
