"""A partner that cannot pay: who bears what is missing, and how its estate pays it back later.

Its own position is netted first; then its fee is written off by the operator, its collateral taken, the operator's
first-loss reserve, and the rest spread over the other partners pro rata to the points they issued in the settlement. Members
never lose a point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from counterfoil.core.accounts import FIRST_PARTNER, OPERATOR, POOL, RESERVE, estate, kept_for, owner_of
from counterfoil.core.entry import Entry, Paid, Verb
from counterfoil.core.journal import Journal
from counterfoil.core.units import BASIS_POINTS, MONEY, mul_div_down, split_largest_remainder


@dataclass(slots=True)
class Gross:
    """What a partner paid and received in a settlement, micros; `fees`: paid to the operator, less what came back."""

    paid: int = 0
    received: int = 0
    fees: int = 0

    def add(self, entry: Entry, partner: int) -> None:
        """Count an entry's money. What an exit reserve pays or takes for points that move, fees last, is not the partner's."""
        own, reserve = Gross(), kept_for(RESERVE, partner) if entry.moves else 0
        for posting in entry.postings:
            if posting.unit != MONEY:
                continue
            payer, payee, micros = owner_of(posting.debit), owner_of(posting.credit), posting.amount
            if payer == partner and payee == reserve:
                own.received -= micros
                own.fees = max(own.fees, -own.received)
            elif payer == partner:
                own.paid += micros
                own.fees += micros * (payee == OPERATOR)
            elif payee == partner and payer == reserve:
                own.paid -= micros
                own.fees = min(own.fees, own.paid)
            elif payee == partner:
                own.received += micros
                own.fees -= micros * (payer == OPERATOR)
        self.paid += own.paid
        self.received += own.received
        self.fees += own.fees


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Who bears it, micros. `claim` is what the estate owes: all that its own netting and collateral did not cover."""

    closeout: int
    fee_written_off: int
    collateral: int
    first_loss: int
    partners: dict[int, int]
    operator: int  # what no other partner is there to bear

    @property
    def claim(self) -> int:
        """Owed by the estate."""
        return self.fee_written_off + self.first_loss + sum(self.partners.values()) + self.operator


def waterfall(gross: Gross, collateral: int, first_loss: int, issued: Mapping[int, int]) -> Waterfall:
    """`issued`: points of the other partners by number; with none the operator bears the rest."""
    left = max(0, gross.paid - gross.received)
    fee = min(left, max(0, gross.fees))
    from_collateral = min(left - fee, collateral)
    from_first_loss = min(left - fee - from_collateral, first_loss)
    left -= fee + from_collateral + from_first_loss
    numbers = sorted(number for number, points in issued.items() if points)
    shares = split_largest_remainder(left, [issued[n] for n in numbers]) if numbers and left else ()
    partners = {n: share for n, share in zip(numbers, shares, strict=False) if share}
    closeout = min(gross.paid, gross.received)
    return Waterfall(closeout, fee, from_collateral, from_first_loss, partners, 0 if numbers else left)


def default(journal: Journal, partner: int, fall: Waterfall) -> Entry | None:
    """What others bear is credited to the partner, so that its word is no more than its collateral; None if nothing is."""
    by_operator = fall.fee_written_off + fall.first_loss + fall.operator
    paid = (Paid(OPERATOR, partner, by_operator), Paid(POOL, partner, sum(fall.partners.values())))
    return _spread(journal, Verb.DEFAULT, partner, paid, {n: -micros for n, micros in fall.partners.items()})


def dividend(journal: Journal, partner: int, shares: Mapping[int, int]) -> Entry | None:
    """The estate pays back, micros by party."""
    to_partners = {number: micros for number, micros in shares.items() if number >= FIRST_PARTNER and micros}
    paid = (Paid(estate(partner), POOL, sum(to_partners.values())),
            Paid(estate(partner), OPERATOR, shares.get(OPERATOR, 0)))  # fmt: skip
    return _spread(journal, Verb.DIVIDEND, partner, paid, to_partners)


def dividend_shares(claim: int, bp: int, borne: Mapping[int, int], repaid: Mapping[int, int]) -> dict[int, int]:
    """`bp` of the claim: partners are made whole first, pro rata to what is still missing; the rest is the operator's."""
    amount = mul_div_down(claim, bp, BASIS_POINTS)
    left = {n: micros - repaid.get(n, 0) for n, micros in sorted(borne.items()) if n >= FIRST_PARTNER}
    first = min(amount, sum(left.values()))
    shares = dict(zip(left, split_largest_remainder(first, list(left.values())), strict=True)) if first else {}
    operator = min(amount - first, borne.get(OPERATOR, 0) - repaid.get(OPERATOR, 0))
    return {**shares, OPERATOR: operator} if operator else shares


def _spread(
    journal: Journal, verb: Verb, partner: int, paid: tuple[Paid, ...], others: Mapping[int, int]
) -> Entry | None:
    """The partner's entry, then one for each other partner: + it receives, - it pays, through the pool."""
    paid = tuple(one for one in paid if one.micros)
    if not paid:
        return None
    entry = journal.post(verb, (), partner=partner, paid=paid)
    for number, micros in sorted(others.items()):
        part = Paid(POOL, number, micros) if micros > 0 else Paid(number, POOL, -micros)
        journal.post(Verb.FUND, (), partner=number, refers_to=entry.id, paid=(part,))
    return entry
