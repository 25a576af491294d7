"""Holdings to and from rows: what the writer reads before it decides, and writes back where it changed."""

from __future__ import annotations

import secrets
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec import field as make
from sqlalchemy import Connection

from counterfoil.core.encoding import decode
from counterfoil.core.entry import DebtMade, Move, Place
from counterfoil.core.holdings import Debt, Hold, Holdings, Inconsistent, Lot
from counterfoil.core.lots import LotTerms
from counterfoil.store import bulk, tables

_LOT = [c.name for c in tables.lot.columns]
_DEBT = [c.name for c in tables.debt.columns]
_HOLD = [c.name for c in tables.hold.columns]
_REMAINDERS = ("available", "held", "burned", "expired", "pending", "withdrawn")
_Left = tuple[int, int, int, int, int, int]
_Row = bulk.Row
_OPEN = "t.available > 0 OR t.held > 0 OR t.pending > 0"  # as the index has it


class Image(Struct, gc=False):
    """The rows of a member as read: what updates repeat in WHERE."""

    sums: tuple[int, int, int, int | None]  # available, held, debt (of all currencies), next due
    lots: dict[tuple[int, int], _Left] = make(default_factory=dict)
    debts: dict[tuple[int, int], int] = make(default_factory=dict)
    holds: dict[int, str] = make(default_factory=dict)


@dataclass(slots=True)
class State:
    """The members a transaction touches, as they are becoming, beside the image they were read from."""

    members: dict[int, Holdings] = field(default_factory=dict)
    images: dict[int, Image] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)  # members that are another's now

    def member(self, number: int) -> Holdings | None:
        """A member read before; of one that was merged, who has its points now."""
        while number in self.merged:
            number = self.merged[number]
        return self.members.get(number)

    def merge(self, gone: int, kept: int) -> None:
        """What was read of one member is the other's from now on, as their holdings are."""
        self.merged[gone] = kept
        if gone in self.images:
            was, now = self.images[gone], self.images[kept]
            now.lots |= was.lots
            now.debts |= was.debts
            now.holds |= was.holds
            was.lots, was.debts, was.holds = {}, {}, {}

    def load(self, connection: Connection, rows: Sequence[_Row], now: int, light: Container[int] = ()) -> None:
        """Read the debts, open holds and open lots of members, whose rows `ask` gave.

        Of those in `light` the lots stay unread, unless a debt or something due makes them matter. In place of a member that
        was merged the one is read that has its points now.
        """
        merged = {row[0]: row[7] for row in rows if row[7] is not None}
        if merged:
            self.merged |= merged
            instead = ask(connection, set(merged.values()) - set(self.members) - {row[0] for row in rows})()
            rows = [*(row for row in rows if row[7] is None), *instead]
        for number, secret, available, held, owed, next_due, frozen, _merged in rows:
            # of an erased member nothing tells any more whose an entry is: its commitments take a secret nobody keeps
            self.members[number] = Holdings(
                number, bytes(secret) or secrets.token_bytes(32), erased=not secret, frozen=bool(frozen)
            )
            self.images[number] = Image((available, held, owed, next_due))
        owing = [(row[0],) for row in rows if row[4]]
        debts = bulk.select(connection, tables.debt, _DEBT, ("member",), owing, 't."left" > 0')
        for entry, index, owner, points, currency, issuer, fee_micros, left in debts:
            made = DebtMade(0, points, currency, issuer, fee_micros)
            self.members[owner].debts[entry, index] = Debt(entry, index, made, left)
            self.images[owner].debts[entry, index] = left
        whole = []
        for number, _secret, available, held, _owed, next_due, _frozen, _merged in rows:
            who = self.members[number]
            if number in light and not who.debts and (next_due is None or next_due > now):
                who.available, who.held, who.unseen_due = available, held, next_due
            else:
                whole.append((number,))
        self._add_lots(bulk.select(connection, tables.lot, _LOT, ("member",), whole, _OPEN))
        self._add_holds(connection, bulk.select(connection, tables.hold, _HOLD, ("member",), whole, "t.state = 'open'"))
        for (number,) in whole:
            who, image = self.members[number], self.images[number]
            if (who.available, who.held, who.owing, who.next_due()) != image.sums:
                raise Inconsistent(f"member {number:016x}: the lots do not sum to the balance")

    def load_lots(self, connection: Connection, names: Iterable[tuple[int, int]], origins: Iterable[int]) -> None:
        """Read also closed lots: by name, and all made or continued from the entries `origins`."""
        made = [(entry,) for entry in origins]
        self._add_lots(bulk.select(connection, tables.lot, _LOT, ("entry", "index"), names))
        self._add_lots(bulk.select(connection, tables.lot, _LOT, ("entry",), made))
        self._add_lots(bulk.select(connection, tables.lot, _LOT, ("origin_entry",), made, "t.origin_entry <> 0"))

    def load_holds(self, connection: Connection, entries: Iterable[int]) -> None:
        """Read holds by id, whatever their state, of members already read."""
        self._add_holds(connection, bulk.select(connection, tables.hold, _HOLD, ("entry",), [(e,) for e in entries]))

    def _add_lots(self, rows: Iterable[_Row]) -> None:
        for (entry, index, owner, points, currency, issuer, earned_at, expires_at, available_at, funding,
             origin_entry, origin_index, prepaid, *remainders) in rows:  # fmt: skip
            if owner not in self.members or (entry, index) in self.images[owner].lots:
                continue
            terms = LotTerms(currency, issuer, earned_at, expires_at, available_at, bytes(funding),
                             origin_entry, origin_index, prepaid)  # fmt: skip
            self.members[owner].add(Lot(entry, index, points, terms, *remainders))
            self.images[owner].lots[entry, index] = tuple(remainders)

    def _add_holds(self, connection: Connection, rows: Iterable[_Row]) -> None:
        fresh = [row for row in rows if row[1] in self.members and row[0] not in self.images[row[1]].holds]
        moves = moves_of(connection, [row[0] for row in fresh])
        for entry, owner, partner, until, state, cost_micros in fresh:
            parts = tuple((m.entry, m.index, m.points) for m in moves[entry] if m.target in {Place.HELD, Place.BURNED})
            self.members[owner].holds[entry] = Hold(entry, partner, until, parts, state, cost_micros)
            self.images[owner].holds[entry] = state
        used = [part[:2] for row in fresh if row[5] is not None for part in self.members[row[1]].holds[row[0]].parts]
        self._add_lots(bulk.select(connection, tables.lot, _LOT, ("entry", "index"), used))

    def save(self, connection: Connection, changed: Iterable[int]) -> None:
        """Write what changed of these members, and note it as read; raises bulk.Lost if a row is no longer as it was."""
        new_lots, old_lots, new_debts, old_debts, new_holds, old_holds, members = ([] for _ in range(7))
        for number in changed:
            who, image = self.members[number], self.images[number]
            for name in who.touched:
                one = who.lots[name]
                now = (one.available, one.held, one.burned, one.expired, one.pending, one.withdrawn)
                was = image.lots.get(name)
                if was is None:
                    new_lots.append(_lot_row(number, one, now))
                elif was != now:
                    old_lots.append((*name, *now, *was))
                image.lots[name] = now
            who.touched.clear()
            for name, debt in who.debts.items():
                if name not in image.debts:
                    d = debt.made
                    new_debts.append((*name, number, d.points, d.currency, d.issuer, d.fee_micros, debt.left))
                elif image.debts[name] != debt.left:
                    old_debts.append((*name, debt.left, image.debts[name]))
                image.debts[name] = debt.left
            for entry, held in who.holds.items():
                if entry not in image.holds:
                    new_holds.append((entry, number, held.partner, held.until, held.state, held.cost_micros))
                elif image.holds[entry] != held.state:
                    old_holds.append((entry, held.state, image.holds[entry]))
                image.holds[entry] = held.state
            sums = (who.available, who.held, who.owing, who.next_due())
            if sums != image.sums:
                members.append((number, *sums, *image.sums))
                image.sums = sums
        bulk.insert(connection, tables.lot, new_lots)
        bulk.update(connection, tables.lot, ("entry", "index"), _REMAINDERS, old_lots)
        bulk.insert(connection, tables.debt, new_debts)
        bulk.update(connection, tables.debt, ("entry", "index"), ("left",), old_debts)
        bulk.insert(connection, tables.hold, new_holds)
        bulk.update(connection, tables.hold, ("entry",), ("state",), old_holds)
        bulk.update(connection, tables.member, ("id",), ("available", "held", "debt", "next_due"), sorted(members))


def ask(connection: Connection, members: Iterable[int]) -> bulk.Later:
    """Members' rows; unknown ids have none."""
    columns = ("id", "secret", "available", "held", "debt", "next_due", "frozen", "merged_into")
    return bulk.ask(connection, tables.member, columns, ("id",), [(number,) for number in sorted(members)])


def moves_of(connection: Connection, entries: Iterable[int]) -> dict[int, tuple[Move, ...]]:
    """The moves of entries by id."""
    rows = bulk.select(connection, tables.entry, ("id", "body"), ("id",), [(e,) for e in entries])
    return {number: decode(bytes(body)).moves for number, body in rows}


def _lot_row(owner: int, one: Lot, now: _Left) -> _Row:
    t = one.terms
    return (one.entry, one.index, owner, one.points, t.currency, t.issuer, t.earned_at, t.expires_at, t.available_at,
            t.funding, t.origin_entry, t.origin_index, t.prepaid, *now)  # fmt: skip
