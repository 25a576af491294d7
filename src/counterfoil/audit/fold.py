"""The fold: every member's lots, debts and holds again, by handle, from the entries alone.

In memory are the lots ever made (a refund may reach back to any of them), each burn's lots and points, and one record per
open hold and debt; never the entries. A lot with nothing available or held rests in `closed`, so that burn order is
sorted over what can be burned only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from counterfoil.audit.behind import Behind
from counterfoil.audit.published import Rules
from counterfoil.audit.rules import Before, Books, Original, Unacted, require_rule
from counterfoil.audit.shapes import Misshapen, Order, Wrong, require_shape
from counterfoil.core import netting
from counterfoil.core.encoding import decode, encode
from counterfoil.core.entry import Entry, Move, Place, Verb
from counterfoil.core.errors import Unreadable
from counterfoil.core.holdings import Holdings, Inconsistent, Lot
from counterfoil.core.legs import postings
from counterfoil.core.reserves import Reserve
from counterfoil.core.rulebook.disputes import amount
from counterfoil.core.rulebook.packs import Pack, change

SKEW = 3_600_000_000  # microseconds that clocks of several gateways may differ by


_REOPENS = {
    Verb.REFUND_EARN, Verb.REFUND_BURN, Verb.USE_REWARD, Verb.EXPIRE_REWARD, Verb.REFUND_REWARD, Verb.RULE,
}  # fmt: skip


@dataclass(slots=True)
class Total:
    """What a handle has in one currency: points available and held, and the pool's money for them."""

    points: int = 0
    paid_micros: int = 0


@dataclass(slots=True)
class Fold:
    """`apply` takes entries in log order and raises Wrong for the first that does not fit; then the fold is over."""

    currencies: frozenset[int] = frozenset()
    books: Books = field(default_factory=Books)
    pool: int = 0  # micros the pool ever received, less what it paid
    closed: dict[tuple[int, int], tuple[int, Lot]] = field(default_factory=dict)  # handle and lot
    grace: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # lots that continue those of an entry
    touched: set[int] = field(default_factory=set)  # handles, in the settlement under way
    _order: Order = field(default_factory=Order)
    _indebted: dict[int, int] = field(default_factory=dict)  # handles with a debt and their last entry in the group
    _behind: Behind = field(default_factory=Behind)
    _last: int = 0

    def begin(self, currencies: frozenset[int], rules: Rules | None) -> None:
        """A settlement begins, with its rulebook and the currencies its header counts."""
        self.currencies, self.touched = currencies, set()
        self.books.begin(rules)

    @property
    def nets(self) -> dict[int, int]:
        """Micros by owner, of the settlement under way."""
        return self.books.nets

    @property
    def holders(self) -> dict[int, Holdings]:
        """Members by handle."""
        return self.books.holders

    def apply(self, entry: Entry, first: int, second: int, hashed: bytes = b"") -> None:
        """Fold one entry of the members with these handles (0: no second), with its hash. Raises Wrong."""
        if self._order.require_next(entry.id):
            self.end_of_group()
            self.books.hashes.clear()
        self.books.hashes[entry.id] = hashed
        self._last = entry.id
        require_shape(entry, self.currencies)
        if (
            bool(first) != bool(entry.members)
            or bool(second) != (len(entry.members) == 2)
            or (first and first == second)
        ):
            raise Wrong("its handles do not fit its members")
        if first in self.books.merged or second in self.books.merged:
            raise Wrong("a member of it was merged into another before")
        who = self._holder(first)
        if entry.verb is Verb.FUND:
            self._behind.take(entry, first)
            netting.fold(entry.postings, self.nets)
            return
        self._behind.require_none()
        own = self._reopen(entry, who)
        before = Before(who, own, self.books.originals.get(entry.refers_to), self.books)
        for move in entry.moves:
            if (move.entry, move.index) not in who.lots and not self._lent(entry, who, move):
                raise Wrong(self._whose(move.entry, move.index))
        require_rule(entry, before)
        self._require_postings(entry, who)
        try:
            if first:
                who.apply(entry)
            if second:
                self._holder(second).apply(entry, 1)
            if entry.verb is Verb.MERGE:
                self._holder(second).absorb(who)
                self.books.merged[first] = second
                self.books.wallets.merge(first, second)
        except Inconsistent as error:
            raise Wrong(str(error)) from error
        netting.fold(entry.postings, self.nets)
        self._behind.expect(entry, first, who, before)
        self._remember(entry, first, before.original)
        self._rest(who, first)
        for lender in who.lent.values():
            self._rest(lender, lender.member)
            self.touched.add(lender.member)
        who.lent = {}
        for handle in (first, second)[: len(entry.members)]:
            self.touched.add(handle)
            if self.holders[handle].debts:
                self._indebted[handle] = entry.id

    def end_of_group(self) -> None:
        """After a group nobody has available points and a debt. Raises Wrong."""
        self._behind.require_none()
        if self.books.unacted:
            raise Unacted("an operator made it and no act in its group says so", min(self.books.unacted))
        for handle, entry in self._indebted.items():
            who = self.holders[handle]
            for currency in {debt.made.currency for debt in who.debts.values()}:
                free = who.free(currency)
                if free:
                    owed = who.owed(currency)
                    raise Wrong(f"after its group a member owes {owed} points and has {free} available", entry)
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
            one.paid_micros += (lot.available + lot.held + lot.withdrawn) * lot.terms.funds.paid_micros
        return found

    @staticmethod
    def change(entry: Entry, owner: int) -> int:
        """By how much an entry changes the points that the member at place `owner` has, available and held."""
        places = (Place.AVAILABLE, Place.HELD)
        made = sum(one.points for one in entry.lots if one.owner == owner and not one.terms.available_at)
        if owner and entry.verb is Verb.MERGE:
            return sum(m.points for m in entry.moves if m.source in places)
        if owner or entry.verb is Verb.FUND:
            return made
        gone = sum(m.points * ((m.source in places) - (m.target in places)) for m in entry.moves)
        return made - gone

    def overdue(self, handle: int, at: int) -> tuple[str, int] | None:
        """What a handle has that should have run out or been released well before the instant `at`, and its entry."""
        who = self.holders[handle]
        due = who.next_due()
        if due is None or due > at - SKEW:
            return None
        for lot in who.lots.values():
            if lot.available and lot.terms.expires_at == due:
                return "points that ran out before the close are still available", lot.entry
            if lot.pending and lot.terms.available_at == due:
                return "points that became available before the close are still pending", lot.entry
        hold = next(hold for hold in who.holds.values() if hold.until == due)
        return "a hold or voucher that lapsed before the close is still open", hold.entry

    def _holder(self, handle: int) -> Holdings:
        if not handle:
            return Holdings(0)
        who = self.holders.get(handle)
        if who is None:
            who = self.holders[handle] = Holdings(handle)
        return who

    def _lent(self, entry: Entry, who: Holdings, move: Move) -> bool:
        """Whether a move gives back what another member withdrew: then its holdings are to hand."""
        name = (move.entry, move.index)
        handle = self.books.wallets.holders.get(name) if entry.verb is Verb.GIVE_BACK else None
        if handle is not None:
            who.lent[name] = self.holders[handle]
        return handle is not None

    def _reopen(self, entry: Entry, who: Holdings) -> list[Lot]:
        """Put lots that rest back where a refund needs them; the earn's own ones are the answer."""
        if entry.verb not in _REOPENS:
            return []
        original = self.books.originals.get(entry.refers_to)
        names = [(move.entry, move.index) for move in entry.moves]
        voucher = who.holds.get(entry.refers_to)
        if voucher is not None:
            names += [(number, index) for number, index, _points in voucher.parts]
        if original is not None and original.burned is not None:
            names += [(number, index) for number, index, _points in original.burned]
        own, index = [], 0
        while entry.verb is Verb.REFUND_EARN and self._is_of(who, (entry.refers_to, index)):
            own.append((entry.refers_to, index))
            index += 1
        own += [name for name in self.grace.get(entry.refers_to, ()) if self._is_of(who, name)]
        for name in (*names, *own):
            if name in self.closed and self.books.now_of(self.closed[name][0]) == who.member:
                who.lots[name] = self.closed.pop(name)[1]
                who.touched.add(name)  # so that it is put away again
        return [who.lots[name] for name in own] if entry.verb is Verb.REFUND_EARN else []

    def _is_of(self, who: Holdings, name: tuple[int, int]) -> bool:
        return name in who.lots or (name in self.closed and self.books.now_of(self.closed[name][0]) == who.member)

    def _whose(self, number: int, index: int) -> str:
        name = (number, index)
        known = self.closed.get(name)
        owner = known[0] if known else next((h for h, who in self.holders.items() if name in who.lots), None)
        lot = f"lot ent_{number:016x}.{index}"
        if owner is None:
            return f"there is no {lot}"
        return f"{lot} has nothing left" if known else f"{lot} is under another handle: the wrong member"

    def _require_postings(self, entry: Entry, who: Holdings) -> None:
        if postings(entry, who.terms_of, who.debt_of) != entry.postings:
            raise Misshapen("its postings are not those its parts call for")

    def _remember(self, entry: Entry, handle: int, original: Original | None) -> None:
        if entry.verb is Verb.EARN:
            points = sum(made.points for made in entry.lots)
            self.books.originals[entry.id] = Original(entry.partner, handle, points, None, drawn=entry.drawn)
            change(self.books.packs.get(entry.partner, ()), entry.drawn, -1)
            if entry.lots[0].terms.funding:
                self.books.issued[entry.partner] = self.books.issued.get(entry.partner, 0) + points
        elif entry.verb is Verb.BUY_PACK:
            sizes = [block.points for block in entry.drawn] + [0]
            self.books.packs.setdefault(entry.partner, []).append(
                Pack(entry.id, sizes[0], sizes[0], sizes[1], sizes[1])
            )
        elif entry.verb in {Verb.BURN, Verb.CAPTURE, Verb.REDEEM}:
            used = tuple((m.entry, m.index, m.points) for m in entry.moves if m.target is Place.BURNED)
            points = sum(p for _e, _i, p in used)
            self.books.originals[entry.id] = Original(
                entry.partner, handle, points, used, entry.value_micros, paid_micros=amount(entry)
            )  # fmt: skip
        elif original is not None and entry.verb in {Verb.DISPUTE, Verb.RULE}:
            original.disputed = "open" if entry.verb is Verb.DISPUTE else "ruled"
            original.refunded += sum(m.points for m in entry.moves)
        elif entry.verb is Verb.ERASE:
            change([pack for held in self.books.packs.values() for pack in held], entry.drawn, 1)
        elif entry.verb is Verb.EXIT:
            lots = [lot for who in self.holders.values() for lot in who.lots.values()]
            owing = [lot for lot in lots if (p := lot.terms.funds.part(entry.partner)) is not None and p.owed_micros]
            points = sum(lot.available + lot.held + lot.withdrawn for lot in owing)
            self.books.reserves[entry.partner] = Reserve(sum(one.micros for one in entry.paid), points)
        elif original is not None and entry.verb in {Verb.REFUND_EARN, Verb.REFUND_BURN}:
            original.refunded += sum(m.points for m in entry.moves) + sum(owed.points for owed in entry.debts)
            change(self.books.packs.get(entry.partner, ()), entry.drawn, 1)
            original.returned += sum(block.points for block in entry.drawn)
        for index, made in enumerate(entry.lots):
            if made.terms.origin_entry:
                self.grace.setdefault(made.terms.origin_entry, []).append((entry.id, index))

    def _rest(self, who: Holdings, handle: int) -> None:
        """Put away what has nothing left to use."""
        for name in who.touched:
            lot = who.lots[name]
            if not (lot.available or lot.held or lot.pending or lot.withdrawn):
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
