"""Partners and their keys, as the operator keeps them."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Response

from tests.gateway.stand import Stand, bearer, good, problem

ADDRESS = "0x" + "ab" * 20


def register(books: Stand, body: dict[str, Any]) -> Response:
    answer: Response = books.client.post("/v1/partners", json=body, headers=books.operator)
    return answer


def test_a_partner_has_the_rulebooks_terms_unless_named(engines: Stand) -> None:
    plain = good(register(engines, {"name": "grocer"}))
    assert plain == {
        "id": 18, "name": "grocer", "signer": None, "floor_micros": 0,
        "status": "active", "terms": [{
            "funding": "issuance", "issuance_bp": None, "face_micros": 10_000, "fee_micros": 1_000,
            "fee_refundable": True, "redemption_micros": None, "redemption_budget": None, "valid_days": 365, "pending_days": 0,
            "breakage_operator_bp": 0, "since": None, "valid_months": None, "cliff": None,
            "clawback": "debt", "credit_limit_micros": None,
        }],
    }  # fmt: skip
    terms = {"valid_days": None, "breakage_operator_bp": 2_500}
    named = good(register(engines, {"name": "wine bar", "signer": ADDRESS, "floor_micros": 7, "terms": terms}))
    (told,) = named["terms"]
    assert {name: told[name] for name in terms} == terms
    assert (named["floor_micros"], named["signer"].lower()) == (7, ADDRESS)
    assert [one["name"] for one in engines.read("operator", "partners")["data"]] == ["A", "B", "grocer", "wine bar"]
    key = engines.issue(19)["key"]
    body = {"external_id": "e", "member": engines.member(), "points": 1}
    headers = {**bearer(key), "Idempotency-Key": "k"}
    assert good(engines.client.post("/v1/earns", json=body, headers=headers))["expires_at"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": " grocer"}, "name"),
        ({"name": "estate:A"}, "name"),
        ({"name": "A"}, "name"),
        ({"name": "pool"}, "name"),
        ({"name": "rounding"}, "name"),
        ({"name": "operator"}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "x", "signer": "0x" + "0" * 40}, "signer"),
        ({"name": "x", "signer": "0x12"}, "signer"),
        ({"name": "x", "floor_micros": -1}, "floor_micros"),
        ({"name": "x", "floor_micros": 1.0}, "floor_micros"),
        ({"name": "x", "colour": "red"}, "colour"),
        ({"name": "x", "terms": {"valid_days": "365"}}, "terms.valid_days"),
        ({"name": "x", "terms": {"breakage_operator_bp": 10_001}}, "terms.breakage_operator_bp"),
        ({"name": "x", "terms": {"funding": "gift"}}, "terms.funding"),
        ({"name": "x", "terms": {"funding": "share"}}, "terms"),
        ({"name": "x", "terms": {"issuance_bp": 5_000}}, "terms"),
        ({"name": "x", "terms": {"face_micros": 0}}, "terms.face_micros"),
        ({"name": "x", "terms": []}, "terms"),
        ({"name": "x", "terms": [{}, {}]}, "terms"),
        ({"name": "x", "terms": [{}, {"since": "yesterday"}]}, "since"),
        ({"name": "x", "terms": [{"since": "2026-01-01T00:00:00Z"}, {"since": "2025-01-01T00:00:00Z"}]}, "terms"),
    ],
)
def test_what_no_partner_may_be(shared: Stand, body: dict[str, Any], field: str) -> None:
    problem(register(shared, body), 400, "invalid_request", field)


def test_a_signer_signs_for_one_partner(shared: Stand) -> None:
    for address in (shared.sides["A"].signer.address, shared.sides["A"].signer.address.lower()):
        answer = register(shared, {"name": "other", "signer": address})
        problem(answer, 400, "invalid_request", "signer")


def test_partners_are_fixed_once_the_contract_stands(books: Stand) -> None:
    books.settle()
    answer = register(books, {"name": "late", "signer": ADDRESS})
    assert problem(answer, 409, "partners_fixed", "name")["value"] == "late"


def test_a_key_is_shown_once_and_revoked_at_once(engines: Stand) -> None:
    side = engines.sides["A"]
    second = engines.issue(side.id, "read")
    assert second["scopes"] == ["read"]
    assert second["key"].startswith(f"cf_{second['prefix']}_")
    assert good(engines.client.get("/v1/entries", headers=bearer(second["key"])))["data"] == []
    path = f"/v1/keys/{second['prefix']}"
    assert engines.client.delete(path, headers=engines.operator).status_code == 204
    problem(engines.client.get("/v1/entries", headers=bearer(second["key"])), 401, "unauthenticated")
    problem(engines.client.delete(path, headers=engines.operator), 404, "not_found", "prefix")
    assert engines.get("A", "/v1/entries").status_code == 200  # the older key goes on
    for junk in ("cf_" + "0" * 8 + "_" + "x" * 43, second["key"][:-1] + "~"):
        problem(engines.client.get("/v1/entries", headers=bearer(junk)), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("partner", "body", "status", "code"),
    [
        ("99", {}, 404, "unknown_partner"),
        ("x", {}, 400, "invalid_request"),
        ("2", {}, 404, "unknown_partner"),
        ("16", {"scopes": []}, 400, "invalid_request"),
        ("16", {"scopes": ["operator"]}, 400, "invalid_request"),
        ("16", {"scopes": ["all"]}, 400, "invalid_request"),
        ("16", {"scopes": ["read"], "name": "x"}, 400, "invalid_request"),
    ],
)
def test_no_key_for_that(shared: Stand, partner: str, body: dict[str, Any], status: int, code: str) -> None:
    answer = shared.client.post(f"/v1/partners/{partner}/keys", json=body, headers=shared.operator)
    problem(answer, status, code)


def test_a_change_of_terms_is_announced_and_leaves_what_was_made(engines: Stand) -> None:
    number, member = engines.sides["A"].id, engines.member()
    path = f"/v1/partners/{number}/contracts"

    def announce(**terms: Any) -> Response:
        answer: Response = engines.client.post(path, json=terms, headers=engines.operator)
        return answer

    engines.earn("A", member, 100, "old")
    problem(announce(face_micros=20_000), 400, "invalid_request", "since")
    problem(announce(face_micros=20_000, since="2025-12-01T09:59:59Z"), 400, "invalid_request", "since")
    made = good(announce(face_micros=20_000, fee_micros=500, since="2025-12-02T00:00:00Z"))
    assert [one["face_micros"] for one in made["terms"]] == [10_000, 20_000]
    problem(announce(since="2025-12-02T00:00:00Z"), 400, "invalid_request", "since")
    assert _paid(engines.earn("A", member, 1)) == -11_000  # not yet
    engines.clock("2025-12-02T00:00:00Z")
    assert _paid(engines.earn("A", member, 1)) == -20_500
    assert _paid(engines.earn("A", member, 1, occurred_at="2025-12-01T23:59:59Z")) == -11_000  # of the day before
    back = good(engines.post("A", "refunds", {"external_id": "r", "earn": "old", "points": 100}))
    assert _paid(back) == 1_100_000
    versions = [one["version"] for one in good(engines.client.get("/v1/rulebook"))["contracts"] if one["name"] == "A"]
    assert versions == [1, 2]


def _paid(body: dict[str, Any]) -> int:
    return sum(one["amount_micros"] for one in body["money"] if one["party"] == "A")
