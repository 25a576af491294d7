"""Bands at their edges, and figures beyond 64 bits."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from counterfoil.core.units import NEVER
from counterfoil.insights.stock import AGES, DAY, OLDER, RUNS_OUT, Stock, age, runs_out
from counterfoil.insights.written import written
from tests.insights.exported import row
from tests.insights.test_ledger import example

NOW = 1_800_000_000_000_000


@pytest.mark.parametrize(
    ("days", "band"), [(0, "0-30"), (31, "31-90"), (91, "91-180"), (181, "181-365"), (366, OLDER), (5_000, OLDER)]
)
def test_a_band_of_ages_begins_with_a_whole_day(days: int, band: str) -> None:
    names = [name for _most, name in AGES] + [OLDER]
    assert names[age(days * DAY)] == band
    assert names[age(days * DAY + DAY - 1)] == band
    assert not days or days == 5_000 or names[age(days * DAY - 1)] != band


@pytest.mark.parametrize(
    ("left", "band"),
    [(-DAY, 0), (0, 0), (30 * DAY, 0), (30 * DAY + 1, 1), (90 * DAY, 1), (180 * DAY, 2), (365 * DAY, 3),
     (365 * DAY + 1, 4), (NEVER - NOW - 1, 4), (NEVER - NOW, 5)],
)  # fmt: skip
def test_what_runs_out_when(left: int, band: int) -> None:
    assert runs_out(NOW + left, NOW) == band
    assert band < len(RUNS_OUT) + 2 == len(Stock().runs_out)


def test_figures_are_exact_whatever_their_size() -> None:
    shown, large = example().report(), 3**90
    assert large > 2**128
    shown = replace(shown, coverage=replace(shown.coverage, pool_micros=large))
    assert json.loads(written(shown, "json"))["coverage"]["pool_micros"] == large
    assert f",,coverage.pool_micros,{large}\r\n".encode() in written(shown, "csv")
    assert row(shown, 16).outstanding == 1_120
