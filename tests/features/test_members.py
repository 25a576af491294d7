"""Members: known by a random id, found again by a partner's own reference."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.gateway.stand import Stand, good, problem


def test_one_reference_of_one_partner_is_one_member(engines: Stand) -> None:
    def ask(who: str, **body: str) -> dict[str, object]:
        answer: dict[str, object] = good(engines.client.post("/v1/members", json=body, headers=engines.headers(who)))
        return answer

    first, again, other = (ask(who, reference="card-1") for who in "AAB")
    assert first["id"] == again["id"] != other["id"]
    assert (first["created"], again["created"], other["created"]) == (True, False, True)
    assert (first["reference"], again["reference"]) == ("card-1", "card-1")
    unnamed = {str(ask("A")["id"]) for _ in range(3)}
    assert len(unnamed | {str(first["id"])}) == 4


def test_many_at_once(engines: Stand) -> None:
    known = engines.member("c1")
    body = {"references": ["c0", "c1", "c0", "ż ó ł ć", "c2"]}
    data = good(engines.client.post("/v1/members/batch", json=body, headers=engines.headers("A")))["data"]
    assert [one["reference"] for one in data] == body["references"]
    assert [one["created"] for one in data] == [True, False, False, True, True]
    assert data[0]["id"] == data[2]["id"]
    assert data[1]["id"] == known
    assert engines.member("c2") == data[4]["id"]


@pytest.mark.parametrize("odd", ["a\x00b", "NULL", '"', "\\", "{a,b}", "\u202e", "🎈" * 32])
def test_an_odd_reference_is_kept_or_refused(engines: Stand, odd: str) -> None:
    """PostgreSQL holds no zero character: a reference with one is refused on both, or kept on both."""
    answer = engines.client.post("/v1/members", json={"reference": odd}, headers=engines.headers("A"))
    if "\x00" in odd and answer.status_code != 201:
        problem(answer, 400, "invalid_request", "reference")
    else:
        assert good(answer)["reference"] == odd
        assert engines.member(odd) == good(answer)["id"]


def test_a_race_for_a_reference_makes_one_member(engines: Stand) -> None:
    start = Barrier(6)

    def racer(_place: int) -> str:
        start.wait()
        return engines.member("raced")

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(racer, range(6)))) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("members", {"reference": ""}),
        ("members", {"reference": "x" * 129}),
        ("members", {"reference": 5}),
        ("members", {"name": "Jan"}),
        ("members/batch", {}),
        ("members/batch", {"references": []}),
        ("members/batch", {"references": [None]}),
        ("members/batch", {"references": ["x"] * 8_001}),
    ],
)
def test_bad_bodies(shared: Stand, path: str, body: dict[str, object]) -> None:
    answer = shared.client.post(f"/v1/{path}", json=body, headers=shared.headers("A"))
    problem(answer, 400, "invalid_request")


@pytest.mark.parametrize("path", ["balance", "lots", "entries"])
def test_an_unknown_member(shared: Stand, path: str) -> None:
    for number in ("mbr_0000000000000001", "mbr_7fffffffffffffff"):
        problem(shared.get("A", f"/v1/members/{number}/{path}"), 404, "unknown_member", "member")
    for junk in ("mbr_1", "MBR_0000000000000001", "x", "mbr_000000000000000g"):
        problem(shared.get("A", f"/v1/members/{junk}/{path}"), 400, "invalid_request", "member")


@pytest.mark.parametrize("path", ["members/mbr_ffffffffffffffff/balance", "entries/ent_ffffffffffffffff"])
def test_a_number_no_database_holds_is_unknown(engines: Stand, path: str) -> None:
    answer = engines.get("operator", f"/v1/{path}")
    assert answer.status_code == 404, answer.text


def test_states_of_points(engines: Stand) -> None:
    m = engines.member()
    engines.earn("A", m, 100, "sale", valid_to="2026-01-31")
    engines.earn("B", m, 50)
    engines.burn("A", m, 10)
    good(engines.post("A", "holds", {"external_id": "h", "member": m, "points": 20, "ttl_seconds": 60}))
    assert engines.balance(m) == {
        "member": m, "currency": "CP", "available": 120, "held": 20, "pending": 0, "debt": 0, "balance": 120, "own": [],
    }  # fmt: skip
    assert engines.read("A", f"members/{m}/balance") == {"member": m, "currency": "CP", "available": 120, "own": []}
    lots = engines.read("operator", f"members/{m}/lots")["data"]
    assert [(lot["issuer"], lot["available"], lot["held"]) for lot in lots] == [("A", 70, 20), ("B", 50, 0)]
    assert lots[0]["expires_at"] == "2026-01-31T23:00:00.000000Z"
    assert lots[0]["earned_at"] == "2025-12-01T10:00:00.000000Z"
    assert [lot["issuer"] for lot in engines.read("B", f"members/{m}/lots")["data"]] == ["B"]
    good(engines.post("A", "refunds", {"external_id": "r", "earn": "sale", "points": 100}))
    assert engines.balance(m)["debt"] == 0
    assert engines.balance(m)["available"] == 20  # what was burned and what is held came from the other lot


def test_pages_of_a_history(engines: Stand) -> None:
    m = engines.member()
    made = [engines.earn("A", m, points)["id"] for points in range(1, 8)]
    engines.earn("B", m, 100)
    seen, cursor = [], None
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = engines.read("A", f"members/{m}/entries", **params)
        seen += [one["id"] for one in page["data"]]
        cursor = page["next_cursor"]
        assert page["has_more"] is (cursor is not None)
        if cursor is None:
            break
    assert seen == made
    whole = engines.read("operator", f"members/{m}/entries")["data"]
    assert [one["verb"] for one in whole] == ["earn"] * 8 + ["act"]  # that the operator looked


@pytest.mark.parametrize("path", ["members/{m}/entries", "entries"])
@pytest.mark.parametrize(
    "params",
    [
        {"cursor": "x"}, {"cursor": "ent_"}, {"cursor": "ent_" + "g" * 16}, {"cursor": "ent_" + "A" * 16},
        {"cursor": ""}, {"limit": 0}, {"limit": 501}, {"limit": "many"},
    ],
)  # fmt: skip
def test_a_cursor_is_one_that_a_page_gave(shared: Stand, path: str, params: dict[str, str]) -> None:
    answer = shared.get("A", "/v1/" + path.format(m=shared.member()), **params)
    problem(answer, 400, "invalid_request", next(iter(params)))


def test_a_cursor_past_the_end_gives_an_empty_page(shared: Stand) -> None:
    shared.earn("A", shared.member(), 1)
    page = shared.read("A", "entries", cursor="ent_" + "f" * 16)
    assert page == {"data": [], "has_more": False, "next_cursor": None}


@pytest.mark.parametrize("verb", ["earn", "burn", "transfer", "release"])
def test_a_number_no_database_holds_poisons_no_batch(engines: Stand, verb: str) -> None:
    m, huge = engines.member(), "f" * 16
    named = {"external_id": "x", "points": 1}
    bodies: dict[str, dict[str, Any]] = {
        "earn": {**named, "member": f"mbr_{huge}"},
        "burn": {**named, "member": f"mbr_{huge}"},
        "transfer": {**named, "sender": m, "recipient": f"mbr_{huge}"},
        "release": {"hold": f"hld_{huge}"},
    }
    earn = {"verb": "earn", "key": "1", "external_id": "y", "member": m, "points": 5}
    answers = engines.batch("A", [earn, {"verb": verb, "key": "2", **bodies[verb]}])
    assert [one["status"] for one in answers] == [201, 404]
