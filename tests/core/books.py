"""Books in memory: members, a clock and the verbs, one group an operation; and what must hold after each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from counterfoil.core.accounts import MEMBER_KINDS, OPERATOR, POOL, Kind, kind_of, owner_of
from counterfoil.core.encoding import decode
from counterfoil.core.entry import Entry, Place, Verb, group_id
from counterfoil.core.errors import Refusal
from counterfoil.core.holdings import Holdings, Lot
from counterfoil.core.journal import Journal, Written
from counterfoil.core.netting import fold, positions
from counterfoil.core.rulebook import due, refunds, verbs
from counterfoil.core.rulebook.contracts import Contract, alone
from counterfoil.core.rulebook.refunds import Original, Recovery
from counterfoil.core.rulebook.verbs import Grant, Sale
from counterfoil.core.units import MONEY, NEVER

PROGRAMME = b"\xc0" * 32
ZONE = "Europe/Zurich"
DAY = 86_400_000_000
START = 1_764_583_200_000_000  # 2025-12-01T10:00:00Z
BIG, SMALL = 16, 17
CONTRACTS = {
    BIG: Contract(1),
    SMALL: Contract(3, face_micros=8_333, fee_micros=777, valid_days=60, breakage_operator_bp=3_333),
    18: Contract(1, face_micros=20_000, fee_micros=0, valid_days=None, breakage_operator_bp=10_000),
    19: Contract(2, face_micros=9_000, fee_micros=13, issuance_bp=0),
    20: Contract(1, face_micros=11_111, fee_micros=100, issuance_bp=3_333, fee_refundable=False),
}


@dataclass(slots=True)
class Books:
    """`ann` and `bob` are the members; `now` moves by hand."""

    now: int = START
    ann: Holdings = field(default_factory=lambda: Holdings(1001, b"a" * 32))
    bob: Holdings = field(default_factory=lambda: Holdings(1002, b"b" * 32))
    written: list[Written] = field(default_factory=list)
    refunded: dict[int, int] = field(default_factory=dict)
    groups: int = 0

    @property
    def members(self) -> tuple[Holdings, Holdings]:
        return self.ann, self.bob

    @property
    def entries(self) -> list[Entry]:
        return [one.entry for one in self.written]

    def _journal(self) -> Journal:
        self.groups += 1
        return Journal(PROGRAMME, group_id(0, self.groups), self.now)

    def _kept(self, journal: Journal) -> None:
        self.written += journal.written

    def earn(
        self, who: Holdings, points: int, partner: int = BIG, days: int | None = 365, pending: int = 0,
    ) -> Entry:  # fmt: skip
        journal = self._journal()
        expires_at = NEVER if days is None else self.now + days * DAY
        available_at = self.now + pending * DAY if pending else 0
        try:
            grants = [Grant(points, alone(CONTRACTS[partner], partner))]
            return verbs.earn(journal, who, partner, grants, Sale(self.now, expires_at, available_at))
        finally:
            self._kept(journal)

    def burn(self, who: Holdings, points: int, partner: int = BIG) -> Entry:
        journal = self._journal()
        try:
            return verbs.burn(journal, who, partner, points)
        finally:
            self._kept(journal)

    def hold(self, who: Holdings, points: int, partner: int = BIG, days: int = 1) -> Entry:
        journal = self._journal()
        try:
            return verbs.hold(journal, who, partner, points, self.now + days * DAY)
        finally:
            self._kept(journal)

    def capture(self, who: Holdings, hold: int, points: int) -> Entry:
        journal = self._journal()
        try:
            return verbs.capture(journal, who, who.holds[hold], points)
        finally:
            self._kept(journal)

    def release(self, who: Holdings, hold: int) -> Entry:
        journal = self._journal()
        try:
            return verbs.release(journal, who, who.holds[hold])
        finally:
            self._kept(journal)

    def refund_earn(self, who: Holdings, earned: Entry, points: int) -> Recovery:
        journal = self._journal()
        try:
            found = refunds.refund_earn(journal, who, Original(earned, self.refunded.get(earned.id, 0)), points)
        finally:
            self._kept(journal)
        self.refunded[earned.id] = self.refunded.get(earned.id, 0) + points
        return found

    def refund_burn(self, who: Holdings, burned: Entry, points: int) -> Entry:
        journal = self._journal()
        try:
            original = Original(burned, self.refunded.get(burned.id, 0))
            found = refunds.refund_burn(journal, who, original, points, ZONE)
        finally:
            self._kept(journal)
        self.refunded[burned.id] = self.refunded.get(burned.id, 0) + points
        return found

    def gift(self, sender: Holdings, recipient: Holdings, points: int, partner: int = BIG) -> Entry:
        journal = self._journal()
        try:
            return verbs.transfer(journal, sender, recipient, points, partner)
        finally:
            self._kept(journal)

    def due(self, who: Holdings) -> list[Entry]:
        journal = self._journal()
        due.settle_up(journal, who)
        self._kept(journal)
        return [one.entry for one in journal.written]

    def money(self, entries: list[Entry] | None = None) -> dict[int, int]:
        """Nets by party; + receives."""
        nets: dict[int, int] = {}
        for entry in self.entries if entries is None else entries:
            fold(entry.postings, nets)
        return {party: net for party, net in nets.items() if net}

    def points(self) -> dict[tuple[Kind, int], int]:
        """Balances by kind and owner, credit less debit; a member's by number."""
        found: dict[tuple[Kind, int], int] = {}
        for one in self.written:
            for p in one.entry.postings:
                if p.unit == MONEY:
                    continue
                for word, amount in ((p.debit, -p.amount), (p.credit, p.amount)):
                    kind, owner = kind_of(word), owner_of(word)
                    if kind in MEMBER_KINDS:
                        owner = one.members[owner]
                    found[kind, owner] = found.get((kind, owner), 0) + amount
        return found


def refused(act: Callable[[], object]) -> Refusal | None:
    """The refusal an act ends with, if any."""
    try:
        act()
    except Refusal as refusal:
        return refusal
    return None


def moved(books: Books, place: Place) -> int:
    """Points that ever moved to a place."""
    entries = [entry for entry in books.entries if entry.verb is not Verb.FUND]
    return sum(move.points for entry in entries for move in entry.moves if move.target is place)


def kept(lot: Lot) -> tuple[int, ...]:
    """A lot's remainders."""
    return (lot.available, lot.held, lot.burned, lot.expired, lot.pending, lot.withdrawn)


def check(books: Books) -> None:
    """Conservation: points are neither made nor lost, money sums to zero, the pool backs every point outstanding."""
    nets, balances = books.money(), books.points()
    assert sum(nets.values()) == 0
    assert sum(balances.values()) == 0
    backing = 0
    for who in books.members:
        assert balances.get((Kind.AVAILABLE, who.member), 0) == who.available >= 0
        assert balances.get((Kind.HELD, who.member), 0) == who.held >= 0
        assert balances.get((Kind.PENDING, who.member), 0) == who.sums().pending >= 0
        assert -balances.get((Kind.DEBT, who.member), 0) == who.debt >= 0
        assert who.held == sum(hold.points for hold in who.holds.values() if hold.state == "open")
        assert who.available == sum(lot.available for lot in who.lots.values())
        dues = [lot.terms.expires_at for lot in who.lots.values() if lot.available]
        dues += [lot.terms.available_at for lot in who.lots.values() if lot.pending]
        dues += [hold.until for hold in who.holds.values() if hold.state == "open"]
        assert who.next_due() == min(dues, default=None)
        for lot in who.lots.values():
            assert min(kept(lot)) >= 0
            assert sum(kept(lot)) <= lot.points
            backing += (lot.available + lot.held + lot.withdrawn) * lot.terms.funds.paid_micros
        for debt in who.debts.values():
            assert 0 <= debt.left <= debt.made.points
    assert nets.get(POOL, 0) == backing
    made = sum(m.points for e in books.entries if e.verb is Verb.EARN for m in e.lots)
    lots = [lot for who in books.members for lot in who.lots.values()]
    standing = sum(sum(kept(lot)) for lot in lots)
    assert made == standing + sum(moved(books, place) for place in (Place.TAKEN, Place.REPAID, Place.CANCELLED))
    assert positions(nets).rounding + sum(positions(nets).rounded.values()) == 0
    for entry in books.entries:
        outside = {party for party in books.money([entry]) if party >= 16}
        assert outside <= {entry.partner}
    assert nets.get(OPERATOR, 0) >= 0


def no_debt_beside_points(books: Books) -> None:
    for who in books.members:
        assert not (who.debt and [lot for lot in who.usable(books.now) if lot.available])


def refold(books: Books) -> None:
    """What members have follows from the bodies alone."""
    again = {who.member: Holdings(who.member) for who in books.members}
    for one in books.written:
        entry = decode(one.body)
        for place, member in enumerate(one.members):
            who = again[member]
            names = [(move.entry, move.index) for move in entry.moves]
            others = [again[number] for number in one.lenders]
            who.lent = {name: other for other in others for name in names if name in other.lots}
            who.apply(entry, place)
            who.lent = {}
    for who in books.members:
        found = again[who.member]
        assert (found.lots, found.debts, found.holds) == (who.lots, who.debts, who.holds)
