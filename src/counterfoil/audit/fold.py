"""The fold: every member's lots, debts and holds again, by handle, from the entries alone.

In memory are the lots ever made (a refund may reach back to any of them), each burn's lots and points, and one record per
open hold and debt; never the entries. A lot with nothing available or held rests in `closed`, so that burn order is
sorted over what can be burned only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from counterfoil.audit.published import Rules
from counterfoil.audit.rules import Before, Original, require_rule
from counterfoil.audit.shapes import Misshapen, Order, Wrong, require_shape
from counterfoil.core import netting
from counterfoil.core.encoding import decode, encode
from counterfoil.core.entry import DebtMade, Entry, LotTerms, Place, Verb
from counterfoil.core.errors import Unreadable
from counterfoil.core.holdings import Holdings, Inconsistent, Lot
from counterfoil.core.legs import postings

SKEW = 3_600_000_000  # microseconds that clocks of several gateways may differ by


@dataclass(slots=True)
class Total:
    """What a handle has in one currency: points available and held, and the pool's money for them."""

    points: int = 0
    face_micros: int = 0


@dataclass(slots=True)
class Fold:
    """`apply` takes entries in log order and raises Wrong for the first that does not fit; then the fold is over."""

    currencies: frozenset[int] = frozenset()
    rules: Rules | None = None
    terms: dict[tuple[int, int], tuple[int, int, int]] = field(default_factory=dict)
    nets: dict[int, int] = field(default_factory=dict)  # micros by party, of the settlement under way
    pool: int = 0  # micros the pool ever received, less what it paid
    holders: dict[int, Holdings] = field(default_factory=dict)
    closed: dict[tuple[int, int], tuple[int, Lot]] = field(default_factory=dict)  # handle and lot
    originals: dict[int, Original] = field(default_factory=dict)
    grace: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # lots that continue those of an entry
    touched: set[int] = field(default_factory=set)  # handles, in the settlement under way
    _order: Order = field(default_factory=Order)
    _indebted: set[int] = field(default_factory=set)  # handles with a debt, in the group under way
    _last: int = 0

    def begin(self, currencies: frozenset[int], rules: Rules | None) -> None:
        """A settlement begins, with its rulebook and the currencies its header counts."""
        self.currencies, self.rules, self.nets = currencies, rules, {}
        self.touched = set()
        if rules is not None:
            self.terms = {**self.terms, **rules.terms}

    def apply(self, entry: Entry, first: int, second: int) -> None:
        """Fold one entry of the members with these handles (0: no second). Raises Wrong."""
        if self._order.require_next(entry.id):
            self.end_of_group()
        self._last = entry.id
        require_shape(entry, self.currencies)
        if not first or bool(second) != (len(entry.members) == 2) or first == second:
            raise Wrong("its handles do not fit its members")
        who = self._holder(first)
        own = self._reopen(entry, who)
        before = Before(who, own, self.originals.get(entry.refers_to), self.rules, self.terms)
        for move in entry.moves:
            if (move.entry, move.index) not in who.lots:
                raise Wrong(self._whose(move.entry, move.index))
        require_rule(entry, before)
        self._require_postings(entry, who)
        try:
            who.apply(entry)
            if second:
                self._holder(second).apply(entry, 1)
        except Inconsistent as error:
            raise Wrong(str(error)) from error
        netting.fold(entry.postings, self.nets)
        self._remember(entry, first, before.original)
        self._rest(who, first)
        for handle in (first, second) if second else (first,):
            self.touched.add(handle)
            if self.holders[handle].debts:
                self._indebted.add(handle)

    def end_of_group(self) -> None:
        """After a group nobody has available points and a debt. Raises Wrong."""
        for handle in self._indebted:
            who = self.holders[handle]
            if who.debt and who.available:
                text = f"after its group a member owes {who.debt} points and has {who.available} available"
                raise Wrong(text, self._last)
        self._indebted.clear()

    @property
    def last(self) -> int:
        """The entry folded last."""
        return self._last

    def totals(self, handle: int) -> dict[int, Total]:
        """What a handle has, by currency; a currency without points is left out."""
        found: dict[int, Total] = {}
        who = self.holders.get(handle)
        for lot in who.lots.values() if who else ():
            one = found.setdefault(lot.terms.currency, Total())
            one.points += lot.available + lot.held
            one.face_micros += (lot.available + lot.held) * lot.terms.face_micros
        return found

    @staticmethod
    def change(entry: Entry, owner: int) -> int:
        """By how much an entry changes the points that the member at place `owner` has, available and held."""
        made = sum(one.points for one in entry.lots if one.owner == owner)
        if owner:
            return made
        places = (Place.AVAILABLE, Place.HELD)
        gone = sum(m.points * ((m.source in places) - (m.target in places)) for m in entry.moves)
        return made - gone

    def overdue(self, handle: int, at: int) -> tuple[str, int] | None:
        """What a handle has that should have run out or been released well before the instant `at`, and its entry."""
        who = self.holders[handle]
        due = who.next_due()
        if due is None or due > at - SKEW:
            return None
        lot = next((lot for lot in who.lots.values() if lot.available and lot.terms.expires_at == due), None)
        if lot is not None:
            return "points that ran out before the close are still available", lot.entry
        hold = next(hold for hold in who.holds.values() if hold.until == due)
        return "a hold that lapsed before the close is still open", hold.entry

    def _holder(self, handle: int) -> Holdings:
        who = self.holders.get(handle)
        if who is None:
            who = self.holders[handle] = Holdings(handle)
        return who

    def _reopen(self, entry: Entry, who: Holdings) -> list[Lot]:
        """Put lots that rest back where a refund needs them; the earn's own ones are the answer."""
        if entry.verb not in {Verb.REFUND_EARN, Verb.REFUND_BURN}:
            return []
        original = self.originals.get(entry.refers_to)
        names = [(move.entry, move.index) for move in entry.moves]
        if original is not None and original.burned is not None:
            names += [(number, index) for number, index, _points in original.burned]
        own, index = [], 0
        while entry.verb is Verb.REFUND_EARN and self._is_of(who, (entry.refers_to, index)):
            own.append((entry.refers_to, index))
            index += 1
        own += [name for name in self.grace.get(entry.refers_to, ()) if self._is_of(who, name)]
        for name in (*names, *own):
            if name in self.closed and self.closed[name][0] == who.member:
                who.lots[name] = self.closed.pop(name)[1]
                who.touched.add(name)  # so that it is put away again
        return [who.lots[name] for name in own] if entry.verb is Verb.REFUND_EARN else []

    def _is_of(self, who: Holdings, name: tuple[int, int]) -> bool:
        return name in who.lots or (name in self.closed and self.closed[name][0] == who.member)

    def _whose(self, number: int, index: int) -> str:
        name = (number, index)
        known = self.closed.get(name)
        owner = known[0] if known else next((h for h, who in self.holders.items() if name in who.lots), None)
        lot = f"lot ent_{number:016x}.{index}"
        if owner is None:
            return f"there is no {lot}"
        return f"{lot} has nothing left" if known else f"{lot} is under another handle: the wrong member"

    def _require_postings(self, entry: Entry, who: Holdings) -> None:
        def terms_of(number: int, index: int) -> LotTerms:
            return who.lots[number, index].terms

        def debt_of(number: int, index: int) -> DebtMade:
            return who.debts[number, index].made

        if postings(entry, terms_of, debt_of) != entry.postings:
            raise Misshapen("its postings are not those its parts call for")

    def _remember(self, entry: Entry, handle: int, original: Original | None) -> None:
        if entry.verb is Verb.EARN:
            points = sum(made.points for made in entry.lots)
            self.originals[entry.id] = Original(entry.partner, handle, points, None)
        elif entry.verb in {Verb.BURN, Verb.CAPTURE}:
            used = tuple((m.entry, m.index, m.points) for m in entry.moves if m.target is Place.BURNED)
            self.originals[entry.id] = Original(entry.partner, handle, sum(p for _e, _i, p in used), used)
        elif original is not None and entry.verb in {Verb.REFUND_EARN, Verb.REFUND_BURN}:
            original.refunded += sum(m.points for m in entry.moves) + sum(owed.points for owed in entry.debts)
            for index, made in enumerate(entry.lots):
                self.grace.setdefault(made.terms.origin_entry, []).append((entry.id, index))

    def _rest(self, who: Holdings, handle: int) -> None:
        """Put away what has nothing left to use."""
        for name in who.touched:
            lot = who.lots[name]
            if not lot.available and not lot.held:
                self.closed[name] = handle, who.lots.pop(name)
        who.touched.clear()
        for paid in [name for name, debt in who.debts.items() if not debt.left]:
            del who.debts[paid]
        for ended in [number for number, hold in who.holds.items() if hold.state != "open"]:
            del who.holds[ended]


def read(body: bytes) -> Entry:
    """The entry of a body; raises Wrong for one that is not exactly the bytes of an entry."""
    try:
        entry = decode(body)
    except Unreadable as error:
        raise Misshapen(f"is no entry: {error}") from error
    if encode(entry) != body:
        raise Misshapen("is not in its canonical form")
    return entry
