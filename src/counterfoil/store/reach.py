"""Reading while deciding: from the books, for what a seldom verb finds it needs; or from another desk, for a dry run."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

from msgspec import structs
from sqlalchemy import Connection

from counterfoil.core.encoding import decode
from counterfoil.core.entry import MOST_ENTRIES, Entry, Verb, group_of, place_of
from counterfoil.core.holdings import Holdings, Lot
from counterfoil.core.lots import funds
from counterfoil.core.rulebook.refunds import burned
from counterfoil.store import bulk, tables
from counterfoil.store.desk import Desk, Effect
from counterfoil.store.state import ask

_OPEN = f"""SELECT body FROM entry WHERE id >= (SELECT coalesce(max(g."group"), -1) + 1 FROM log_group g
    WHERE g.first < (SELECT coalesce(max(log_size), 0) FROM settlement)) * {MOST_ENTRIES} ORDER BY id"""


_NOTHING = {"postgresql": "''::bytea", "sqlite": "x''"}  # no bytes
_OUTSTANDING = (
    f"SELECT funding, sum(available + held + withdrawn) FROM lot WHERE {tables.OPEN} OR withdrawn > 0 GROUP BY funding"
)
_IN_WALLETS = "SELECT coalesce(sum(withdrawn), 0) FROM lot WHERE withdrawn > 0 AND currency = {currency}"
# in burn order: first what the member withdrew, then what others did
_LENT = """SELECT entry, "index", member, withdrawn FROM lot WHERE withdrawn > 0 AND currency = {currency}
    ORDER BY CASE WHEN member = {member} THEN 0 ELSE 1 END, expires_at, earned_at,
    CASE WHEN origin_entry = 0 THEN entry ELSE origin_entry END,
    CASE WHEN origin_entry = 0 THEN "index" ELSE origin_index END, entry, "index" LIMIT {limit}"""
_CLOSED = """SELECT s.closed_at FROM log_group g JOIN settlement s
    ON s.first_leaf <= g.first + {place} AND s.log_size > g.first + {place} WHERE g."group" = {group}"""
_BY_MEMBER = ("usage", "velocity", "wallets", "nonce")  # records named after a member


@dataclass(frozen=True, slots=True)
class Books:
    """Reads over the connection that holds the fence."""

    connection: Connection

    def member(self, desk: Desk, number: int) -> None:
        """See Reach."""
        desk.state.load(self.connection, ask(self.connection, [number])(), desk.journal.now)

    def entry(self, desk: Desk, number: int) -> None:
        """See Reach."""
        for body, owner in bulk.select(self.connection, tables.entry, ("body", "member"), ("id",), [(number,)]):
            entry = decode(bytes(body))
            desk.originals[number] = entry, owner
            if owner:
                desk.known(owner)
                names = {(move.entry, move.index) for move in burned(entry.moves)}
                made = [number] if entry.verb is Verb.EARN else []
                desk.state.load_lots(self.connection, names, made)

    def effect(self, desk: Desk, name: tuple[int, str, str]) -> None:
        """See Reach."""
        columns, keys = ("entry", "refunded"), ("partner", "kind", "external_id")
        for entry, refunded in bulk.select(self.connection, tables.effect, columns, keys, [name]):
            desk.effects[name] = Effect(entry, refunded, refunded)

    def owed(self, partner: int) -> tuple[int, int]:
        """See Reach."""
        micros = points = 0
        for funding, outstanding in bulk.ask_sql(self.connection, _OUTSTANDING)():
            part = funds(bytes(funding)).part(partner)
            if part is not None and part.owed_micros:
                micros, points = micros + part.owed_micros * int(outstanding), points + int(outstanding)
        return micros, points

    def effect_of(self, desk: Desk, number: int) -> tuple[int, str, str] | None:
        """See Reach."""
        for partner, external_id in bulk.select(
            self.connection, tables.entry, ("partner", "external_id"), ("id",), [(number,)]
        ):
            name = (partner, "burn", external_id)
            if external_id is not None and desk.effect(name) is not None:
                return name
        return None

    def revocable(self, prefix: str) -> int | None:
        """See Reach."""
        columns = ("party", "revoked_at")
        rows = bulk.select(self.connection, tables.credential, columns, ("prefix",), [(prefix,)])
        return next((party for party, revoked_at in rows if revoked_at is None), None)

    def closed_at(self, number: int) -> int | None:
        """See Reach."""
        rows = bulk.ask_sql(self.connection, _CLOSED.format(group=group_of(number), place=place_of(number)))()
        return rows[0][0] if rows else None

    def in_wallets(self, currency: int) -> int:
        """See Reach."""
        ((points,),) = bulk.ask_sql(self.connection, _IN_WALLETS.format(currency=currency))()
        return int(points)

    def lots_for(self, number: int, currency: int, points: int) -> int:
        """See Reach."""
        return len(self._returning(number, currency, points))

    def _returning(self, number: int, currency: int, points: int) -> list[bulk.Row]:
        """Entry, index, member and points in wallets of the lots that `points` come back to, in order."""
        limit = 64
        while True:
            asked = _LENT.format(member=number, currency=currency, limit=limit)
            rows, left = list(bulk.ask_sql(self.connection, asked)()), points
            for place, row in enumerate(rows):
                left -= row[3]
                if left <= 0:
                    return rows[: place + 1]
            if len(rows) < limit:
                return rows
            limit *= 8

    def lent(self, desk: Desk, number: int, currency: int, points: int) -> list[tuple[Holdings, Lot]]:
        """See Reach."""
        rows = self._returning(number, currency, points)
        strangers = {row[2] for row in rows} - set(desk.state.members)
        desk.state.load(self.connection, ask(self.connection, strangers)(), desk.journal.now)
        desk.state.load_lots(self.connection, [(row[0], row[1]) for row in rows], ())
        members = desk.state.members
        return [(members[row[2]], members[row[2]].lots[row[0], row[1]]) for row in rows if row[2] != number]

    def open_entries(self) -> list[Entry]:
        """See Reach."""
        return [decode(bytes(body)) for (body,) in bulk.ask_sql(self.connection, _OPEN)()]

    def hold(self, desk: Desk, number: int) -> None:
        """See Reach."""
        for (owner,) in bulk.select(self.connection, tables.hold, ("member",), ("entry",), [(number,)]):
            desk.holders[number] = owner
            desk.known(owner)
            desk.state.load_holds(self.connection, [number])


@dataclass(frozen=True, slots=True)
class Copies:
    """Copies from the desk that a dry run must not touch."""

    base: Desk

    def member(self, desk: Desk, number: int) -> None:
        """See Reach."""
        found = self.base.known(number)
        if found is not None:
            desk.state.members.setdefault(found.member, deepcopy(found))
            if found.member != number:
                desk.state.merge(number, found.member)

    def entry(self, desk: Desk, number: int) -> None:
        """See Reach."""
        desk.originals[number] = self.base.original(number)
        self.member(desk, desk.originals[number][1])

    def effect(self, desk: Desk, name: tuple[int, str, str]) -> None:
        """See Reach."""
        found = self.base.effect(name)
        if found is not None:
            desk.effects[name] = structs.replace(found)

    def owed(self, partner: int) -> tuple[int, int]:
        """See Reach."""
        assert self.base.reach is not None
        return self.base.reach.owed(partner)

    def effect_of(self, desk: Desk, number: int) -> tuple[int, str, str] | None:
        """See Reach."""
        found = next((name for name, one in self.base.effects.items() if one.entry == number), None)
        if found is None and self.base.reach is not None:
            found = self.base.reach.effect_of(self.base, number)
        if found is not None:
            self.effect(desk, found)
        return found

    def revocable(self, prefix: str) -> int | None:
        """See Reach."""
        assert self.base.reach is not None
        return self.base.reach.revocable(prefix)

    def closed_at(self, number: int) -> int | None:
        """See Reach."""
        assert self.base.reach is not None
        return self.base.reach.closed_at(number)

    def in_wallets(self, currency: int) -> int:
        """See Reach."""
        assert self.base.reach is not None
        return self.base.reach.in_wallets(currency)

    def lots_for(self, number: int, currency: int, points: int) -> int:
        """See Reach."""
        assert self.base.reach is not None
        return self.base.reach.lots_for(number, currency, points)

    def lent(self, desk: Desk, number: int, currency: int, points: int) -> list[tuple[Holdings, Lot]]:
        """See Reach."""
        assert self.base.reach is not None
        found = self.base.reach.lent(self.base, number, currency, points)
        own = self.base.state.members[number].lots
        desk.state.members[number].lots |= {name: deepcopy(lot) for name, lot in own.items() if lot.withdrawn}
        for holder, _lot in found:
            if holder.member not in desk.state.members:
                self.member(desk, holder.member)
        members = desk.state.members
        return [(members[one.member], members[one.member].lots[lot.entry, lot.index]) for one, lot in found]

    def open_entries(self) -> list[Entry]:
        """See Reach."""
        assert self.base.reach is not None
        return [*self.base.reach.open_entries(), *(one.entry for one in self.base.journal.written)]

    def hold(self, desk: Desk, number: int) -> None:
        """See Reach."""
        found = self.base.hold(number)
        if found is not None:
            desk.holders[number] = found[0].member


_MADE_BY = """SELECT id FROM entry WHERE member IN ({ids}) UNION ALL SELECT id FROM entry WHERE other IN ({ids})"""


def merge(connection: Connection, desk: Desk) -> None:
    """Lots, debts, holds and names of members that were merged are the other's; who named them before is led there."""
    for gone, kept in desk.merged:
        entries = _MADE_BY.format(ids=_same(gone))
        for table in ("lot", "debt", "hold"):
            named = f"member = {gone} AND entry IN ({entries})"
            bulk.ask_sql(connection, f"UPDATE {table} SET member = {kept} WHERE {named} RETURNING entry")
        bulk.ask_sql(connection, f"UPDATE identity SET member = {kept} WHERE member = {gone} RETURNING member")
        both = f"id = {gone} OR merged_into = {gone}"
        bulk.ask_sql(connection, f"UPDATE member SET merged_into = {kept} WHERE {both} RETURNING id")
    desk.merged.clear()


def _same(number: int) -> str:
    """A query for all ids that are this member's."""
    return f"SELECT id FROM member WHERE id = {number} OR merged_into = {number}"


def erase(connection: Connection, desk: Desk) -> None:
    """The secret goes, and with it what tells whose the entries are; the names that partners have for the member and what
    was counted for caps too.
    """
    for number in desk.erased:
        bulk.ask_sql(
            connection,
            f"UPDATE member SET secret = {_NOTHING[connection.dialect.name]} "
            f"WHERE id = {number} OR merged_into = {number} RETURNING id",
        )
        bulk.ask_sql(
            connection,
            f"UPDATE act SET reason = '', salt = {_NOTHING[connection.dialect.name]}, before = NULL, after = NULL "
            f"WHERE member IN ({_same(number)}) RETURNING entry",
        )
        bulk.ask_sql(connection, f"DELETE FROM identity WHERE member = {number} RETURNING member")
        prefix = f"{number}:"
        for kind in _BY_MEMBER:
            named = f"kind = '{kind}' AND substr(name, 1, {len(prefix)}) = '{prefix}'"
            bulk.ask_sql(connection, f"DELETE FROM record WHERE {named} RETURNING name")
    desk.erased.clear()
