"""The calculator: what an earn then gives, without effect."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.features.test_earning import BASE, SPRING, calculate, one, publish, sale
from tests.features.test_seldom import everything
from tests.gateway.stand import Stand, good, problem

__all__ = ["one"]  # a fixture


def test_calculations_of_an_operator_and_without_a_member(one: Stand) -> None:
    publish(one, SPRING, per_member=100, per_day=150)
    member, ids = one.member(), {name: side.id for name, side in one.sides.items()}
    basket = sale(member)["basket"]
    assert calculate(one, {"basket": basket})["points"] == 150
    assert calculate(one, {"basket": basket})["caps"] == "without the member's"
    assert calculate(one, {"basket": basket, "member": member})["points"] == 100
    assert calculate(one, {"basket": basket, "partner": ids["B"]}, "operator")["points"] == 150
    post = one.client.post
    for who, body, status, code in (
        ("operator", {"basket": basket}, 400, "invalid_request"),
        ("A", {"basket": basket, "partner": ids["B"]}, 403, "forbidden"),
        ("operator", {"basket": basket, "partner": 99}, 404, "unknown_partner"),
        ("A", {"basket": basket, "member": "mbr_0000000000000009"}, 404, "unknown_member"),
        ("A", {"basket": basket, "occurred_at": "2025-12-01T10:00:01Z"}, 400, "occurred_in_future"),
        ("A", {"basket": basket, "occurred_at": "2020-12-01T10:00:01Z"}, 409, "occurred_too_long_ago"),
        ("A", {"basket": {"lines": []}}, 400, "invalid_request"), ("A", {"basket": {}}, 400, "invalid_request"),
        ("A", {"basket": {"amount_micros": 1, "lines": [{"amount_micros": 1}]}}, 400, "invalid_request"),
        ("A", {"basket": {"lines": [{"amount_micros": 2**53 - 1}] * 2}}, 400, "invalid_request"),
    ):  # fmt: skip
        problem(post("/v1/calculations", json=body, headers=one.headers(who)), status, code)
    good(one.post("operator", f"partners/{ids['A']}/suspend", {}))
    problem(post("/v1/calculations", json={"basket": basket}, headers=one.headers("A")), 403, "partner_suspended")


LINE = st.fixed_dictionaries(
    {"amount_micros": st.integers(0, 3 * 10**8)},
    optional={"category": st.sampled_from(["wine", "bread"]), "brand": st.sampled_from(["own", ""]),
              "quantity": st.integers(1, 5)},
)  # fmt: skip


@pytest.fixture(scope="module")
def ruled(shared: Stand) -> Stand:
    """Rules of every kind, with caps that are met."""
    good(shared.post("operator", "promotions", {"name": "joint", "shares": {"A": 5_000, "B": 5_000}}))
    good(shared.post("operator", "budgets", {"name": "till", "points": 40_000}))
    publish(shared, BASE)
    publish(shared, BASE, name="wine", rate_bp=350, category="wine")
    publish(shared, BASE, name="own", points="matched.quantity * 3", rate_bp=None, brand="own", per_member_day=60)
    publish(shared, SPRING, promotion="joint", budget="till", per_member=450)
    publish(shared, SPRING, name="app", points="base.points / 2", when="'app' in basket.tags", per_day=4_000)
    publish(
        shared, SPRING, name="bread", points="30 * matched.lines", when="line.category == 'bread'", promotion="joint"
    )
    publish(
        shared,
        SPRING,
        name="odd",
        points="100 / ((basket.quantity - 7) * (basket.quantity - 7))",
        when="basket.quantity >= 7",
    )
    return shared


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_calculation_is_what_the_earn_then_gives(ruled: Stand, data: st.DataObject) -> None:
    members = [ruled.member(f"calculated-{place}") for place in range(2)]
    for _ in range(data.draw(st.integers(1, 4))):
        lines = data.draw(st.lists(LINE, min_size=1, max_size=4))
        tags = data.draw(st.lists(st.sampled_from(["app", "birthday"]), max_size=2))
        body = {"member": data.draw(st.sampled_from(members)), "basket": {"lines": lines, "tags": tags}}
        before = everything(ruled)
        asked = ruled.client.post("/v1/calculations", json=body, headers=ruled.headers("A"))
        named = {**body, "external_id": f"c-{next(ruled.keys)}"}
        tried = ruled.post("A", "earns", {**named, "dry_run": True}, key="")
        assert everything(ruled) == before, "a calculation had an effect"
        done = ruled.post("A", "earns", named)
        told = [answer.json() for answer in (asked, tried, done)]
        varying = {"id", "counterfoil", "verb", "caps", "request_id", "at", "expires_at"}  # the machine's clock goes on
        first, *others = [{name: fact for name, fact in one.items() if name not in varying} for one in told]
        assert others == [first, first]
        assert asked.status_code == (200 if done.status_code == 201 else done.status_code)
        if done.status_code == 201:
            assert first["points"] == sum(line["points"] for line in first["explanation"])
