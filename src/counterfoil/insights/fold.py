"""The fold: lots, debts and flows by issuer, from the entries alone, in log order.

In memory are the lots ever made (a refund may reach back to any of them), open debts, and two instants for each member
and issuer; never the entries. It recomputes no posting: that is the auditor's work, and figures of a ledger that does not
tally with its headers are refused (`ledger`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from counterfoil.core.accounts import POOL, owner_of
from counterfoil.core.calendar import local_day
from counterfoil.core.entry import Entry, LotMade, Move, Place, Verb
from counterfoil.core.errors import Unreadable
from counterfoil.core.legs import ISSUING
from counterfoil.core.units import MONEY
from counterfoil.insights.breakage import Cohort
from counterfoil.insights.stock import DAY, Lot, Stock
from counterfoil.insights.tally import Closed, Tally

Key = tuple[int, int]  # currency and party; party 0: all of them
_HANDLE, _CURRENCY = 48, 16  # bits that handle and currency stand above
_KEY = (1 << _HANDLE) - 1
_INDEX = 16
_KEPT = {
    Place.AVAILABLE: "available", Place.HELD: "held", Place.PENDING: "pending", Place.WITHDRAWN: "withdrawn",
}  # fmt: skip
_LIABLE = {Place.AVAILABLE, Place.HELD}


@dataclass(slots=True)
class Owed:
    """A member's debt to an issuer: points left of it."""

    key: Key
    left: int


@dataclass(frozen=True, slots=True)
class Habit:
    """How many members burned, and the lower median of the whole days until they did; None where nobody has."""

    members: int = 0
    days: int | None = None


@dataclass(slots=True)
class Fold:
    """`apply` takes entries in log order with the handle of the first member (0: none). Raises Unreadable."""

    zone: str
    pool_micros: int = 0
    tallies: dict[Key, Tally] = field(default_factory=dict)
    outstanding: dict[int, int] = field(default_factory=dict)  # points available and held, by currency
    withdrawn: dict[int, int] = field(default_factory=dict)  # points in wallets, by currency
    _lots: dict[int, Lot] = field(default_factory=dict)  # by entry and index in one number: smaller than a pair
    _debts: dict[Key, Owed] = field(default_factory=dict)
    _first_earn: dict[int, int] = field(default_factory=dict)
    _first_burn: dict[int, int] = field(default_factory=dict)

    def apply(self, entry: Entry, handle: int) -> None:
        """Fold one entry."""
        for posting in entry.postings:
            if posting.unit == MONEY:
                received = (owner_of(posting.credit) == POOL) - (owner_of(posting.debit) == POOL)
                self.pool_micros += received * posting.amount
        if entry.verb in {
            Verb.FUND,
            Verb.MERGE,
        }:  # its moves are those of the entry before it, or leave all where it is
            return
        for index, made in enumerate(entry.lots):
            self._make(entry, index, made, handle)
        for move in entry.moves:
            self._move(entry, move, handle)
        for index, debt in enumerate(entry.debts):
            self._debts[entry.id, index] = Owed((debt.currency, debt.issuer), debt.points)
        for repaid in entry.repaid:
            owed = self._debts.get((repaid.entry, repaid.index))
            if owed is None or owed.left < repaid.points:
                raise Unreadable("entries", f"ent_{entry.id:016x} repays more than a debt")
            owed.left -= repaid.points
            if not owed.left:
                del self._debts[repaid.entry, repaid.index]

    def _make(self, entry: Entry, index: int, made: LotMade, handle: int) -> None:
        terms = made.terms
        tally, day = self._tally(terms.currency, terms.issuer), local_day(terms.earned_at, self.zone)
        cohort = tally.cohorts.setdefault(day.year * 12 + day.month, Cohort())
        if not terms.origin_entry:  # a few points with grace do not keep a cohort open
            cohort.over_at = max(cohort.over_at, terms.expires_at)
        lot = Lot(tally, cohort, terms.earned_at, terms.expires_at, terms.funds)
        self._lots[entry.id << _INDEX | index] = lot
        if terms.available_at:
            lot.pending = made.points
        else:
            lot.available = made.points
            self._outstanding(lot, made.points)
        if entry.verb in ISSUING:
            if not terms.available_at:
                _issue(lot, made.points)
            _note(self._first_earn, handle, tally, terms.earned_at)

    def _move(self, entry: Entry, move: Move, handle: int) -> None:
        lot, points = self._lots.get(move.entry << _INDEX | move.index), move.points
        if lot is None:
            raise Unreadable("entries", f"ent_{entry.id:016x} moves points of a lot that no entry made")
        for place, sign in ((move.source, -1), (move.target, 1)):
            name = _KEPT.get(place)
            if name is not None:
                left = getattr(lot, name) + sign * points
                if left < 0:
                    raise Unreadable("entries", f"ent_{entry.id:016x} takes more of a lot than is left")
                setattr(lot, name, left)
        self._outstanding(lot, points * ((move.target in _LIABLE) - (move.source in _LIABLE)))
        away = (move.target is Place.WITHDRAWN) - (move.source is Place.WITHDRAWN)
        if away:
            currency = lot.tally.currency
            self.withdrawn[currency] = self.withdrawn.get(currency, 0) + away * points
        self._flow(entry, move, lot, handle)

    def _flow(self, entry: Entry, move: Move, lot: Lot, handle: int) -> None:
        tally, points = lot.tally, move.points
        if move.source is Place.BURNED:
            self._use(lot, entry.partner, -points)
        match move.target:
            case Place.AVAILABLE if move.source is Place.PENDING:
                _issue(lot, points)
            case Place.BURNED:
                self._use(lot, entry.partner, points)
                _note(self._first_burn, handle, tally, entry.occurred_at)
            case Place.REPAID:  # booked as if the refunded issuer had burned them
                self._use(lot, entry.partner, points)
                tally.flows.repaid += points
            case Place.EXPIRED:
                tally.flows.expired += points
                lot.cohort.expired += points
            case Place.TAKEN if move.source is Place.AVAILABLE:
                tally.flows.taken_back += points
                tally.face_micros -= points * lot.funds.face_micros
            case _:
                pass

    def _use(self, lot: Lot, partner: int, points: int) -> None:
        """Points used at a partner, or below zero given back there."""
        lot.tally.flows.burned += points
        lot.cohort.burned += points
        self._tally(lot.tally.currency, partner).flows.burned_here += points
        if partner != lot.tally.party:
            lot.tally.flows.burned_elsewhere += points

    def _outstanding(self, lot: Lot, change: int) -> None:
        currency = lot.tally.currency
        self.outstanding[currency] = self.outstanding.get(currency, 0) + change

    def _tally(self, currency: int, party: int) -> Tally:
        found = self.tallies.get((currency, party))
        if found is None:
            found = self.tallies[currency, party] = Tally(currency, party)
        return found

    def closed(self, at: int) -> dict[Key, Closed]:
        """All tallies as of the close at an instant."""
        return {key: tally.closed(at) for key, tally in self.tallies.items()}

    def stocks(self, at: int) -> dict[Key, Stock]:
        """What is outstanding as of the close at an instant."""
        found = {key: Stock() for key in self.tallies}
        for lot in self._lots.values():
            if lot.available or lot.held or lot.pending or lot.withdrawn:
                found[lot.tally.currency, lot.tally.party].count(lot, at)
        for owed in self._debts.values():
            found.setdefault(owed.key, Stock()).debt += owed.left
        return found

    def days_to_first_burn(self) -> dict[Key, Habit]:
        """From a member's first earn to its first burn of an issuer's points, over all who burned."""
        found: dict[Key, list[int]] = {}
        for name, burned_at in self._first_burn.items():
            earned_at = self._first_earn.get(name)
            if earned_at is not None:  # whoever burned only gifts is not counted
                currency, party = (name & _KEY) >> _CURRENCY, name & (1 << _CURRENCY) - 1
                found.setdefault((currency, party), []).append(max(0, burned_at - earned_at) // DAY)
        return {key: Habit(len(days), sorted(days)[(len(days) - 1) // 2]) for key, days in found.items()}


def _issue(lot: Lot, points: int) -> None:
    lot.tally.flows.issued += points
    lot.tally.face_micros += points * lot.funds.face_micros


def _note(first: dict[int, int], handle: int, tally: Tally, at: int) -> None:
    """Keep the earliest instant of a member, with the issuer and with all of a currency."""
    if handle:
        for party in (tally.party, 0):
            name = handle << _HANDLE | tally.currency << _CURRENCY | party
            first[name] = min(at, first.get(name, at))
