"""Stock: what is outstanding at a close, by age and by what runs out when; funded and unfunded money apart."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct

from counterfoil.core.calendar import SECOND
from counterfoil.core.lots import Funds
from counterfoil.core.units import NEVER
from counterfoil.insights.breakage import Cohort
from counterfoil.insights.tally import Tally

DAY = 86_400 * SECOND
AGES = ((30, "0-30"), (90, "31-90"), (180, "91-180"), (365, "181-365"))  # whole days since the earn, at most
OLDER = "over 365"
RUNS_OUT = ((30, "within 30"), (90, "31-90"), (180, "91-180"), (365, "181-365"))  # days of 24 hours from the close
LATER, NEVER_ENDS = "later", "never"


class Lot(Struct, gc=False):
    """What is left of a lot, and as much of its terms as figures need. It stays when all has left: points can come back."""

    tally: Tally
    cohort: Cohort
    earned_at: int
    expires_at: int
    funds: Funds
    available: int = 0
    held: int = 0
    pending: int = 0
    withdrawn: int = 0


@dataclass(slots=True)
class Band:
    """Points of a band, and their money in micros: funded lies in the pool, unfunded is owed when they are used."""

    band: str
    points: int = 0
    funded_micros: int = 0
    unfunded_micros: int = 0

    def add(self, points: int, funded_micros: int, unfunded_micros: int) -> None:
        """Count some in."""
        self.points += points
        self.funded_micros += funded_micros
        self.unfunded_micros += unfunded_micros


def _ages() -> list[Band]:
    return [Band(name) for _days, name in AGES] + [Band(OLDER)]


def _run_outs() -> list[Band]:
    return [Band(name) for _days, name in RUNS_OUT] + [Band(LATER), Band(NEVER_ENDS)]


@dataclass(slots=True)
class Stock:
    """Of one issuer in one currency. Outstanding is available + held + withdrawn; pending and debt stand outside it."""

    available: int = 0
    held: int = 0
    withdrawn: int = 0
    pending: int = 0
    debt: int = 0
    funded_micros: int = 0
    unfunded_micros: int = 0
    ages: list[Band] = field(default_factory=_ages)
    runs_out: list[Band] = field(default_factory=_run_outs)

    @property
    def outstanding(self) -> int:
        """Points for which the coalition is liable."""
        return self.available + self.held + self.withdrawn

    def count(self, lot: Lot, at: int) -> None:
        """Count a lot in, as of the close at an instant."""
        self.available += lot.available
        self.held += lot.held
        self.withdrawn += lot.withdrawn
        self.pending += lot.pending
        points = lot.available + lot.held + lot.withdrawn
        if not points:
            return
        funded = points * lot.funds.paid_micros
        unfunded = points * (lot.funds.face_micros - lot.funds.paid_micros)
        self.funded_micros += funded
        self.unfunded_micros += unfunded
        self.ages[age(at - lot.earned_at)].add(points, funded, unfunded)
        for part, band in ((points - lot.withdrawn, runs_out(lot.expires_at, at)), (lot.withdrawn, len(RUNS_OUT) + 1)):
            if part:  # in wallets nothing runs out
                paid = lot.funds.paid_micros
                self.runs_out[band].add(part, part * paid, part * (lot.funds.face_micros - paid))


def age(passed: int) -> int:
    """The band of an age in microseconds: whole days of 24 hours, rounded down."""
    days = passed // DAY
    return next((i for i, (most, _name) in enumerate(AGES) if days <= most), len(AGES))


def runs_out(expires_at: int, at: int) -> int:
    """The band of an expiry seen from an instant; what is past and still held is in the first."""
    if expires_at == NEVER:
        return len(RUNS_OUT) + 1
    return next((i for i, (days, _name) in enumerate(RUNS_OUT) if expires_at <= at + days * DAY), len(RUNS_OUT))
