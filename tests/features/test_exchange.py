"""Exchange between brands' currencies: limits of an edge, and tables that are announced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from counterfoil.store.tables import programme
from tests.gateway.stand import START, Stand, good, problem, stand

EDGE = {"src": "XX", "dst": "YY", "in": 2, "out": 1, "increment": 2, "price_micros": 10_000}


@pytest.fixture
def one(database_url: str, tmp_path: Path) -> Iterator[Stand]:
    with stand(tmp_path / "home", database_url) as made:
        made.clock(START)
        for name, issuer in (("XX", "A"), ("YY", "B")):
            good(made.post("operator", "currencies", {"name": name, "issuer": made.sides[issuer].id}))
        yield made


def swap(one: Stand, member: str, points: int, name: str) -> Any:
    body = {"external_id": name, "member": member, "src": "XX", "dst": "YY", "points": points}
    return one.post("operator", "exchanges", body)


def test_a_member_swaps_so_much_a_day_over_an_edge(one: Stand) -> None:
    good(one.post("operator", "rates", {"edges": [{**EDGE, "daily_points": 60}]}))
    member = one.member()
    one.earn("A", member, 200, currency="XX")
    assert good(swap(one, member, 41, "s1"))["taken"] == 40  # what is kept does not count
    told = problem(swap(one, member, 22, "s2"), 409, "velocity_limit")
    assert (told["limit"], told["used"]) == (60, 40)
    assert good(swap(one, member, 20, "s3"))["given"] == 10
    one.clock("2025-12-02T00:00:00+01:00")
    assert good(swap(one, member, 60, "s4"))["given"] == 30


def test_a_later_table_holds_from_its_instant_on(one: Stand) -> None:
    good(one.post("operator", "rates", {"edges": [EDGE]}))
    problem(
        one.post("operator", "rates", {"edges": [], "since": "2025-01-01T00:00:00Z"}), 400, "invalid_request", "since"
    )
    made = good(one.post("operator", "rates", {"edges": [{**EDGE, "in": 4}], "since": "2025-12-20T00:00:00Z"}))
    assert made["since"] == "2025-12-20T00:00:00.000000Z"
    member = one.member()
    one.earn("A", member, 200, currency="XX")
    assert good(swap(one, member, 40, "s1"))["given"] == 20
    one.clock("2025-12-20T00:00:00Z")
    assert good(swap(one, member, 40, "s2"))["given"] == 10


def test_a_live_programme_announces_its_tables(one: Stand) -> None:
    """The first holds at once; what replaces it only after the notice that terms need, too."""
    with one.app.state.gateway.engine.begin() as connection:
        connection.execute(programme.update().values(livemode=True, revision=programme.c.revision + 1))
    assert good(one.post("operator", "rates", {"edges": [EDGE]}))["since"] == "2025-12-01T10:00:00.000000Z"
    told = problem(
        one.post("operator", "rates", {"edges": [], "since": "2025-12-30T00:00:00Z"}), 400, "invalid_request", "since"
    )
    assert "2025-12-31T10:00:00.000000Z" in told["detail"]
    assert good(one.post("operator", "rates", {"edges": []}))["since"] == "2025-12-31T10:00:00.000000Z"
