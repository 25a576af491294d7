"""What operators do to rules, partners and members: in the log with its reason, within budgets, seen by whom it concerns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from counterfoil.core.acts import reason_hash
from counterfoil.store import told
from counterfoil.store.tables import act
from tests.gateway.stand import START, Stand, bearer, good, problem, stand

GIVEN = {"external_id": "adj-1", "points": 80, "budget": "goodwill", "reason_code": "late_delivery"}


@pytest.fixture
def one(database_url: str, tmp_path: Path) -> Iterator[Stand]:
    with stand(tmp_path / "home", database_url) as made:
        made.clock(START)
        made.member("first")
        made.earn("A", made.member(), 1)  # the programme is founded: what follows leaves acts
        yield made


def operator(one: Stand, path: str, body: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = good(one.post("operator", path, body))
    return made


def acts(one: Stand, who: str = "operator") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = one.read(who, "acts")["data"]
    return found


def test_an_adjustment_gives_and_takes_at_the_budgets_cost(one: Stand) -> None:
    member = one.member()
    operator(one, "budgets", {"name": "goodwill", "points": 100})
    made = operator(one, "adjustments", {**GIVEN, "member": member, "reason": "parcel came late"})
    assert (made["available"], made["left"], made["status"]) == (80, 20, "booked")
    assert made["money"] == [
        {"party": "operator", "amount_micros": -800_000}, {"party": "pool", "amount_micros": 800_000}
    ]  # fmt: skip
    told_ = problem(
        one.post("operator", "adjustments", {**GIVEN, "external_id": "adj-2", "member": member, "points": 21}), 409,
        "budget_exhausted",
    )  # fmt: skip
    assert (told_["requested"], told_["left"], told_["budget"]) == (21, 20, "goodwill")
    problem(one.post("operator", "adjustments", {**GIVEN, "member": member}), 409, "duplicate_external_id")
    back = operator(one, "adjustments", {**GIVEN, "external_id": "adj-3", "member": member, "points": 30, "take": True})
    assert (back["available"], back["left"]) == (50, 20)
    assert {one_["party"]: one_["amount_micros"] for one_ in back["money"]} == {"pool": -300_000, "operator": 300_000}
    problem(
        one.post("operator", "adjustments", {**GIVEN, "external_id": "adj-4", "member": member, "points": 51, "take": True}),
        409, "insufficient_points",
    )  # fmt: skip
    problem(
        one.post("operator", "adjustments", {**GIVEN, "external_id": "adj-5", "member": member, "budget": "none"}), 404,
        "unknown_budget",
    )  # fmt: skip
    of_entry = [row for row in acts(one) if row["verb"] == "adjust"]
    assert [(row["refers_to"], row["reason"]) for row in of_entry] == [
        (made["id"], "parcel came late"),
        (back["id"], ""),
    ]
    shown = one.settle()
    assert shown["state"] == "final"
    assert shown["exact"]["operator"] == -800_000 + 300_000 + 1_000  # and the fee of the first earn


def test_a_partners_budget_is_the_partners_cost(one: Stand) -> None:
    member = one.member()
    operator(one, "budgets", {"name": "shop", "points": 100, "owner": one.sides["A"].id})
    made = operator(one, "adjustments", {**GIVEN, "member": member, "budget": "shop"})
    assert {row["party"]: row["amount_micros"] for row in made["money"]} == {
        "A": -880_000, "pool": 800_000, "operator": 80_000
    }  # fmt: skip
    assert [row["name"] for row in one.read("A", "budgets")["data"]] == ["shop"]
    assert one.read("B", "budgets")["data"] == []


def test_above_its_limit_a_second_operator_agrees(one: Stand) -> None:
    member = one.member()
    operator(one, "budgets", {"name": "goodwill", "points": 1_000, "approval_above": 79})
    asked = operator(one, "adjustments", {**GIVEN, "member": member})
    assert asked["status"] == "waiting"
    assert one.available(member) == 0
    problem(one.post("operator", "adjustments", {**GIVEN, "member": member}), 409, "duplicate_external_id")
    problem(one.post("operator", "adjustments/adj-1/approval"), 403, "second_approver_needed")
    problem(one.post("operator", "adjustments/adj-9/approval"), 409, "not_waiting")
    made = good(one.client.post("/v1/operators", json={"reason": "night shift"}, headers=one.operator))
    one.others["second"] = bearer(made["key"])
    done = good(one.post("second", "adjustments/adj-1/approval", {"reason": "seen the parcel"}))
    assert (one.available(member), done["left"]) == (80, 920)
    problem(one.post("second", "adjustments/adj-1/approval"), 409, "not_waiting")
    problem(one.post("operator", "adjustments", {**GIVEN, "member": member}), 409, "duplicate_external_id")
    roles = [(row["verb"], row["about"], row["role"]) for row in acts(one) if row["verb"] in {"adjust", "approve"}]
    assert roles == [("adjust", "approval", "operator"), ("approve", "posted", "approver")]
    actors = {row["actor"] for row in acts(one) if row["verb"] in {"adjust", "approve"}}
    assert len(actors) == 2


def test_a_frozen_member_earns_and_cannot_spend(one: Stand) -> None:
    member, other = one.member(), one.member()
    one.earn("A", member, 100)
    held = good(one.post("A", "holds", {"external_id": "h", "member": member, "points": 10, "ttl_seconds": 600}))
    operator(one, f"members/{member}/freeze", {"reason": "card reported stolen"})
    one.earn("A", member, 5)
    for path, body in (
        ("burns", {"external_id": "b", "member": member, "points": 1}),
        ("holds", {"external_id": "h2", "member": member, "points": 1, "ttl_seconds": 60}),
        ("transfers", {"external_id": "t", "sender": member, "recipient": other, "points": 1}),
    ):
        told_ = problem(one.post("A", path, body), 403, "member_frozen")
        assert told_["member"] == member
    good(one.post("A", f"holds/{held['hold']}/capture", {"external_id": "c", "points": 10}))
    operator(one, f"members/{member}/unfreeze", {})
    one.burn("A", member, 95)
    assert one.available(member) == 0
    assert [row["now"]["frozen"] for row in acts(one) if row["verb"] in {"freeze", "unfreeze"}] == [True, False]


def test_the_rules_history_is_public_and_a_partner_sees_acts_about_it(one: Stand) -> None:
    ids = {name: side.id for name, side in one.sides.items()}
    before = one.client.get("/v1/rulebook").content
    begins = "2026-03-01T00:00:00.000000Z"
    good(
        one.client.post(
            f"/v1/partners/{ids['A']}/contracts", json={"since": begins, "face_micros": 12_000, "reason": "new deal"},
            headers=one.operator,
        )
    )  # fmt: skip
    operator(one, f"partners/{ids['B']}/suspend", {"reason": "late"})
    ((change, *none), said) = one.client.get("/v1/changes").json()["data"], acts(one, "A")
    assert none == []
    assert (change["verb"], change["partner"], change["since"]) == ("add_contract", "A", begins)
    assert "reason" not in change
    assert change["before"] != change["after"]
    assert before != one.client.get("/v1/rulebook").content
    assert [(row["verb"], row["reason"]) for row in said if row["verb"] != "issue_key"] == [
        ("add_contract", "new deal")
    ]
    assert [row["verb"] for row in acts(one, "B") if row["verb"] != "issue_key"] == ["suspend"]
    mine = next(row for row in told.acts(one.app.state.gateway.engine) if row.verb == "suspend")
    with one.app.state.gateway.engine.connect() as connection:
        salt = bytes(connection.execute(act.select().where(act.c.entry == mine.entry.id)).one().salt)
    assert mine.entry.act is not None
    assert mine.entry.act.reason == reason_hash(salt, "late"), "the log has the hash of what was said"


def test_an_operator_who_looks_at_a_member_is_noted_once_a_day(one: Stand) -> None:
    member = one.member()
    one.earn("A", member, 5)
    for _ in range(3):
        one.balance(member)
        one.read("operator", f"members/{member}/lots")
    one.read("A", f"members/{member}/balance")
    assert [row["member"] for row in acts(one) if row["verb"] == "look_up"] == [member]
    one.clock("2025-12-05T10:00:00Z")
    one.balance(member)
    assert [row["member"] for row in acts(one) if row["verb"] == "look_up"] == [member, member]


def test_a_missing_purchase_is_accepted_or_refused_once(one: Stand) -> None:
    member = one.member()
    claim = {"member": member, "partner": one.sides["A"].id, "slip": "s-1", "sold_on": "2025-11-30", "amount_micros": 5}
    one.earn("A", member, 7, "s-0")
    problem(one.post("operator", "claims", {**claim, "slip": "s-0"}), 409, "duplicate_external_id", "slip")
    problem(one.post("operator", "claims", {**claim, "sold_on": "2026-11-30"}), 400, "occurred_in_future", "sold_on")
    made = operator(one, "claims", claim)
    assert (made["state"], made["until"]) == ("open", "2025-12-15T23:00:00.000000Z")
    problem(one.post("operator", "claims", claim), 409, "already_claimed")
    path = f"claims/{made['claim']}"
    problem(one.post("B", f"{path}/acceptance", {"points": 9}), 404, "unknown_claim")
    assert one.read("B", "claims")["data"] == []
    done = good(one.post("A", f"{path}/acceptance", {"points": 9}))
    assert (done["available"], done["state"]) == (16, "accepted")
    problem(one.post("A", f"{path}/acceptance", {"points": 9}), 409, "already_decided")
    problem(one.post("A", "earns", {"external_id": "s-1", "member": member, "points": 9}), 409, "duplicate_external_id")
    (lot,) = [row for row in one.read("operator", f"members/{member}/lots")["data"] if row["available"] == 9]
    assert lot["earned_at"] == "2025-11-30T11:00:00.000000Z"
    good(one.post("A", "refunds", {"external_id": "r", "earn": "s-1", "points": 9}))
    late = operator(one, "claims", {**claim, "slip": "s-2"})
    no = operator(one, "claims", {**claim, "slip": "s-3"})
    good(one.post("A", f"claims/{no['claim']}/refusal", {"reason": "the slip is another shop's"}))
    one.clock("2025-12-15T23:00:00Z")
    problem(one.post("A", f"claims/{late['claim']}/refusal", {"reason": "too late"}), 409, "claim_overdue")
    states = {row["slip"]: (row["state"], row["reason"]) for row in one.read("A", "claims")["data"]}
    assert states == {
        "s-1": ("accepted", None), "s-2": ("overdue", None), "s-3": ("refused", "the slip is another shop's"),
    }  # fmt: skip
    good(one.post("A", f"claims/{late['claim']}/acceptance", {"points": 1}))


def test_credit_ends_at_its_limit_and_is_back_once_a_settlement_is_final(one: Stand) -> None:
    one.add("C", terms={"credit_limit_micros": 1_000_000})
    member = one.member()
    one.earn("C", member, 90)  # 990,000 micros with the fee
    told_ = problem(
        one.post("C", "earns", {"external_id": "x", "member": member, "points": 1}), 409, "credit_exhausted"
    )
    assert (told_["requested_micros"], told_["left_micros"], told_["limit_micros"]) == (11_000, 10_000, 1_000_000)
    one.burn("C", member, 10)  # it is paid 100,000
    one.earn("C", member, 10)
    two = [{"external_id": name, "member": member, "points": 1, "verb": "earn", "key": name} for name in ("y", "z")]
    assert [row["status"] for row in one.batch("C", two)] == [409, 409]
    number = one.close()
    problem(one.post("C", "earns", {"external_id": "x", "member": member, "points": 1}), 409, "credit_exhausted")
    good(one.advance())
    for name in one.sides:
        good(one.sign(name, number))
    good(one.advance())
    one.earn("C", member, 90, "again")


def test_a_late_sale_counts_against_the_limit_in_force_now(one: Stand) -> None:
    """Of the day of sale hold its rules and validity; what a partner may owe is asked when it is posted."""
    one.add("C", terms={})
    path = f"/v1/partners/{one.sides['C'].id}/contracts"
    later = {"credit_limit_micros": 100_000, "since": "2025-12-02T00:00:00Z"}
    good(one.client.post(path, json=later, headers=one.operator))
    one.clock("2025-12-03T00:00:00Z")
    late = {"external_id": "x", "member": one.member(), "points": 100, "occurred_at": "2025-12-01T12:00:00Z"}
    problem(one.post("C", "earns", late), 409, "credit_exhausted")
    good(one.post("C", "earns", {**late, "points": 9}))


def test_a_programme_ends_with_half_a_years_notice(one: Stand) -> None:
    member = one.member()
    one.earn("A", member, 5)
    refused = one.client.put("/v1/sunset", json={"at": "2026-05-01T00:00:00Z"}, headers=one.operator)
    problem(refused, 400, "invalid_request", "at")
    good(one.client.put("/v1/sunset", json={"at": "2026-06-01T00:00:00Z"}, headers=one.operator))
    one.clock("2026-05-31T23:59:59Z")
    one.earn("A", member, 5)
    one.clock("2026-06-01T00:00:00Z")
    problem(one.post("A", "earns", {"external_id": "x", "member": member, "points": 1}), 409, "programme_sunset")
    one.burn("B", member, 10)


def test_points_valid_to_a_cliff(one: Stand) -> None:
    one.add("C", terms={"valid_months": 12, "cliff": "quarter"})
    one.add("D", terms={"valid_months": 3})
    member = one.member()
    assert one.earn("C", member, 5)["expires_at"] == "2026-12-31T23:00:00.000000Z"
    assert one.earn("D", member, 5)["expires_at"] == "2026-03-01T23:00:00.000000Z"
    body = {"name": "E", "terms": {"valid_months": 3, "valid_days": 10}}
    problem(one.client.post("/v1/partners", json=body, headers=one.operator), 400, "invalid_request")


def test_what_a_refund_cannot_recover_is_kept_back_in_cash(one: Stand) -> None:
    one.add("C", terms={"clawback": "cash"})
    member = one.member()
    one.earn("C", member, 100, "sale")
    one.burn("A", member, 70)
    back = good(one.post("C", "refunds", {"external_id": "r1", "earn": "sale", "points": 50}))
    assert (back["recovered"], back["debt"], back["cash_points"], back["cash_micros"]) == (30, 0, 20, 200_000)
    rest = good(one.post("C", "refunds", {"external_id": "r2", "earn": "sale", "points": 49}))
    assert (rest["recovered"], rest["debt"], rest["cash_points"]) == (0, 0, 49)
    twice = one.post("C", "refunds", {"external_id": "r2", "earn": "sale", "points": 1})
    problem(twice, 409, "duplicate_external_id")
    problem(
        one.post("C", "refunds", {"external_id": "r3", "earn": "sale", "points": 2}), 409, "refund_exceeds_original"
    )
    assert one.earn("C", member, 5)["available"] == 5, "nothing is owed"
    assert one.settle()["state"] == "final"


def test_what_the_rulebook_calls_golden_is_what_happens(one: Stand) -> None:
    one.add("C", terms={"funding": "share", "issuance_bp": 4_000, "redemption_micros": 9_000})
    number, member = one.sides["C"].id, one.member()
    (golden,) = [row for row in one.client.get("/v1/rulebook").json()["golden"] if row["partner"] == number]
    for kind in ("earn", "burn"):
        done = getattr(one, kind)("C", member, golden["points"])
        found = {row["party"].replace("C", "partner"): row["amount_micros"] for row in done["money"]}
        assert found == {party: micros for party, micros in golden[kind].items() if micros}
