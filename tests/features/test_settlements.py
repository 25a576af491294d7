"""Settlements over HTTP: looks, rows by page, and what each caller is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from counterfoil.core.encoding import entry_hash
from tests.gateway.stand import START, Stand, good, problem, stand


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder: Path = tmp_path_factory.mktemp("settled")
    with stand(folder) as one:
        one.clock(START)
        m = one.member()
        for place in range(12):
            one.earn("AB"[place % 2], m, 100 + place)
        assert one.settle()["state"] == "final"
        yield one


def test_the_operator_and_a_partner_look(settled: Stand) -> None:
    whole, own = settled.read("operator", "settlements/1"), settled.read("A", "settlements/1")
    assert set(whole["exact"]) == {"A", "B", "pool", "operator"}
    assert set(own["exact"]) == {"A"}
    assert own["header"] == whole["header"]
    assert (own["header_hash"], own["tx"], own["state"]) == (whole["header_hash"], whole["tx"], "final")
    assert sum(whole["exact"].values()) == sum(whole["rounded"].values()) == 0
    assert whole["issued"] == {"A": sum(range(100, 112, 2)), "B": sum(range(101, 112, 2))}
    assert settled.read("operator", "settlements")["data"] == [whole]
    for number, status, code in (
        ("2", 404, "unknown_settlement"),
        ("0", 400, "invalid_request"),
        ("x", 400, "invalid_request"),
    ):
        problem(settled.get("A", f"/v1/settlements/{number}"), status, code)
        problem(settled.get("A", f"/v1/settlements/{number}/rows"), status, code)


@pytest.mark.parametrize("limit", [1, 2, 5, 6, 100])
def test_rows_by_page(settled: Stand, limit: int) -> None:
    seen: list[dict[str, Any]] = []
    cursor = "0"
    while True:
        page = settled.read("A", "settlements/1/rows", cursor=cursor, limit=limit)
        assert len(page["data"]) <= limit
        seen += page["data"]
        if not page["has_more"]:
            assert page["next_cursor"] is None
            break
        cursor = page["next_cursor"]
    assert [row["leaf"] for row in seen] == list(range(0, 12, 2))
    programme = settled.app.state.gateway.programme
    listed = settled.read("A", "entries")["data"]
    for row, entry in zip(seen, listed, strict=True):
        assert "0x" + entry_hash(programme, bytes.fromhex(row["body"][2:])).hex() == entry["hash"]
        assert row["external_id"] == entry["external_id"]


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 5_001}, {"cursor": -1}, {"cursor": "x"}, {"cursor": 2**63}])
def test_a_page_of_rows_that_is_none(settled: Stand, params: dict[str, Any]) -> None:
    problem(settled.get("A", "/v1/settlements/1/rows", **params), 400, "invalid_request", next(iter(params)))


def test_the_rulebook_is_published_as_hashed(settled: Stand) -> None:
    published = settled.get("", "/v1/rulebook")
    files = {one["name"]: one for one in settled.read("A", "settlements/1")["files"]}
    assert files["rulebook"]["sha256"] == "0x" + hashlib.sha256(published.content).hexdigest()
    assert [one["name"] for one in good(published)["contracts"]] == ["A", "B"]


def test_a_close_of_nothing(books: Stand) -> None:
    assert [books.close(), books.close()] == [1, 2]
    shown = books.read("operator", "settlements")["data"]
    assert [(one["first_leaf"], one["log_size"], one["exact"]) for one in shown] == [(0, 0, {}), (0, 0, {})]


def test_a_preview_is_what_the_close_gives(engines: Stand) -> None:
    one, other = engines.member(), engines.member()
    engines.earn("A", one, 1_001)
    engines.earn("B", other, 333, valid_to="2025-12-05")
    engines.earn("A", other, 50, pending_days=3)
    good(engines.post("B", "holds", {"external_id": "h", "member": one, "points": 77, "ttl_seconds": 60}))
    engines.burn("B", one, 123)
    for at in ("2025-12-01T10:00:30Z", "2025-12-20T10:00:00Z", "2026-12-20T10:00:00Z"):  # due things count, job or not
        good(engines.clock(at))
        told = engines.read("operator", "settlements/preview")
        mine = engines.read("A", "settlements/preview")
        again = engines.read("operator", "settlements/preview")
        assert told == again
        number = engines.close()
        closed = engines.read("operator", f"settlements/{number}")
        assert told["number"] == number
        assert all(told[name] == closed[name] for name in ("exact", "rounded", "supply", "change"))
        assert set(mine["exact"]) <= {"A"}
        assert mine["exact"].get("A") == told["exact"].get("A")
