"""A line that sends ahead: who decides waits for nobody, and hears the first thing that went wrong, not its echo."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from counterfoil.core.errors import Unreachable
from counterfoil.store import bulk, tables
from counterfoil.store.engine import is_conflict, writing
from counterfoil.store.line import Line, Lost, pipelined
from counterfoil.store.writer import Writer
from tests.store.ground import A, Ground, earn, ground

NAMES = ("partner", "kind", "external_id")
LONG = "x" * 1_000_000  # more than a socket holds


@pytest.fixture
def books(postgres: Any) -> Iterator[Ground]:
    with postgres.schema() as url:
        made = ground(url)
        yield made
        made.engine.dispose()


@contextmanager
def line(books: Ground, *, large: bool = True) -> Iterator[Connection]:
    with writing(books.engine) as connection, pipelined(connection, large=large):
        yield connection


def told(connection: Connection, external_id: str) -> None:
    bulk.insert(connection, tables.effect, [(A, "earn", external_id, 1, 0)])


def kept(books: Ground) -> list[str]:
    return [row[0] for row in books.rows("SELECT external_id FROM effect ORDER BY external_id")]


def test_who_decides_does_not_wait_while_the_server_does(books: Ground) -> None:
    with books.engine.connect() as rival:
        rival.exec_driver_sql("LOCK TABLE memory")
        with line(books) as connection:
            for place in range(10):  # sent by itself, this would wait for ever: the lock is freed only below
                bulk.insert(connection, tables.memory, [(f"m{place}", LONG)])
            rival.rollback()
    assert books.count("memory") == 10


@pytest.mark.parametrize("large", [True, False])
def test_answers_come_in_the_order_of_the_questions(books: Ground, large: bool) -> None:
    with line(books, large=large) as connection:
        before = bulk.ask(connection, tables.effect, ("external_id",), NAMES, [(A, "earn", "one")])
        told(connection, "one")
        after = bulk.ask(connection, tables.effect, ("external_id",), NAMES, [(A, "earn", "one")])
        assert (list(before()), list(after())) == ([], [("one",)])


@pytest.mark.parametrize("large", [True, False])
def test_the_first_error_is_raised_and_nothing_is_kept(books: Ground, large: bool) -> None:
    def twice() -> None:
        with line(books, large=large) as connection:
            told(connection, "one")
            told(connection, "one")
            told(connection, "two")
            bulk.ask(connection, tables.effect, ("entry",), NAMES, [(A, "earn", "two")])()

    with pytest.raises(DBAPIError) as raised:
        twice()
    assert is_conflict(raised.value)  # not that the pipeline was aborted
    assert kept(books) == []


@pytest.mark.parametrize("large", [True, False])
def test_a_lost_update_is_said_at_the_end(books: Ground, large: bool) -> None:
    def outdated() -> None:
        with line(books, large=large) as connection:
            told(connection, "one")
            bulk.update(connection, tables.effect, NAMES, ("refunded",), [(A, "earn", "one", 5, 1)])
            told(connection, "two")

    with pytest.raises(Lost, match="effect: 0 of 1"):
        outdated()
    assert kept(books) == []


@pytest.mark.parametrize("large", [True, False])
def test_an_error_of_who_decides_goes_through_and_the_connection_serves_on(books: Ground, large: bool) -> None:
    def wrong() -> None:
        with line(books, large=large) as connection:
            told(connection, "one")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        wrong()
    assert kept(books) == []
    with line(books, large=large) as connection:
        told(connection, "one")
    assert kept(books) == ["one"]


def test_a_rival_who_was_first_makes_a_large_batch_start_again(books: Ground) -> None:
    member, many = books.members[0], [f"k{place}" for place in range(1_200)]
    poster, rival = books.poster(), books.poster()

    decided: list[str] = []

    def early(point: str) -> None:
        decided.extend([point] * (point == "writer.decided"))
        if len(decided) == 3:  # all is read. Nobody may write past the fence: as if there were none
            poster.crash = lambda point: None
            with writing(books.engine) as connection:
                told(connection, "e-k1100")

    poster.crash = early
    with pytest.raises(DBAPIError) as raised:
        poster.post([earn(key, member) for key in many])
    assert is_conflict(raised.value)
    assert books.count("entry") == 0
    answers, _group = rival.post([earn(key, member) for key in many])
    assert [answer.ok for answer in answers].count(False) == 1
    assert books.count("entry") == len(many) - 1


def test_a_server_that_goes_away_is_unreachable_and_found_again(books: Ground) -> None:
    member, many = books.members[0], [f"k{place}" for place in range(1_200)]
    poster, decided = books.poster(), count()

    def gone(point: str) -> None:
        if point == "writer.decided" and next(decided) == 1:
            books.rows("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'fence'::regclass")

    poster.crash = gone
    writer = Writer(poster)
    error = writer.submit([earn(key, member) for key in many]).exception(60)
    assert isinstance(error, Unreachable)
    assert books.count("entry") == 0
    answers, _group = writer.submit([earn(key, member) for key in many]).result(60)
    assert all(answer.ok for answer in answers)
    writer.close()


def test_canary_a_line_that_sends_by_itself_waits(books: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def alone(_line: Line) -> Iterator[None]:
        yield

    monkeypatch.setattr(Line, "ahead", alone)

    def waiting() -> None:
        with books.engine.connect() as rival:
            rival.exec_driver_sql("LOCK TABLE memory")
            with line(books) as connection:
                bulk.ask_sql(connection, "SET LOCAL lock_timeout = '500ms'")
                for place in range(10):
                    bulk.insert(connection, tables.memory, [(f"m{place}", LONG)])
                rival.rollback()

    with pytest.raises(DBAPIError, match="lock timeout"):
        waiting()
