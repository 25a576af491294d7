"""Reading the books: holdings as of an instant, entries by partner, member or leaf, groups for proofs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Engine, RowMapping, Select, and_, func, literal_column, select

from counterfoil.core import log
from counterfoil.core.encoding import decode
from counterfoil.core.entry import PLACE_BITS, Entry, Verb
from counterfoil.core.holdings import Holdings
from counterfoil.core.journal import Journal
from counterfoil.core.rulebook.due import settle_up
from counterfoil.store.engine import snapshot
from counterfoil.store.posting import Group, paths_of
from counterfoil.store.state import State, ask
from counterfoil.store.tables import entry, entry_group, log_group, member

# literal, because PostgreSQL shifts by an integer and drivers send a bigint
_GROUP: ColumnElement[int] = literal_column(f"(entry.id >> {PLACE_BITS})", BigInteger)
_FIRST_ID: ColumnElement[int] = literal_column(f'(log_group."group" << {PLACE_BITS})', BigInteger)
_PLACE: ColumnElement[int] = literal_column(f"(entry.id & {(1 << PLACE_BITS) - 1})", BigInteger)


@dataclass(frozen=True, slots=True)
class Row:
    """An entry with what stands beside it. `leaf` is None until it is sequenced."""

    entry: Entry
    body: bytes
    hash: bytes
    member: int
    other: int | None
    external_id: str | None
    leaf: int | None


def holdings(engine: Engine, number: int, now: int) -> Holdings | None:
    """A member's holdings with everything due up to `now` applied, whether or not the job ran; None if unknown."""
    state = State()
    with snapshot(engine) as connection:
        state.load(connection, ask(connection, [number])(), now)
    who = state.member(number)
    if who is not None:
        settle_up(Journal(bytes(32), 0, now), who)
    return who


def undue(engine: Engine, numbers: Sequence[int]) -> dict[int, Holdings]:
    """Members' holdings as they stand in the books, what is due not yet applied."""
    state = State()
    with snapshot(engine) as connection:
        state.load(connection, ask(connection, numbers)(), 0)
    return state.members


def due_members(engine: Engine, now: int, limit: int, skip: int = 0) -> list[int]:
    """Members for whom something fell due at or before `now`, earliest first."""
    query = select(member.c.id).where(member.c.next_due <= now).order_by(member.c.next_due, member.c.id)
    with engine.connect() as connection:
        return list(connection.execute(query.limit(limit).offset(skip)).scalars())


def rows_of(
    engine: Engine, *, partner: int | None = None, who: int | None = None, after: int = -1, limit: int = 100
) -> list[Row]:
    """Entries by id after a cursor, of a partner, of a member (who was merged into it, too), or of one at the other.

    A member's at a partner are what was done there: not what that partner funded of what was done elsewhere.
    """
    query = _rows().where(entry.c.id > after).order_by(entry.c.id).limit(limit)
    if partner is not None:
        query = query.where(entry.c.partner == partner)
    with engine.connect() as connection:
        if who is not None:
            same = select(member.c.id).where((member.c.id == who) | (member.c.merged_into == who))
            ids = list(connection.execute(same).scalars())
            query = query.where(entry.c.member.in_(ids) | entry.c.other.in_(ids))
            if partner is not None:
                query = query.where(entry.c.verb != Verb.FUND)
        return [_row(one) for one in connection.execute(query).mappings()]


def row(engine: Engine, number: int) -> Row | None:
    """One entry by id."""
    with engine.connect() as connection:
        one = connection.execute(_rows().where(entry.c.id == number)).mappings().first()
    return None if one is None else _row(one)


def leaves(engine: Engine, start: int, end: int, partner: int | None = None) -> Iterator[Row]:
    """Sequenced entries with leaf index in [start, end), in order; of one partner if named. Streams."""
    query = _sequenced(select(*_COLUMNS, _LEAF.label("leaf")), start, end)
    if partner is not None:
        query = query.where(entry.c.partner == partner)
    with engine.connect() as connection:
        for one in connection.execution_options(yield_per=5_000).execute(query).mappings():
            yield _row(one)


def leaf_hashes(engine: Engine, start: int, end: int) -> list[bytes]:
    """The 32-byte leaf data of [start, end)."""
    query = _sequenced(select(entry.c.hash), start, end)
    with engine.connect() as connection:
        return [bytes(one) for one in connection.execute(query).scalars()]


def groups(engine: Engine, ids: Sequence[int]) -> dict[int, Group]:
    """Committed groups by id, with their trees: what an old answer's counterfoil is made from again."""
    found = {}
    with engine.connect() as connection:
        for number in dict.fromkeys(ids):
            one = connection.execute(select(entry_group).where(entry_group.c.id == number)).one()
            low, high = number << PLACE_BITS, (number + 1) << PLACE_BITS
            query = select(entry.c.hash).where(entry.c.id >= low, entry.c.id < high).order_by(entry.c.id)
            hashes = tuple(bytes(h) for h in connection.execute(query).scalars())
            found[number] = Group(
                number,
                bytes(one.root),
                len(hashes),
                one.committed_at,
                one.settle_by,
                paths_of(log.levels(hashes)),
                hashes,
            )
    return found


_LEAF = log_group.c.first + _PLACE


_COLUMNS = (entry.c.id, entry.c.body, entry.c.hash, entry.c.member, entry.c.other, entry.c.external_id)


def _sequenced(query: Select[Any], start: int, end: int) -> Select[Any]:
    """Narrow a query to leaves [start, end), in order: groups of the range, each with its entries by a range of ids."""
    first = select(func.max(log_group.c.first)).where(log_group.c.first <= start).scalar_subquery()
    within = and_(entry.c.id >= _FIRST_ID, entry.c.id < _FIRST_ID + (1 << PLACE_BITS))
    query = query.select_from(log_group).join(entry, within).where(log_group.c.first >= first, log_group.c.first < end)
    return query.where(start <= _LEAF, end > _LEAF).order_by(log_group.c.first, entry.c.id)


def _rows() -> Select[Any]:
    """Entries beside their leaf, if they have one yet."""
    query = select(*_COLUMNS, _LEAF.label("leaf"))
    return query.select_from(entry).join(log_group, log_group.c.group == _GROUP, isouter=True)


def _row(one: RowMapping) -> Row:
    body = bytes(one["body"])
    return Row(decode(body), body, bytes(one["hash"]), one["member"], one["other"], one["external_id"], one["leaf"])
