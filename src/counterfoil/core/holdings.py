"""Holdings: one member's lots, debts and holds, as a fold of entries.

`Holdings.apply` is the only place where an entry changes what a member has: the posting writer, the model of the
tests and the auditor fold with it. It raises Inconsistent where an entry takes what is not there.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from counterfoil.core.entry import DebtMade, Entry, LotMade, Move, Place, Verb
from counterfoil.core.lots import LotTerms
from counterfoil.core.units import COALITION_CURRENCY

_KEPT = {Place.AVAILABLE: "available", Place.HELD: "held", Place.BURNED: "burned", Place.EXPIRED: "expired",
         Place.PENDING: "pending", Place.WITHDRAWN: "withdrawn"}  # fmt: skip


_ENDS = {Verb.CAPTURE: "captured", Verb.RELEASE: "released", Verb.USE_REWARD: "used", Verb.EXPIRE_REWARD: "expired",
         Verb.REFUND_REWARD: "refunded"}  # fmt: skip


_TOLD = {Verb.FUND, Verb.MERGE}  # their moves say whose money others move, or what `absorb` takes over


class Inconsistent(Exception):
    """An entry that does not fit what it changes."""


class Lot(Struct, gc=False):
    """A lot's remainders by place. `points` = their sum and what has left for good."""

    entry: int
    index: int
    points: int
    terms: LotTerms
    available: int
    held: int = 0
    burned: int = 0
    expired: int = 0
    pending: int = 0
    withdrawn: int = 0

    @property
    def origin(self) -> tuple[int, int]:
        """The lot that this one continues, or itself."""
        return (
            (self.terms.origin_entry, self.terms.origin_index) if self.terms.origin_entry else (self.entry, self.index)
        )

    def burn_key(self) -> tuple[int, int, tuple[int, int], int, int]:
        """Earliest expiry first (none: last), then earliest earned, then in the order the lots were made."""
        return (self.terms.expires_at, self.terms.earned_at, self.origin, self.entry, self.index)

    def gift_key(self) -> tuple[int, int, tuple[int, int], int, int]:
        """Earliest earned first, then earliest expiry, then as made."""
        return (self.terms.earned_at, self.terms.expires_at, self.origin, self.entry, self.index)


class Sums(Struct, frozen=True, gc=False):
    """A member's points of one currency by state."""

    available: int = 0
    held: int = 0
    pending: int = 0
    debt: int = 0


class Debt(Struct, gc=False):
    """Points still owed to `made.issuer` by a member."""

    entry: int
    index: int
    made: DebtMade
    left: int


class Hold(Struct, gc=False):
    """A hold by `partner`: its parts are lots and points in burn order. `state` is open, captured, released or lapsed.

    A voucher is a hold of points already used: `cost_micros` is what its partner is paid for it, and it ends used, refunded
    or expired.
    """

    entry: int
    partner: int
    until: int
    parts: tuple[tuple[int, int, int], ...]
    state: str = "open"
    cost_micros: int | None = None

    @property
    def points(self) -> int:
        """Points held when it was made."""
        return sum(part[2] for part in self.parts)


class Holdings(Struct, gc=False):
    """What a member has. `member` and `secret` make commitments; an auditor has a handle and no secret.

    The coalition currency's sums are kept as lots change, so that an entry costs the same however many lots there are.
    Where lots were not read, because an earn needs none of them, they stand for them too, and `unseen_due` for what falls
    due first.
    """

    member: int
    secret: bytes = bytes(32)
    lots: dict[tuple[int, int], Lot] = field(default_factory=dict)
    debts: dict[tuple[int, int], Debt] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    touched: set[tuple[int, int]] = field(default_factory=set)  # lots changed since loaded
    available: int = 0  # points free to use, due things done
    held: int = 0  # points in open holds
    unseen_due: int | None = None
    erased: bool = False
    frozen: bool = False  # may not spend
    lent: dict[tuple[int, int], Holdings] = field(default_factory=dict)  # while others' lots are given back: whose
    _due: int | None = None
    _due_known: bool = False

    @property
    def debt(self) -> int:
        """Points owed in the coalition currency."""
        return self.owed(COALITION_CURRENCY) if self.debts else 0

    @property
    def owing(self) -> int:
        """Points owed, of whatever currency: none tells that there is nothing to repay."""
        return sum([debt.left for debt in self.debts.values()]) if self.debts else 0

    def owed(self, currency: int) -> int:
        """Points owed in a currency."""
        return sum([debt.left for debt in self.debts.values() if debt.made.currency == currency])

    def sums(self, currency: int = COALITION_CURRENCY) -> Sums:
        """Points by state, counted over the lots."""
        lots = [lot for lot in self.lots.values() if lot.terms.currency == currency]
        return Sums(
            sum(lot.available for lot in lots), sum(lot.held for lot in lots), sum(lot.pending for lot in lots),
            self.owed(currency),
        )  # fmt: skip

    def free(self, currency: int) -> int:
        """Points available in a currency."""
        return self.available if currency == COALITION_CURRENCY else self.sums(currency).available

    def add(self, lot: Lot) -> None:
        """A lot that is there already, as read from the books."""
        self.lots[lot.entry, lot.index] = lot
        if lot.terms.currency == COALITION_CURRENCY:
            self.available += lot.available
            self.held += lot.held
        self._due_known = False

    def terms_of(self, entry: int, index: int) -> LotTerms:
        """Of a lot, by name."""
        return self.lent.get((entry, index), self).lots[entry, index].terms

    def debt_of(self, entry: int, index: int) -> DebtMade:
        """A debt as it was made, by name."""
        return self.debts[entry, index].made

    def usable(self, now: int, currency: int = COALITION_CURRENCY) -> list[Lot]:
        """Lots of a currency with free points not past at `now`, in burn order."""
        return sorted(
            (
                lot
                for lot in self.lots.values()
                if lot.available and lot.terms.expires_at > now and lot.terms.currency == currency
            ),
            key=Lot.burn_key,
        )

    def next_due(self) -> int | None:
        """The first instant at which something here falls due: points activate or run out, a hold lapses."""
        if not self._due_known:
            self._due, self._due_known = self.unseen_due, True
            if self.lots or self.holds:
                instants = [] if self.unseen_due is None else [self.unseen_due]
                instants += [lot.terms.expires_at for lot in self.lots.values() if lot.available]
                instants += [lot.terms.available_at for lot in self.lots.values() if lot.pending]
                instants += [hold.until for hold in self.holds.values() if hold.state == "open"]
                self._due = min(instants, default=None)
        return self._due

    def withdrawn(self, currency: int) -> list[Lot]:
        """Lots of a currency with points in wallets, in burn order."""
        found = [lot for lot in self.lots.values() if lot.withdrawn and lot.terms.currency == currency]
        return sorted(found, key=Lot.burn_key)

    def apply(self, entry: Entry, owner: int = 0) -> None:
        """Fold `entry`, in which this member stands at place `owner`; moves, holds and repayments are the first's."""
        for index, made in enumerate(entry.lots):
            if made.owner == owner:
                self._make(entry.id, index, made)
        for index, owed in enumerate(entry.debts):
            if owed.owner == owner:
                self.debts[entry.id, index] = Debt(entry.id, index, owed, owed.points)
        if owner or entry.verb in _TOLD:
            return
        for move in entry.moves:
            self._move(move)
        for paid in entry.repaid:
            debt = self.debts.get((paid.entry, paid.index))
            if debt is None or debt.left < paid.points:
                raise Inconsistent(f"debt {paid.entry:x}.{paid.index} is less than the {paid.points} repaid")
            debt.left -= paid.points
        if entry.verb is Verb.HOLD or entry.verb is Verb.BUY_REWARD:
            parts = tuple((m.entry, m.index, m.points) for m in entry.moves)
            cost = entry.value_micros if entry.verb is Verb.BUY_REWARD else None
            self.holds[entry.id] = Hold(entry.id, entry.partner, entry.until, parts, cost_micros=cost)
            self._due_known = False
        elif entry.verb in _ENDS:
            hold = self.holds.get(entry.refers_to)
            if hold is None or hold.state != "open":
                raise Inconsistent(f"no open hold {entry.refers_to:x}")
            lapsed = entry.verb is Verb.RELEASE and entry.occurred_at >= hold.until
            hold.state = "lapsed" if lapsed else _ENDS[entry.verb]
            self._due_known = False

    def absorb(self, gone: Holdings) -> None:
        """Take over all that another member has, lots, debts and holds by their names: what a merge does."""
        for own, theirs in ((self.lots, gone.lots), (self.debts, gone.debts), (self.holds, gone.holds)):
            own.update(theirs)  # type: ignore[arg-type]
            theirs.clear()
        self.touched |= gone.touched
        self.available, gone.available = self.available + gone.available, 0
        self.held, gone.held = self.held + gone.held, 0
        gone.touched.clear()
        self._due_known = gone._due_known = False

    def _make(self, entry: int, index: int, made: LotMade) -> None:
        terms, points = made.terms, made.points
        due = terms.available_at
        if due:
            lot = Lot(entry, index, points, terms, 0, pending=points)
        else:
            lot = Lot(entry, index, points, terms, points)
            due = terms.expires_at
            if terms.currency == COALITION_CURRENCY:
                self.available += points
        self.lots[entry, index] = lot
        self.touched.add((entry, index))
        if self._due_known and (self._due is None or due < self._due):
            self._due = due

    def _move(self, move: Move) -> None:
        lender = self.lent.get((move.entry, move.index))
        if lender is not None:  # what somebody else withdrew is given back here
            lender._move(move)  # noqa: SLF001 of the same class
            return
        lot = self.lots.get((move.entry, move.index))
        if lot is None:
            raise Inconsistent(f"no lot {move.entry:x}.{move.index}")
        for place, sign in ((move.source, -1), (move.target, 1)):
            name = _KEPT.get(place)
            if name is not None:
                left = getattr(lot, name) + sign * move.points
                if left < 0:
                    raise Inconsistent(f"lot {move.entry:x}.{move.index} has fewer than {move.points} {name}")
                setattr(lot, name, left)
                self._due_known = False
                if lot.terms.currency != COALITION_CURRENCY:
                    continue
                if place is Place.AVAILABLE:
                    self.available += sign * move.points
                elif place is Place.HELD:
                    self.held += sign * move.points
        self.touched.add((move.entry, move.index))


def at(lot: Lot, place: Place) -> int:
    """A lot's points at a place where it keeps some."""
    points: int = getattr(lot, _KEPT[place])
    return points


def take(lots: Iterable[Lot], points: int, source: Place, target: Place) -> list[Move]:
    """Moves of up to `points` from the lots' `source`, in the order given; short if there are not enough."""
    moves = []
    for lot in lots:
        if not points:
            break
        part = min(points, at(lot, source))
        if part:
            moves.append(Move(lot.entry, lot.index, source, target, part))
            points -= part
    return moves
