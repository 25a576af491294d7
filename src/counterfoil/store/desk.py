"""The desk of one transaction: what it has read, what it decides on, what it has changed; and the names that answers use."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from msgspec import Struct
from sqlalchemy import Table

from counterfoil.core import netting
from counterfoil.core.entry import Entry, group_of, place_of
from counterfoil.core.errors import UnknownCurrency, UnknownMember
from counterfoil.core.holdings import Hold, Holdings, Lot
from counterfoil.core.journal import Journal
from counterfoil.core.limits import CreditExhausted
from counterfoil.core.operation import Operation
from counterfoil.core.refusals import MemberErased, MemberFrozen, PartnerExited, PartnerSuspended
from counterfoil.core.units import COALITION_CURRENCY
from counterfoil.store import bulk
from counterfoil.store.kinds import Exposure
from counterfoil.store.records import Records
from counterfoil.store.registry import COALITION_CURRENCY_NAME, Programme
from counterfoil.store.state import State


class Effect(Struct, gc=False):
    """An accepted operation under its external id; `refunded` counts points of an earn or burn taken back."""

    entry: int
    refunded: int = 0
    was: int | None = None  # `refunded` as it stands in the books; None if it is not there yet


class Reach(Protocol):
    """Reads what a seldom verb finds that it needs, while it decides, onto the desk; what is not there is not put."""

    def member(self, desk: Desk, number: int) -> None:
        """A member with all its lots."""

    def entry(self, desk: Desk, number: int) -> None:
        """An entry by id, with its first member and the lots it made or used."""

    def owed(self, partner: int) -> tuple[int, int]:
        """Micros a partner owes at use for points outstanding, and how many points that are."""

    def effect_of(self, desk: Desk, number: int) -> tuple[int, str, str] | None:
        """The name of the effect whose entry this is; the effect is put on the desk."""

    def closed_at(self, number: int) -> int | None:
        """When the settlement was closed in which an entry stands; None if it still is to be."""

    def open_entries(self) -> list[Entry]:
        """The entries of the open settlement so far."""

    def in_wallets(self, currency: int) -> int:
        """Points of a currency withdrawn and not given back."""

    def lots_for(self, number: int, currency: int, points: int) -> int:
        """How many lots so many points come back to, the member's own first."""

    def lent(self, desk: Desk, number: int, currency: int, points: int) -> list[tuple[Holdings, Lot]]:
        """Lots that others than this member withdrew, in burn order, as many as `points` may need; its own are read too."""

    def effect(self, desk: Desk, name: tuple[int, str, str]) -> None:
        """An effect by name."""

    def revocable(self, prefix: str) -> int | None:
        """Whose API key this is; None if there is none that works."""

    def hold(self, desk: Desk, number: int) -> None:
        """A hold or voucher by its entry's id, with its member."""


@dataclass(slots=True)
class Desk:
    """What one transaction decides on: the journal, the members, the effects and originals read so far."""

    programme: Programme
    journal: Journal
    state: State
    effects: dict[tuple[int, str, str], Effect] = field(default_factory=dict)
    originals: dict[int, tuple[Entry, int]] = field(default_factory=dict)  # committed before: entry, its first member
    holders: dict[int, int] = field(default_factory=dict)  # member by hold
    reach: Reach | None = None  # None: what was read is all there is
    records: Records = field(default_factory=lambda: Records(lambda _kind, _name: None))
    statuses: dict[int, tuple[str, str]] = field(default_factory=dict)  # partners' new and old
    erased: list[int] = field(default_factory=list)  # members whose secret and identities go with this commit
    merged: list[tuple[int, int]] = field(default_factory=list)  # members that become another's with this commit
    then: list[Operation] = field(default_factory=list)  # what a verb sets off, decided right behind it
    rows: dict[Table, list[bulk.Row]] = field(default_factory=dict)  # to be inserted, by table
    updates: list[tuple[Table, tuple[str, ...], tuple[str, ...], bulk.Row]] = field(default_factory=list)
    counted: int = 0  # entries of the journal whose money is in exposures
    founding: bool = False  # no entry was written yet
    was: dict[str, object] | None = None  # what an act changes, as it stood before
    revised: bool = False  # the programme is no longer as its revision says
    changed: dict[tuple[int, str, str], None] = field(default_factory=dict)  # effects not written yet, in order

    def write(self, table: Table, row: bulk.Row) -> None:
        """A row to be inserted with this commit."""
        self.rows.setdefault(table, []).append(row)

    def change(self, table: Table, keys: tuple[str, ...], columns: tuple[str, ...], row: bulk.Row) -> None:
        """A row to be updated with this commit: keys, new values, values decided on."""
        self.updates.append((table, keys, columns, row))

    def note_exposure(self) -> None:
        """Count what entries written so far make partners with a credit limit pay and receive."""
        limited = self.programme.limited
        for one in self.journal.written[self.counted :] if limited else ():
            number = one.entry.partner
            if number in limited:
                held, open_ = self.exposure(number), self.programme.open_settlement
                nets: dict[int, int] = {}
                netting.fold(one.entry.postings, nets)
                micros = {n: sum_ for n, sum_ in held.micros.items() if n > self.programme.settled}
                self.records.keep(str(number), Exposure({**micros, open_: micros.get(open_, 0) + nets.get(number, 0)}))
        self.counted = len(self.journal.written)

    def exposure(self, number: int) -> Exposure:
        """What a partner with a credit limit has outstanding, entries of this group not counted yet."""
        return self.records.find(Exposure, str(number)) or Exposure({})

    def require_credit(self, number: int, cost_micros: int) -> None:
        """Raises CreditExhausted if a partner would owe more than its contract in force allows."""
        limit = self.programme.parties[number].contract_at(self.journal.now).credit_limit_micros
        if limit is None or not cost_micros:
            return
        self.note_exposure()
        owed = -sum(net for n, net in self.exposure(number).micros.items() if n > self.programme.settled)
        if owed + cost_micros > limit:
            raise CreditExhausted(cost_micros, max(0, limit - owed), limit)

    def revise(self, **changes: Any) -> None:
        """Change the programme for what follows; who has read it must read it again."""
        self.programme, self.revised = replace(self.programme, **changes), True

    def take(self, name: tuple[int, str, str], number: int) -> None:
        """An effect's name is taken, by this entry (0: by what makes none); one without an external id has none."""
        if name[2]:
            self.effects[name] = Effect(number)
            self.changed[name] = None

    def effect_of(self, number: int) -> Effect | None:
        """The effect whose entry this is, to be changed: it will be written."""
        found = [name for name, one in self.effects.items() if one.entry == number]
        if not found and self.reach is not None:
            name = self.reach.effect_of(self, number)
            found = [] if name is None else [name]
        if not found:
            return None
        self.changed[found[0]] = None
        return self.effects[found[0]]

    def active(self, number: int) -> None:
        """Raises PartnerSuspended, PartnerExited."""
        party = self.programme.parties[number]
        if party.status != "active":
            raise (PartnerSuspended if party.status == "suspended" else PartnerExited)(party.name)

    def set_status(self, number: int, status: str) -> None:
        """Of a partner, from now on."""
        party = self.programme.parties[number]
        self.statuses[number] = status, party.status if number not in self.statuses else self.statuses[number][1]
        self.revise(parties={**self.programme.parties, number: replace(party, status=status)})

    def original(self, number: int) -> tuple[Entry, int]:
        """An entry that a refund refers to, and its first member; it may stand in this very group."""
        if group_of(number) == self.journal.group:
            written = self.journal.written[place_of(number)]
            return written.entry, written.members[0] if written.members else 0
        if number not in self.originals and self.reach is not None:
            self.reach.entry(self, number)
        return self.originals[number]

    def effect(self, name: tuple[int, str, str]) -> Effect | None:
        """An accepted operation under its external id, read now if need be."""
        if name not in self.effects and self.reach is not None:
            self.reach.effect(self, name)
        return self.effects.get(name)

    def hold(self, number: int) -> tuple[Holdings, Hold] | None:
        """A hold or voucher whatever its state, and whose it is."""
        if number not in self.holders and self.reach is not None:
            self.reach.hold(self, number)
        who = self.known(self.holders.get(number, 0))
        return (who, who.holds[number]) if who is not None and number in who.holds else None

    def known(self, number: int) -> Holdings | None:
        """A member's holdings, if there is such a member."""
        who = self.state.member(number)
        if who is None and number and self.reach is not None:
            self.reach.member(self, number)
            who = self.state.member(number)
        return who

    def member(self, number: int, field_name: str = "member") -> Holdings:
        """A member's holdings; raises UnknownMember."""
        who = self.known(number)
        if who is None:
            raise UnknownMember(member_name(number), field_name)
        if who.erased:
            raise MemberErased(member_name(number), field_name)
        return who

    def spender(self, number: int, field_name: str = "member") -> Holdings:
        """A member that may spend; raises UnknownMember, MemberErased, MemberFrozen."""
        who = self.member(number, field_name)
        if who.frozen:
            raise MemberFrozen(member_name(number), field_name)
        return who


def member_name(number: int) -> str:
    """A member's public id."""
    return f"mbr_{number:016x}"


def entry_name(number: int) -> str:
    """An entry's public id."""
    return f"ent_{number:016x}"


def currency_number(desk: Desk, name: str, field_name: str = "currency") -> int:
    """A currency by name; raises UnknownCurrency."""
    if name == COALITION_CURRENCY_NAME:
        return COALITION_CURRENCY
    found = next((one.number for one in desk.programme.currencies.values() if one.name == name), None)
    if found is None:
        raise UnknownCurrency(name, field_name)
    return found
