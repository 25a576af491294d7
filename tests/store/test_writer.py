"""The posting writer: batches that share a commit, and poison that fails nobody else."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from counterfoil.core import journal, log
from counterfoil.core.entry import group_of
from counterfoil.core.errors import Unreachable
from counterfoil.core.operation import Answer, Operation
from counterfoil.store import bulk, registry
from counterfoil.store.posting import Group, Poster, paths_of
from counterfoil.store.writer import LINGER_SECONDS, MAX_BATCH, Result, Writer
from tests.store.ground import NOON, A, B, Ground, burn, earn


class Held(Poster):
    """A poster that waits for leave, so that a test decides what queues meanwhile."""

    leave: threading.Event
    entered: threading.Event
    seen: list[int]
    poison: frozenset[str]
    errors: list[Exception]

    def __init__(self, books: Ground) -> None:
        super().__init__(books.engine)
        self.leave, self.entered, self.seen, self.poison, self.errors = (
            threading.Event(), threading.Event(), [], frozenset(), [],
        )  # fmt: skip

    def post(self, operations: Sequence[Operation]) -> tuple[list[Answer], Group | None]:
        self.entered.set()
        assert self.leave.wait(60)
        self.seen.append(len(operations))
        if self.errors:
            raise self.errors.pop(0)
        if self.poison & {op.key or "" for op in operations}:
            raise ZeroDivisionError("poison")
        return super().post(operations)


@pytest.fixture
def held(books: Ground) -> Held:
    return Held(books)


def queue(writer: Writer, poster: Held, jobs: list[list[Operation]]) -> list[Future[Result]]:
    """Submit jobs so that all but the first wait while the first is carried out."""
    first = writer.submit(jobs[0])
    assert poster.entered.wait(60)
    rest = [writer.submit(job) for job in jobs[1:]]
    poster.leave.set()
    return [first, *rest]


def answers(futures: list[Future[Result]]) -> list[list[bool]]:
    return [[answer.ok for answer in future.result(60)[0]] for future in futures]


def test_what_queued_meanwhile_is_one_commit(books: Ground, held: Held) -> None:
    m, commits = books.members[0], []
    writer = Writer(held, lambda count, seconds: commits.append((count, seconds > 0)))
    done = queue(writer, held, [[earn(str(place), m)] for place in range(6)])
    assert answers(done) == [[True]] * 6
    assert held.seen == [1, 5]
    assert commits == [(1, True), (5, True)]
    assert writer.waiting == 0
    groups = [future.result()[1] for future in done]
    assert groups[1] == groups[5] != groups[0]
    assert books.count("entry_group") == 2
    writer.close()


def test_jobs_are_never_cut(books: Ground, held: Held) -> None:
    made = registry.add_members(books.engine, B, [None] * 500, NOON)
    jobs = [[earn(f"{job}-{place}", made[place % 500][0]) for place in range(1_500)] for job in range(4)]
    writer = Writer(held)
    done = queue(writer, held, jobs)
    assert [sum(one) for one in answers(done)] == [1_500] * 4
    assert held.seen == [1_500, 3_000, 1_500]
    assert MAX_BATCH == 4_000
    assert books.rows("SELECT sum(available) FROM member") == [(60_000,)]
    writer.close()


def test_only_after_a_shared_commit_the_writer_lingers(
    books: Ground, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[tuple[int, float]] = []
    monkeypatch.setattr("counterfoil.store.writer.time.sleep", lambda seconds: slept.append((len(held.seen), seconds)))
    m = books.members[0]
    writer = Writer(held)
    done = queue(writer, held, [[earn(str(place), m)] for place in range(4)])  # the first alone, then three
    assert answers(done) == [[True]] * 4
    assert answers([writer.submit([earn("after", m)])]) == [[True]]
    assert answers([writer.submit([earn("alone", m)])]) == [[True]]
    assert slept == [(2, LINGER_SECONDS)]
    assert held.seen == [1, 3, 1, 1]
    writer.close()


def test_strides_leave_the_same_books(books: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one stride wrote the next one changes: lots, effects and sums, within one transaction."""
    monkeypatch.setattr("counterfoil.store.posting.STRIDE", 2)
    m = books.members[0]
    again = earn("1", m, 100)
    back = Operation("refund_burn", A, "4", b"4" * 32, external_id="r-4", original="b-3", points=20)
    taken = Operation("refund_earn", A, "5", b"5" * 32, external_id="r-5", original="e-1", points=30)
    told = posted(books, again, earn("2", m, 50), burn("3", m, 120), back, taken, again, burn("6", m, 20))
    assert [(one.ok, one.replayed) for one in told] == [(True, False)] * 5 + [(True, True), (True, False)]
    kinds: list[Any] = books.rows("SELECT kind, refunded FROM effect ORDER BY entry")
    assert kinds == [("earn", 30), ("earn", 0), ("burn", 20), ("refund", 0), ("refund", 0), ("burn", 0)]
    assert books.rows(f"SELECT available, held, debt FROM member WHERE id = {m}") == [(0, 0, 0)]
    assert books.rows("SELECT count FROM entry_group") == [(6,)]


def test_poison_fails_alone(books: Ground, held: Held) -> None:
    m, held.poison = books.members[0], frozenset({"3"})
    writer = Writer(held)
    done = queue(writer, held, [[earn(str(place), m)] for place in range(6)])
    wait(done, 60)
    assert [future.exception() is None for future in done] == [True, True, True, False, True, True]
    assert isinstance(done[3].exception(), ZeroDivisionError)
    assert books.count("entry") == 5
    assert answers([writer.submit([earn("after", m)])]) == [[True]]  # the thread lives on
    writer.close()


def test_a_conflict_is_tried_again(books: Ground, held: Held) -> None:
    held.leave.set()
    clash = IntegrityError("", {}, Exception("UNIQUE constraint failed"))
    held.errors = [bulk.Lost("once"), clash, bulk.Lost("twice")]
    writer = Writer(held)
    assert answers([writer.submit([earn("1", books.members[0])])]) == [[True]]
    assert len(held.seen) == 4
    held.errors = [bulk.Lost("always") for _ in range(9)]
    assert isinstance(writer.submit([earn("2", books.members[0])]).exception(60), bulk.Lost)
    writer.close()


def test_more_than_a_group_holds_is_parted(books: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_ENTRIES", 4)
    first, second, _third = books.members
    with books.writer() as writer:
        found, group = writer.submit([earn(str(place), (first, second)[place % 2]) for place in range(9)]).result(60)
    assert ([answer.ok for answer in found], group) == ([True] * 9, None)
    assert [count for (count,) in books.rows("SELECT count FROM entry_group ORDER BY id")] == [4, 2, 3]
    assert len({answer.entry for answer in found}) == books.count("entry") == 9


def test_a_database_that_fails_is_unreachable(books: Ground, held: Held) -> None:
    held.leave.set()
    held.errors = [OperationalError("", {}, Exception("disk I/O error\nand more"))]
    writer = Writer(held)
    error = writer.submit([earn("1", books.members[0])]).exception(60)
    assert isinstance(error, Unreachable)
    assert str(error) == "books cannot be reached: disk I/O error"
    writer.close()


def test_closing_answers_what_waits(books: Ground, held: Held) -> None:
    writer = Writer(held)
    first = writer.submit([earn("0", books.members[0])])
    held.entered.wait(60)
    rest = [writer.submit([earn(str(place), books.members[0])]) for place in range(1, 5)]
    closer = threading.Thread(target=writer.close)
    closer.start()
    held.leave.set()
    closer.join(60)
    assert answers([first, *rest]) == [[True]] * 5
    with pytest.raises(Unreachable):
        writer.submit([earn("late", books.members[0])])


def posted(books: Ground, *operations: Operation) -> list[Answer]:
    return books.poster().post(operations)[0]


def test_a_rollback_leaves_nothing(books: Ground) -> None:
    tables = ("entry", "entry_group", "lot", "request", "effect")
    for point in ("writer.decided", "writer.written", "writer.before_commit"):

        def crash(here: str, point: str = point) -> None:
            if here == point:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Poster(books.engine, crash).post([earn("1", books.members[0])])
        assert [books.count(name) for name in tables] == [0] * 5
        assert books.rows("SELECT number FROM fence") == [(0,)]
    assert posted(books, earn("1", books.members[0]))[0].ok


def test_two_writers_on_one_set_of_books(books: Ground) -> None:
    """Two gateways: the fence takes turns, keys and external ids hold across them, points add up."""
    m = books.members[0]
    with books.writer() as one, books.writer() as two:
        futures = [
            writer.submit([earn(f"{place}", m, 10), burn(f"x{name}{place}", m, 3)])
            for place in range(40)
            for name, writer in (("one", one), ("two", two))
        ]
        results = [future.result(60)[0] for future in futures]
    earned = [answer for answer, _ in results]
    assert sum(answer.ok and not answer.replayed for answer in earned) == 40
    assert sum(answer.replayed for answer in earned) == 40
    burned = sum(answer.ok for _, answer in results)
    assert books.rows(f"SELECT available FROM member WHERE id = {m}") == [(400 - 3 * burned,)]
    numbers = [row[0] for row in books.rows("SELECT id FROM entry_group ORDER BY id")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert books.rows("SELECT number FROM fence") == [(len(numbers),)]


def test_answers_name_the_group_they_are_in(books: Ground) -> None:
    m, n = books.members[:2]
    made, group = books.poster().post([earn("1", m), earn("2", n, partner=B), burn("3", m, 99), burn("4", m, 4)])
    assert group is not None
    assert [answer.ok for answer in made] == [True, True, False, True]
    assert [group_of(answer.entry) for answer in made if answer.entry] == [group.id] * 3
    assert (group.count, group.settle_by, len(group.hashes)) == (3, 2, 3)
    again, none = books.poster().post([earn("1", m)])
    assert (again[0].replayed, again[0].entry, none) == (True, made[0].entry, None)
    refused, none = books.poster().post([burn("5", n, 99)])
    assert (refused[0].ok, none) == (False, None)


def test_the_same_operations_leave_the_same_books(books: Ground) -> None:
    """What both databases must agree on: this is compared with figures, not with the other database."""
    m, n = books.members[:2]
    posted(books, earn("1", m, 100), earn("2", m, 50, partner=B), burn("3", m, 120, partner=B), earn("4", n, 7))
    lots: list[Any] = books.rows('SELECT entry, "index", points, issuer, available, burned FROM lot ORDER BY entry')
    first = 1 << 16
    assert lots == [(first, 0, 100, 16, 0, 100), (first + 1, 0, 50, 17, 30, 20), (first + 3, 0, 7, 16, 7, 0)]
    assert books.rows("SELECT partner, kind, external_id, entry, refunded FROM effect ORDER BY entry") == [
        (16, "earn", "e-1", first, 0), (17, "earn", "e-2", first + 1, 0),
        (17, "burn", "b-3", first + 2, 0), (16, "earn", "e-4", first + 3, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [*range(1, 35), 1_000])
def test_paths_of_a_group_are_those_of_its_tree(size: int) -> None:
    leaves = [place.to_bytes(32, "big") for place in range(size)]
    tree = log.Tree(leaves)
    for place, path in enumerate(paths_of(log.levels(leaves))):
        assert json.loads(f"[{path.decode()}]") == ["0x" + node.hex() for node in tree.inclusion(place)]
