"""Invoices in the books: what lines are made from, numbers without gaps, documents stored whole and never changed.

Whoever makes a settlement's documents holds the row `settlements` of `counter` from before the first number is taken to
the commit: so a number is taken by a document or not at all, and a settlement is invoiced once, also by two processes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, Select, and_, insert, select, update

from counterfoil.core.accounts import FIRST_PARTNER
from counterfoil.core.encoding import decode
from counterfoil.core.entry import DebtMade, Entry, Verb, group_of, place_of
from counterfoil.core.invoices import REFUNDS, Lines, corrects, flows
from counterfoil.core.lots import LotTerms
from counterfoil.core.units import MONEY
from counterfoil.store import books, bulk, json_text, tables
from counterfoil.store.tables import counter, invoice, invoice_partner

SETTLEMENTS, INVOICES = "settlements", "invoices"
_CHUNK = 2_000  # entries whose lots are read together
_TERMS = ("entry", "index", "currency", "issuer", "earned_at", "expires_at", "available_at", "funding", "origin_entry",
          "origin_index", "prepaid")  # fmt: skip
Lot = tuple[int, int]


class Span(NamedTuple):
    """A settlement's leaves [first, end)."""

    number: int
    first: int
    end: int


def last(connection: Connection, name: str = SETTLEMENTS) -> int:
    """A counter."""
    found: int | None = connection.execute(select(counter.c.last).where(counter.c.name == name)).scalar_one_or_none()
    return found or 0


def take(connection: Connection, number: int) -> bool:
    """Whether settlement `number` is the next to be invoiced; if so it is this transaction's alone."""
    query = select(counter.c.last).where(counter.c.name == SETTLEMENTS).with_for_update()  # SQLite: it is alone anyway
    if connection.execute(query).scalar_one() != number - 1:
        return False
    _next(connection, SETTLEMENTS)
    return True


def keep(connection: Connection, series: str, body: dict[str, Any]) -> str:
    """Number a document and store it. `take` came first. Returns the number."""
    number = f"{series}-{_next(connection, f'series:{series}'):06d}"
    text, place = json_text.canonical({**body, "number": number}), _next(connection, INVOICES)
    connection.execute(
        insert(invoice).values(
            place=place, number=number, kind=body["kind"], settlement=body["settlement"],
            entity=body["buyer"]["entity"], body=text.decode(), hash=hashlib.sha256(text).digest(),
        )
    )  # fmt: skip
    bulk.insert(connection, invoice_partner, [(one["id"], place) for one in body["buyer"]["partners"]])
    return number


def _next(connection: Connection, name: str) -> int:
    """The next number of a counter, its own from 1. Only for who holds the row of settlements."""
    was = last(connection, name)
    where = (counter.c.name == name, counter.c.last == was)
    if not connection.execute(update(counter).where(*where).values(last=was + 1)).rowcount:
        connection.execute(insert(counter).values(name=name, last=was + 1))  # fails unless it is new
    return was + 1


# --- reading documents ------------------------------------------------------------------------


def page(
    engine: Engine, partner: int | None, after: int, limit: int, settlement: int | None = None
) -> list[Row[Any]]:  # fmt: skip
    """Documents by place after a cursor, of one settlement if named; of a partner those that have lines of its own."""
    query = _seen(partner).where(invoice.c.place > after).order_by(invoice.c.place).limit(limit)
    if settlement is not None:
        query = query.where(invoice.c.settlement == settlement)
    with engine.connect() as connection:
        return list(connection.execute(query))


def one(engine: Engine, number: str, partner: int | None) -> Row[Any] | None:
    """A document by number, if it is this partner's to see."""
    with engine.connect() as connection:
        return connection.execute(_seen(partner).where(invoice.c.number == number)).first()


def corrected(connection: Connection, settlement: int, partner: int) -> dict[str, Any] | None:
    """The document of an earlier settlement that has a partner's lines, but for what that one corrected itself."""
    rows = connection.execute(_seen(partner).where(invoice.c.settlement == settlement))
    bodies = [json_text.loads(row.body) for row in rows]
    return next((body for body in bodies if not body["corrects"]), None)


def _seen(partner: int | None) -> Select[Any]:
    """Documents, of a partner's own if one is named."""
    query = select(invoice)
    if partner is None:
        return query
    own = (invoice_partner.c.place == invoice.c.place, invoice_partner.c.partner == partner)
    return query.join(invoice_partner, and_(*own))


# --- what lines are made from -----------------------------------------------------------------


def lines_of(engine: Engine, spans_: Sequence[Span]) -> Lines:
    """The lines of the last of these settlements, which are all up to it."""
    lines, root, rows = Lines(), None, books.leaves(engine, spans_[-1].first, spans_[-1].end)
    while some := list(islice(rows, _CHUNK)):
        entries = [(row.entry, root := row.entry if row.entry.verb is not Verb.FUND else root) for row in some]
        moving = [(entry, behind) for entry, behind in entries if behind is not None and _moves_money(entry)]
        with engine.connect() as connection:
            _add(connection, lines, moving, spans_)
    return lines


def _moves_money(entry: Entry) -> bool:
    return entry.partner >= FIRST_PARTNER and any(one.unit == MONEY for one in entry.postings)


def _add(connection: Connection, lines: Lines, entries: Sequence[tuple[Entry, Entry]], spans_: Sequence[Span]) -> None:
    lots = _lots(connection, entries)
    debts = _debts(connection, (entry for entry, _root in entries))
    roots = {root.id: root for _entry, root in entries if root.verb in REFUNDS}
    settlements = _settlements(connection, _originals(connection, roots.values()), spans_)
    for entry, root in entries:
        assert entry is root or entry.refers_to == root.id
        for flow in flows(entry, root, lambda number, index: lots[number, index], lambda n, i: debts[n, i]):
            earlier = settlements[root.id] if corrects(root, flow) else 0
            lines.add(entry.partner, earlier if earlier != spans_[-1].number else 0, flow)


def _lots(connection: Connection, entries: Sequence[tuple[Entry, Entry]]) -> dict[Lot, LotTerms]:
    names = {(move.entry, move.index) for entry, _root in entries for move in entry.moves}
    names |= {(entry.refers_to, 0) for entry, _root in entries if entry.verb is Verb.REFUND_EARN}
    rows = bulk.select(connection, tables.lot, _TERMS, ("entry", "index"), sorted(names))
    return {
        (number, index): LotTerms(currency, issuer, earned, expires, available, bytes(funding), *origin)
        for number, index, currency, issuer, earned, expires, available, funding, *origin in rows
    }


def _debts(connection: Connection, entries: Iterable[Entry]) -> dict[Lot, DebtMade]:
    names = sorted({(one.entry, one.index) for entry in entries for one in entry.repaid})
    columns = ("entry", "index", "points", "currency", "issuer", "fee_micros")
    rows = bulk.select(connection, tables.debt, columns, ("entry", "index"), names)
    return {(number, index): DebtMade(0, *rest) for number, index, *rest in rows}


def _originals(connection: Connection, roots: Iterable[Entry]) -> Iterator[tuple[int, int]]:
    """What refunds take back: an entry's id by the refund's. What repays a debt takes back what made that debt did."""
    behind = {}
    for root in roots:
        if root.verb is Verb.REPAY:
            behind[root.id] = root.repaid[0].entry
        else:
            yield root.id, root.refers_to
    rows = bulk.select(connection, tables.entry, ("body",), ("id",), sorted({(number,) for number in behind.values()}))
    made = {entry.id: entry.refers_to for entry in (decode(bytes(body)) for (body,) in rows)}
    for number, debt in behind.items():
        yield number, made[debt]


def _settlements(
    connection: Connection, originals: Iterable[tuple[int, int]], spans_: Sequence[Span]
) -> dict[int, int]:
    """The settlement in which each original stands, by the refund's id."""
    pairs = dict(originals)
    groups = sorted({(group_of(number),) for number in pairs.values()})
    firsts: dict[int, int] = dict(bulk.select(connection, tables.log_group, ("group", "first"), ("group",), groups))
    found = {}
    for refund, number in pairs.items():
        leaf = firsts[group_of(number)] + place_of(number)
        found[refund] = next(span.number for span in reversed(spans_) if span.first <= leaf < span.end)
    return found
