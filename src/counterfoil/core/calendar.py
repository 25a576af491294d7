"""Days of the programme's time zone as instants, and RFC 3339 text.

"Last valid day" means: valid until 00:00 local of the day after.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from counterfoil.core.errors import InvalidRequest, Unreadable
from counterfoil.core.units import NEVER

Cliff = Literal["month", "quarter", "year"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
SATURDAY = 5
_MICROSECOND = timedelta(microseconds=1)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:[0-5]\d)", re.ASCII)
LAST_YEAR = 9998
LAST_INSTANT = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - EPOCH) // _MICROSECOND


def instant(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime."""
    return (moment - EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """The datetime, UTC, of an instant."""
    return EPOCH + timedelta(microseconds=at)


def parse_instant(text: object, field: str) -> int:
    """The instant of an RFC 3339 text with zone; raises InvalidRequest naming `field`."""
    if not isinstance(text, str) or not _RFC_3339.fullmatch(text):
        raise InvalidRequest(field, "must be an RFC 3339 instant such as 2025-12-01T10:00:00Z")
    try:
        at = datetime.fromisoformat(text)
        if not 1970 <= at.year <= LAST_YEAR:  # room for validity and zones on both sides
            raise InvalidRequest(field, "must be between 1970 and 9998")
        value = instant(at)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(field, f"is not an instant: {error}") from error
    if value < 0:
        raise InvalidRequest(field, "must be between 1970 and 9998")
    return value


@lru_cache(maxsize=4096)
def text_instant(at: int) -> str:
    """RFC 3339, UTC, always six fractional digits: equal instants are equal texts."""
    return moment(at).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def local(at: int, zone: str) -> datetime:
    """An instant on the clock of `zone` (IANA name)."""
    return moment(at).astimezone(_zone(zone))


def local_day(at: int, zone: str) -> date:
    """The calendar day of an instant in `zone` (IANA name)."""
    return local(at, zone).date()


@lru_cache(maxsize=4096)
def end_of_day(day: date, zone: str) -> int:
    """00:00 local of the day after `day`: the first instant at which it is over."""
    after = day + timedelta(days=1)
    return instant(datetime(after.year, after.month, after.day, tzinfo=_zone(zone)))


def business_day_after(day: date, count: int) -> date:
    """The `count`-th Monday to Friday after a day; holidays count, as the rulebook names none."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < SATURDAY
    return day


def months_after(day: date, months: int, cliff: Cliff | None = None) -> date:
    """The same day `months` later, or the last of a shorter month; with a cliff the last day of its month, quarter or year."""
    count = day.year * 12 + day.month - 1 + months
    if cliff is not None:
        span = {"month": 1, "quarter": 3, "year": 12}[cliff]
        count += span - 1 - count % span
    year, month = divmod(count, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, last if cliff is not None else min(day.day, last))


@lru_cache(maxsize=4096)
def valid_until(at: int, valid_days: int | None, zone: str) -> int:
    """First instant no longer valid for a sale at `at`; NEVER without a term or past the calendar."""
    if valid_days is None:
        return NEVER
    try:
        return end_of_day(local_day(at, zone) + timedelta(days=valid_days), zone)
    except OverflowError:
        return NEVER


def checked_zone(name: str, what: str = "zone") -> str:
    """The name if it is an IANA zone; raises Unreadable."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Unreadable(what, f"{name!r} is no time zone") from None
    return name


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
