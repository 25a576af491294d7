"""The words of the second rulebook: instants, contracts, lots and members, and how shares are cut. See rulebook.py."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Dict = dict[str, Any]
NEVER = datetime.max.replace(tzinfo=UTC)
COALITION, OPERATOR, POOL = "CP", "operator", "pool"
WHOLE_BP = 10_000


class Refused(Exception):
    """A rule turns it down; `facts` are what its answer says beside the code."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


def check(code: str, *, that: bool) -> None:
    """What must hold, or the code of the refusal."""
    if not that:
        raise Refused(code)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def spelled(moment: datetime) -> str | None:
    return None if moment == NEVER else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def over(day: date, zone: ZoneInfo) -> datetime:
    """The first instant after a last valid day."""
    return midnight(day + timedelta(days=1), zone)


def working_days_after(day: date, count: int) -> date:
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def cut(amount: int, weights: Iterable[int]) -> list[int]:
    """Floor each share, then one unit each by largest remainder; who stands first wins a tie."""
    parts = list(weights)
    whole = sum(parts)
    shares = [amount * part // whole for part in parts]
    order = sorted(range(len(parts)), key=lambda i: (-(amount * parts[i] % whole), i))
    for place in order[: amount - sum(shares)]:
        shares[place] += 1
    return shares


@dataclass(frozen=True)
class Terms:
    """One version of a partner's contract."""

    issuance_bp: int
    face: int
    fee: int
    fee_refundable: bool
    breakage_bp: int
    valid_days: int | None
    pending_days: int
    since: datetime | None


def terms_of(said: Dict) -> Terms:
    funding = said.get("funding", "issuance")
    return Terms(
        said["issuance_bp"] if funding == "share" else WHOLE_BP * (funding == "issuance"),
        said.get("face", 10_000),
        said.get("fee", 0 if funding == "redemption" else 1_000),
        said.get("fee_refundable", True),
        said.get("breakage_operator_bp", 0),
        said.get("valid_days", 365),
        said.get("pending_days", 0),
        instant(said["since"]) if "since" in said else None,
    )


@dataclass(frozen=True)
class Stake:
    """What one party pays for each point of a lot: at its issue, at its use, and the fee at one of the two."""

    party: str
    issue: int
    use: int
    issue_fee: int
    use_fee: int
    breakage_bp: int
    fee_refundable: bool = True


@dataclass
class Block:
    """Points that a partner may issue: a pack paid in advance, or the reserve that is paid when it is used."""

    payer: str
    left: int
    place: int
    alert_at: int | None


@dataclass(eq=False)
class Lot:
    """Points of one making. `root` is the number of the first lot when this one is a part of it restored."""

    n: int
    root: int
    currency: str
    issuer: str
    earned: datetime
    expires: datetime
    stakes: tuple[Stake, ...]
    bonus: bool = False
    sale: str = ""  # the earn that made it; a gift is made by the gift
    free: int = 0
    held: int = 0
    pending: int = 0
    past: int = 0
    until: datetime = NEVER  # of what is pending
    draws: list[tuple[Block, int]] = field(default_factory=list)

    @property
    def open(self) -> int:
        return self.free + self.held

    def fresh(self, n: int, **changed: Any) -> Lot:
        """A lot of the same origin, with nothing in it yet; what was drawn on packs is the origin's, however it is parted."""
        return replace(self, n=n, free=0, held=0, pending=0, past=0, until=NEVER, **changed)


def burn_order(lot: Lot) -> tuple[Any, ...]:
    return (lot.expires, lot.earned, lot.root, lot.n)


def gift_order(lot: Lot) -> tuple[Any, ...]:
    return (lot.earned, lot.expires, lot.root, lot.n)


@dataclass
class Debt:
    """Points that a member owes to who refunded them; the fee waits with the points."""

    issuer: str
    currency: str
    left: int
    fees: list[tuple[str, int]]


Part = tuple[Lot, int]


@dataclass
class Hold:
    """Named lots set aside for a partner."""

    n: int
    partner: str
    member: str
    parts: list[Part]
    until: datetime
    state: str = "open"


@dataclass
class Use:
    """Points used at a partner, or for a voucher."""

    member: str
    partner: str
    parts: list[Part]
    number: int  # of the settlement it belongs to
    refunded: int = 0
    state: str = ""
    until: datetime = NEVER
    n: int = 0
    cost: int = 0

    @property
    def points(self) -> int:
        return sum(points for _lot, points in self.parts)


@dataclass
class Member:
    """A person's lots, debts and gifts of the day."""

    lots: list[Lot] = field(default_factory=list)
    debts: list[Debt] = field(default_factory=list)
    gifts: list[tuple[date, int]] = field(default_factory=list)
    asked: datetime | None = None
    erased: bool = False

    def sums(self) -> dict[str, dict[str, int]]:
        """Balances by currency; where all is zero, nothing."""
        found: dict[str, dict[str, int]] = {}
        for lot in self.lots:
            one = found.setdefault(lot.currency, dict.fromkeys(("available", "held", "pending", "debt", "balance"), 0))
            one["available"] += lot.free
            one["held"] += lot.held
            one["pending"] += lot.pending
        for debt in self.debts:
            one = found.setdefault(debt.currency, dict.fromkeys(("available", "held", "pending", "debt", "balance"), 0))
            one["debt"] += debt.left
        for one in found.values():
            one["balance"] = one["available"] - one["debt"]
        return {currency: one for currency, one in found.items() if any(one.values())}
