"""Set-based reading and writing: one statement for many rows.

On PostgreSQL rows travel as binary arrays through unnest (`arrays`), on the line that the transaction holds (`line`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import orjson
from sqlalchemy import Connection, Table

from counterfoil.store.arrays import Packed, packed
from counterfoil.store.line import Later, Lost, Row, counted, line_of

__all__ = ["Later", "Lost", "Row", "ask", "ask_sql", "insert", "select", "update"]


def insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows given as tuples in the table's column order."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        kinds = _kinds(table, tuple(c.name for c in table.columns))
        with line_of(connection) as line:
            line.tell(_insert_unnest(table), _arrays(rows, kinds))
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
        with line_of(connection) as line:
            told = line.tell(_update_unnest(table, *names), _arrays(rows, kinds))
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
        arrays = _arrays(wanted, _kinds(table, tuple(keys)))
        with line_of(connection) as line:
            return line.ask(_select_unnest(table, *names), arrays)
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
