"""The model's words: lots in their orders, local days, and the code of a refusal. See model.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

FACE, FEE, GRACE_DAYS = 10_000, 1_000, 30
NEVER = 2**63 - 1
MOST = 2**53 - 1
ZONE = ZoneInfo("Europe/Warsaw")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KINDS = {"refund_earn": "refund", "refund_burn": "refund", "capture": "burn"}

Dict = dict[str, Any]


class Refused(Exception):
    """A rule turns it down; its text is the code."""


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def local_day(at: int) -> date:
    return (EPOCH + timedelta(microseconds=at)).astimezone(ZONE).date()


def over(day: date) -> int:
    """00:00 local after the last valid day."""
    after = day + timedelta(days=1)
    return micros(datetime(after.year, after.month, after.day, tzinfo=ZONE))


def burn_order(lot: Dict) -> tuple[int, ...]:
    return (lot["expires"], lot["earned"], lot["root"], lot["n"])


def gift_order(lot: Dict) -> tuple[int, ...]:
    return (lot["earned"], lot["expires"], lot["root"], lot["n"])


def shown(used: list[tuple[Dict, int]]) -> list[list[Any]]:
    return [[lot["issuer"], part] for lot, part in used]


@dataclass
class Pockets:
    """Members with their lots, and money by party. `terms` by partner: valid_days (None: no expiry), breakage_operator_bp."""

    terms: dict[str, Dict]
    now: int
    members: dict[str, Dict] = field(default_factory=dict)
    money: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def add(self, member: str) -> None:
        self.members[member] = {"lots": [], "debts": [], "holds": []}

    # --- looking ---------------------------------------------------------------------------------------------

    def available(self, member: str) -> int:
        return sum(lot["free"] for lot in self.members[member]["lots"])

    def held(self, member: str) -> int:
        return sum(lot["held"] for lot in self.members[member]["lots"])

    def debt(self, member: str) -> int:
        return sum(debt["left"] for debt in self.members[member]["debts"])

    def open_lots(self, member: str) -> list[tuple[Any, ...]]:
        lots = [lot for lot in self.members[member]["lots"] if lot["free"] or lot["held"]]
        return sorted((x["issuer"], x["earned"], x["expires"], x["free"], x["held"]) for x in lots)

    def instants(self) -> list[int]:
        """When something falls due."""
        found = []
        for who in self.members.values():
            found += [lot["expires"] for lot in who["lots"] if lot["free"] and lot["expires"] != NEVER]
            found += [hold["until"] for hold in who["holds"] if hold["state"] == "open"]
        return found

    def pay(self, payer: str, payee: str, amount: int) -> None:
        self.money[payer] = self.money.get(payer, 0) - amount
        self.money[payee] = self.money.get(payee, 0) + amount

    def lot(self, issuer: str, earned: int, expires: int, points: int, bp: int) -> Dict:
        self.count += 1
        return {"n": self.count, "root": self.count, "earn": None, "issuer": issuer, "earned": earned, "bp": bp,
                "expires": expires, "free": points, "held": 0, "used": 0, "past": 0}  # fmt: skip

    def usable(self, who: Dict, order: Callable[[Dict], tuple[int, ...]], at: int) -> list[Dict]:
        return sorted((x for x in who["lots"] if x["free"] and x["expires"] > at), key=order)

    def drawn(
        self, who: Dict, order: Callable[[Dict], tuple[int, ...]], points: int, into: str | None
    ) -> list[tuple[Dict, int]]:
        lots = self.usable(who, order, self.now)
        if points > sum(lot["free"] for lot in lots):
            raise Refused("insufficient_points")
        parts = []
        for lot in lots:
            part = min(points, lot["free"])
            if part:
                lot["free"] -= part
                points -= part
                parts.append((lot, part))
                if into is not None:
                    lot[into] += part
        return parts

    def some(self, lots: list[Dict], points: int) -> int:
        got = 0
        for lot in lots:
            part = min(points - got, lot["free"])
            lot["free"] -= part
            got += part
        return got

    def who(self, member: str) -> Dict:
        if member not in self.members:
            raise Refused("unknown_member")
        return self.members[member]

    def room(self, member: str, points: int) -> None:
        if self.available(member) + self.held(member) + points > MOST:
            raise Refused("balance_limit")
