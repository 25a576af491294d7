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

from counterfoil.core.entities import Belongs, Brand, LegalEntity
from counterfoil.core.exchange import Edge
from counterfoil.core.reserves import Reserve
from counterfoil.core.rulebook.earning import EarnRule
from counterfoil.core.rulebook.packs import Pack
from counterfoil.core.rulebook.payments import Bank, Line, Payment
from counterfoil.core.rulebook.rewards import Reward
from counterfoil.store import bulk, tables

Name = tuple[type[Struct], str]
T = TypeVar("T", bound=Struct)


class Rates(Struct):
    """Every rate table published, by the instant from which it holds."""

    tables: list[tuple[int, list[Edge]]] = []

    def edge(self, src: str, dst: str, at: int) -> Edge | None:
        """The edge in force at an instant."""
        held = [edges for since, edges in self.tables if since <= at]
        return next((one for one in held[-1] if (one.src, one.dst) == (src, dst)), None) if held else None


class Quote(Struct):
    """A ratio fixed for one member until `until`, for `points` offered."""

    member: int
    edge: Edge
    points: int
    until: int
    used: bool = False


class Packs(Struct):
    """A partner's prepaid packs, in order of purchase."""

    packs: list[Pack]


class Returned(Struct):
    """Points of an earn that returned to the packs it drew on."""

    points: int


class Waiting(Struct):
    """A refund that waits: for its sale, or for its partner to be reinstated."""

    verb: str
    partner: int
    external_id: str
    original: str
    points: int


class Parked(Struct):
    """Refunds that came before their sale, by partner and the sale's id."""

    refunds: list[Waiting]


class Queue(Struct):
    """Refunds of a suspended partner, in order."""

    refunds: list[Waiting]


class Estate(Struct):
    """What a partner that defaulted owes: micros borne by others and paid back to them, by party."""

    borne: dict[int, int]
    repaid: dict[int, int]


class Dispute(Struct):
    """Of a burn, by its entry: open, valid or denied."""

    state: str


class Erasure(Struct):
    """Asked for by a member."""

    requested_at: int


class Velocity(Struct):
    """A member's gifts of one local day."""

    points: int
    count: int


class Promotion(Struct):
    """Who funds a bonus together: basis points by party."""

    shares: dict[int, int]


class Limits(Struct):
    """Of the programme: what a member may give in a local day, and what the operator bears of a default first."""

    transfer_daily_points: int | None = None
    transfer_daily_count: int | None = None
    first_loss_micros: int = 0
    sunset_at: int | None = None  # from then on the programme gives no points; what members have stays good


class LookUp(Struct):
    """That somebody looked at a member, by credential, member and local day: noted once."""

    at: int


class Exposure(Struct):
    """What a partner with a credit limit receives (+) and pays (-) in settlements not final yet: micros by settlement."""

    micros: dict[int, int]


class Claim(Struct):
    """A member's report that a purchase is missing; the partner accepts it, or refuses it before `until`."""

    id: str
    member: int
    partner: int
    slip: str
    sold_on: str
    amount_micros: int
    photo: str
    reported_at: int
    until: int
    state: str = "open"  # or accepted, refused
    reason: str = ""
    points: int = 0


class Proposal(Struct):
    """An adjustment that waits for a second operator, by its external id; `by` proposed it."""

    member: int
    points: int
    take: bool
    budget: str
    code: str
    by: str
    at: int
    state: str = "waiting"


class Budget(Struct):
    """What a party sets aside for points given without a sale or beyond one; `approval_above`: a second operator agrees."""

    owner: int
    points: int
    spent: int = 0
    approval_above: int | None = None


class EarnRules(Struct):
    """The versions of an earn rule, in order."""

    versions: list[EarnRule]


class Usage(Struct):
    """Points that an earn rule gave, counted against one of its caps: `member:rule`, with `:day`, or `:rule:day` for all."""

    points: int


class Due(Struct):
    """Partners whose position of a final settlement is paid by bank, by the settlement's number."""

    partners: list[int]


class Statement(Struct):
    """A bank's statement, by account and id: the file it came in, and the numbers of its lines."""

    digest: str
    file: str
    lines: list[int]


class BankFile(Struct):
    """A file as it came, whole, by its digest."""

    xml: str


class Cashbook(Struct):
    """How many lines statements had so far; those that match nothing; payments not paid yet, oldest first.

    `banked`: micros received from each partner by bank, less those paid to it.
    """

    lines: int = 0
    unmatched: list[int] = []
    open: list[str] = []
    banked: dict[int, int] = {}


KINDS: dict[type[Struct], str] = {
    Rates: "rates", Quote: "quote", Packs: "packs", Returned: "returned", Parked: "parked", Queue: "queue",
    Bank: "bank", Payment: "payment", Due: "payments_due", Line: "bank_line", Statement: "bank_statement",
    BankFile: "bank_file", Cashbook: "cashbook",
    Estate: "estate", Reserve: "reserve", Dispute: "dispute", Erasure: "erasure", Velocity: "velocity",
    Budget: "budget", Reward: "reward", Promotion: "promotion", Limits: "limits", LookUp: "look_up", Proposal: "proposal",
    Exposure: "exposure", Claim: "claim",
    LegalEntity: "legal_entity", Belongs: "belongs", Brand: "brand",
    EarnRules: "earn_rule", Usage: "usage",
}  # fmt: skip


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
