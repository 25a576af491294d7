"""The one module that divides: each direction against an independent computation."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.errors import InvalidAmount
from counterfoil.core.units import (
    CENT_MICROS,
    MAX_POINTS,
    checked_points,
    mul_div_down,
    mul_div_half_even,
    refunded_points,
    rounded_half_even,
    split_largest_remainder,
)

AMOUNTS = st.integers(-(2**120), 2**120)
POINTS = st.integers(1, MAX_POINTS)
WIDE = Context(prec=200)


@given(AMOUNTS, st.integers(-(2**60), 2**60), st.integers(1, 2**60))
def test_half_even_is_that_of_decimal(a: int, b: int, divisor: int) -> None:
    exact = WIDE.divide(Decimal(a * b), Decimal(divisor))
    found = mul_div_half_even(a, b, divisor)
    assert abs(Fraction(a * b, divisor) - found) <= Fraction(1, 2)
    if exact * divisor == a * b:  # the quotient fits the context: decimal can judge ties
        assert found == int(exact.quantize(Decimal(1), ROUND_HALF_EVEN, context=WIDE))


@given(st.integers(-(10**9), 10**9), st.integers(1, 1_000))
def test_ties_go_to_even(quotient: int, half: int) -> None:
    found = mul_div_half_even(quotient * 2 + 1, half, half * 2)
    assert found % 2 == 0
    assert found in {quotient, quotient + 1}


@given(AMOUNTS, st.integers(1, 10**7))
def test_half_even_is_symmetric(micros: int, step: int) -> None:
    assert rounded_half_even(-micros, step) == -rounded_half_even(micros, step)
    assert rounded_half_even(micros, step) % step == 0
    assert abs(rounded_half_even(micros, step) - micros) * 2 <= step


@pytest.mark.parametrize(
    ("micros", "cents"),
    [(5_000, 0), (15_000, 2), (25_000, 2), (5_001, 1), (-5_000, 0), (-15_000, -2), (-25_001, -3), (0, 0)],
)
def test_cents(micros: int, cents: int) -> None:
    assert rounded_half_even(micros) == cents * CENT_MICROS


@given(AMOUNTS, AMOUNTS, st.integers(1, 2**60))
def test_down_is_floor(a: int, b: int, divisor: int) -> None:
    found = mul_div_down(a, b, divisor)
    assert found * divisor <= a * b < (found + 1) * divisor


@given(st.integers(0, 2**80), st.lists(st.integers(0, 2**60), min_size=1, max_size=40).filter(any))
def test_a_split_sums_exactly(total: int, weights: list[int]) -> None:
    shares = split_largest_remainder(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(Fraction(total * weight, whole) - share) < 1
        assert weight or not share


@given(st.integers(0, 2**50), st.lists(st.integers(0, 50), min_size=1, max_size=9).filter(any))
def test_a_split_goes_by_largest_remainder_and_ties_to_the_earlier(total: int, weights: list[int]) -> None:
    def rest(place: int) -> Fraction:
        exact = Fraction(total * weights[place], sum(weights))
        return exact - exact.__floor__()

    shares = split_largest_remainder(total, weights)
    floors = [total * weight // sum(weights) for weight in weights]
    raised = {i for i in range(len(weights)) if shares[i] > floors[i]}
    for got in raised:
        for not_got in set(range(len(weights))) - raised:
            assert (-rest(got), got) < (-rest(not_got), not_got)


@given(POINTS, st.integers(1, 2**60), st.data())
def test_refunds_in_any_parts_sum_to_the_points(points: int, sale: int, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, sale), max_size=12)))
    refunded = [refunded_points(points, so_far, sale) for so_far in (0, *cuts, sale)]
    parts = [after - before for before, after in pairwise(refunded)]
    assert refunded[0] == 0
    assert refunded[-1] == points == sum(parts)
    assert all(part >= 0 for part in parts)


Split = Callable[[Sequence[int], int, int], int]


def rounded_down(parts: Sequence[int], points: int, per: int) -> int:
    return sum(mul_div_down(part, points, per) for part in parts)


def rounded_up(parts: Sequence[int], points: int, per: int) -> int:
    """The planted bug of row 13: whoever splits an order gains."""
    return sum(-(-part * points // per) for part in parts)


def gains(earned: Split, seeds: range) -> int:
    """How often an order in parts earns more than whole."""
    found = 0
    for seed in seeds:
        parts = [1 + (seed * 7_919 + i * 104_729) % 999_983 for i in range(1 + seed % 9)]
        points, per = 1 + seed % 13, 1 + seed * 31 % 10_007
        found += earned(parts, points, per) > earned([sum(parts)], points, per)
    return found


def test_splitting_an_order_never_earns_more(times: Callable[[int, int], int]) -> None:
    assert gains(rounded_down, range(times(5_000, 1_000_000))) == 0


def test_the_canary_of_rounding_up_is_caught() -> None:
    assert gains(rounded_up, range(5_000)) > 1_000


@given(POINTS)
def test_points_pass(points: int) -> None:
    assert checked_points(points) == points
    assert json.loads(json.dumps(points)) == int(float(points)) == points


@pytest.mark.parametrize(
    "value", [0, -1, 2**53, 2**63, 1.0, 1e309, float("nan"), "1", True, False, None, [1], {}, b"1", Decimal(1)]
)
def test_what_is_no_amount(value: object) -> None:
    with pytest.raises(InvalidAmount) as caught:
        checked_points(value, "points")
    assert caught.value.field == "points"
    assert caught.value.code == "invalid_amount"
