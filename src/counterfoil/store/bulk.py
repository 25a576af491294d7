"""Set-based reading and writing: one statement for many rows.

On PostgreSQL rows travel as binary arrays through unnest (`arrays`), on the line that the transaction holds (`line`); of
many rows a column in which all agree travels once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import orjson
from sqlalchemy import Connection, Table

from counterfoil.store.arrays import packed, single
from counterfoil.store.line import Later, Lost, Row, Values, counted, line_of

MANY = 100  # rows from which a statement of its own, for the columns that agree, is worth preparing

__all__ = ["Later", "Lost", "Row", "ask", "ask_sql", "insert", "select", "update"]


def insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows given as tuples in the table's column order."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        source, sent = _sent(rows, _kinds(table, tuple(c.name for c in table.columns)))
        with line_of(connection) as line:
            line.tell(_insert_source(table, source), sent)
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
        source, sent = _sent(rows, _kinds(table, (*keys, *columns, *columns)), len(keys))
        with line_of(connection) as line:
            told = line.tell(_update_source(table, *names, source), sent)
            line.promised.append((told, len(rows), table.name))
    else:
        width = len(keys)
        ordered = [(*row[width : width + len(columns)], *row[:width], *row[width + len(columns) :]) for row in rows]
        counted(connection.exec_driver_sql(_update_values(table, *names), ordered).rowcount, len(rows), table.name)


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
        source, sent = _sent(wanted, _kinds(table, tuple(keys)), len(keys))
        with line_of(connection) as line:
            return line.ask(_select_source(table, *names, source), sent)
    return ask_sql(connection, _select_json(table, *names), orjson.dumps(wanted).decode())


def ask_sql(connection: Connection, statement: str, *values: str) -> Later:
    """The rows of a plain statement, taken later."""
    if connection.dialect.name == "postgresql":
        with line_of(connection) as line:
            return line.ask(statement, values)
    rows = connection.exec_driver_sql(statement, values).fetchall()
    return lambda: rows


@lru_cache(maxsize=256)
def _kinds(table: Table, names: tuple[str, ...]) -> tuple[str, ...]:
    """PostgreSQL's types of columns."""
    return tuple({"BLOB": "bytea"}.get(str(table.c[name].type), str(table.c[name].type).lower()) for name in names)


def _sent(rows: Sequence[Row], kinds: tuple[str, ...], keys: int = 1) -> tuple[str, Values]:
    """The rows as a table `v` of columns v0, v1, .. in SQL, and what its places stand for.

    The first `keys` columns are always arrays: with one value there PostgreSQL would rather read all that have it.
    """
    columns = list(zip(*rows, strict=True))
    few = len(rows) < MANY
    differ = [few or place < keys or col.count(col[0]) < len(rows) for place, col in enumerate(columns)]
    each = list(zip(differ, kinds, columns, strict=True))
    agreed = [single(kind, column[0]) for many, kind, column in each if not many]
    return _source(kinds, tuple(differ)), agreed + [packed(kind, column) for many, kind, column in each if many]


@lru_cache(maxsize=1024)
def _source(kinds: tuple[str, ...], differ: tuple[bool, ...]) -> str:
    each = list(enumerate(zip(differ, kinds, strict=True)))
    columns = ", ".join(f"v{i}" if many else f"%s::{kind} AS v{i}" for i, (many, kind) in each)
    arrays = ", ".join(f"%s::{kind}[]" for _i, (many, kind) in each if many)
    names = ", ".join(f"v{i}" for i, (many, _kind) in each if many)
    return f"(SELECT {columns} FROM unnest({arrays}) u({names})) v"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


@lru_cache(maxsize=1024)
def _insert_source(table: Table, source: str) -> str:
    return f'INSERT INTO "{table.name}" ({_quoted([c.name for c in table.columns])}) SELECT * FROM {source}'


@lru_cache(maxsize=64)
def _insert_values(table: Table) -> str:
    marks = ", ".join("?" for _ in table.columns)
    return f'INSERT INTO "{table.name}" ({_quoted([c.name for c in table.columns])}) VALUES ({marks})'


@lru_cache(maxsize=1024)
def _update_source(table: Table, keys: tuple[str, ...], columns: tuple[str, ...], source: str) -> str:
    new, old = len(keys), len(keys) + len(columns)
    sets = ", ".join(f'"{c}" = v.v{new + i}' for i, c in enumerate(columns))
    where = [f't."{k}" = v.v{i}' for i, k in enumerate(keys)]
    where += [f't."{c}" IS NOT DISTINCT FROM v.v{old + i}' for i, c in enumerate(columns)]
    return f'UPDATE "{table.name}" t SET {sets} FROM {source} WHERE {" AND ".join(where)}'


@lru_cache(maxsize=64)
def _update_values(table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    sets = ", ".join(f'"{c}" = ?' for c in columns)
    where = " AND ".join([*(f'"{k}" = ?' for k in keys), *(f'"{c}" IS ?' for c in columns)])
    return f'UPDATE "{table.name}" SET {sets} WHERE {where}'


@lru_cache(maxsize=1024)
def _select_source(table: Table, columns: tuple[str, ...], keys: tuple[str, ...], where: str, source: str) -> str:
    on = [f't."{key}" = v.v{i}' for i, key in enumerate(keys)] + [f"({where})"] * bool(where)
    picked = ", ".join(f't."{c}"' for c in columns)
    return f'SELECT {picked} FROM {source} JOIN "{table.name}" t ON {" AND ".join(on)}'


@lru_cache(maxsize=64)
def _select_json(table: Table, columns: tuple[str, ...], keys: tuple[str, ...], where: str) -> str:
    on = [f"t.\"{key}\" = json_extract(v.value, '$[{i}]')" for i, key in enumerate(keys)] + [f"({where})"] * bool(where)
    picked = ", ".join(f't."{c}"' for c in columns)
    # CROSS JOIN keeps SQLite's order: a few wanted keys drive, the table is looked up by index
    return f'SELECT {picked} FROM json_each(?) v CROSS JOIN "{table.name}" t ON {" AND ".join(on)}'
