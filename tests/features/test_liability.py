"""The liability report as a route: the same bytes as the command's, and nobody sees another's."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from counterfoil.insights.liability import report
from tests.features.liability import command
from tests.gateway.stand import START, Stand, problem, stand


def unpacked(books: Stand, to: Path) -> Path:
    for kind in ("public", "sealed"):
        answer = books.get("operator", f"/v1/exports/{kind}")
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
            tar.extractall(to / kind)  # our own; older 3.11 have no filter
    return to


def trade(books: Stand, sales: dict[str, int]) -> None:
    """Two settlements in which three partners sell and B's till is used; A's and C's sales are as told."""
    one, two = books.member(), books.member()
    for who, points in sales.items():
        books.earn(who, one, points)
        books.earn(who, two, points + 100)
    books.burn("B", one, 50)
    books.settle()
    books.clock("2026-02-10T10:00:00Z")
    books.earn("B", two, 30)
    books.settle()


def test_an_export_without_settlements(books: Stand, tmp_path: Path) -> None:
    unpacked(books, tmp_path)
    (tmp_path / "sealed").mkdir(exist_ok=True)
    assert command(tmp_path)[::2] == (2, "counterfoil: settlements: the export has none\n")


def test_the_route_and_the_command_give_the_same_bytes(engines: Stand, tmp_path: Path) -> None:
    engines.add("C")
    trade(engines, {"A": 300, "B": 200, "C": 700})
    folder = unpacked(engines, tmp_path / "ledger")
    for form, kind in (("json", "application/json"), ("csv", "text/csv; charset=utf-8")):
        for number in (1, 2):
            for asked in ({}, {"breakage_bp": 1_500, "estimate": ["17:2000@2", "18:100"]}):
                answer = engines.get("operator", f"/v1/settlements/{number}/liability", format=form, **asked)
                assert answer.status_code == 200
                assert answer.headers["content-type"] == kind
                words = [f"--estimate={one}" for one in asked.get("estimate", [])]  # type: ignore[attr-defined]
                words += [f"--breakage-bp={asked['breakage_bp']}"] if asked else []
                code, out, _err = command(folder, "--settlement", str(number), "--format", form, *words)
                assert (code, out) == (0, answer.content)


def test_a_partner_sees_its_own_and_the_public_totals(books: Stand) -> None:
    books.add("C")
    trade(books, {"A": 300, "B": 200, "C": 700})
    whole, own = (books.read(who, "settlements/2/liability") for who in ("operator", "B"))
    mine = books.sides["B"].id
    (currency,) = own["currencies"]
    assert [one["party"] for one in currency["parties"]] == [mine]
    assert currency["parties"] == [one for one in whole["currencies"][0]["parties"] if one["party"] == mine]
    assert (currency["total"], currency["concentration"]) == (None, None)
    assert currency["supply"] == whole["currencies"][0]["supply"]
    shown = {name: value for name, value in own["coverage"].items() if value is not None}
    assert shown.keys() == {"pool_micros", "funded_micros", "coverage_bp"}
    text = books.get("B", "/v1/settlements/2/liability", format="csv").text
    assert {line.split(",")[2] for line in text.splitlines()[1:]} == {"B", ""}


def worlds(folder: Path) -> list[dict[str, Any]]:
    """Two that differ in who of the others sold how much, as B and as the operator see them."""
    seen = []
    for world, sales in enumerate(({"A": 300, "B": 200, "C": 700}, {"A": 900, "B": 200, "C": 100})):
        with stand(folder / str(world), partners="ABC") as books:
            books.clock(START)
            trade(books, sales)
            views = {who: books.read(who, "settlements/2/liability") for who in ("B", "operator")}
            for view in views.values():
                for name in ("programme", "header"):
                    del view[name]
            seen.append(views)
    return seen


def test_nothing_of_others_follows_from_what_a_partner_sees(tmp_path: Path) -> None:
    one, other = worlds(tmp_path)
    assert one["B"] == other["B"]
    assert one["operator"] != other["operator"]


def test_canary_a_partner_taken_for_the_operator_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfoil.features.liability.routes.report", lambda read, some, _only: report(read, some))
    one, other = worlds(tmp_path)
    assert one["B"] != other["B"]


def test_what_is_not_there_is_refused(books: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    trade(books, {"A": 10, "B": 50})
    path = "/v1/settlements/2/liability"
    problem(books.get("operator", "/v1/settlements/3/liability"), 404, "unknown_settlement")
    problem(books.get("operator", path, format="xml"), 400, "invalid_request", "format")
    problem(books.get("operator", path, breakage_bp=10_001), 400, "invalid_request", "breakage_bp")
    problem(books.get("operator", path, estimate="17"), 400, "invalid_request", "estimate")
    books.close()  # closed, not yet in the exports
    problem(books.get("operator", "/v1/settlements/3/liability"), 404, "unknown_settlement")
    first = books.get("operator", path).content
    monkeypatch.setattr(
        "counterfoil.features.liability.routes.ledger.read", lambda *_: pytest.fail("it was read before")
    )
    assert books.get("operator", path).content == first
    assert books.get("A", path).status_code == 200


def test_books_that_do_not_tally_give_no_report(books: Stand) -> None:
    """Somebody changed an entry behind the gateway's back."""
    trade(books, {"A": 10, "B": 50})
    engine = books.app.state.gateway.engine
    with engine.begin() as connection:
        entry, body = connection.execute(text("SELECT id, body FROM entry ORDER BY id LIMIT 1")).one()
        body = body.replace((10).to_bytes(8, "big"), (11).to_bytes(8, "big"))
        connection.execute(text("UPDATE entry SET body = :body WHERE id = :entry"), {"body": body, "entry": entry})
    refused = problem(books.get("operator", "/v1/settlements/2/liability"), 422, "unreadable")
    assert refused["what"] == "settlements/000001/entries"
