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
        "terms": {"valid_days": 365, "breakage_operator_bp": 0},
    }  # fmt: skip
    terms = {"valid_days": None, "breakage_operator_bp": 2_500}
    named = good(register(engines, {"name": "wine bar", "signer": ADDRESS, "floor_micros": 7, "terms": terms}))
    assert (named["terms"], named["floor_micros"], named["signer"].lower()) == (terms, 7, ADDRESS)
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
        ({"name": "x", "terms": {"funding": "redemption"}}, "terms.funding"),
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
