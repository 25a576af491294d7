"""Batches: an answer for each operation in order, each as if sent alone."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.gateway.stand import Stand, good, problem

NOBODY = "mbr_0000000000000001"


def op(verb: str, key: str | None, **fields: Any) -> dict[str, Any]:
    return {"verb": verb, **({} if key is None else {"key": key}), "external_id": f"x-{key}", **fields}


def codes(answers: list[dict[str, Any]]) -> list[int | str]:
    return [one["body"].get("code", one["status"]) for one in answers]


def test_good_and_bad_are_answered_in_order(engines: Stand) -> None:
    m = engines.member()
    operations: list[Any] = [
        op("earn", "1", member=m, points=100),
        op("earn", "2", member=m, points=0),
        op("burn", "3", member=m, points=500),
        op("burn", "4", member=m, points=40),
        op("earn", None, member=m, points=1),
        op("earn", "", member=m, points=1),
        op("steal", "5", member=m, points=1),
        "nonsense",
        op("earn", "6", member=NOBODY, points=1),
        op("earn", "7", member=m, points=1, colour="red"),
        {"verb": "refund_burn", "key": "8", "external_id": "r", "burn": "x-4", "points": 10},
        {"verb": "transfer", "key": "9", "external_id": "t", "sender": m, "recipient": m, "points": 1},
        {"verb": ["earn"], "key": "10"},
        op("earn", "11", member=m, points=5, **{"as": "nobody"}),
        {**op("earn", None, member=m, points=5), "key": 5},
    ]
    answers = engines.batch("A", operations)
    assert codes(answers) == [
        201, "invalid_amount", "insufficient_points", 201, "idempotency_key_missing", "idempotency_key_missing",
        "invalid_request", "invalid_request", "unknown_member", "invalid_request", 201, "invalid_recipient",
        "invalid_request", "invalid_request", "idempotency_key_missing",
    ]  # fmt: skip
    assert [one["status"] for one in answers[:5]] == [201, 400, 409, 201, 400]
    assert answers[9]["body"]["field"] == "colour"
    assert answers[13]["body"]["field"] == "as"
    assert {one["body"]["request_id"] for one in answers if one["status"] >= 400} != {""}
    assert engines.available(m) == 70
    proofs = [engines.verified(answers[place]["body"]) for place in (0, 3, 10)]
    assert {proof.promise.group for proof in proofs} == {proofs[0].promise.group}  # one commit
    assert [proof.place for proof in proofs] == [0, 1, 2]


def test_each_is_stored_as_if_sent_alone(engines: Stand) -> None:
    m = engines.member()
    earn = {"external_id": "e1", "member": m, "points": 100}
    in_batch = engines.batch("A", [{"verb": "earn", "key": "k1", **earn}])[0]
    alone = engines.post("A", "earns", earn, key="k1")
    assert alone.headers["Idempotent-Replayed"] == "true"
    assert alone.json() == in_batch["body"]

    burn = {"external_id": "b1", "member": m, "points": 30}
    alone = engines.post("A", "burns", burn, key="k2")
    replayed = engines.batch("A", [{"verb": "burn", "key": "k2", **burn}])[0]
    assert (replayed["status"], replayed["replayed"], replayed["body"]) == (201, True, alone.json())

    kept = good(engines.post("A", "holds", {"external_id": "h", "member": m, "points": 9, "ttl_seconds": 60}, key="k3"))
    capture = {"external_id": "c1", "points": 9}
    first = engines.batch("A", [{"verb": "capture", "key": "k4", "hold": kept["hold"], **capture}])[0]
    alone = engines.post("A", f"holds/{kept['hold']}/capture", capture, key="k4")
    assert alone.headers["Idempotent-Replayed"] == "true"
    assert alone.json() == first["body"]

    refused = engines.batch("A", [op("burn", "k5", member=m, points=10_000)])[0]
    again = engines.post("A", "burns", {"external_id": "x-k5", "member": m, "points": 10_000}, key="k5")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert problem(again, 409, "insufficient_points")["available"] == refused["body"]["available"]
    reused = engines.batch("A", [op("burn", "k5", member=m, points=1)])[0]
    assert (reused["status"], reused["body"]["code"]) == (422, "idempotency_key_reused")


def test_duplicates_of_a_key_within_a_batch(engines: Stand) -> None:
    m = engines.member()
    one = op("earn", "k", member=m, points=10)
    answers = engines.batch("A", [one, one, {**one, "points": 11}, one])
    assert [(a["status"], a["replayed"]) for a in answers] == [(201, False), (201, True), (422, False), (201, True)]
    assert answers[0]["body"] == answers[1]["body"] == answers[3]["body"]
    twice = engines.batch("A", [op("earn", "k2", member=m, points=1, external_id="x-k")])[0]
    assert (twice["status"], twice["body"]["entry"]) == (409, answers[0]["body"]["id"])
    assert engines.available(m) == 10


def test_later_operations_see_earlier_ones(engines: Stand) -> None:
    m, n = engines.member(), engines.member()
    answers = engines.batch(
        "A",
        [
            op("burn", "0", member=m, points=1),
            op("earn", "1", member=m, points=10),
            {"verb": "transfer", "key": "2", "external_id": "t", "sender": m, "recipient": n, "points": 4},
            {"verb": "refund_earn", "key": "3", "external_id": "r", "earn": "x-1", "points": 10},
            op("burn", "4", member=n, points=4),
        ],
    )
    assert codes(answers) == ["insufficient_points", 201, 201, 201, 201]
    assert (answers[3]["body"]["recovered"], answers[3]["body"]["debt"]) == (6, 4)
    assert (engines.balance(m)["debt"], engines.available(n)) == (4, 0)


def test_a_hub_acts_for_partners_by_their_credentials(engines: Stand) -> None:
    m = engines.member()
    credentials = {"a": engines.sides["A"].key, "b": engines.sides["B"].key}
    operations = [
        op("earn", "k", member=m, points=100, **{"as": "a"}),
        op("burn", "k", member=m, points=30, **{"as": "b"}),  # the key is another partner's: another request
        op("earn", "k2", member=m, points=1),  # as the operator itself, who earns nothing
        op("earn", "k3", member=m, points=1, **{"as": "c"}),
    ]
    answers = engines.batch("operator", operations, credentials=credentials)
    assert codes(answers) == [201, 201, "forbidden", "invalid_request"]
    assert [one["partner"] for one in engines.read("operator", "entries")["data"]] == ["A", "B"]
    alone = engines.post("A", "earns", {"external_id": "x-k", "member": m, "points": 100}, key="k")
    assert alone.headers["Idempotent-Replayed"] == "true"


def test_a_credential_must_be_good_and_reach(shared: Stand) -> None:
    m = shared.member()
    weak = shared.issue(shared.sides["A"].id, "read", "burn")["key"]

    def ask(credentials: object, **more: object) -> Any:
        body = {"operations": [op("earn", "w", member=m, points=1, **more)], "credentials": credentials}
        return shared.client.post("/v1/batches", json=body, headers=shared.headers("B"))

    answer = good(ask({"a": weak}, **{"as": "a"}))["answers"][0]
    assert (answer["status"], answer["body"]["code"]) == (403, "forbidden")
    for bad in ({"a": "cf_junk"}, {"a": ""}, {"a": "cf_00000000_" + "x" * 43}):
        problem(ask(bad), 401, "unauthenticated", "Authorization")
    shapes: list[object] = [[], "x", {"a": 1}, {"a": None}, {"a": "ż"}]
    for bad_shape in shapes:
        problem(ask(bad_shape), 400, "invalid_request", "credentials")
    assert shared.available(m) == 0


def test_a_key_for_one_verb_does_not_open_another_in_a_batch(shared: Stand) -> None:
    m = shared.member()
    key = shared.issue(shared.sides["A"].id, "read", "earn")["key"]
    body = {"operations": [op("earn", "v1", member=m, points=5), op("burn", "v2", member=m, points=1)]}
    answer = shared.client.post("/v1/batches", json=body, headers={"Authorization": f"Bearer {key}"})
    assert codes(good(answer)["answers"]) == [201, "forbidden"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "operations"),
        ({"operations": []}, "operations"),
        ({"operations": {}}, "operations"),
        ({"operations": [{}] * 8_001}, "operations"),
        ({"operations": [{}], "colour": 1}, "colour"),
    ],
)
def test_a_batch_has_its_shape(shared: Stand, body: dict[str, Any], field: str) -> None:
    answer = shared.client.post("/v1/batches", json=body, headers=shared.headers("A"))
    problem(answer, 400, "invalid_request", field)


def test_dry_runs_in_a_batch(engines: Stand) -> None:
    m = engines.member()
    tried, made, after, many = (
        engines.batch("A", operations)
        for operations in (
            [op("earn", None, member=m, points=10, dry_run=True)],
            [op("earn", "1", member=m, points=10)],
            [op("burn", None, member=m, points=4, dry_run=True), op("burn", "2", member=m, points=10)],
            [op("earn", None, member=m, points=1, dry_run=True)] * 3,
        )
    )
    assert (tried[0]["status"], made[0]["status"]) == (200, 201)
    assert tried[0]["body"]["money"] == made[0]["body"]["money"]
    assert (after[0]["body"]["available"], after[1]["body"]["available"]) == (6, 0)
    assert [one["body"]["available"] for one in many] == [1, 1, 1]  # each on what is there
    assert len(engines.read("operator", "entries")["data"]) == 2


def test_eight_thousand_at_once(engines: Stand) -> None:
    references = [f"card-{number}" for number in range(400)]
    made = engines.client.post("/v1/members/batch", json={"references": references}, headers=engines.headers("A"))
    members = [one["id"] for one in good(made)["data"]]
    operations = [
        op("earn", str(place), member=members[place % 400], points=0 if place % 1000 == 999 else place % 7 + 1)
        for place in range(8_000)
    ]
    start = time.perf_counter()
    answers = engines.batch("A", operations)
    seconds = time.perf_counter() - start
    assert len(answers) == 8_000
    assert [place for place, one in enumerate(answers) if one["status"] != 201] == [
        place for place in range(8_000) if place % 1000 == 999
    ]
    granted = [place % 7 + 1 for place in range(8_000) if place % 1000 != 999]
    good_ones = [one["body"]["points"] for one in answers if one["status"] == 201]
    assert good_ones == granted
    for place in (0, 4_000, 7_998):
        assert engines.verified(answers[place]["body"]).count == 7_992
    again = engines.batch("A", operations)
    assert [one["replayed"] for one in again] == [one["status"] == 201 for one in answers]
    assert [one["body"] for one in again if one["status"] == 201] == [
        one["body"] for one in answers if one["status"] == 201
    ]
    assert seconds < 60
