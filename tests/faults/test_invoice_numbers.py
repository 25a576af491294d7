"""Numbers without a gap: killed at any point, and made by several processes and threads at once."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from counterfoil.settlement.closing import compute
from counterfoil.settlement.invoicing import invoice
from counterfoil.store import invoices, json_text, settlements
from tests.faults.killed import Victims, victims
from tests.faults.rivals import START, Rivals, rivals

PER_SETTLEMENT = (
    3  # documents: two partners' own, and a correction; of the first, which has nothing to correct, one less
)


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    with victims(tmp_path_factory.mktemp("victims")) as running:
        yield running


@pytest.fixture
def table(database_url: str) -> Iterator[Rivals]:
    with rivals(database_url, 1) as one:
        yield one


def closed(table: Rivals, count: int) -> None:
    """So many settlements that have no documents yet; each takes back something of the one before."""
    (member,) = table.members(1)
    first = table.op("earn", member=member, points=1_000)
    table.done(first)
    for _ in range(count):
        back = table.op("refund_earn", original=first.external_id, points=3)
        earns = [table.op("earn", member=member, points=101, partner=partner) for partner in table.partners[:2]]
        table.done(*earns, back)
        compute(table.engine, settlements.close(table.engine, START))


def numbers(table: Rivals) -> list[str]:
    """All numbers in order of issue, once each was found in its place and its document whole."""
    rows = invoices.page(table.engine, None, 0, 10_000)
    assert [row.place for row in rows] == list(range(1, len(rows) + 1))
    counts: dict[str, Iterator[int]] = {}
    for row in rows:
        series = row.number.rpartition("-")[0]
        expected = next(counts.setdefault(series, itertools.count(1)))
        assert row.number == f"{series}-{expected:06d}", "a gap or a number twice"
        assert json_text.loads(row.body)["number"] == row.number
    settled = [row.settlement for row in rows]
    assert settled == sorted(settled)
    billed = {(row.settlement, row.entity) for row in rows}
    assert len(billed) == 2 * len(set(settled)), "a gap: a partner's document is missing"
    return [row.number for row in rows]


def test_killed_at_every_document_none_is_lost_or_made_twice(
    table: Rivals, zygote: Victims, times: Callable[[int, int], int]
) -> None:
    rounds = times(3, 50)
    closed(table, rounds)
    url = table.engine.url.render_as_string(hide_password=False)
    for done in range(rounds):
        for count in range(1, PER_SETTLEMENT - (done == 0)):  # killed behind each of its documents but the last
            zygote.killed("invoiced", database=url, point="settlement.invoice", count=count)
            assert len({row.settlement for row in invoices.page(table.engine, None, 0, 10_000)}) == done, "half"
        zygote.killed("invoiced", database=url, point="settlement.invoiced")
    assert zygote.done("invoiced", database=url, point="") == 0, "all were there"
    made = numbers(table)
    assert len({row.settlement for row in invoices.page(table.engine, None, 0, 10_000)}) == rounds
    assert invoice(table.engine) is False
    assert numbers(table) == made


def test_canary_a_number_taken_apart_leaves_a_gap(table: Rivals, zygote: Victims) -> None:
    closed(table, 2)
    url = table.engine.url.render_as_string(hide_password=False)
    zygote.killed("invoiced", plant="number_apart", database=url, point="settlement.invoice")
    zygote.done("invoiced", database=url, point="")
    with pytest.raises(AssertionError, match="a gap"):
        numbers(table)


def raced(table: Rivals, threads: int) -> list[BaseException]:
    """As many threads make all documents that are due, over two engines: what some of them raised."""
    barrier, raised = threading.Barrier(threads), list[BaseException]()

    def run(at: int) -> None:
        barrier.wait()
        try:
            while invoice(table.engines[at % 2]):
                pass
        except (AssertionError, DBAPIError) as error:
            raised.append(error)

    list(table.pool.map(run, range(threads)))
    return raised


def test_many_at_once_skip_and_double_nothing(table: Rivals, times: Callable[[int, int], int]) -> None:
    for _ in range(times(3, 30)):
        closed(table, 4)
        before = len(invoices.page(table.engine, None, 0, 10_000))
        assert raced(table, 6) == []
        assert len(numbers(table)) > before
    rows: list[Any] = settlements.every(table.engine)
    assert {row.settlement for row in invoices.page(table.engine, None, 0, 10_000)} == {row.number for row in rows}


def test_canary_without_the_counter_row_they_collide(
    fresh_schema: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL; SQLite lets only one write anyway. The loser fails on a number, or is late enough to double all."""
    with rivals(fresh_schema(), 1) as table:
        closed(table, 1)
        both = threading.Barrier(2)

        def take(connection: Any, number: int) -> bool:
            due = invoices.last(connection) == number - 1
            if due:
                both.wait(20)
            return due

        monkeypatch.setattr(invoices, "take", take)
        barrier, raised = threading.Barrier(2), list[DBAPIError]()

        def run(at: int) -> None:
            barrier.wait()
            try:
                invoice(table.engines[at])
            except DBAPIError as error:
                raised.append(error)

        list(table.pool.map(run, range(2)))
        twice = len(invoices.page(table.engine, None, 0, 100)) > PER_SETTLEMENT - 1
        assert twice or len(raised) == 1
