"""The replay's own arithmetic against the independent computation, for the year: pure, so quick."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.core.units import rounded_half_even
from counterfoil.rehearsal.history import PARTNERS, Basket, baskets
from counterfoil.rehearsal.replay import Tally, days, movements
from tests.story import oracle

FACE, FEE = 10_000, 1_000


def replayed(read: list[Basket]) -> dict[str, Any]:
    """The figures in the oracle's shape."""
    tally = Tally()
    months: dict[tuple[int, int], list[tuple[str, int, int]]] = {}
    for month, some in days(read):
        moved = months.setdefault(month, [])
        for basket in some:
            moved += [(one.verb, one.partner, one.points) for one in movements(basket, tally)]
    return {
        "members": len(tally.purses), "baskets": tally.baskets, "earns": tally.earns, "burns": tally.burns,
        "issued": tally.issued, "burned": tally.burned,
        "outstanding": sum(purse.balance for purse in tally.purses.values()),
        "settlements": [settlement(number, moved) for number, moved in enumerate(months.values(), 1)],
    }  # fmt: skip


def settlement(number: int, moved: list[tuple[str, int, int]]) -> dict[str, Any]:
    sums = {verb: [0] * len(PARTNERS) for verb in ("earn", "burn")}
    for verb, partner, points in moved:
        sums[verb][partner] += points
    partners = {}
    for place, (name, _rate, _departments) in enumerate(PARTNERS):
        issued, burned = sums["earn"][place], sums["burn"][place]
        net = FACE * burned - (FACE + FEE) * issued
        partners[name] = {
            "issued": issued, "burned": burned, "net_micros": net, "settled_micros": rounded_half_even(net),
        }  # fmt: skip
    pool = rounded_half_even(FACE * (sum(sums["earn"]) - sum(sums["burn"])))
    operator = rounded_half_even(FEE * sum(sums["earn"]))
    rounding = -(pool + operator + sum(one["settled_micros"] for one in partners.values()))
    return {
        "number": number, "partners": partners, "pool_micros": pool, "operator_micros": operator,
        "rounding_micros": rounding,
    }  # fmt: skip


@pytest.mark.parametrize("year", [False, True], ids=["weeks", "year"])
def test_the_replay_is_what_the_oracle_computes(*, year: bool) -> None:
    expected, found = oracle.compute(year), replayed(list(baskets(year=year)))
    assert found == expected
    assert len(found["settlements"]) == (13 if year else 2)  # the last basket is of the first hours of 2018


def test_baskets_come_in_order_and_none_twice() -> None:
    read = list(baskets(year=False))
    assert [(one.at, one.id) for one in read] == sorted((one.at, one.id) for one in read)
    assert len({one.id for one in read}) == len(read)
    for one in read[:2_000]:
        assert [place for place, _cents in one.sales] == sorted({place for place, _cents in one.sales})
        assert one.day.timestamp() * 1e6 <= one.at < one.day.timestamp() * 1e6 + 86_400e6


def test_an_operation_is_named_by_what_it_is() -> None:
    """Sent again after an interruption, it is the same one: its key says basket, verb and partner."""
    tally, seen = Tally(), set()
    for basket in baskets(year=False):
        for one in movements(basket, tally):
            operation = one.operation("mbr_x")
            assert operation["key"] == operation["external_id"]
            assert operation["as"] == PARTNERS[one.partner][0]
            seen.add(operation["key"])
    assert len(seen) == tally.earns + tally.burns


def test_canary_a_cent_more_is_noticed() -> None:
    read = list(baskets(year=False))
    place, cents = read[0].sales[0]
    read[0] = Basket(read[0].id, read[0].household, read[0].at, ((place, cents + 10_000), *read[0].sales[1:]))
    assert replayed(read) != oracle.compute(year=False)
