"""The sequencer: appends whole groups to the log in each shard's order, under a fence of its own.

An entry's leaf index is its group's first plus its place. A checkpoint's row is committed before anybody signs it, so a
signed size is never taken back by a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection, Engine, Row, func, insert, select, text, update

from counterfoil.core.entry import PLACE_BITS
from counterfoil.core.log import Frontier
from counterfoil.store import bulk
from counterfoil.store.engine import writing
from counterfoil.store.tables import checkpoint, entry_group, log_group, log_head

_SPAN = 10_000  # entries read at once


def sequence(engine: Engine, crash: Callable[[str], None] = lambda point: None) -> tuple[int, bytes]:
    """Append every committed group and commit a checkpoint; returns the log's size and root."""
    with writing(engine) as connection:
        size, root = append(connection)
        crash("sequencer.before_commit")
    crash("sequencer.after_commit")
    return size, root


def append(connection: Connection) -> tuple[int, bytes]:
    """The same within a transaction. Group numbers are gapless in a shard, so nothing committed can lie before the last."""
    lock = " FOR UPDATE" if connection.dialect.name == "postgresql" else ""
    head = connection.execute(text(f"SELECT size, peaks FROM log_head{lock}")).one()
    last = connection.execute(select(func.coalesce(func.max(log_group.c.group), -1))).scalar_one()
    groups = connection.execute(
        select(entry_group.c.id, entry_group.c.count).where(entry_group.c.id > last).order_by(entry_group.c.id)
    ).all()
    frontier = Frontier.unpacked(head.size, bytes(head.peaks))
    if not groups:
        return frontier.size, frontier.root()
    rows, first = [], frontier.size
    for group, count in groups:
        rows.append({"group": group, "first": first})
        first += count
    for start, end in _spans(groups):
        leaves = bulk.ask_sql(connection, f"SELECT hash FROM entry WHERE id >= {start} AND id < {end} ORDER BY id")()
        frontier.extend([leaf for (leaf,) in leaves])
    assert frontier.size == first
    connection.execute(insert(log_group), rows)
    connection.execute(update(log_head).values(size=frontier.size, peaks=frontier.packed()))
    connection.execute(insert(checkpoint).values(size=frontier.size, root=frontier.root()))
    return frontier.size, frontier.root()


def _spans(groups: Sequence[Row[int, int]]) -> Iterator[tuple[int, int]]:
    """Ranges of entry ids, half open, that cover the groups by some ten thousand entries."""
    start, held = groups[0].id, 0
    for group, count in groups:
        held += count
        if held >= _SPAN:
            yield start << PLACE_BITS, (group + 1) << PLACE_BITS
            start, held = group + 1, 0
    yield start << PLACE_BITS, (groups[-1].id + 1) << PLACE_BITS


def checkpoints(engine: Engine) -> list[tuple[int, bytes]]:
    """Every checkpoint, size and root, in order."""
    with engine.connect() as connection:
        rows = connection.execute(select(checkpoint).order_by(checkpoint.c.size))
        return [(row.size, bytes(row.root)) for row in rows]


def latest(engine: Engine) -> tuple[int, bytes]:
    """Size and root of the log as last sequenced."""
    with engine.connect() as connection:
        head = connection.execute(select(log_head)).one()
    return head.size, Frontier.unpacked(head.size, bytes(head.peaks)).root()
