"""Contracts between coalition and partner: effective-dated terms, and the funding of the lots made under them.

A contract is never edited: a later version has a later `since`. A lot keeps the terms it was made with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from counterfoil.core.accounts import FIRST_PARTNER
from counterfoil.core.calendar import Cliff, end_of_day, local_day, months_after, valid_until
from counterfoil.core.lots import Funding, pack_funding
from counterfoil.core.units import BASIS_POINTS, mul_div_down, split_largest_remainder

Mode = Literal["issuance", "redemption", "share"]
Clawback = Literal["debt", "cash"]


@dataclass(frozen=True, slots=True)
class Contract:
    """A partner's terms as one version has them, in force from the instant `since`. Money is micros per point.

    `issuance_bp` of the face is paid when points become available, the rest when they are used. `fee_micros` is due with
    the first, or with the use where nothing is paid at issue. `redemption_micros` is what the partner is paid for a point
    used there; None: the lots' own face. Where it is above theirs the operator pays the difference, points of
    `redemption_budget` at most. `pending_days`: how long an earn waits.
    """

    version: int
    face_micros: int = 10_000
    fee_micros: int = 1_000
    valid_days: int | None = 365
    breakage_operator_bp: int = 0
    issuance_bp: int = BASIS_POINTS
    fee_refundable: bool = True
    redemption_micros: int | None = None
    pending_days: int = 0
    since: int = 0
    valid_months: int | None = None  # instead of days: to the end of that many months later
    cliff: Cliff | None = None  # or of the month, quarter or year in which they end
    clawback: Clawback = "debt"  # what a refund cannot recover is owed in points, or taken off the cash at the till
    credit_limit_micros: int | None = None  # what it may owe before settlements are final; None: without limit
    redemption_budget: str | None = None  # without one it is never paid more than a point's face

    @property
    def funding(self) -> Mode:
        """The funding mode by name."""
        if self.issuance_bp in {0, BASIS_POINTS}:
            return "issuance" if self.issuance_bp else "redemption"
        return "share"

    def expires_at(self, sold_at: int, zone: str) -> int:
        """The first instant at which points of a sale are no longer valid."""
        if self.valid_months is None:
            return valid_until(sold_at, self.valid_days, zone)
        return end_of_day(months_after(local_day(sold_at, zone), self.valid_months, self.cliff), zone)

    def part(self, party: int) -> Funding:
        """How `party` funds a whole point under this contract."""
        paid, owed = split_largest_remainder(self.face_micros, (self.issuance_bp, BASIS_POINTS - self.issuance_bp))
        fee, use_fee = (self.fee_micros, 0) if self.issuance_bp else (0, self.fee_micros)
        return Funding(
            party, self.version, paid, owed, fee, use_fee, self.fee_refundable, self.breakage_operator_bp
        )  # fmt: skip


@lru_cache(maxsize=4096)
def alone(contract: Contract, party: int) -> bytes:
    """The funding of a lot that `party` funds by itself."""
    return pack_funding([contract.part(party)])


def in_force(contracts: Sequence[Contract], at: int) -> Contract:
    """The version in force at an instant, of versions in order; before the first: the first."""
    found = contracts[0]
    for one in contracts[1:]:
        if one.since > at:
            break
        found = one
    return found


def joint(shares: Mapping[int, int], contracts: Mapping[int, Contract]) -> bytes:
    """The funding of a lot that several parties fund together: `shares` in basis points by party, each by its own contract.

    A point's face and fee are split by the percentages: floors, then one micro-unit each by largest remainder, ties by
    number. What of its part a funder pays at issue and what at use its contract says. The operator as funder pays no fee.
    """
    numbers = sorted(shares)

    def split(amounts: list[int]) -> tuple[int, ...]:
        weights = [amount * shares[number] for amount, number in zip(amounts, numbers, strict=True)]
        whole = mul_div_down(sum(weights), 1, BASIS_POINTS)
        return split_largest_remainder(whole, weights) if whole else (0,) * len(weights)

    faces = split([contracts[number].face_micros for number in numbers])
    fees = split([contracts[number].fee_micros if number >= FIRST_PARTNER else 0 for number in numbers])
    return pack_funding(
        replace(contracts[number], face_micros=face, fee_micros=fee).part(number)
        for number, face, fee in zip(numbers, faces, fees, strict=True)
    )
