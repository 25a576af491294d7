"""Local days as instants, against zoneinfo walked minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.calendar import (
    SECOND,
    end_of_day,
    instant,
    local_day,
    moment,
    parse_instant,
    text_instant,
    valid_until,
)
from counterfoil.core.errors import InvalidRequest
from counterfoil.core.units import NEVER

ZONES = [
    "UTC", "Europe/Zurich", "America/New_York", "America/Sao_Paulo", "America/Havana", "Atlantic/Azores",
    "Asia/Beirut", "Asia/Kathmandu", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham",
    "Pacific/Kiritimati", "America/Nuuk", "Asia/Tehran",
]  # fmt: skip
DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
MINUTE = 60 * SECOND


def utc(*parts: int) -> int:
    return instant(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type,misc]


@given(DAYS, st.sampled_from(ZONES))
def test_a_day_ends_where_the_next_begins(day: date, zone: str) -> None:
    end = end_of_day(day, zone)
    assert local_day(end - 1, zone) <= day < local_day(end, zone)


@given(st.integers(0, 2_800_000_000), st.sampled_from(ZONES))
def test_an_instant_lies_within_its_day(seconds: int, zone: str) -> None:
    at = seconds * SECOND
    day = local_day(at, zone)
    assert end_of_day(day - timedelta(days=1), zone) <= at < end_of_day(day, zone)


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        (date(2025, 3, 30), "Europe/Zurich", (2025, 3, 30, 22)),  # 23 hours long
        (date(2025, 3, 29), "Europe/Zurich", (2025, 3, 29, 23)),
        (date(2025, 10, 26), "Europe/Zurich", (2025, 10, 26, 23)),  # 25 hours long
        (date(2025, 10, 25), "Europe/Zurich", (2025, 10, 25, 22)),
        (date(2017, 10, 14), "America/Sao_Paulo", (2017, 10, 15, 3)),  # the next day begins at 01:00
        (date(2018, 2, 17), "America/Sao_Paulo", (2018, 2, 18, 3)),  # 23:00 to 24:00 came twice
        (date(2024, 4, 25), "Africa/Cairo", (2024, 4, 25, 22)),  # the next day begins at 01:00
        (date(2025, 11, 1), "America/Havana", (2025, 11, 2, 4)),  # 00:00 to 01:00 came twice: the first
        (date(2011, 12, 29), "Pacific/Apia", (2011, 12, 30, 10)),  # the 30th was left out
        (date(2011, 12, 30), "Pacific/Apia", (2011, 12, 30, 10)),
        (date(2024, 2, 28), "Asia/Kathmandu", (2024, 2, 28, 18, 15)),
        (date(2024, 2, 29), "UTC", (2024, 3, 1)),
        (date(2023, 2, 28), "UTC", (2023, 3, 1)),
        (date(2025, 12, 31), "Pacific/Kiritimati", (2025, 12, 31, 10)),
        (date(2025, 12, 31), "America/New_York", (2026, 1, 1, 5)),
    ],
)
def test_days_that_are_not_24_hours(day: date, zone: str, end: tuple[int, ...]) -> None:
    assert end_of_day(day, zone) == utc(*end)


@pytest.mark.parametrize("zone", ZONES)
def test_each_day_of_four_years_is_as_long_as_its_clock(zone: str) -> None:
    day, longest, shortest = date(2023, 1, 1), 0, 10**15
    while day < date(2027, 1, 1):
        length = end_of_day(day, zone) - end_of_day(day - timedelta(days=1), zone)
        longest, shortest = max(longest, length), min(shortest, length)
        day += timedelta(days=1)
    assert longest <= 25 * 60 * MINUTE
    assert shortest >= 23 * 60 * MINUTE
    assert longest + shortest == 48 * 60 * MINUTE


@given(st.integers(0, 2_000_000_000), st.integers(0, 4_000), st.sampled_from(ZONES))
def test_validity_counts_local_days(seconds: int, days: int, zone: str) -> None:
    at = seconds * SECOND
    until = valid_until(at, days, zone)
    last = datetime.fromtimestamp(seconds, ZoneInfo(zone)).date() + timedelta(days=days)
    assert local_day(until - 1, zone) <= last < local_day(until, zone)
    assert until > at


@pytest.mark.parametrize(
    ("at", "days", "zone", "end"),
    [
        ((2024, 2, 28, 12), 1, "UTC", (2024, 3, 1)),  # the leap day is the last valid one
        ((2023, 2, 28, 12), 1, "UTC", (2023, 3, 2)),
        ((2024, 2, 29, 12), 365, "UTC", (2025, 3, 1)),
        ((2023, 12, 31, 23, 30), 365, "UTC", (2024, 12, 31)),
        ((2023, 12, 31, 23, 30), 365, "Europe/Zurich", (2024, 12, 31, 23)),  # was New Year's Day there
        ((2025, 1, 31, 0), 30, "America/New_York", (2025, 3, 2, 5)),  # was still the 30th there
        ((2025, 3, 1, 0), 0, "UTC", (2025, 3, 2)),
    ],
)
def test_terms(at: tuple[int, ...], days: int, zone: str, end: tuple[int, ...]) -> None:
    assert valid_until(utc(*at), days, zone) == utc(*end)


def test_no_term_and_terms_past_the_calendar() -> None:
    assert valid_until(0, None, "UTC") == NEVER
    assert valid_until(utc(2025, 1, 1), 10**9, "UTC") == NEVER
    assert valid_until(utc(2025, 1, 1), 10**12, "UTC") == NEVER
    assert valid_until(utc(9998, 12, 31), 365, "UTC") == NEVER
    assert valid_until(utc(9998, 12, 31), 364, "UTC") == utc(9999, 12, 31)


@given(st.integers(0, utc(9998, 12, 31, 23, 59, 59) + 999_999))
def test_text_and_back(at: int) -> None:
    text = text_instant(at)
    assert parse_instant(text, "at") == at == instant(moment(at))
    assert len(text) == len("2025-12-01T10:00:00.000000Z")
    assert datetime.fromisoformat(text) == moment(at)


@given(st.integers(0, 2**50), st.integers(0, 2**50))
def test_texts_sort_as_their_instants(a: int, b: int) -> None:
    assert (text_instant(a) < text_instant(b)) == (a < b)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("2025-12-01T10:00:00Z", (2025, 12, 1, 10)),
        ("2025-12-01T10:00:00.5Z", (2025, 12, 1, 10, 0, 0, 500_000)),
        ("2025-12-01T10:00:00.000001+05:45", (2025, 12, 1, 4, 15, 0, 1)),
        ("2024-02-29T23:59:59-08:00", (2024, 3, 1, 7, 59, 59)),
        ("1970-01-01T00:00:00Z", (1970, 1, 1)),
    ],
)
def test_instants_that_are_read(text: str, parts: tuple[int, ...]) -> None:
    assert parse_instant(text, "at") == utc(*parts)


@pytest.mark.parametrize(
    "text",
    [
        "", "2025-12-01", "2025-12-01T10:00:00", "2025-12-01 10:00:00Z", "2025-12-01t10:00:00z",
        "2025-12-01T10:00Z", "2025-12-01T10:00:00.Z", "2025-12-01T10:00:00.1234567Z", "2025-02-29T00:00:00Z",
        "2025-13-01T00:00:00Z", "2025-12-01T25:00:00Z", "2025-12-01T24:00:00Z", "2025-12-01T23:59:60Z",
        "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "2025-12-01T10:00:00+24:00",
        "2025-12-01T10:00:00Z\n", " 2025-12-01T10:00:00Z", "٢٠٢٥-12-01T10:00:00Z", 1_764_583_200, None,
        True, ["2025-12-01T10:00:00Z"],
    ],
)  # fmt: skip
def test_what_is_no_instant(text: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_instant(text, "closes")
    assert caught.value.field == "closes"
