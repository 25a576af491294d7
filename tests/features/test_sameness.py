"""Idempotency keys and external ids: what happens once, and what a second asking is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.gateway.stand import Stand, good, problem

REPLAYED = "Idempotent-Replayed"


def test_a_replay_is_the_same_answer_and_says_so(engines: Stand) -> None:
    m = engines.member()
    body = {"external_id": "e1", "member": m, "points": 100}
    first = engines.post("A", "earns", body, key="k")
    assert first.status_code == 201
    assert REPLAYED not in first.headers
    engines.earn("A", m, 7)  # another group on top
    second = engines.post("A", "earns", body, key="k")
    assert second.status_code == 201
    assert second.headers[REPLAYED] == "true"
    assert second.json() == first.json()  # the counterfoil too, byte for byte
    engines.verified(second.json())
    assert engines.available(m) == 107


def test_how_the_json_was_written_does_not_matter(shared: Stand) -> None:
    m = shared.member()
    headers = {**shared.headers("A"), "Idempotency-Key": "spelling"}
    texts = (
        f'{{"external_id": "sp", "member": "{m}", "points": 5}}',
        f'{{"points":5,"dry_run":false,"valid_to":null,"member":"{m}","external_id":"s\\u0070"}}',
    )
    first, second = (shared.client.post("/v1/earns", content=text, headers=headers) for text in texts)
    assert first.json() == second.json()
    assert second.headers[REPLAYED] == "true"


def test_a_key_belongs_to_one_body(engines: Stand) -> None:
    m = engines.member()
    body = {"external_id": "e1", "member": m, "points": 100}
    good(engines.post("A", "earns", body, key="k"))
    for path, other in (
        ("earns", {**body, "points": 101}),
        ("earns", {**body, "external_id": "e2"}),
        ("burns", body),
        ("earns", {**body, "valid_to": "2026-01-01"}),
    ):
        answer = engines.post("A", path, other, key="k")
        problem(answer, 422, "idempotency_key_reused", "Idempotency-Key")
        assert REPLAYED not in answer.headers
    good(engines.post("B", "earns", {**body, "points": 3}, key="k"))  # another partner's keys are its own
    assert engines.available(m) == 103


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "żółć"])
def test_a_movement_needs_a_key(shared: Stand, key: str) -> None:
    m = shared.member()
    headers = {**shared.headers("A"), **({"Idempotency-Key": key.encode()} if key else {})}
    sent: Any = headers
    body = {"external_id": "no-key", "member": m, "points": 1}
    answer = shared.client.post("/v1/earns", json=body, headers=sent)
    problem(answer, 400, "idempotency_key_missing", "Idempotency-Key")
    assert shared.available(m) == 0


def test_a_refusal_is_an_answer_and_is_replayed(engines: Stand) -> None:
    m = engines.member()
    body = {"external_id": "b1", "member": m, "points": 100}
    first = engines.post("A", "burns", body, key="k")
    refusal = problem(first, 409, "insufficient_points")
    engines.earn("A", m, 500)
    second = engines.post("A", "burns", body, key="k")  # although the points are there now
    again = problem(second, 409, "insufficient_points")
    assert second.headers[REPLAYED] == "true"
    assert {**again, "request_id": ""} == {**refusal, "request_id": ""}
    good(engines.post("A", "burns", body, key="k2"))  # a refused sale can be tried again with a new key
    assert engines.available(m) == 400


def test_an_effect_happens_once_per_kind_and_partner(engines: Stand) -> None:
    m = engines.member()
    made = engines.earn("A", m, 100, "sale")
    twice = problem(
        engines.post("A", "earns", {"external_id": "sale", "member": m, "points": 100}),
        409, "duplicate_external_id", "external_id",
    )  # fmt: skip
    assert (twice["entry"], twice["external_id"]) == (made["id"], "sale")
    engines.burn("A", m, 10, "sale")  # another kind
    engines.earn("B", m, 5, "sale")  # another partner
    hold = good(engines.post("A", "holds", {"external_id": "h", "member": m, "points": 20, "ttl_seconds": 9}))["hold"]
    answer = engines.post("A", f"holds/{hold}/capture", {"external_id": "sale", "points": 20})
    problem(answer, 409, "duplicate_external_id")  # a capture is a burn, and its name is taken


def test_concurrent_duplicates_get_the_first_answer(engines: Stand) -> None:
    m, start = engines.member(), Barrier(8)
    body = {"external_id": "race", "member": m, "points": 10}

    def racer(_place: int) -> tuple[int, bool, str]:
        start.wait()
        answer = engines.post("A", "earns", body, key="race")
        return answer.status_code, REPLAYED in answer.headers, answer.text

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(racer, range(8)))
    assert {status for status, _replayed, _text in answers} == {201}
    assert sorted(replayed for _status, replayed, _text in answers) == [False] + [True] * 7
    assert len({text for _status, _replayed, text in answers}) == 1
    assert engines.available(m) == 10


VERBS: list[tuple[str, str, dict[str, Any]]] = [
    ("A", "earns", {"points": 70}),
    ("A", "earns", {"points": 70, "valid_to": "2025-01-01"}),
    ("B", "burns", {"points": 33}),
    ("B", "holds", {"points": 33, "ttl_seconds": 60}),
    ("A", "holds/{hold}/capture", {"points": 5}),
    ("A", "holds/{hold}/release", {}),
    ("A", "refunds", {"earn": "first", "points": 60}),
    ("B", "refunds", {"burn": "used", "points": 7}),
    ("A", "transfers", {"points": 12}),
    ("B", "burns", {"points": 100_000}),
    ("A", "refunds", {"earn": "first", "points": 100_000}),
]


@pytest.mark.parametrize(("who", "path", "fields"), VERBS)
def test_a_dry_run_answers_as_the_commit_and_changes_nothing(
    engines: Stand, who: str, path: str, fields: dict[str, Any]
) -> None:
    m, n = engines.member(), engines.member()
    engines.earn("A", m, 100, "first")
    engines.earn("B", m, 40, valid_to="2025-12-30")
    engines.burn("B", m, 20, "used")
    held = {"external_id": "held", "member": m, "points": 10, "ttl_seconds": 600}
    path = path.format(hold=good(engines.post("A", "holds", held))["hold"])
    who_is = {"sender": m, "recipient": n} if path == "transfers" else {"member": m}
    body = {**fields} if "holds/" in path or path == "refunds" else {**fields, **who_is}
    body |= {} if path.endswith("release") else {"external_id": "one"}

    def everything() -> list[Any]:
        lots = [engines.read("operator", f"members/{one}/lots") for one in (m, n)]
        return [*lots, engines.balance(m), engines.balance(n), engines.read("operator", "entries")]

    before = everything()
    tried = engines.post(who, path, {**body, "dry_run": True}, key="")
    assert everything() == before
    done = engines.post(who, path, body)
    if done.status_code >= 400:
        assert tried.status_code == done.status_code
        assert {**tried.json(), "request_id": ""} == {**done.json(), "request_id": ""}
        assert everything() == before
        return
    assert (tried.status_code, done.status_code) == (200, 201)
    assert everything() != before
    committed = done.json()
    made = {"id", "counterfoil", "hold"} if path == "holds" else {"id", "counterfoil"}
    assert tried.json() == {name: committed[name] for name in committed.keys() - made}
