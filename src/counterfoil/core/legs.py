"""From moves of lots to postings: the one table that says who is debited and credited for each verb.

The rulebook writes entries with it and the auditor recomputes them with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from counterfoil.core.accounts import OPERATOR, POOL, Kind, account, party
from counterfoil.core.entry import DebtMade, Entry, LotTerms, Place, Posting, Verb
from counterfoil.core.units import BASIS_POINTS, MONEY, mul_div_down

Leg = tuple[int, int, int, int]  # debit, credit, amount, unit
TermsOf = Callable[[int, int], LotTerms]
DebtOf = Callable[[int, int], DebtMade]

_AVAILABLE, _HELD, _DEBT = account(Kind.AVAILABLE, 0), account(Kind.HELD, 0), account(Kind.DEBT, 0)
_ISSUED = account(Kind.ISSUED, 0)
_PLACES = {Place.AVAILABLE: _AVAILABLE, Place.HELD: _HELD}
_POOL, _OPERATOR = party(POOL), party(OPERATOR)


def postings(entry: Entry, terms_of: TermsOf, debt_of: DebtOf) -> tuple[Posting, ...]:
    """The postings that `entry`'s parts call for, equal sides merged, in the order they arise; amounts of 0 left out."""
    sums: dict[tuple[int, int, int], int] = {}
    for debit, credit, amount, unit in _legs(entry, terms_of, debt_of):
        if amount:
            side = (debit, credit, unit)
            sums[side] = sums[side] + amount if side in sums else amount
    return tuple([Posting(debit, credit, amount, unit) for (debit, credit, unit), amount in sums.items()])


def _legs(entry: Entry, terms_of: TermsOf, debt_of: DebtOf) -> Iterator[Leg]:
    mine = party(entry.partner)
    if entry.verb is Verb.EARN:
        for made in entry.lots:
            terms, points, issuer = made.terms, made.points, party(made.terms.issuer)
            yield _ISSUED | terms.issuer, _AVAILABLE | made.owner, points, terms.currency
            yield issuer, _POOL, terms.face_micros * points, MONEY
            yield issuer, _OPERATOR, terms.fee_micros * points, MONEY
    for move in entry.moves:
        terms, points = terms_of(move.entry, move.index), move.points
        match move.target:
            case Place.BURNED:
                yield _PLACES[move.source], account(Kind.BURNED, entry.partner), points, terms.currency
                yield _POOL, mine, terms.face_micros * points, MONEY
            case Place.HELD:
                yield _AVAILABLE, _HELD, points, terms.currency
            case Place.AVAILABLE if move.source is Place.HELD:
                yield _HELD, _AVAILABLE, points, terms.currency
            case Place.AVAILABLE | Place.RENEWED:
                yield account(Kind.BURNED, entry.partner), _AVAILABLE, points, terms.currency
                yield mine, _POOL, terms.face_micros * points, MONEY
            case Place.TAKEN if move.source is Place.AVAILABLE:
                yield _AVAILABLE, account(Kind.ISSUED, entry.partner), points, terms.currency
                yield _POOL, mine, terms.face_micros * points, MONEY
                # the fee of the refunded earn, whichever lot the points are taken from
                yield _OPERATOR, mine, terms_of(entry.refers_to, 0).fee_micros * points, MONEY
            case Place.GIFTED:
                yield _AVAILABLE, account(Kind.AVAILABLE, 1), points, terms.currency
            case Place.EXPIRED:
                whole = terms.face_micros * points
                kept = mul_div_down(whole, terms.breakage_operator_bp, BASIS_POINTS)
                yield _AVAILABLE, account(Kind.EXPIRED, terms.funder), points, terms.currency
                yield _POOL, _OPERATOR, kept, MONEY
                yield _POOL, party(terms.funder), whole - kept, MONEY
            case Place.REPAID:
                debt = debt_of(entry.repaid[0].entry, entry.repaid[0].index)
                yield _AVAILABLE, _DEBT, points, terms.currency
                yield _POOL, mine, terms.face_micros * points, MONEY
                yield _OPERATOR, mine, debt.fee_micros * points, MONEY
            case _:  # expired points excused by a refund: neither points nor money move
                pass
    for owed in entry.debts:
        yield account(Kind.DEBT, owed.owner), account(Kind.ISSUED, owed.issuer), owed.points, owed.currency
