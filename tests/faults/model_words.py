"""The model's words: lots in their orders, local days, and the code of a refusal. See model.py."""

from __future__ import annotations

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
