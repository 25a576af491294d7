"""Earn rules over HTTP, on both databases: the issue's own words, caps, budgets, versions, who pays, who sees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from counterfoil.chain.signer import Signer
from tests.features.test_seldom import everything
from tests.gateway.stand import START, Stand, good, problem, stand

BASE = {"name": "base", "kind": "base", "rate_bp": 200}
SPRING = {
    "name": "spring", "kind": "campaign", "points": "200", "when": "basket.amount_minor >= 5000", "text": "spring bonus",
}  # fmt: skip


@pytest.fixture
def one(database_url: str, tmp_path: Path) -> Iterator[Stand]:
    with stand(tmp_path / "home", database_url) as made:
        made.clock(START)
        yield made


def publish(books: Stand, rule: dict[str, Any], **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = good(books.post("operator", "earn-rules", {**rule, **more}))
    return made


def sale(member: str, amount: str = "50.00", **more: Any) -> dict[str, Any]:
    return {"member": member, "basket": {"amount_micros": int(amount.replace(".", "")) * 10_000}, **more}


def earn(books: Stand, body: dict[str, Any], who: str = "A") -> dict[str, Any]:
    made: dict[str, Any] = good(books.post(who, "earns", {"external_id": f"s-{next(books.keys)}", **body}))
    return made


def calculate(books: Stand, body: dict[str, Any], who: str = "A") -> dict[str, Any]:
    made: dict[str, Any] = good(books.client.post("/v1/calculations", json=body, headers=books.headers(who)))
    return made


def words(answer: dict[str, Any]) -> list[str]:
    return [line["text"] for line in answer["explanation"]]


def spent(books: Stand, name: str) -> int:
    return next(int(one["spent"]) for one in books.read("operator", "budgets")["data"] if one["name"] == name)


def test_the_issues_words_and_who_pays(one: Stand) -> None:
    """A manufacturer that is no till partner, registered without an API key, funds most of a bonus at a till."""
    signer = Signer(b"\x63" * 32)
    good(one.client.post("/v1/partners", json={"name": "maker", "signer": signer.address}, headers=one.operator))
    shares = {"A": 2_000, "maker": 7_000, "operator": 1_000}
    good(one.post("operator", "promotions", {"name": "spring", "shares": shares}))
    publish(one, BASE)
    publish(one, SPRING, promotion="spring")
    member = one.member()
    made = earn(one, sale(member))
    assert ", ".join(words(made)) == "2 % of 50.00 = 100, spring bonus 200"
    assert (made["points"], made["available"]) == (300, 300)
    one.verified(made)
    # 100 points x 0.011, and 20 % of 200 x 0.010 with the fee of its part: 0.0002 each
    a = next(part["amount_micros"] for part in made["money"] if part["party"] == "A")
    assert a == -(100 * 11_000 + 200 * 2_200)
    one.burn("B", member, 300)
    done = one.settle()
    assert done["state"] == "final"
    assert done["exact"] == {"A": -1_540_000, "B": 3_000_000, "maker": -1_540_000, "operator": 80_000}


def test_a_sale_that_earns_nothing_posts_nothing(one: Stand) -> None:
    publish(one, BASE)
    publish(one, SPRING)
    member = one.member()
    before = everything(one)
    answer = one.post("A", "earns", sale(member, "0.49", external_id="small"))
    assert answer.status_code == 201
    made = answer.json()
    assert (made["points"], made["money"], made["available"]) == (0, [], 0)
    assert words(made) == ["2 % of 0.49 = 0"]
    assert "id" not in made
    assert "counterfoil" not in made
    after = everything(one)
    assert {name for name in after if after[name] != before[name]} == {"request"}
    assert earn(one, sale(member, external_id="small"))["points"] == 300  # the sale's number was still free
    problem(one.post("A", "earns", sale(member, external_id="small")), 409, "duplicate_external_id")


def test_a_bonus_without_a_base(one: Stand) -> None:
    publish(one, SPRING, when="")
    member = one.member()
    made = earn(one, sale(member, "0.01", external_id="only"))
    assert (made["points"], words(made)) == (200, ["spring bonus 200"])
    back = good(one.post("A", "refunds", {"external_id": "r", "earn": "only", "points": 200}))
    assert (back["recovered"], one.available(member)) == (200, 0)


def test_a_parked_refund_of_a_sale_that_earned_nothing_is_dropped(one: Stand) -> None:
    publish(one, BASE)
    member = one.member()
    parked = {"external_id": "r", "earn": "nothing", "points": 5, "park": True}
    assert good(one.post("A", "refunds", parked))["status"] == "parked"
    made = earn(one, sale(member, "0.10", external_id="nothing"))
    assert made["dropped"] == [{"verb": "refund_earn", "external_id": "r", "code": "unknown_earn"}]


@pytest.mark.parametrize("cap", ["per_member", "per_member_day", "per_day"])
def test_caps(one: Stand, cap: str) -> None:
    publish(one, SPRING, **{cap: 350})
    ann, bob = one.member(), one.member()
    says = {"per_member": "for this member", "per_member_day": "for this member today", "per_day": "today"}[cap]
    assert earn(one, sale(ann))["points"] == 200
    cut = earn(one, sale(ann))
    assert cut["explanation"] == [
        {"rule": "spring", "version": 1, "text": f"spring bonus 200 (cut to 150: 150 left {says})", "points": 150, "cut": 50}
    ]  # fmt: skip
    assert earn(one, sale(ann))["points"] == 0
    assert earn(one, sale(bob))["points"] == (0 if cap == "per_day" else 200)
    one.clock("2025-12-01T22:59:59Z")
    assert earn(one, sale(ann))["points"] == 0
    one.clock("2025-12-01T23:00:00Z")  # midnight in Warsaw
    assert earn(one, sale(ann))["points"] == (0 if cap == "per_member" else 200)
    late = earn(one, sale(ann, occurred_at="2025-12-01T22:00:00Z"))  # counts on its own day
    assert late["points"] == 0
    if cap != "per_member":
        assert "left today" not in words(late)[0]
        assert words(late)[0].endswith("on 2025-12-01)")


def test_a_later_version_counts_against_the_same_caps(one: Stand) -> None:
    publish(one, SPRING, per_member=350)
    member = one.member()
    earn(one, sale(member))
    one.clock("2025-12-02T10:00:00Z")
    publish(one, SPRING, points="500", per_member=350)
    made = earn(one, sale(member))
    assert (made["explanation"][0]["version"], made["points"]) == (2, 150)


def test_a_budget_is_exact_and_a_refund_restores_neither_it_nor_a_cap(one: Stand) -> None:
    good(one.post("operator", "budgets", {"name": "till", "points": 500}))
    publish(one, BASE)
    publish(one, SPRING, budget="till", per_member=450)
    member = one.member()
    earn(one, sale(member, external_id="first"))
    assert spent(one, "till") == 200
    good(one.post("A", "refunds", {"external_id": "r", "earn": "first", "points": 300}))
    assert spent(one, "till") == 200
    assert [earn(one, sale(member))["points"] for _ in range(3)] == [300, 150, 100]
    assert spent(one, "till") == 450
    other = earn(one, sale(one.member()))
    assert words(other)[1] == "spring bonus 200 (cut to 50: 50 left in the budget)"
    assert spent(one, "till") == 500
    assert words(earn(one, sale(one.member())))[1] == "spring bonus 200 (cut to 0: 0 left in the budget)"
    good(one.post("operator", "budgets", {"name": "till", "points": 100}))  # less than was spent: nothing is left
    assert earn(one, sale(one.member()))["points"] == 100


def test_refuse_instead_of_cutting(one: Stand) -> None:
    good(one.post("operator", "budgets", {"name": "till", "points": 300}))
    publish(one, BASE)
    publish(one, SPRING, budget="till", on_exhausted="refuse")
    publish(one, SPRING, name="daily", points="20", per_day=30, on_exhausted="refuse", rank=1)
    member = one.member()
    assert earn(one, sale(member))["points"] == 320
    before = everything(one)
    told = problem(one.post("A", "earns", sale(member, external_id="x")), 409, "budget_exhausted", "basket")
    assert (told["requested"], told["left"], told["budget"]) == (200, 100, "till")
    good(one.post("operator", "budgets", {"name": "till", "points": 1_000}))
    told = problem(one.post("A", "earns", sale(member, external_id="x")), 409, "cap_exhausted", "basket")
    assert (told["rule"], told["cap"], told["requested"], told["left"]) == ("daily", "today", 20, 10)
    after = everything(one)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"request", "record", "act", "entry", "entry_group", "fence"}  # the budget set anew, and its act
    assert spent(one, "till") == 200


def test_a_refusal_behind_the_rules_takes_nothing_of_caps(one: Stand) -> None:
    """The pack is empty: the earn is refused after the rules gave, and the budget is as before."""
    good(one.post("operator", "budgets", {"name": "till", "points": 300}))
    publish(one, SPRING, budget="till", per_member=300)
    good(one.post("operator", "packs", {"partner": one.sides["A"].id, "points": 10}))
    member = one.member()
    problem(one.post("A", "earns", sale(member, external_id="x")), 409, "prefunding_exhausted")
    assert spent(one, "till") == 0
    good(one.post("operator", "packs", {"partner": one.sides["A"].id, "points": 1_000}))
    assert earn(one, sale(member, external_id="x"))["points"] == 200


def test_versions_hold_at_the_moment_of_sale(one: Stand) -> None:
    publish(one, BASE, rate_bp=100)
    publish(one, BASE, rate_bp=300, since="2025-12-05T00:00:00+01:00", until="2025-12-10T00:00:00+01:00")
    member = one.member()
    for at, points in (
        ("2025-12-01T10:00:00Z", 50), ("2025-12-04T22:59:59.999999Z", 50), ("2025-12-04T23:00:00Z", 150),
        ("2025-12-09T22:59:59Z", 150),
    ):  # fmt: skip
        one.clock(at)
        assert earn(one, sale(member))["points"] == points
    one.clock("2025-12-12T10:00:00Z")
    problem(one.post("A", "earns", sale(member, external_id="gone")), 404, "unknown_earn_rule", "basket")
    late = earn(one, sale(member, occurred_at="2025-12-02T10:00:00Z"))
    assert (late["points"], late["explanation"][0]["version"]) == (50, 1)
    problem(
        one.post("A", "earns", sale(member, external_id="x", occurred_at="2025-11-30T10:00:00Z")),
        404,
        "unknown_earn_rule",
    )


def test_what_a_publication_refuses(one: Stand) -> None:
    publish(one, BASE)
    for more, status, code, field in (
        ({"rate_bp": None}, 400, "invalid_request", "body"), ({"points": "1"}, 400, "invalid_request", "body"),
        ({"promotion": "spring"}, 400, "invalid_request", "body"), ({"name": "Base"}, 400, "invalid_request", "name"),
        ({"since": "2025-11-30T00:00:00Z"}, 400, "invalid_request", "since"),
        ({"since": START}, 400, "invalid_request", "since"),  # as version 1
        ({"since": "2026-01-01T00:00:00Z", "until": "2025-12-31T00:00:00Z"}, 400, "invalid_request", "until"),
        ({"since": "2026-01-01T00:00:00Z", "kind": "campaign"}, 400, "invalid_request", "kind"),
        ({"name": "other", "partners": [99]}, 404, "unknown_partner", "partners"),
        ({"name": "other", "kind": "campaign", "promotion": "none"}, 404, "unknown_promotion", "promotion"),
        ({"name": "other", "budget": "none"}, 404, "unknown_budget", "budget"),
        ({"name": "other", "when": "line.x"}, 400, "invalid_request", "when"),
    ):  # fmt: skip
        problem(one.post("operator", "earn-rules", {**BASE, **more}), status, code, field)
    assert [rule["name"] for rule in one.read("operator", "earn-rules")["data"]] == ["base"]


def test_a_live_programme_is_told_before(database_url: str, tmp_path: Path) -> None:
    with stand(tmp_path / "home", database_url, "A", livemode=True) as live:
        problem(
            live.post("operator", "earn-rules", {**BASE, "since": "2026-11-28T00:00:00Z"}),
            400,
            "invalid_request",
            "since",
        )
        made = publish(live, BASE)
        assert made["since"][:10] > made["at"][:10]
        problem(live.post("A", "earns", sale(live.member(), external_id="x")), 404, "unknown_earn_rule")


def test_a_rule_that_fails_at_a_sale_changes_nothing(one: Stand) -> None:
    publish(one, BASE)
    publish(one, SPRING, when="", points="100 / ((basket.quantity - 5) * (basket.quantity - 5))", per_day=1_000)
    member = one.member()
    lines = {"lines": [{"amount_micros": 50_000_000, "quantity": 5}]}
    before = everything(one)
    told = problem(
        one.post("A", "earns", {"external_id": "x", "member": member, "basket": lines}), 409, "rule_failed", "basket"
    )
    assert (told["rule"], told["version"], told["part"], told["why"]) == ("spring", 1, "points", "divide by zero")
    after = everything(one)
    assert {name for name in after if after[name] != before[name]} == {"request"}
    assert calculate_refused(one, member, lines)["code"] == "rule_failed"


def calculate_refused(books: Stand, member: str, basket: dict[str, Any]) -> dict[str, Any]:
    answer = books.client.post(
        "/v1/calculations", json={"member": member, "basket": basket}, headers=books.headers("A")
    )
    return problem(answer, 409, "rule_failed")


def test_explicit_points_stay_and_do_not_mix(one: Stand) -> None:
    publish(one, BASE)
    member = one.member()
    assert one.earn("A", member, 7)["points"] == 7
    problem(one.post("A", "earns", {"external_id": "x", "points": 5, **sale(member)}), 400, "invalid_request", "points")
    answers = one.batch("A", [
        {"verb": "earn", "key": "b1", "external_id": "b1", **sale(member)},
        {"verb": "earn", "key": "b2", "external_id": "b2", "member": member, "points": 3},
    ])  # fmt: skip
    assert [answer["body"]["points"] for answer in answers] == [100, 3]
