"""The log: whole groups, gapless and in order; and the promise of a counterfoil's `settle_by`."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from counterfoil.core import log
from counterfoil.core.entry import group_of, place_of
from counterfoil.store import books as reading
from counterfoil.store import sequencer, settlements
from tests.store.ground import NOON, A, B, Ground, burn, earn


def leaf_hashes(books: Ground) -> list[bytes]:
    return [bytes(row[0]) for row in books.rows("SELECT hash FROM entry ORDER BY id")]


def test_groups_are_appended_whole_and_in_order(books: Ground) -> None:
    m, poster = books.members[0], books.poster()
    assert sequencer.sequence(books.engine) == (0, log.root_of([]))
    sizes = [3, 1, 5, 2]
    for job, size in enumerate(sizes):
        poster.post([earn(f"{job}-{place}", m) for place in range(size)])
        if job % 2:
            sequencer.sequence(books.engine)
    size, root = sequencer.sequence(books.engine)
    hashes = leaf_hashes(books)
    assert (size, root) == (11, log.root_of(hashes))
    assert sequencer.latest(books.engine) == (size, root)
    assert books.rows('SELECT "group", first FROM log_group ORDER BY first') == [(1, 0), (2, 3), (3, 4), (4, 9)]
    assert sequencer.sequence(books.engine) == (size, root)  # again: nothing
    assert [at for at, _root in sequencer.checkpoints(books.engine)] == [4, 11]
    assert [root for _at, root in sequencer.checkpoints(books.engine)] == [log.root_of(hashes[:4]), root]


def test_a_long_backlog_is_read_in_spans(books: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    poster = books.poster()
    for span in (1, 3, 4, 1_000):
        for job, size in enumerate((3, 1, 5, 2)):
            poster.post([earn(f"{span}-{job}-{place}", books.members[0]) for place in range(size)])
        monkeypatch.setattr("counterfoil.store.sequencer._SPAN", span)
        size, root = sequencer.sequence(books.engine)
        assert (size, root) == (books.count("entry"), log.root_of(leaf_hashes(books)))


def test_leaves_are_found_from_anywhere(books: Ground) -> None:
    poster = books.poster()
    for job in range(6):
        names = (A, B)
        poster.post([earn(f"{job}-{p}", books.members[p % 3], partner=names[p % 2]) for p in range(job + 1)])
    sequencer.sequence(books.engine)
    hashes = leaf_hashes(books)
    for start in range(len(hashes)):
        for end in range(start, len(hashes) + 1, 3):
            assert reading.leaf_hashes(books.engine, start, end) == hashes[start:end]
            found = list(reading.leaves(books.engine, start, end))
            assert [row.hash for row in found] == hashes[start:end]
            assert [row.leaf for row in found] == list(range(start, end))
    own = list(reading.leaves(books.engine, 0, len(hashes), B))
    assert own
    assert {row.entry.partner for row in own} == {B}
    assert [hashes[row.leaf or 0] for row in own] == [row.hash for row in own]


def test_what_is_not_sequenced_has_no_leaf(books: Ground) -> None:
    books.poster().post([earn("1", books.members[0])])
    assert [row.leaf for row in reading.rows_of(books.engine)] == [None]
    assert list(reading.leaves(books.engine, 0, 10)) == []
    sequencer.sequence(books.engine)
    assert [row.leaf for row in reading.rows_of(books.engine)] == [0]


@pytest.mark.parametrize("point", ["sequencer.before_commit", "sequencer.after_commit"])
def test_a_crash_takes_no_checkpoint_back(books: Ground, point: str) -> None:
    books.poster().post([earn("1", books.members[0])])

    def crash(here: str) -> None:
        if here == point:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sequencer.sequence(books.engine, crash)
    kept = sequencer.checkpoints(books.engine)
    assert len(kept) == (point == "sequencer.after_commit")
    done = sequencer.sequence(books.engine)
    assert done == (1, log.root_of(leaf_hashes(books)))
    assert sequencer.checkpoints(books.engine) == [done]


def test_two_sequencers_append_once(books: Ground) -> None:
    start, results = threading.Barrier(4), []
    with books.writer() as writer:
        futures = [writer.submit([earn(f"{place}", books.members[place % 3])]) for place in range(60)]

        def run() -> None:
            start.wait()
            results.extend([sequencer.sequence(books.engine) for _ in range(15)])

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for future in futures:
            future.result(60)
    size, root = sequencer.sequence(books.engine)
    hashes = leaf_hashes(books)
    assert (size, root) == (60, log.root_of(hashes))
    for at, seen in results:
        assert seen == log.root_of(hashes[:at])
    firsts = books.rows(
        'SELECT g.first, e.count FROM log_group g JOIN entry_group e ON e.id = g."group" ORDER BY g.first'
    )
    at = 0
    for first, count in firsts:
        assert first == at
        at += count


def promises(books: Ground) -> dict[int, int]:
    return dict(books.rows("SELECT id, settle_by FROM entry_group"))


def test_settle_by_is_kept_while_writers_run(books: Ground) -> None:
    """Close again and again while two gateways post: every entry is in a settlement no later than promised."""
    stop, made = threading.Event(), list[int]()

    def posting(name: str, writer: Any) -> None:
        place = 0
        while not stop.is_set():
            member = books.members[place % 3]
            jobs = [
                writer.submit([earn(f"{name}{place}-{job}", member), burn(f"{name}{place}-{job}", member, 4)])
                for job in range(4)
            ]
            for job in jobs:
                made.extend(answer.entry for answer in job.result(60)[0] if answer.ok)
            place += 1

    with books.writer() as one, books.writer() as two:
        threads = [threading.Thread(target=posting, args=pair) for pair in (("one", one), ("two", two))]
        for thread in threads:
            thread.start()
        numbers: list[int] = []
        while len(numbers) < 8 or len(made) < 60:
            numbers.append(settlements.close(books.engine, NOON))
        stop.set()
        for thread in threads:
            thread.join()
    numbers.append(settlements.close(books.engine, NOON))
    assert numbers == list(range(1, len(numbers) + 1))
    rows = settlements.every(books.engine)
    assert [row.first_leaf for row in rows] == [0, *(row.log_size for row in rows[:-1])]
    promised, hashes = promises(books), leaf_hashes(books)
    settled = 0
    for row in rows:
        assert bytes(row.log_root) == log.root_of(hashes[: row.log_size])
        for leaf in reading.leaves(books.engine, row.first_leaf, row.log_size):
            assert row.number <= promised[group_of(leaf.entry.id)], leaf.entry.id
            settled += 1
    assert settled == len(made) == len(hashes)
    assert {place_of(entry) for entry in made} >= {0, 1}


def test_what_commits_after_a_close_belongs_to_the_next(books: Ground) -> None:
    m, poster = books.members[0], books.poster()
    poster.post([earn("1", m)])
    assert settlements.close(books.engine, NOON) == 1
    _answers, group = poster.post([earn("2", m)])
    assert group is not None
    assert group.settle_by == 3
    assert settlements.close(books.engine, NOON) == 2
    assert settlements.close(books.engine, NOON) == 3  # an empty one is one too
    ranges = [(row.first_leaf, row.log_size) for row in settlements.every(books.engine)]
    assert ranges == [(0, 1), (1, 2), (2, 2)]
