"""What a partner is paid for a point used there: the operator's margin, below zero only out of a named budget."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.stand import START, Stand, good, problem, stand

CAMPAIGN = {"name": "summer", "points": 100}


@pytest.fixture
def one(database_url: str, tmp_path: Path) -> Iterator[Stand]:
    with stand(tmp_path / "home", database_url) as made:
        made.clock(START)
        yield made


def money(answer: dict[str, Any]) -> dict[str, int]:
    return {row["party"]: row["amount_micros"] for row in answer["money"]}


def left(one: Stand) -> int:
    (row,) = one.read("operator", "budgets")["data"]
    return int(row["points"]) - int(row["spent"])


def test_below_the_face_the_operator_keeps_the_rest(one: Stand) -> None:
    one.add("D", terms={"redemption_micros": 9_000})
    member = one.member()
    one.earn("A", member, 100)
    assert money(one.burn("D", member, 10)) == {"pool": -100_000, "D": 90_000, "operator": 10_000}


def test_above_the_face_a_budget_of_the_operators_pays(one: Stand) -> None:
    good(one.post("operator", "budgets", CAMPAIGN))
    one.add("D", terms={"redemption_micros": 12_000, "redemption_budget": "summer"})
    member = one.member()
    one.earn("A", member, 300)
    burned = one.burn("D", member, 60, "b")
    assert money(burned) == {"pool": -600_000, "D": 720_000, "operator": -120_000}
    assert left(one) == 40
    told = problem(
        one.post("D", "burns", {"external_id": "b2", "member": member, "points": 41}), 409, "budget_exhausted"
    )
    assert (told["budget"], told["requested"], told["left"]) == ("summer", 41, 40)
    held = good(one.post("D", "holds", {"external_id": "h", "member": member, "points": 50, "ttl_seconds": 600}))
    problem(one.post("D", f"holds/{held['hold']}/capture", {"external_id": "c", "points": 41}), 409, "budget_exhausted")
    assert (
        money(good(one.post("D", f"holds/{held['hold']}/capture", {"external_id": "c", "points": 40})))["D"] == 480_000
    )
    assert left(one) == 0
    back = good(one.post("D", "refunds", {"external_id": "r", "burn": "b", "points": 25}))
    assert money(back) == {"pool": 250_000, "D": -300_000, "operator": 50_000}
    assert left(one) == 25
    assert one.burn("A", member, 100)["points"] == 100  # elsewhere the face is paid, whatever the budget
    assert one.settle()["state"] == "final"


def test_a_denied_burn_gives_back_to_the_budget(one: Stand) -> None:
    good(one.post("operator", "budgets", CAMPAIGN))
    one.add("D", terms={"redemption_micros": 12_000, "redemption_budget": "summer"})
    member = one.member()
    one.earn("A", member, 50)
    burned = one.burn("D", member, 50)
    good(one.post("operator", "disputes", {"burn": burned["id"]}))
    good(one.post("operator", f"disputes/{burned['id']}/ruling", {"valid": False}))
    assert left(one) == 100


def test_without_a_budget_no_contract_pays_more_than_a_face(one: Stand) -> None:
    def refused(field: str, path: str, **terms: Any) -> None:
        problem(one.client.post(f"/v1/{path}", json=terms, headers=one.operator), 400, "invalid_request", field)

    name = {"name": "E", "terms": [{"redemption_micros": 10_001}]}
    refused("redemption_micros", "partners", **name)
    answer = one.client.post(
        "/v1/partners",
        json={**name, "terms": [{"redemption_micros": 1, "redemption_budget": "none"}]},
        headers=one.operator,
    )
    problem(answer, 404, "unknown_budget")
    good(one.post("operator", "budgets", {**CAMPAIGN, "owner": one.sides["A"].id}))
    refused("redemption_budget", "partners", name="E", terms=[{"redemption_micros": 1, "redemption_budget": "summer"}])
    one.add("E", terms={"redemption_micros": 10_000})
    later = {"face_micros": 9_999, "since": "2026-01-01T00:00:00Z"}
    refused("face_micros", f"partners/{one.sides['A'].id}/contracts", **later)
