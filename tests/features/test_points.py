"""The verbs over HTTP, on both databases: answers, refusals, keys and dry runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.stand import Stand, good, problem


def money(body: dict[str, Any]) -> dict[str, int]:
    return {one["party"]: one["amount_micros"] for one in body["money"] if one["amount_micros"]}


def test_every_verb_says_what_it_did(engines: Stand) -> None:
    m, n = engines.member(), engines.member()
    made = engines.earn("A", m, 1000, "sale-1")
    assert money(made) == {"A": -11_000_000, "pool": 10_000_000, "operator": 1_000_000}
    assert (made["verb"], made["member"], made["points"], made["available"]) == ("earn", m, 1000, 1000)
    assert made["at"] == "2025-12-01T10:00:00.000000Z"
    assert made["expires_at"] == "2026-12-01T23:00:00.000000Z"

    used = engines.burn("B", m, 300)
    assert money(used) == {"B": 3_000_000, "pool": -3_000_000}
    assert used["lots"] == [["A", 300]]

    kept = good(engines.post("B", "holds", {"external_id": "h1", "member": m, "points": 200, "ttl_seconds": 60}))
    assert (money(kept), kept["available"]) == ({}, 500)
    assert kept["expires_at"] == "2025-12-01T10:01:00.000000Z"
    taken = good(engines.post("B", f"holds/{kept['hold']}/capture", {"external_id": "c1", "points": 150}))
    assert (taken["points"], taken["released"], taken["available"]) == (150, 50, 550)
    assert money(taken) == {"B": 1_500_000, "pool": -1_500_000}

    other = good(engines.post("A", "holds", {"external_id": "h2", "member": m, "points": 50, "ttl_seconds": 60}))
    freed = good(engines.post("A", f"holds/{other['hold']}/release"))
    assert (freed["points"], freed["available"]) == (50, 550)

    back = good(engines.post("A", "refunds", {"external_id": "r1", "earn": "sale-1", "points": 100}))
    assert (back["recovered"], back["debt"], back["excused"], back["available"]) == (100, 0, 0, 450)
    assert money(back) == {"A": 1_100_000, "pool": -1_000_000, "operator": -100_000}
    assert back["refers_to"] == made["id"]
    again = good(engines.post("B", "refunds", {"external_id": "r2", "burn": "c1", "points": 150}))
    assert (again["available"], again["refers_to"]) == (600, taken["id"])

    gift = good(engines.post("A", "transfers", {"external_id": "g1", "sender": m, "recipient": n, "points": 250}))
    assert (gift["recipient"], gift["available"], money(gift)) == (n, 350, {})
    assert (engines.available(m), engines.available(n)) == (350, 250)
    for answer in (made, used, kept, taken, other, freed, back, again, gift):
        assert answer["id"].startswith("ent_")
        assert engines.verified(answer).promise.settle_by == 2


def test_every_verb_refuses_what_it_must(engines: Stand) -> None:
    m, n = engines.member(), engines.member()
    engines.earn("A", m, 1000, "s")
    nobody = {"member": "mbr_0000000000000001"}
    hold = {"external_id": "h", "member": m, "points": 400, "ttl_seconds": 60}
    kept = good(engines.post("A", "holds", hold))["hold"]
    no_hold = "hld_7fffffffffffffff"
    gift = {"external_id": "g", "sender": m, "recipient": n}
    cases: list[tuple[str, str, dict[str, Any], int, str, str]] = [
        ("A", "earns", {"external_id": "s", "member": m, "points": 1}, 409, "duplicate_external_id", "external_id"),
        ("A", "earns", {"external_id": "x", **nobody, "points": 1}, 404, "unknown_member", "member"),
        ("A", "earns", {"external_id": "x", "member": m, "points": 2**53 - 1}, 409, "balance_limit", "points"),
        ("B", "burns", {"external_id": "x", "member": m, "points": 601}, 409, "insufficient_points", "points"),
        ("B", "burns", {"external_id": "x", **nobody, "points": 1}, 404, "unknown_member", "member"),
        ("B", "holds", {**hold, "points": 601}, 409, "insufficient_points", "points"),
        ("B", f"holds/{kept}/capture", {"external_id": "c", "points": 1}, 404, "unknown_hold", "hold"),
        ("B", f"holds/{kept}/release", {}, 404, "unknown_hold", "hold"),
        ("A", f"holds/{no_hold}/release", {}, 404, "unknown_hold", "hold"),
        ("A", f"holds/{kept}/capture", {"external_id": "c", "points": 401}, 409, "capture_exceeds_hold", "points"),
        ("B", "refunds", {"external_id": "r", "earn": "s", "points": 1}, 404, "unknown_earn", "earn"),
        ("A", "refunds", {"external_id": "r", "burn": "s", "points": 1}, 404, "unknown_burn", "burn"),
        ("A", "refunds", {"external_id": "r", "earn": "s", "points": 1001}, 409, "refund_exceeds_original", "points"),
        ("A", "transfers", {**gift, "points": 601}, 409, "insufficient_points", "points"),
        ("A", "transfers", {**gift, "recipient": m, "points": 1}, 400, "invalid_recipient", "recipient"),
        ("A", "transfers", {**gift, "recipient": nobody["member"], "points": 1}, 404, "unknown_member", "recipient"),
    ]  # fmt: skip
    for who, path, body, status, code, field in cases:
        problem(engines.post(who, path, body), status, code, field)
    good(engines.post("A", f"holds/{kept}/capture", {"external_id": "c", "points": 1}))
    problem(engines.post("A", f"holds/{kept}/release"), 409, "already_captured", "hold")
    other = good(engines.post("A", "holds", {**hold, "external_id": "h2"}))["hold"]
    good(engines.post("A", f"holds/{other}/release"))
    problem(engines.post("A", f"holds/{other}/capture", {"external_id": "d", "points": 1}), 409, "already_released")
    third = good(engines.post("A", "holds", {**hold, "external_id": "h3"}))["hold"]
    engines.clock("2025-12-01T10:01:00Z")  # at exactly the time to live it is too late
    problem(engines.post("A", f"holds/{third}/capture", {"external_id": "d", "points": 1}), 409, "hold_expired")
    assert engines.balance(m)["held"] == 0


def test_the_operator_gives_gifts_and_nothing_else(shared: Stand) -> None:
    m, n = shared.member(), shared.member()
    shared.earn("A", m, 10)
    for path, body in (
        ("earns", {"external_id": "o", "member": m, "points": 1}),
        ("burns", {"external_id": "o", "member": m, "points": 1}),
        ("refunds", {"external_id": "o", "earn": "o", "points": 1}),
    ):
        problem(shared.post("operator", path, body), 403, "forbidden")
    good(shared.post("operator", "transfers", {"external_id": "o", "sender": m, "recipient": n, "points": 4}))
    assert shared.available(n) == 4


@pytest.mark.parametrize("points", [0, -1, 1.0, 1.5, "1", True, None, 2**53, 2**70, [1], {}])
def test_an_amount_is_a_json_integer_in_range(shared: Stand, points: object) -> None:
    body = {"external_id": "a", "member": shared.member(), "points": points}
    problem(shared.post("A", "earns", body), 400, "invalid_amount", "points")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"member": None}, "member"),
        ({"member": "mbr_1"}, "member"),
        ({"member": 5}, "member"),
        ({"external_id": ""}, "external_id"),
        ({"external_id": "a b"}, "external_id"),
        ({"external_id": "x" * 129}, "external_id"),
        ({"external_id": "ż"}, "external_id"),
        ({"colour": "red"}, "colour"),
        ({"partner": "B"}, "partner"),
        ({"dry_run": "yes"}, "dry_run"),
        ({"dry_run": 1}, "dry_run"),
        ({"valid_to": "2025-13-01"}, "valid_to"),
        ({"valid_to": "soon"}, "valid_to"),
        ({"points": 0, "colour": "red"}, "colour"),  # form before amounts
    ],
)
def test_a_body_is_exactly_the_verbs(shared: Stand, change: dict[str, object], field: str) -> None:
    body = {"external_id": "a", "member": shared.member(), "points": 1, **change}
    problem(shared.post("A", "earns", body), 400, "invalid_request", field)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"1", b"null", b'"x"', b"\xff", b'{"points": NAN}', b"{" * 5000])
@pytest.mark.parametrize("path", ["earns", "refunds", "holds/hld_0000000000000001/capture", "batches"])
def test_a_body_that_is_no_json_object(shared: Stand, raw: bytes, path: str) -> None:
    headers = {**shared.headers("A"), "Idempotency-Key": "k"}
    answer = shared.client.post(f"/v1/{path}", content=raw, headers=headers)
    problem(answer, 400, "invalid_request", "body")


def test_what_stands_in_the_path_is_not_repeated(shared: Stand) -> None:
    body = {"external_id": "c", "points": 1, "hold": "hld_0000000000000001"}
    answer = shared.post("A", "holds/hld_0000000000000001/capture", body)
    problem(answer, 400, "invalid_request", "hold")
    problem(shared.post("A", "holds/nonsense/release"), 400, "invalid_request")


def test_a_refund_names_one_original(shared: Stand) -> None:
    for body in ({}, {"earn": "e", "burn": "b"}):
        answer = shared.post("A", "refunds", {"external_id": "r", "points": 1, **body})
        problem(answer, 400, "invalid_request", "earn")


def test_last_valid_day(engines: Stand) -> None:
    m = engines.member()
    named = engines.earn("A", m, 10, valid_to="2025-12-24")
    assert named["expires_at"] == "2025-12-24T23:00:00.000000Z"  # midnight in Warsaw
    gone = engines.earn("A", m, 10, valid_to="2025-11-30")  # already past: it expires at once
    assert gone["expires_at"] == "2025-11-30T23:00:00.000000Z"
    assert engines.available(m) == 10
    engines.clock("2025-12-24T23:00:00Z")
    assert engines.available(m) == 0
    problem(engines.post("A", "burns", {"external_id": "b", "member": m, "points": 1}), 409, "insufficient_points")
