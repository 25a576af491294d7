"""The same cycle on a real node over HTTP, and what happens while it is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Response

from tests.gateway.stand import START, Stand, good, problem, stand
from tests.settlement.anvil import anvil, asked

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[str]:
    with anvil(tmp_path / "anvil") as url:
        yield url


def funded(books: Stand, node: str) -> None:
    asked(node, "anvil_setBalance", books.app.state.worker.cycle.operator.address, hex(10**20))


def test_end_to_end_over_http(node: str, tmp_path: Path) -> None:
    with stand(tmp_path / "home", rpc=node) as books:
        books.clock(START)
        funded(books, node)
        m = books.member()
        for number in (1, 2):
            books.earn("A", m, 1_000)
            books.burn("B", m, 300)
            shown = books.settle()
            assert (shown["number"], shown["state"]) == (number, "final")
            receipt = asked(node, "eth_getTransactionReceipt", shown["tx"])
            assert (receipt["status"], shown["chain_id"]) == ("0x1", 31_337)
        contract = books.app.state.worker.cycle.contract()
        assert (contract.final().number, contract.supply()) == (2, 1_400)
        problem(books.client.post("/rpc", json={}), 404, "not_found")


def test_an_operator_without_ether_is_told(node: str, tmp_path: Path) -> None:
    with stand(tmp_path / "home", rpc=node) as books:
        books.earn("A", books.member(), 10)
        books.close()
        answer = books.advance()
        problem(answer, 503, "chain_unavailable")
        funded(books, node)
        good(books.advance())
        assert books.read("operator", "settlements/1")["header"]["number"] == 1


def degraded(books: Stand) -> list[str]:
    deadline = time.monotonic() + 30
    while True:
        ready: Response = books.client.get("/readyz")
        assert ready.status_code == 200
        told: list[str] = ready.json()["degraded"]
        if told or time.monotonic() > deadline:
            return told
        time.sleep(0.05)


def test_a_node_that_is_away_degrades_and_posting_goes_on(tmp_path: Path) -> None:
    with stand(tmp_path / "home", rpc=NOWHERE) as books:
        m = books.member()
        books.earn("A", m, 10)
        books.close()
        problem(books.advance(), 503, "unreachable")
        assert degraded(books)[0].startswith("chain cannot be reached")
        books.earn("A", m, 5)
        assert books.available(m) == 15
        assert books.close() == 2
        assert [one["state"] for one in books.read("operator", "settlements")["data"]] == ["closed", "closed"]
        assert books.client.get("/").status_code == 200


def test_it_goes_on_where_it_was_when_the_node_is_back(node: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with stand(home, rpc=NOWHERE) as books:
        sides, operator = books.sides, books.operator
        books.earn("A", books.member(), 10)
        books.close()
        problem(books.advance(), 503, "unreachable")
    with stand(home, rpc=node, partners="") as books:
        books.sides, books.operator = sides, operator
        funded(books, node)
        books.app.state.worker.nudge()
        good(books.advance())
        for name in "AB":
            good(books.sign(name, 1))
        good(books.advance())
        assert books.read("operator", "settlements/1")["state"] == "final"
        deadline = time.monotonic() + 30
        while good(books.client.get("/readyz"))["degraded"]:
            assert time.monotonic() < deadline
            books.app.state.worker.nudge()
            time.sleep(0.05)
