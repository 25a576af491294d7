"""A partner that could not pay: what others bear of it, pro rata to what they issued, and what its estate pays back."""

from __future__ import annotations

from counterfoil.audit.rules.before import Before
from counterfoil.audit.shapes import Wrong
from counterfoil.core.accounts import OPERATOR, POOL, estate
from counterfoil.core.entry import Entry, Paid
from counterfoil.core.units import split_largest_remainder


def default(entry: Entry, before: Before) -> None:
    """Never more than it owes; the partners' part is split by the points they issued in the settlement so far."""
    owed = -before.books.nets.get(entry.partner, 0)
    parties = [(one.debit, one.credit) for one in entry.paid]
    if parties not in (
        [(OPERATOR, entry.partner)],
        [(POOL, entry.partner)],
        [(OPERATOR, entry.partner), (POOL, entry.partner)],
    ):
        raise Wrong("a default credits the partner from the operator and, through the pool, from other partners")
    if sum(one.micros for one in entry.paid) > owed:
        raise Wrong(f"others bear more than the {owed} micros that the partner owes")
    spread = sum(one.micros for one in entry.paid if one.debit == POOL)
    issued = {n: points for n, points in sorted(before.books.issued.items()) if points and n != entry.partner}
    shares = split_largest_remainder(spread, list(issued.values())) if spread and issued else ()
    if spread and not issued:
        raise Wrong("no other partner issued points: the operator bears the rest")
    before.others.extend((n, (Paid(n, POOL, share),)) for n, share in zip(issued, shares, strict=False) if share)
    borne = before.books.borne.setdefault(entry.partner, {})
    for number, share in zip(issued, shares, strict=False):
        borne[number] = borne.get(number, 0) + share


def dividend(entry: Entry, before: Before) -> None:
    """The estate makes partners whole first, pro rata to what they still miss."""
    own = estate(entry.partner)
    parties = [(one.debit, one.credit) for one in entry.paid]
    if parties not in ([(own, POOL)], [(own, OPERATOR)], [(own, POOL), (own, OPERATOR)]):
        raise Wrong("a dividend is paid by the estate to the operator and, through the pool, to partners")
    left = {n: micros for n, micros in sorted(before.books.borne.get(entry.partner, {}).items()) if micros}
    spread = sum(one.micros for one in entry.paid if one.credit == POOL)
    if spread > sum(left.values()) or (parties[-1] == (own, OPERATOR) and spread != sum(left.values())):
        raise Wrong("partners are made whole first, and no more than whole")
    shares = split_largest_remainder(spread, list(left.values())) if spread else ()
    for number, share in zip(left, shares, strict=False):
        before.books.borne[entry.partner][number] -= share
        if share:
            before.others.append((number, (Paid(POOL, number, share),)))
