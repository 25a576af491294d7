"""The books read behind the API's back: entries folded one by one and compared with what stands stored."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from counterfoil.core.accounts import OPERATOR, POOL, Kind, kind_of, owner_of
from counterfoil.core.encoding import decode
from counterfoil.core.entry import Entry, Verb, group_of, place_of
from counterfoil.core.holdings import Holdings
from counterfoil.core.journal import Journal
from counterfoil.core.rulebook.due import settle_up
from counterfoil.core.units import MONEY
from counterfoil.store.engine import Engine

Row = tuple[Any, ...]
_ENTRIES = "SELECT id, body, member, other FROM entry WHERE id > :after ORDER BY id"
_MEMBERS = "SELECT id, available, held, debt, next_due FROM member"
_LOTS = 'SELECT member, entry, "index", available, held, burned, expired, withdrawn FROM lot'
_DEBTS = 'SELECT member, entry, "index", "left" FROM debt'
_HOLDS = "SELECT member, entry, state FROM hold"


@dataclass
class Ledger:
    """A fold of every entry so far. `follow` reads what is new and checks all that it touched."""

    names: dict[int, str]  # parties
    members: dict[int, Holdings] = field(default_factory=dict)
    money: dict[int, int] = field(default_factory=dict)
    worth: dict[int, int] = field(default_factory=dict)  # of a member's open lots, micros
    last: int = -1

    def follow(self, engine: Engine) -> list[Entry]:
        """The entries that are new. Raises AssertionError where stored and folded differ."""
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            entries, touched = [], set()
            for number, body, member, other in connection.execute(text(_ENTRIES), {"after": self.last}):
                entry = decode(bytes(body))
                assert entry.id == number
                self._gapless(number)
                touched |= self.fold(entry, member, other)
                entries.append(entry)
            self._stored(connection, touched)
        assert self.money.get(POOL, 0) == sum(self.worth.values()), "pool is not the sum of remaining x face"
        return entries

    def _gapless(self, number: int) -> None:
        before = (group_of(self.last), place_of(self.last)) if self.last >= 0 else (0, -1)
        here = (group_of(number), place_of(number))
        assert here in {(before[0], before[1] + 1), (before[0] + 1, 0)}, f"{number:x} after {self.last:x}"
        self.last = number

    def fold(self, entry: Entry, member: int, other: int | None) -> set[int]:
        """Who has other lots than before."""
        balanced(entry)
        changed = {member} | ({other} if other is not None else set())
        for posting in entry.postings:
            if posting.unit == MONEY:
                for word, sign in ((posting.debit, -1), (posting.credit, 1)):
                    owner = owner_of(word)
                    self.money[owner] = self.money.get(owner, 0) + sign * posting.amount
        for owner, number in enumerate([member] if other is None else [member, other]):
            who = self.members.setdefault(number, Holdings(number))
            who.lent = self._lent(entry, who)
            changed |= {lender.member for lender in who.lent.values()}
            who.apply(entry, owner)
            who.lent = {}
        for number in changed:
            self.worth[number] = sum(
                (lot.available + lot.held + lot.withdrawn) * lot.terms.funds.paid_micros
                for lot in self.members[number].lots.values()
            )
        return changed

    def _lent(self, entry: Entry, who: Holdings) -> dict[tuple[int, int], Holdings]:
        """Whose the lots are that somebody else gives back."""
        names = {(move.entry, move.index) for move in entry.moves if entry.verb is Verb.GIVE_BACK}
        others = [one for one in self.members.values() if one is not who]
        return {name: one for name in names - who.lots.keys() for one in others if name in one.lots}

    def _stored(self, connection: Connection, touched: set[int]) -> None:
        wanted = f"({', '.join(map(str, touched))})"
        if not touched:
            return
        rows = {row[0]: tuple(row) for row in connection.execute(text(f"{_MEMBERS} WHERE id IN {wanted}"))}
        kept: dict[str, dict[int, list[Row]]] = {}
        for name, query in (("lot", _LOTS), ("debt", _DEBTS), ("hold", _HOLDS)):
            for member, *rest in connection.execute(text(f"{query} WHERE member IN {wanted}")):
                kept.setdefault(name, {}).setdefault(member, []).append(tuple(rest))
        for number in touched:
            who = self.members[number]
            assert rows[number] == (number, who.available, who.held, who.debt, who.next_due()), "member's sums"
            lots = [(*n, x.available, x.held, x.burned, x.expired, x.withdrawn) for n, x in who.lots.items()]
            assert sorted(kept.get("lot", {}).get(number, [])) == sorted(lots), "lots"
            debts = [(*n, x.left) for n, x in who.debts.items()]
            assert sorted(kept.get("debt", {}).get(number, [])) == sorted(debts), "debts"
            holds = [(n, x.state) for n, x in who.holds.items()]
            assert sorted(kept.get("hold", {}).get(number, [])) == sorted(holds), "holds"
            sane(who)

    def view(self, number: int, now: int) -> Holdings:
        """A member as of `now`, whether or not the job ran."""
        who = self.members.get(number) or Holdings(number)
        first = who.next_due()
        if first is None or first > now:
            return who
        who = deepcopy(who)
        settle_up(Journal(bytes(32), 0, now), who)
        return who

    def open_lots(self, who: Holdings) -> list[Row]:
        """As tests.faults.model shows them."""
        return sorted(
            (self.names[x.terms.issuer], x.terms.earned_at, x.terms.expires_at, x.available, x.held)
            for x in who.lots.values()
            if x.available or x.held
        )

    def by_name(self) -> dict[str, int]:
        names = {POOL: "pool", OPERATOR: "operator", **self.names}
        return {names[number]: amount for number, amount in self.money.items() if amount}


def balanced(entry: Entry) -> None:
    """Per unit what is debited is credited; money and points never mix; one partner's money at most."""
    sums: dict[int, int] = {}
    for posting in entry.postings:
        assert posting.amount > 0
        for word, sign in ((posting.debit, -1), (posting.credit, 1)):
            sums[posting.unit] = sums.get(posting.unit, 0) + sign * posting.amount
            kind, owner = kind_of(word), owner_of(word)
            assert (kind is Kind.PARTY) == (posting.unit == MONEY)
            assert kind is not Kind.PARTY or owner in {POOL, OPERATOR, entry.partner}
    assert not any(sums.values())


def sane(who: Holdings) -> None:
    """Nothing below zero but by a debt, and never a debt beside available points; a lot is the sum of its places."""
    for lot in who.lots.values():
        places = (lot.available, lot.held, lot.burned, lot.expired, lot.withdrawn)
        assert min(places) >= 0
        assert sum(places) <= lot.points
    assert all(0 <= debt.left <= debt.made.points for debt in who.debts.values())
    assert not (who.debt and who.available), "a debt beside available points"
    held = sum(hold.points for hold in who.holds.values() if hold.state == "open")
    assert who.held == held, "held points without a hold"
