"""Records: what the rulebook remembers beside entries, one JSON document under a kind and a name.

Seldom verbs read them when they need them, under the shard's fence, so that the hot path carries none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from counterfoil.store import bulk, tables
from counterfoil.store.kinds import KINDS

Name = tuple[type[Struct], str]
T = TypeVar("T", bound=Struct)


@dataclass(slots=True)
class Records:
    """Those read in one transaction, and which of them changed. `read` gives a document's JSON, or None."""

    read: Callable[[str, str], str | None]
    known: dict[Name, Struct | None] = field(default_factory=dict)
    stored: dict[Name, str] = field(default_factory=dict)  # as their rows have them
    changed: dict[Name, None] = field(default_factory=dict)

    def find(self, kind: type[T], name: str) -> T | None:
        """The record under a name, if there is one; to be changed only with `keep`."""
        key = (kind, name)
        if key not in self.known:
            text = self.read(KINDS[kind], name)
            self.known[key] = None if text is None else msgspec.json.decode(text, type=kind)
            if text is not None:
                self.stored[key] = text
        found: Any = self.known[key]
        return found  # type: ignore[no-any-return]

    def keep(self, name: str, record: Struct) -> None:
        """Put a record, new or changed."""
        key = (type(record), name)
        self.find(*key)
        self.known[key] = record
        self.changed[key] = None

    def put(self, name: str, record: Struct) -> dict[str, Any] | None:
        """The same; what stood there before."""
        before = self.find(type(record), name)
        self.keep(name, record)
        was: dict[str, Any] | None = None if before is None else msgspec.to_builtins(before)
        return was

    def save(self, connection: Connection) -> None:
        """Write what changed."""
        new, old = [], []
        for key in self.changed:
            row, was = (*_row(key), self._text(key)), self.stored.get(key)
            self.stored[key] = row[2]
            if was is None:
                new.append(row)
            else:
                old.append((*row, was))
        self.changed.clear()
        bulk.insert(connection, tables.record, new)
        bulk.update(connection, tables.record, ("kind", "name"), ("data",), old)

    def scratch(self) -> Records:
        """Records on which a dry run may work: they start as these are."""

        def read(kind: str, name: str) -> str | None:
            found = [key for key in self.known if _row(key) == (kind, name)]
            if not found:
                return self.read(kind, name)
            return None if self.known[found[0]] is None else self._text(found[0])

        return Records(read)

    def _text(self, key: Name) -> str:
        return msgspec.json.encode(self.known[key]).decode()


def _row(key: Name) -> tuple[str, str]:
    return KINDS[key[0]], key[1]


def recorded(connection: Connection, kind: type[T], name: str) -> T | None:
    """One record as committed, for who only reads."""
    query = select(tables.record.c.data).where(tables.record.c.kind == KINDS[kind], tables.record.c.name == name)
    text = connection.execute(query).scalar_one_or_none()
    return None if text is None else msgspec.json.decode(text, type=kind)


def every(connection: Connection, kind: type[T]) -> list[tuple[str, T]]:
    """All records of a kind by name, as committed."""
    query = select(tables.record.c.name, tables.record.c.data).where(tables.record.c.kind == KINDS[kind])
    rows = connection.execute(query.order_by(tables.record.c.name))
    return [(name, msgspec.json.decode(text, type=kind)) for name, text in rows]


def recorded_all(connection: Connection, kind: type[T], names: Sequence[str]) -> list[T]:
    """Records as committed, in the order of their names; those that are not there are left out."""
    rows = bulk.select(connection, tables.record, ("name", "data"), ("kind", "name"), [(KINDS[kind], n) for n in names])
    found: dict[str, str] = dict(rows)
    return [msgspec.json.decode(found[name], type=kind) for name in names if name in found]


def names_of(connection: Connection, kind: type[Struct]) -> list[str]:
    """The names of all records of a kind that hold something."""
    empty = '{"refunds":[]}'
    query = select(tables.record.c.name).where(tables.record.c.kind == KINDS[kind], tables.record.c.data != empty)
    return list(connection.execute(query).scalars())


def reader(connection: Connection) -> Callable[[str, str], str | None]:
    """Reads documents over a connection."""

    def read(kind: str, name: str) -> str | None:
        rows = bulk.select(connection, tables.record, ("data",), ("kind", "name"), [(kind, name)])
        return rows[0][0] if rows else None

    return read
