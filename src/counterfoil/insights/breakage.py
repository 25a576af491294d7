"""Breakage: what part of the points issued is expected never to be used, from the entries alone.

A cohort is the points of one issuer and currency earned in one local month. It has matured when the last of its points'
last valid days has passed: then what became of them is known. The estimate is expired / (burned + expired) over all matured
cohorts, rounded down to a basis point, so that less revenue is recognised rather than more. Until a cohort has matured it is
the caller's default; an estimate given for a partner goes before both (IFRS 15, B46: an entity estimates what it expects
to be entitled to).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from counterfoil.core.errors import InvalidRequest
from counterfoil.core.units import BASIS_POINTS, mul_div_down

Basis = Literal["given", "matured", "default"]
_GIVEN = re.compile(r"(\d{1,5}):(\d{1,5})(?:@(\d{1,9}))?", re.ASCII)


@dataclass(slots=True)
class Cohort:
    """Points earned in one month; at `over_at` the last of them is past, but for what came back with grace."""

    burned: int = 0
    expired: int = 0
    over_at: int = 0


@dataclass(frozen=True, slots=True)
class Matured:
    """The cohorts that have matured: how many, and what became of their points."""

    cohorts: int = 0
    burned: int = 0
    expired: int = 0


def matured(cohorts: Iterable[Cohort], at: int) -> Matured:
    """The sum of the cohorts over at an instant of which something was used or ran out."""
    over = [one for one in cohorts if one.over_at <= at and one.burned + one.expired > 0]
    return Matured(len(over), sum(one.burned for one in over), sum(one.expired for one in over))


@dataclass(frozen=True, slots=True)
class Given:
    """An accountant's own estimate for a partner, from a settlement on."""

    party: int
    breakage_bp: int
    since: int = 1

    @classmethod
    def parse(cls, text: str) -> Given:
        """`PARTNER:BASISPOINTS`, or `PARTNER:BASISPOINTS@SETTLEMENT` from that one on; raises InvalidRequest."""
        found = _GIVEN.fullmatch(text)
        if found is None or int(found[2]) > BASIS_POINTS:
            raise InvalidRequest("estimate", f"{text!r} is not PARTNER:BASISPOINTS or PARTNER:BASISPOINTS@SETTLEMENT")
        return cls(int(found[1]), int(found[2]), int(found[3] or 1))

    def __str__(self) -> str:
        return f"{self.party}:{self.breakage_bp}@{self.since}"


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the entries do not say. `default_bp` holds where no cohort has matured; the latest estimate given goes first."""

    default_bp: int = 0
    given: tuple[Given, ...] = ()

    def estimate(self, party: int, number: int, known: Matured) -> tuple[int, Basis]:
        """A partner's breakage as of settlement `number`, basis points, and what it rests on."""
        named = [one for one in self.given if one.party == party and one.since <= number]
        if named:
            return max(named, key=lambda one: one.since).breakage_bp, "given"
        if not known.cohorts:
            return self.default_bp, "default"
        return mul_div_down(known.expired, BASIS_POINTS, known.burned + known.expired), "matured"
