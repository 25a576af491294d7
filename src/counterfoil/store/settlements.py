"""Settlements in the books: the close that fixes a range, the fold over it, liabilities, signatures, state."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select, text, update

from counterfoil.core import netting
from counterfoil.core.accounts import Kind, kind_of, owner_of
from counterfoil.core.claim_tree import Leaf
from counterfoil.core.entry import Posting, Verb
from counterfoil.core.sum_tree import Liability, depth_for, member_commitment
from counterfoil.core.units import COALITION_CURRENCY, MONEY
from counterfoil.core.wallet import Wallet
from counterfoil.store import books, bulk, json_text, registry
from counterfoil.store.engine import writing
from counterfoil.store.rulebook import rulebook_bytes
from counterfoil.store.sequencer import append
from counterfoil.store.tables import claim_leaf, liability, programme, settlement, signature

_BURNS = {Verb.BURN, Verb.CAPTURE, Verb.REDEEM}
_REFUNDS = {Verb.REFUND_EARN, Verb.REFUND_BURN, Verb.REFUND_REWARD, Verb.DISPUTE, Verb.RULE}


@dataclass(slots=True)
class Fold:
    """What the entries of one settlement add up to."""

    nets: dict[int, int] = field(default_factory=dict)  # micros by party
    issued: dict[int, int] = field(default_factory=dict)  # points by issuer, of earns
    burned: dict[int, int] = field(default_factory=dict)  # points by partner, of burns and captures
    outstanding: dict[int, dict[int, int]] = field(default_factory=dict)  # change of available + held: currency, member
    originals: set[int] = field(default_factory=set)  # entries that refunds refer to
    flows: dict[tuple[int, int], int] = field(default_factory=dict)  # micros by payer and payee, before netting
    withdrawn: dict[tuple[bytes, int], int] = field(default_factory=dict)  # points by account and currency
    returned: dict[int, int] = field(default_factory=dict)  # points by currency

    def supply_change(self, currency: int) -> int:
        """By how many tokens the supply changes: what members have, and what is in wallets."""
        away = sum(points for (_account, unit), points in self.withdrawn.items() if unit == currency)
        return sum(self.outstanding.get(currency, {}).values()) + away - self.returned.get(currency, 0)

    def add(self, one: books.Row) -> None:
        """Fold one entry in."""
        e = one.entry
        netting.fold(e.postings, self.nets)
        if e.verb in _REFUNDS:
            self.originals.add(e.refers_to)
        who = (one.member, one.other)
        for p in e.postings:
            if p.unit == MONEY:
                pair = (owner_of(p.debit), owner_of(p.credit))
                self.flows[pair] = self.flows.get(pair, 0) + p.amount
                continue
            if e.wallet is not None:
                self._cross(e.verb, e.wallet, p)
            for word, sign in ((p.credit, 1), (p.debit, -1)):
                kind, owner = kind_of(word), owner_of(word)
                if kind in {Kind.AVAILABLE, Kind.HELD}:
                    number = who[owner]
                    assert number is not None
                    changes = self.outstanding.setdefault(p.unit, {})
                    changes[number] = changes.get(number, 0) + sign * p.amount
                elif kind is Kind.ISSUED and e.verb is Verb.EARN and p.unit == COALITION_CURRENCY:
                    self.issued[owner] = self.issued.get(owner, 0) + p.amount
                elif kind is Kind.BURNED and e.verb in _BURNS and p.unit == COALITION_CURRENCY:
                    self.burned[owner] = self.burned.get(owner, 0) + p.amount

    def _cross(self, verb: Verb, wallet: Wallet, posting: Posting) -> None:
        """Points go to an account or come back."""
        if verb is Verb.WITHDRAW:
            name = (wallet.account, posting.unit)
            self.withdrawn[name] = self.withdrawn.get(name, 0) + posting.amount
        else:
            self.returned[posting.unit] = self.returned.get(posting.unit, 0) + posting.amount


def close(engine: Engine, now: int, crash: Callable[[str], None] = lambda point: None) -> int:
    """Fix settlement n as the leaves since the last; what commits later belongs to n + 1. Returns n.

    The shard's fence keeps writers out for as long as that takes, so their `settle_by` is never missed by two.
    """
    lock = " FOR UPDATE" if engine.dialect.name == "postgresql" else ""
    with writing(engine) as connection:
        connection.execute(text(f"SELECT number FROM fence WHERE shard = {registry.SHARD}{lock}"))
        size, root = append(connection)
        number: int = connection.execute(select(programme.c.open_settlement)).scalar_one()
        query = select(settlement.c.log_size).where(settlement.c.number == number - 1)
        first = connection.execute(query).scalar_one_or_none() or 0
        rules = {"rulebook": rulebook_bytes(registry.load(connection)).decode()}  # as of the last entry of the range
        connection.execute(
            insert(settlement).values(
                number=number, state="closing", closed_at=now, first_leaf=first, log_size=size, log_root=root,
                manifest=json_text.dumps(rules).decode(),
            )
        )  # fmt: skip
        connection.execute(update(programme).values(open_settlement=number + 1))
        crash("settlement.closing")
    crash("settlement.closed")
    return number


def fold(engine: Engine, start: int, end: int) -> Fold:
    """The fold of leaves [start, end)."""
    result = Fold()
    for one in books.leaves(engine, start, end):
        result.add(one)
    return result


def move_liabilities(
    connection: Connection, number: int, currency: int, changes: dict[int, int], depth: int
) -> tuple[int, int]:  # fmt: skip
    """Give who moved a new salt and a random free place in a currency's tree of settlement `number`: depth and total.

    Who did not move keeps leaf and place, so neighbours learn nothing that lasts.
    """
    query = select(liability.c.member, liability.c.place, liability.c.balance)
    query = query.where(liability.c.until.is_(None), liability.c.currency == currency)
    live = {row.member: (row.place, row.balance) for row in connection.execute(query)}
    moved = {who: live.get(who, (0, 0))[1] + change for who, change in changes.items() if change}
    taken = {place for who, (place, _balance) in live.items() if who not in moved}
    staying = len(taken) + sum(1 for balance in moved.values() if balance)
    depth = max(depth, depth_for(staying))
    old = [(currency, who, number, None) for who in moved if who in live]
    bulk.update(connection, liability, ("currency", "member"), ("until",), old)
    rows = []
    for who, balance in moved.items():
        if balance:
            place = secrets.randbelow(1 << depth)
            while place in taken:
                place = secrets.randbelow(1 << depth)
            taken.add(place)
            rows.append((currency, who, number, None, place, balance, secrets.token_bytes(32)))
    bulk.insert(connection, liability, rows)
    total = sum(balance for who, (_place, balance) in live.items() if who not in moved) + sum(moved.values())
    return depth, total


def liabilities(source: Connection, number: int, currency: int) -> list[tuple[int, Liability]]:
    """The members and leaves of a currency's tree of settlement `number`, by place."""
    query = select(liability).where(
        liability.c.since <= number,
        liability.c.until.is_(None) | (liability.c.until > number),
        liability.c.currency == currency,
    )
    return [
        (row.member, Liability(row.place, row.balance, member_commitment(row.member, bytes(row.salt))))
        for row in source.execute(query.order_by(liability.c.place))
    ]


def move_claims(connection: Connection, number: int, withdrawn: dict[tuple[bytes, int], int]) -> None:
    """Add what was withdrawn in settlement `number` to what ever was, by account and currency."""
    live = connection.execute(select(claim_leaf).where(claim_leaf.c.until.is_(None)))
    held = {(one.account, one.currency): one.cumulative for one in live}
    grown = {("0x" + account.hex(), currency): points for (account, currency), points in withdrawn.items()}
    old = [(*name, number, None) for name in grown if name in held]
    bulk.update(connection, claim_leaf, ("account", "currency"), ("until",), old)
    rows = [(*name, number, None, held.get(name, 0) + points) for name, points in grown.items()]
    bulk.insert(connection, claim_leaf, rows)


def claims(source: Connection, number: int, after: int = 0) -> list[Leaf]:
    """The leaves of the claim tree of settlement `number`, or those of them that changed after another."""
    live = claim_leaf.c.until.is_(None) | (claim_leaf.c.until > number)
    rows = source.execute(select(claim_leaf).where(claim_leaf.c.since > after, claim_leaf.c.since <= number, live))
    return [Leaf(bytes.fromhex(row.account[2:]), row.currency, row.cumulative) for row in rows]


def has_claims(engine: Engine) -> bool:
    """Whether anything was ever withdrawn in a closed settlement."""
    with engine.connect() as connection:
        return connection.execute(select(claim_leaf.c.account).limit(1)).first() is not None


def record(connection: Connection, number: int, **values: object) -> None:
    """Change a settlement's row; dicts become JSON."""
    plain = {k: json_text.dumps(v).decode() if isinstance(v, dict | list) else v for k, v in values.items()}
    connection.execute(update(settlement).where(settlement.c.number == number).values(**plain))


def finish(connection: Connection, number: int, tx: str) -> None:
    """A settlement is final: what partners owe for it no longer counts against their credit."""
    record(connection, number, state="final", tx=tx, alert=None)
    connection.execute(update(programme).values(revision=programme.c.revision + 1))


def one(engine: Engine, number: int) -> Row[Any] | None:
    """A settlement's row."""
    with engine.connect() as connection:
        return connection.execute(select(settlement).where(settlement.c.number == number)).first()


def every(engine: Engine, *, state: str | None = None) -> list[Row[Any]]:
    """Settlements by number, of one state if named."""
    query = select(settlement).order_by(settlement.c.number)
    with engine.connect() as connection:
        return list(connection.execute(query if state is None else query.where(settlement.c.state == state)))


def settlement_of(engine: Engine, numbers: set[int]) -> set[int]:
    """The settlements in which these entries stand."""
    rows = [books.row(engine, number) for number in numbers]
    ranges = [(row.first_leaf, row.log_size, row.number) for row in every(engine)]
    found = set()
    for one_row in rows:
        if one_row is not None and one_row.leaf is not None:
            found |= {n for first, size, n in ranges if first <= one_row.leaf < size}
    return found


def sign(connection: Connection, number: int, partner: int, header: bytes, signed: bytes) -> None:
    """Keep a partner's signature over a header; a second one of the same partner replaces it."""
    where = (signature.c.settlement == number, signature.c.partner == partner)
    connection.execute(signature.delete().where(*where))
    connection.execute(insert(signature).values(settlement=number, partner=partner, header=header, signature=signed))


def signatures(engine: Engine, number: int, header: bytes) -> dict[int, bytes]:
    """Signatures over exactly this header, by partner."""
    query = select(signature.c.partner, signature.c.signature).where(
        signature.c.settlement == number, signature.c.header == header
    )
    with engine.connect() as connection:
        return {row.partner: bytes(row.signature) for row in connection.execute(query.order_by(signature.c.partner))}
