"""The posting transaction: a batch of operations decided in order and written set-based in one commit.

Order inside: the fence first (one batch at a time in a shard, also across processes), then all that operations name is
asked for; a stride of them is decided and written as soon as its own part has come, while the rest is on its way.
Effects and requests are written with the entries, so a key is answered for ever and an effect happens once.
"""

from __future__ import annotations

import hashlib
from binascii import hexlify
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from msgspec import structs
from sqlalchemy import Connection, Engine

from counterfoil.core import log
from counterfoil.core.encoding import decode, tag
from counterfoil.core.entry import Verb, group_id
from counterfoil.core.errors import IdempotencyKeyReused
from counterfoil.core.journal import Journal, Written
from counterfoil.core.operation import Answer, Operation
from counterfoil.core.reserves import Reserve
from counterfoil.core.rulebook.refunds import burned
from counterfoil.store import bulk, registry, tables
from counterfoil.store.decide import decide, refused
from counterfoil.store.desk import Desk, Effect
from counterfoil.store.engine import writing
from counterfoil.store.line import pipelined
from counterfoil.store.reach import Books, erase, merge
from counterfoil.store.records import Records, reader
from counterfoil.store.state import State, ask

_FENCE = f"SELECT number, hash FROM fence WHERE shard = {registry.SHARD}"
_LOCK = " FOR UPDATE"
# Every statement of this transaction looks rows up by key. Left to itself PostgreSQL plans it anew each time, and reads
# a table whole as long as its statistics say that it is small: on new books that made each transaction slower.
_PLANS = (
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true), "
    "set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), "
    "set_config('enable_mergejoin', 'off', true)"
)
_REQUEST = [c.name for c in tables.request.columns]
_EFFECT = ("partner", "kind", "external_id", "entry", "refunded")
_GROUP = tag("counterfoil.group.v1")
ALONE = {"default", "exit_partner", "merge", "give_back", "redeem", "assign_return"}  # look beyond their members
STRIDE = 500  # operations decided and written together
Crash = Callable[[str], None]  # a test's kill point; in production it does nothing


@dataclass(frozen=True, slots=True)
class Group:
    """A committed group as answers need it: what is promised, and each entry's path, the inside of a JSON list."""

    id: int
    root: bytes
    count: int
    committed_at: int
    settle_by: int
    paths: list[bytes]
    hashes: tuple[bytes, ...]


def paths_of(levels: list[list[bytes]]) -> list[bytes]:
    """The inclusion path of each leaf of `core.log.levels`, made from the top down: a path continues its parent's."""
    paths = [b""]
    for level in reversed(levels[:-1]):
        above, nodes = paths, [b',"0x%b"' % hexlify(node) for node in level]
        paths = [
            nodes[place ^ 1] + above[place >> 1] if place ^ 1 < len(nodes) else above[place >> 1]
            for place in range(len(nodes))
        ]
    return [path[1:] for path in paths]


@dataclass(slots=True)
class Poster:
    """Posts batches into one set of books. Not thread-safe: the writer owns it."""

    engine: Engine
    crash: Crash = lambda point: None
    _programme: registry.Programme | None = None
    _last: int = 0  # the machine's clock may be set back; the books' never

    def post(self, operations: Sequence[Operation]) -> tuple[list[Answer], Group | None]:
        """Decide and commit; answers in order, and the new group if any entry was made. Raises bulk.Lost on a conflict."""
        with writing(self.engine) as connection:
            answers, group = self._in_transaction(connection, operations)
            self.crash("writer.before_commit")
        self.crash("writer.after_commit")
        return answers, group

    def _in_transaction(
        self, connection: Connection, operations: Sequence[Operation]
    ) -> tuple[list[Answer], Group | None]:
        strides = _strides(operations)
        with pipelined(connection, large=len(strides) > 1):
            # what was needed to decide is freed on the way back, while the server still writes
            return self._decided(connection, operations, strides)

    def _decided(
        self, connection: Connection, operations: Sequence[Operation], strides: Sequence[Sequence[Operation]]
    ) -> tuple[list[Answer], Group | None]:
        """Answers and group, all that they change on its way: the database writes one stride while the next is decided."""
        # what an original or a hold names must be read with the rest of its member: then all is read before deciding
        apart = not any(op.original or op.hold for op in operations)
        answers: list[Answer] = []
        fence = _take_fence(connection)
        asked = [_Named(connection, some) for some in (strides if apart else [operations])]
        number, previous, revision, opened, clock = fence()
        programme = self._current(revision, opened, clock)
        now = registry.clock_or_machine(programme.clock)
        if programme.clock is None:
            now = self._last = max(self._last, now)
        group = group_id(registry.SHARD, number + 1)
        journal, reach = Journal(programme.programme, group, now), Books(connection)
        desk = Desk(programme, journal, State(), reach=reach, records=Records(reader(connection)), founding=not number)
        for partner in programme.exited:
            reserve = desk.records.find(Reserve, str(partner))
            if reserve is not None:
                journal.reserves[partner] = reserve
        seldom, own = any(op.more is not None for op in operations), registry.COALITION_CURRENCY_NAME
        heavy = {op.member for op in operations if seldom or op.verb != "earn" or op.currency != own}
        heavy |= {op.recipient for op in operations}
        stored: dict[tuple[int, str], tuple[bytes, Answer]] = {}
        for place, some in enumerate(strides):
            if place < len(asked):
                stored |= asked[place].stored()
                asked[place].read(connection, desk, heavy)
            written = len(desk.journal.written)
            found, requests = _answers(desk, some, stored)
            self.crash("writer.decided")
            _write(connection, desk, some, found, desk.journal.written[written:])
            bulk.insert(connection, tables.request, requests)
            answers += found
        made = _write_group(connection, desk, number, previous) if desk.journal.written else None
        self.crash("writer.written")
        return answers, made

    def _current(self, revision: int, open_settlement: int, clock: int | None) -> registry.Programme:
        if self._programme is None or self._programme.revision != revision:
            with self.engine.connect() as reading:  # the writer's own connection is busy with what was asked
                self._programme = registry.load(reading)
        self._programme = replace(self._programme, open_settlement=open_settlement, clock=clock)
        return self._programme


def _take_fence(connection: Connection) -> Callable[[], tuple[int, bytes, int, int, int | None]]:
    """Lock the shard's fence: its last group's number and hash; then the programme's revision, open settlement, clock.

    The programme is read by a statement of its own: it must see what was committed while the lock was waited for.
    """
    lock = ""
    if connection.dialect.name == "postgresql":
        lock = _LOCK
        bulk.ask_sql(connection, _PLANS)
    fence = bulk.ask_sql(connection, _FENCE + lock)
    programme = bulk.ask_sql(connection, "SELECT revision, open_settlement, clock FROM programme")

    def taken() -> tuple[int, bytes, int, int, int | None]:
        ((number, previous),), (now,) = fence(), programme()
        return number, bytes(previous), *now

    return taken


def _strides(operations: Sequence[Operation]) -> list[Sequence[Operation]]:
    """Operations decided and written together; some stand alone behind what is written."""
    cuts = {place + more for place, op in enumerate(operations) if op.verb in ALONE for more in (0, 1)}
    edges = sorted({0, len(operations), *cuts, *range(0, len(operations), STRIDE)})
    return [operations[start:end] for start, end in pairwise(edges)]


class _Named:
    """What operations name themselves, asked for at once: requests, effects, members. What these name is read next."""

    def __init__(self, connection: Connection, operations: Sequence[Operation]) -> None:
        self._operations = operations
        keys = [(op.partner, op.key) for op in operations if op.key is not None]
        self._requests = bulk.ask(connection, tables.request, _REQUEST, ("partner", "key"), keys)
        names = [op.effect for op in operations if op.external_id]
        self._refunded = [op.refunded for op in operations if op.original]
        self._effects = bulk.ask(connection, tables.effect, _EFFECT, _EFFECT[:3], names + self._refunded)
        self._ids = {op.member for op in operations} | {op.recipient for op in operations}
        self._members = ask(connection, self._ids - {0})

    def stored(self) -> dict[tuple[int, str], tuple[bytes, Answer]]:
        """Answers given before, by key, with the digest of what was asked."""
        return {
            (partner, key): (bytes(digest), Answer(bool(ok), entry, facts.encode()))
            for partner, key, digest, ok, entry, facts in self._requests()
        }

    def read(self, connection: Connection, desk: Desk, heavy: set[int]) -> None:
        """Put effects, originals with their lots, holds and members on the desk; of `heavy` members all their lots."""
        operations = self._operations
        for partner, kind, external_id, entry, refunded in self._effects():
            desk.effects[partner, kind, external_id] = Effect(entry, refunded, refunded)
        originals = [(desk.effects[name].entry,) for name in self._refunded if name in desk.effects]
        found = bulk.select(connection, tables.entry, ("body", "member"), ("id",), originals)
        read = [(decode(bytes(body)), owner) for body, owner in found]
        desk.originals |= {entry.id: (entry, owner) for entry, owner in read}
        holds = {op.hold for op in operations if op.hold}
        holders = bulk.select(connection, tables.hold, ("entry", "member"), ("entry",), [(h,) for h in holds])
        desk.holders.update(holders)
        owners = {owner for _entry, owner in read} | {owner for _hold, owner in holders}
        rows = [*self._members(), *ask(connection, owners - self._ids)()]
        rows = [row for row in rows if row[0] not in desk.state.members]
        desk.state.load(connection, rows, desk.journal.now, light=self._ids - heavy - owners)
        desk.state.load_holds(connection, holds)
        entries = [entry for entry, _owner in read]
        names_of_lots = {(move.entry, move.index) for entry in entries for move in burned(entry.moves)}
        desk.state.load_lots(connection, names_of_lots, [entry.id for entry in entries if entry.verb is Verb.EARN])


def _answers(
    desk: Desk, operations: Sequence[Operation], stored: dict[tuple[int, str], tuple[bytes, Answer]]
) -> tuple[list[Answer], list[bulk.Row]]:
    """One answer per operation, and the rows of new requests. A key seen before, even in this batch, is replayed."""
    answers, requests = [], []
    for op in operations:
        if op.key is None:
            answers.append(decide(desk, op))
            continue
        known = stored.get((op.partner, op.key))
        if known is None:
            answer = decide(desk, op)
            stored[op.partner, op.key] = (op.digest, answer)
            requests.append((op.partner, op.key, op.digest, answer.ok, answer.entry, answer.json.decode()))
        elif known[0] == op.digest:
            answer = structs.replace(known[1], replayed=True)
        else:
            answer = refused(IdempotencyKeyReused(op.key))
        answers.append(answer)
    return answers, requests


def _write(
    connection: Connection, desk: Desk, operations: Sequence[Operation], answers: Sequence[Answer],
    written: Sequence[Written],
) -> None:  # fmt: skip
    """What a stride changed: its entries, the members in them, its effects."""
    external = {
        a.entry: op.external_id for op, a in zip(operations, answers, strict=True) if a.entry and not a.replayed
    }
    external |= {desk.effects[name].entry: name[2] for name in desk.changed if name[1] == "burn"}  # assigned ones too
    entries = []
    for one in written:
        e, other = one.entry, one.members[1] if len(one.members) > 1 else None
        first = one.members[0] if one.members else 0
        entries.append((e.id, one.hash, one.body, int(e.verb), e.partner, first, other, external.get(e.id)))
    bulk.insert(connection, tables.entry, entries)
    desk.state.save(connection, dict.fromkeys(number for one in written for number in (*one.members, *one.lenders)))
    new, old = [], []
    for name in desk.changed:
        effect = desk.effects[name]
        if effect.was is None:
            new.append((*name, effect.entry, effect.refunded))
        else:
            old.append((*name, effect.refunded, effect.was))
        effect.was = effect.refunded
    desk.changed.clear()
    desk.note_exposure()
    for number, reserve in desk.journal.reserves.items():
        desk.records.keep(str(number), reserve)
    desk.records.save(connection)
    merge(connection, desk)
    erase(connection, desk)
    for table, rows in desk.rows.items():
        bulk.insert(connection, table, rows)
    for table, keys, columns, row in desk.updates:
        bulk.update(connection, table, keys, columns, [row])
    desk.rows.clear()
    desk.updates.clear()
    changed = [(number, new, old) for number, (new, old) in desk.statuses.items() if new != old]
    bulk.update(connection, tables.party, ("id",), ("status",), changed)
    desk.statuses.clear()
    if desk.revised:
        bulk.ask_sql(connection, "UPDATE programme SET revision = revision + 1 RETURNING revision")
        desk.revised = False
    bulk.insert(connection, tables.effect, new)
    bulk.update(connection, tables.effect, ("partner", "kind", "external_id"), ("refunded",), old)


def _write_group(connection: Connection, desk: Desk, number: int, previous: bytes) -> Group:
    journal = desk.journal
    hashes = tuple([one.hash for one in journal.written])
    levels = log.levels(hashes)
    root, settle_by = levels[-1][0], desk.programme.open_settlement + 1
    words = (journal.group, len(hashes), journal.now)
    chained = hashlib.sha256(_GROUP + previous + root + b"".join(w.to_bytes(8, "big") for w in words)).digest()
    bulk.insert(connection, tables.entry_group, [(journal.group, root, chained, len(hashes), journal.now, settle_by)])
    bulk.update(
        connection, tables.fence, ("shard",), ("number", "hash"),
        [(registry.SHARD, number + 1, chained, number, previous)],
    )  # fmt: skip
    return Group(journal.group, root, len(hashes), journal.now, settle_by, paths_of(levels), hashes)
