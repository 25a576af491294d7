"""Set-based reading and writing: one statement for many rows.

On PostgreSQL rows travel as binary arrays through unnest, on the driver's own connection: SQLAlchemy's bookkeeping and
the driver's array dumper would cost more than the statement. Writes inside `pipelined` wait for the server only once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import orjson
import psycopg
from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

from counterfoil.store.arrays import Packed, packed

Row = tuple[Any, ...]
Later = Callable[[], Sequence[Row]]
_WAITING = "counterfoil_waiting"


class Lost(Exception):
    """A row was not as decided on: somebody else wrote, the transaction must start again."""


def insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows given as tuples in the table's column order."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        kinds = _kinds(table, tuple(c.name for c in table.columns))
        _execute(connection, _insert_unnest(table), _arrays(rows, kinds))
    else:
        connection.exec_driver_sql(_insert_values(table), list(rows))


def update(
    connection: Connection,
    table: Table,
    keys: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[Row],
) -> None:
    """Update rows given as (key values, new values, values decided on); raises Lost unless each row was as decided."""
    if not rows:
        return
    names = (tuple(keys), tuple(columns))
    if connection.dialect.name == "postgresql":
        kinds = _kinds(table, (*keys, *columns, *columns))
        cursor = _execute(connection, _update_unnest(table, *names), _arrays(rows, kinds))
        waiting = connection.info.get(_WAITING)
        if waiting is not None:
            waiting.append((cursor, len(rows), table.name))
            return
        changed = cursor.rowcount
    else:
        width = len(keys)
        ordered = [(*row[width : width + len(columns)], *row[:width], *row[width + len(columns) :]) for row in rows]
        changed = connection.exec_driver_sql(_update_values(table, *names), ordered).rowcount
    _all(changed, len(rows), table.name)


@contextmanager
def pipelined(connection: Connection) -> Iterator[None]:
    """Send the statements inside without waiting for each; counts are checked at the end. Raises Lost, DBAPIError."""
    if connection.dialect.name != "postgresql":
        yield
        return
    waiting: list[tuple[Any, int, str]] = []
    connection.info[_WAITING] = waiting
    try:
        with _translated(connection), _driver(connection).pipeline():
            yield
    finally:
        del connection.info[_WAITING]
    for cursor, count, name in waiting:
        _all(cursor.rowcount, count, name)


def _all(changed: int, count: int, name: str) -> None:
    if changed != count:
        raise Lost(f"{name}: {changed} of {count} rows were as decided on")


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _execute(connection: Connection, statement: str, values: tuple[str | Packed, ...]) -> psycopg.Cursor[Any]:
    with _translated(connection):
        return _driver(connection).execute(statement, values, binary=True)


@contextmanager
def _translated(connection: Connection) -> Iterator[None]:
    """The driver's errors as SQLAlchemy's, so that the writer judges one kind."""
    try:
        yield
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error, dialect=connection.dialect) from error


def select(
    connection: Connection, table: Table, columns: Sequence[str], keys: Sequence[str], values: Iterable[Row],
    where: str = "",
) -> Sequence[Row]:  # fmt: skip
    """Rows whose `keys` are among `values`; `where` is a further condition on the table, in SQL."""
    return ask(connection, table, columns, keys, values, where)()


def ask(
    connection: Connection, table: Table, columns: Sequence[str], keys: Sequence[str], values: Iterable[Row],
    where: str = "",
) -> Later:  # fmt: skip
    """The same, the rows taken later: many questions asked inside `pipelined` wait only once."""
    wanted = list(dict.fromkeys(values))
    if not wanted:
        return list
    names = (tuple(columns), tuple(keys), where)
    if connection.dialect.name == "postgresql":
        arrays = _arrays(wanted, _kinds(table, tuple(keys)))
        return _execute(connection, _select_unnest(table, *names), arrays).fetchall
    return ask_sql(connection, _select_json(table, *names), orjson.dumps(wanted).decode())


def ask_sql(connection: Connection, statement: str, *values: str) -> Later:
    """The rows of a plain statement, taken later."""
    if connection.dialect.name == "postgresql":
        return _execute(connection, statement, values).fetchall
    rows = connection.exec_driver_sql(statement, values).fetchall()
    return lambda: rows


@lru_cache(maxsize=256)
def _kinds(table: Table, names: tuple[str, ...]) -> tuple[str, ...]:
    """PostgreSQL's types of columns."""
    return tuple({"BLOB": "bytea"}.get(str(table.c[name].type), str(table.c[name].type).lower()) for name in names)


def _arrays(rows: Sequence[Row], kinds: tuple[str, ...]) -> tuple[Packed, ...]:
    return tuple(map(packed, kinds, zip(*rows, strict=True)))


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


@lru_cache(maxsize=64)
def _insert_unnest(table: Table) -> str:
    arrays = ", ".join(f"%s::{kind}[]" for kind in _kinds(table, tuple(c.name for c in table.columns)))
    return f'INSERT INTO "{table.name}" ({_quoted([c.name for c in table.columns])}) SELECT * FROM unnest({arrays})'


@lru_cache(maxsize=64)
def _insert_values(table: Table) -> str:
    marks = ", ".join("?" for _ in table.columns)
    return f'INSERT INTO "{table.name}" ({_quoted([c.name for c in table.columns])}) VALUES ({marks})'


@lru_cache(maxsize=64)
def _update_unnest(table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    names = [*keys, *columns, *columns]
    arrays = ", ".join(f"%s::{kind}[]" for kind in _kinds(table, tuple(names)))
    aliases = ", ".join(f"v{i}" for i in range(len(names)))
    new, old = len(keys), len(keys) + len(columns)
    sets = ", ".join(f'"{c}" = v.v{new + i}' for i, c in enumerate(columns))
    where = [f't."{k}" = v.v{i}' for i, k in enumerate(keys)]
    where += [f't."{c}" IS NOT DISTINCT FROM v.v{old + i}' for i, c in enumerate(columns)]
    return f'UPDATE "{table.name}" t SET {sets} FROM unnest({arrays}) v({aliases}) WHERE {" AND ".join(where)}'


@lru_cache(maxsize=64)
def _update_values(table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    sets = ", ".join(f'"{c}" = ?' for c in columns)
    where = " AND ".join([*(f'"{k}" = ?' for k in keys), *(f'"{c}" IS ?' for c in columns)])
    return f'UPDATE "{table.name}" SET {sets} WHERE {where}'


@lru_cache(maxsize=64)
def _select_unnest(table: Table, columns: tuple[str, ...], keys: tuple[str, ...], where: str) -> str:
    arrays = ", ".join(f"%s::{kind}[]" for kind in _kinds(table, keys))
    aliases = ", ".join(f"v{i}" for i in range(len(keys)))
    on = [f't."{key}" = v.v{i}' for i, key in enumerate(keys)] + [f"({where})"] * bool(where)
    picked = ", ".join(f't."{c}"' for c in columns)
    return f'SELECT {picked} FROM unnest({arrays}) v({aliases}) JOIN "{table.name}" t ON {" AND ".join(on)}'


@lru_cache(maxsize=64)
def _select_json(table: Table, columns: tuple[str, ...], keys: tuple[str, ...], where: str) -> str:
    on = [f"t.\"{key}\" = json_extract(v.value, '$[{i}]')" for i, key in enumerate(keys)] + [f"({where})"] * bool(where)
    picked = ", ".join(f't."{c}"' for c in columns)
    # CROSS JOIN keeps SQLite's order: a few wanted keys drive, the table is looked up by index
    return f'SELECT {picked} FROM json_each(?) v CROSS JOIN "{table.name}" t ON {" AND ".join(on)}'
