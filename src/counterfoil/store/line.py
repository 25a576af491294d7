"""The line to PostgreSQL: the statements of a transaction, sent in order without waiting for each.

They go on the driver's own connection: SQLAlchemy's bookkeeping would cost more than a statement of many rows. When a
transaction is large, a thread of its own sends: a socket holds some 200 kB, so whoever decides would wait at each
statement until the server has read the one before, and both would idle in turn. For a few rows the handing over costs
more than it saves: measured, it makes batches of thousands 1.3 times as fast and single earns a seventh slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from counterfoil.store.arrays import Packed

Row = tuple[Any, ...]
Later = Callable[[], Sequence[Row]]
Values = Sequence[str | Packed | None]
_Cursor = psycopg.Cursor[Row]
_LINE = "counterfoil_line"


class Lost(Exception):
    """A row was not as decided on: somebody else wrote, the transaction must start again."""


def counted(changed: int, count: int, table: str) -> None:
    """Raises Lost unless as many rows changed as were decided on."""
    if changed != count:
        raise Lost(f"{table}: {changed} of {count} rows were as decided on")


@dataclass(slots=True)
class Line:
    """What was sent on one connection. Only one thread may use it; `hand` is the thread that sends, if there is one."""

    driver: psycopg.Connection[Row]
    hand: ThreadPoolExecutor | None = None
    sent: list[Future[Any]] = field(default_factory=list)  # by `hand`, in order
    promised: list[tuple[Callable[[], _Cursor], int, str]] = field(default_factory=list)  # rows to be changed, table

    def ask(self, statement: str, values: Values) -> Later:
        """The rows of a statement, taken later."""
        if self.hand is None:
            return self._execute(statement, values).fetchall
        rows = self.hand.submit(lambda: self._execute(statement, values).fetchall())
        self.sent.append(rows)
        return rows.result

    def tell(self, statement: str, values: Values) -> Callable[[], _Cursor]:
        """Send a statement that writes; what it did is known later."""
        if self.hand is None:
            cursor = self._execute(statement, values)
            return lambda: cursor
        told = self.hand.submit(self._execute, statement, values)
        self.sent.append(told)
        return told.result

    def check(self) -> None:
        """Whether all that was promised came true, once everything was answered; raises Lost."""
        for told, count, table in self.promised:
            counted(told().rowcount, count, table)

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Let a thread send what is asked and told inside. Raises the first error of what it sent."""
        with ThreadPoolExecutor(1, "posting-line") as self.hand:
            try:
                yield
            finally:  # the first says why; those behind it only that they were not carried out
                for one in self.sent:
                    one.result()

    def _execute(self, statement: str, values: Values) -> _Cursor:
        return self.driver.execute(statement, values, binary=True)


@contextmanager
def pipelined(connection: Connection, *, large: bool = False) -> Iterator[None]:
    """Send what `line_of` is given inside without waiting for each. Raises Lost, DBAPIError. On SQLite nothing is sent."""
    if connection.dialect.name != "postgresql":
        yield
        return
    line = connection.info[_LINE] = Line(_driver(connection))
    try:
        with _translated(connection), line.driver.pipeline(), line.ahead() if large else nullcontext():
            yield
    finally:
        del connection.info[_LINE]
    line.check()


@contextmanager
def line_of(connection: Connection) -> Iterator[Line]:
    """The line that `pipelined` holds open, or one for now: then all is checked at the end. Raises Lost, DBAPIError."""
    held = connection.info.get(_LINE)
    line = held or Line(_driver(connection))
    with _translated(connection):
        yield line
    if held is None:
        line.check()


@contextmanager
def _translated(connection: Connection) -> Iterator[None]:
    """The driver's errors as SQLAlchemy's, so that the writer judges one kind."""
    try:
        yield
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error, dialect=connection.dialect) from error


def _driver(connection: Connection) -> psycopg.Connection[Row]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver
