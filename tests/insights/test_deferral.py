"""Deferred revenue: the standard's own example, one by hand, and what holds whatever the figures."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from counterfoil.core.units import BASIS_POINTS, rounded_half_even
from counterfoil.insights import deferral
from counterfoil.insights.deferral import Movement, Rights, movement
from counterfoil.insights.sums import together

CU = 1_000_000


def test_the_standards_example() -> None:
    """IFRS 15, Example 52: 8,676 allocated to 10,000 points; 9,500, later 9,700 are expected to be used."""
    first, second = Rights(8_676 * CU, 10_000, 4_500), Rights(8_676 * CU, 10_000, 8_500)
    one = movement(Rights(), 500, first, 500)
    assert rounded_half_even(one.recognised_micros, CU) == 4_110 * CU
    two = movement(first, 500, second, 300)
    assert rounded_half_even(two.recognised_micros + two.catch_up_micros, CU) == 3_493 * CU
    assert rounded_half_even(two.closing_micros, CU) == 1_073 * CU
    assert two.catch_up_micros < 0  # more is expected to be used: less was earned so far


def test_by_hand() -> None:
    """1,000 points of 0.01; a fifth, then half of them expected never to be used; half of them run out."""
    one = Rights(10_000_000, 1_000, 200)
    two, three = replace(one, burned=400), replace(one, burned=500, expired=500)
    # 10,000,000 x 200 / (1,000 x 0.8) = 2,500,000
    assert movement(Rights(), 2_000, one, 2_000) == Movement(
        0, 10_000_000, 2_500_000, 0, 7_500_000, 10_000_000, 2_500_000
    )
    # as before: x 400 / 800 = 5,000,000; with the new estimate: x 400 / 500 = 8,000,000
    assert movement(one, 2_000, two, 5_000) == Movement(
        7_500_000, 0, 2_500_000, 3_000_000, 2_000_000, 10_000_000, 8_000_000
    )
    assert movement(two, 5_000, three, 5_000) == Movement(2_000_000, 0, 2_000_000, 0, 0, 10_000_000, 10_000_000)


def test_estimates_that_cannot_be() -> None:
    everything = BASIS_POINTS
    assert Rights().recognised_micros(everything) == 0
    assert Rights(100, 10).recognised_micros(everything) == 0  # nothing used, and nothing expected to be
    assert Rights(100, 10, 1).recognised_micros(everything) == 100  # one used more than ever should be
    assert Rights(100, 10, 0, 10).recognised_micros(0) == 100  # all ran out: no right is left
    assert Rights(100, 10, 2, 6).recognised_micros(0) == 50  # 6 ran out whatever the estimate: 2 of 4
    assert Rights(100, 3, 1).recognised_micros(0) == 33  # rounded down


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Rights, int]]:
    """Closes one after the other, each with its estimate: points issued, taken back, used, given back, run out."""
    now, closes = Rights(), []
    for _ in range(draw(st.integers(1, 8))):
        issued, face = draw(st.integers(0, 10**6)), draw(st.integers(0, 30_000))
        now = replace(now, issued=now.issued + issued, deferred_micros=now.deferred_micros + issued * face)
        left = now.issued - now.burned - now.expired
        expired = draw(st.integers(0, left))
        burned = draw(st.integers(-now.burned, left - expired))
        now = replace(now, expired=now.expired + expired, burned=now.burned + burned)
        left = now.issued - now.burned - now.expired
        taken = draw(st.integers(0, left))
        micros = now.deferred_micros * taken // now.issued if now.issued else 0
        now = replace(now, issued=now.issued - taken, deferred_micros=now.deferred_micros - micros)
        closes.append((now, draw(st.integers(0, BASIS_POINTS))))
    return closes


def moved(closes: list[tuple[Rights, int]]) -> list[Movement]:
    first = (Rights(), closes[0][1])
    return [movement(before, was, now, estimate) for (before, was), (now, estimate) in pairwise([first, *closes])]


def check(closes: list[tuple[Rights, int]]) -> None:
    rows = moved(closes)
    opening = 0
    for one, (now, estimate) in zip(rows, closes, strict=True):
        assert one.opening_micros == opening
        assert one.opening_micros + one.added_micros - one.recognised_micros - one.catch_up_micros == one.closing_micros
        assert 0 <= one.closing_micros <= now.deferred_micros == one.deferred_to_date_micros
        assert one.recognised_to_date_micros + one.closing_micros == now.deferred_micros
        assert now.recognised_micros(estimate) <= now.recognised_micros(min(estimate + 1, BASIS_POINTS))
        opening = one.closing_micros
    last = closes[-1][0]
    whole = movement(Rights(), closes[-1][1], *closes[-1])  # in one settlement, or in many: the same
    many = together(rows, Movement())
    assert whole.catch_up_micros == 0
    assert many.added_micros == whole.added_micros == last.deferred_micros
    assert many.recognised_micros + many.catch_up_micros == whole.recognised_micros
    assert rows[-1].closing_micros == whole.closing_micros
    over = replace(last, expired=last.issued - last.burned)  # then the rest runs out
    assert movement(*closes[-1], over, closes[-1][1]).closing_micros == 0


@given(histories())
def test_the_movement_adds_up_whatever_happens(closes: list[tuple[Rights, int]]) -> None:
    check(closes)


@given(histories())
def test_an_estimate_that_stays_makes_no_catch_up(closes: list[tuple[Rights, int]]) -> None:
    assert {one.catch_up_micros for one in moved([(now, 1_234) for now, _bp in closes])} == {0}


@settings(phases=[Phase.generate], report_multiple_bugs=False)
@given(histories())
def hunt(closes: list[tuple[Rights, int]]) -> None:
    """The same without making the smallest example of what is found."""
    check(closes)


PLANTS = {
    "rounded up": ("mul_div_down", lambda a, b, divisor: -(-a * b // divisor) + 1),
    "divided by what is left": ("mul_div_down", lambda a, b, divisor: a * b // max(1, divisor - b)),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_canary_a_wrong_figure_is_caught(plant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferral, *PLANTS[plant])
    with pytest.raises(AssertionError):
        test_by_hand()
    with pytest.raises(AssertionError):
        hunt()


def test_canary_a_catch_up_forgotten_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    real = deferral.movement
    monkeypatch.setitem(globals(), "movement", lambda *a: replace(real(*a), catch_up_micros=0))
    with pytest.raises(AssertionError):
        hunt()
