"""Entries and statements: a partner's own, adding up to its position."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.stand import Stand, good, problem


def played(books: Stand) -> str:
    m = books.member()
    books.earn("A", m, 1_000, "s1")
    books.earn("B", m, 333, "s2")
    books.burn("B", m, 450, "b1")
    good(books.post("A", "refunds", {"external_id": "r1", "earn": "s1", "points": 100}))
    return m


def test_a_statement_adds_up(engines: Stand) -> None:
    played(engines)
    engines.earn("A", engines.member(), 1, "tiny")
    open_one = engines.read("A", "statement")  # what is not yet in the log is not yet in the statement
    assert (open_one["settlement"], open_one["state"]) == (1, "open")
    number = engines.close()
    for name in "AB":
        statement = engines.read(name, "statement", settlement=number)
        position = engines.read(name, f"settlements/{number}")
        assert statement["partner"] == name
        assert statement["net_micros"] == position["exact"][name]
        assert statement["settled_micros"] == position["rounded"].get(name, 0)
        assert sum(one["net_micros"] for one in statement["by_verb"].values()) == statement["net_micros"]
        entries = engines.read(name, "entries")["data"]
        assert statement["entries"] == len(entries)
        own = [m["amount_micros"] for e in entries for m in e["money"] if m["party"] == name]
        assert sum(own) == statement["net_micros"]
    a = engines.read("A", "statement", settlement=1)["by_verb"]
    assert a["earn"] == {"entries": 2, "net_micros": -11_011_000}
    assert a["refund_earn"] == {"entries": 1, "net_micros": 1_100_000}
    later = engines.read("A", "statement")
    assert (later["settlement"], later["entries"], later["net_micros"]) == (2, 0, 0)


def test_what_is_not_a_statement(shared: Stand) -> None:
    problem(shared.get("A", "/v1/statement", settlement=99), 404, "unknown_settlement", "settlement")
    problem(shared.get("operator", "/v1/statement"), 400, "invalid_request")
    for junk in ("0", "-1", "x", str(2**31)):
        problem(shared.get("A", "/v1/statement", settlement=junk), 400, "invalid_request", "settlement")


def test_an_entry_alone_and_in_the_list(engines: Stand) -> None:
    m = played(engines)
    listed = engines.read("operator", "entries")["data"]
    assert [one["verb"] for one in listed] == ["earn", "earn", "burn", "refund_earn"]
    assert [one["partner"] for one in listed] == ["A", "B", "B", "A"]
    assert {one["member"] for one in listed} == {m}
    for one in listed:
        assert engines.read("operator", f"entries/{one['id']}") == one
        assert engines.read(one["partner"], f"entries/{one['id']}") == one
    earn, _other, burn, refund = listed
    assert (earn["external_id"], earn["points"], earn["refers_to"]) == ("s1", {"available": 1_000}, None)
    assert burn["points"] == {"available": -450}
    assert refund["refers_to"] == earn["id"]
    engines.close()
    leaves = [one["leaf"] for one in engines.read("operator", "entries")["data"]]
    assert leaves == [0, 1, 2, 3]


def test_anothers_entry_is_not_there(shared: Stand) -> None:
    made = shared.earn("A", shared.member(), 5)["id"]
    other = problem(shared.get("B", f"/v1/entries/{made}"), 404, "not_found", "entry")
    absent = problem(shared.get("B", "/v1/entries/ent_0fffffffffff0000"), 404, "not_found", "entry")
    assert other.keys() == absent.keys()
    for junk in ("ent_1", "x", "ENT_0000000000000000"):
        problem(shared.get("B", f"/v1/entries/{junk}"), 400, "invalid_request", "entry")


def test_pages_by_sequence(engines: Stand) -> None:
    m = engines.member()
    made: dict[str, list[str]] = {"A": [], "B": []}
    for place in range(9):
        name = "AB"[place % 2]
        made[name].append(engines.earn(name, m, 1)["id"])
    for name, expected in (*made.items(), ("operator", sorted(made["A"] + made["B"]))):
        seen: list[str] = []
        params: dict[str, Any] = {"limit": 2}
        while True:
            page = engines.read(name, "entries", **params)
            assert len(page["data"]) <= 2
            seen += [one["id"] for one in page["data"]]
            if not page["has_more"]:
                assert page["next_cursor"] is None
                break
            params["cursor"] = page["next_cursor"]
        assert seen == expected


@pytest.mark.parametrize("limit", [1, 3, 4, 5])
def test_has_more_at_the_edge(engines: Stand, limit: int) -> None:
    played(engines)
    page = engines.read("operator", "entries", limit=limit)
    assert (len(page["data"]), page["has_more"]) == (min(limit, 4), limit < 4)
