"""Row 3, torn read: eight gateways write what keeps every total, and nobody ever reads another."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from counterfoil.core.operation import Answer, Operation
from counterfoil.store import books, bulk, registry, sequencer
from counterfoil.store.bulk import Lost
from counterfoil.store.posting import Group, Poster
from tests.faults.ledger import Ledger
from tests.faults.rivals import START, Rivals, rivals
from tests.store.ground import enrolled

WRITERS, MEMBERS, EACH = 8, 24, 1_000
SUMS = """
SELECT (SELECT sum(available + held) FROM member),
       (SELECT sum(available + held) FROM lot WHERE available > 0 OR held > 0),
       (SELECT sum((available + held) * 10000) FROM lot WHERE available > 0 OR held > 0),
       (SELECT coalesce(sum("left"), 0) FROM debt WHERE "left" > 0),
       (SELECT number FROM fence) - (SELECT max(id) FROM entry_group),
       (SELECT g.count - (SELECT count(*) FROM entry WHERE id >= g.id * 65536)
          FROM entry_group g ORDER BY g.id DESC LIMIT 1)
"""
TOTAL = MEMBERS * EACH
WHOLE = (TOTAL, TOTAL, TOTAL * 10_000, 0, 0, 0)


class Traffic:
    """Eight threads, a gateway each: gifts, and burns with their refund in one transaction."""

    def __init__(self, table: Rivals) -> None:
        self.table, self.stop, self.commits = table, threading.Event(), 0
        self.members = table.members(MEMBERS)
        self.still = self.members[: MEMBERS // 2]  # what these have never changes from commit to commit
        table.done(*(table.op("earn", member=number, points=EACH) for number in self.members))

    def run(self, at: int) -> None:
        dice = random.Random(at)
        while not self.stop.is_set():
            try:
                answers, _group = self.table.writers[at].submit(self.turn(dice)).result()
            except Lost:  # five times in a row: the client of a real gateway would try again
                continue
            self.commits += any(answer.ok for answer in answers)

    def turn(self, dice: random.Random) -> list[Operation]:
        table = self.table
        if dice.random() < 0.5:
            giver, taker = dice.sample(self.members[MEMBERS // 2 :], 2)
            return [table.op("transfer", member=giver, recipient=taker, points=dice.randint(1, EACH // 4))]
        points = dice.randint(1, EACH)
        burn = table.op("burn", member=dice.choice(self.still), points=points)
        return [burn, table.op("refund_burn", original=burn.external_id, points=points)]


@contextmanager
def traffic(url: str) -> Iterator[Traffic]:
    with rivals(url, WRITERS) as table:
        busy = Traffic(table)
        with ThreadPoolExecutor(WRITERS) as threads:
            running = [threads.submit(busy.run, at) for at in range(WRITERS)]
            try:
                yield busy
            finally:
                busy.stop.set()
        for one in running:
            one.result()


@pytest.fixture
def busy(fresh_schema: Callable[[], str]) -> Iterator[Traffic]:
    with traffic(fresh_schema()) as running:
        yield running


def read_sums(busy: Traffic, reads: int) -> None:
    """Each read is one statement, so one snapshot: sums of members, of lots, the pool's worth, debts, the last group."""
    with busy.table.engines[1].connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        cursor: Any = connection.connection.cursor()
        for _ in range(reads):
            cursor.execute(SUMS, prepare=True)
            found = tuple(cursor.fetchone())
            assert found == WHOLE, f"{found} after {busy.commits} commits"


def test_readers_who_sum_everything_always_find_the_same(busy: Traffic, times: Callable[[int, int], int]) -> None:
    with ThreadPoolExecutor(2) as readers:
        for done in [readers.submit(read_sums, busy, times(20_000, 500_000) // 2) for _ in range(2)]:
            done.result()
    assert busy.commits > 200, busy.commits


def test_the_entries_of_a_snapshot_fold_to_its_rows(busy: Traffic, times: Callable[[int, int], int]) -> None:
    """Stored = folded and pool = remaining x face, for every group, each time in one snapshot under way."""
    ledger = Ledger({number: str(number) for number in busy.table.partners})
    for _ in range(times(200, 5_000)):
        ledger.follow(busy.table.engine)
        for number in busy.still:
            assert number not in ledger.members or ledger.members[number].available == EACH


def test_a_balance_read_under_load_is_whole(busy: Traffic, times: Callable[[int, int], int]) -> None:
    """books.holdings, which answers GET /v1/members/{member}/balance: several statements, one state."""
    for at in range(times(2_000, 50_000)):
        who = books.holdings(busy.table.engine, busy.still[at % len(busy.still)], START)
        assert who is not None
        assert (who.available, who.held, who.debt) == (EACH, 0, 0)


def test_the_sequencer_under_load_appends_whole_groups(busy: Traffic, times: Callable[[int, int], int]) -> None:
    size = 0
    for _ in range(times(200, 5_000)):
        grown, _root = sequencer.sequence(busy.table.engine)
        assert grown >= size
        size = grown


def between(engine: Engine, word: str, then: Callable[[], object]) -> list[str]:
    """Once, right after a statement of this engine with `word` in it: what another gateway does just then."""
    seen: list[str] = []

    def after(_connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if word in statement and not seen:
            seen.append(statement)
            then()

    event.listen(engine, "after_cursor_execute", after)
    return seen


def burnt(table: Rivals, member: int) -> Callable[[], object]:
    """A burn by the second gateway."""
    burn = table.op("burn", member=member, points=1)
    return lambda: table.writers[1].submit([burn]).result()


def test_a_commit_between_the_statements_of_a_balance(
    fresh_schema: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with rivals(fresh_schema(), 2) as table:
        (member,) = table.members(1)
        table.done(table.op("earn", member=member, points=EACH))
        then, plain, seen = burnt(table, member), bulk.ask, threading.current_thread()

        def ask(connection: Connection, what: Any, *more: Any) -> bulk.Later:
            nonlocal seen
            later = plain(connection, what, *more)
            if what.name == "member" and seen is threading.current_thread():
                seen, rows = threading.Thread(), later()
                then()
                return lambda: rows
            return later

        monkeypatch.setattr(bulk, "ask", ask)
        who = books.holdings(table.engine, member, START)
        assert seen is not threading.current_thread()
        assert who is not None
        assert who.available in {EACH, EACH - 1}


def test_a_commit_between_the_statements_of_the_sequencer(fresh_schema: Callable[[], str]) -> None:
    with rivals(fresh_schema(), 2) as table:
        (member,) = table.members(1)
        table.done(table.op("earn", member=member, points=EACH))
        seen = between(table.engine, "FROM entry_group", burnt(table, member))
        size, _root = sequencer.sequence(table.engine)
        assert seen
        assert size in {1, 2}


def test_a_new_partner_between_the_statements_of_the_registry(fresh_schema: Callable[[], str]) -> None:
    with rivals(fresh_schema(), 2) as table:
        seen = between(table.engine, "FROM contract", lambda: enrolled(table.engines[1], "D"))
        with table.engine.connect() as connection:
            known = registry.load(connection)
        assert seen
        assert len(known.partners()) in {3, 4}


def test_canary_a_batch_in_two_commits_is_seen(busy: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit for each operation: between a burn and its refund the points are gone."""
    whole = Poster.post

    def one_by_one(self: Poster, operations: Sequence[Operation]) -> tuple[list[Answer], Group | None]:
        posted = [whole(self, [op]) for op in operations]
        return [answers[0] for answers, _group in posted], posted[-1][1]

    monkeypatch.setattr(Poster, "post", one_by_one)
    with pytest.raises(AssertionError, match="commits"):
        read_sums(busy, 20_000)


def test_canary_reading_in_two_statements_is_torn(busy: Traffic) -> None:
    """Members in one snapshot, lots in the next: the check must see that its reader is at fault."""
    first, second = (
        "SELECT available, id FROM member WHERE id = ANY(:m)",
        "SELECT sum(available) FROM lot WHERE member = :m",
    )
    torn = 0
    with busy.table.engines[1].connect() as connection:
        for _ in range(5_000):
            moving = busy.members[MEMBERS // 2 :]
            for available, number in connection.execute(text(first), {"m": moving}).all():
                torn += connection.execute(text(second), {"m": number}).scalar_one() != available
            connection.commit()
            if torn:
                break
    assert torn
