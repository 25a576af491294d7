"""What an entry may look like before anything is known of what came before: the parts each verb allows, and ranges."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from counterfoil.core.accounts import LAST_PARTY
from counterfoil.core.acts import About
from counterfoil.core.entry import GROUP_BITS, PLACE_BITS, Entry, Place, Verb, group_of, place_of
from counterfoil.core.units import BASIS_POINTS, MAX_POINTS

LAST_INSTANT = 253_000_000_000_000_000  # microseconds: a day of the year 9987; the calendar ends soon after
MAX_MICROS = 2**53 - 1  # per point


class Wrong(Exception):
    """What is wrong with an entry, in words; `entry` where it is another than the one at hand."""

    check = "refold"

    def __init__(self, text: str, entry: int | None = None) -> None:
        super().__init__(text)
        self.entry = entry


class Misshapen(Wrong):
    """Wrong whatever came before."""

    check = "entries"


@dataclass(frozen=True, slots=True)
class Shape:
    """Parts allowed: kinds of moves, whether it makes lots, debts, repays; what it refers to and waits for."""

    moves: frozenset[tuple[Place, Place]]
    members: int = 1
    lots: bool = False
    debts: bool = False
    repaid: bool = False
    refers: bool = False
    until: bool = False
    paid: bool = False
    drawn: bool = False


def _moves(*pairs: tuple[Place, Place]) -> frozenset[tuple[Place, Place]]:
    return frozenset(pairs)


_A, _H, _B, _P, _W = Place.AVAILABLE, Place.HELD, Place.BURNED, Place.PENDING, Place.WITHDRAWN
SHAPES = {
    Verb.EARN: Shape(_moves(), lots=True, drawn=True),
    Verb.BURN: Shape(_moves((_A, _B))),
    Verb.HOLD: Shape(_moves((_A, _H)), until=True),
    Verb.CAPTURE: Shape(_moves((_H, _B), (_H, _A)), refers=True),
    Verb.RELEASE: Shape(_moves((_H, _A)), refers=True),
    Verb.REFUND_EARN: Shape(
        _moves((_P, Place.CANCELLED), (_A, Place.TAKEN), (Place.EXPIRED, Place.TAKEN), (_A, Place.REPAID)),
        debts=True, refers=True, drawn=True,
    ),
    Verb.REFUND_BURN: Shape(_moves((_B, _A), (_B, Place.RENEWED)), lots=True, refers=True),
    Verb.TRANSFER: Shape(_moves((_A, Place.GIFTED)), members=2, lots=True),
    Verb.EXPIRE: Shape(_moves((_A, Place.EXPIRED))),
    Verb.REPAY: Shape(_moves((_A, Place.REPAID)), repaid=True, refers=True),
    Verb.ACTIVATE: Shape(_moves((_P, _A))),
    Verb.EXCHANGE: Shape(_moves((_A, _B)), lots=True, paid=True),
    Verb.BUY_REWARD: Shape(_moves((_A, _B)), until=True),
    Verb.USE_REWARD: Shape(_moves(), refers=True, paid=True),
    Verb.EXPIRE_REWARD: Shape(_moves((_B, Place.EXPIRED)), refers=True),
    Verb.REFUND_REWARD: Shape(_moves((_B, _A), (_B, Place.RENEWED)), lots=True, refers=True),
    Verb.DISPUTE: Shape(_moves(), refers=True, paid=True),
    Verb.RULE: Shape(_moves((_B, _A), (_B, Place.RENEWED)), lots=True, refers=True, paid=True),
    Verb.ERASE: Shape(_moves((_A, Place.EXPIRED), (_P, Place.CANCELLED)), repaid=True, drawn=True),
    Verb.EXIT: Shape(_moves(), members=0, paid=True),
    Verb.DEFAULT: Shape(_moves(), members=0, paid=True),
    Verb.DIVIDEND: Shape(_moves(), members=0, paid=True),
    Verb.BUY_PACK: Shape(_moves(), members=0, paid=True, drawn=True),
    Verb.ADJUST: Shape(_moves((_A, _B)), lots=True),
    Verb.ACT: Shape(_moves(), refers=True),
    Verb.WITHDRAW: Shape(_moves((_A, _W))),
    Verb.GIVE_BACK: Shape(_moves((_W, _A), (_W, Place.RENEWED), (_W, Place.GIFTED)), lots=True),
    Verb.REDEEM: Shape(_moves((_A, _B)), refers=True),
    Verb.MERGE: Shape(_moves(*((place, Place.MERGED) for place in (_A, _H, _P))), members=2, repaid=True),
    Verb.FUND: Shape(_moves(*product(Place, Place)), refers=True, paid=True),  # those of the entry it refers to
}  # fmt: skip
_PERHAPS = {Verb.FUND, Verb.ACT}  # verbs that may concern nobody
_PAYING = {  # verbs that may move nothing but money
    Verb.FUND, Verb.BUY_PACK, Verb.USE_REWARD, Verb.DEFAULT, Verb.DIVIDEND, Verb.DISPUTE, Verb.RULE,
}  # fmt: skip
_VALUED = {  # verbs that name what a point is paid, or a reward costs, or the breakage an exit reckons with
    Verb.BURN, Verb.CAPTURE, Verb.REFUND_BURN, Verb.EXCHANGE, Verb.BUY_REWARD, Verb.RULE, Verb.EXIT,
    Verb.REDEEM,
}  # fmt: skip


def require_shape(entry: Entry, currencies: frozenset[int]) -> None:
    """Raises Misshapen unless the entry has the parts its verb allows, with figures in range."""
    shape, verb = SHAPES[entry.verb], entry.verb.name.lower()
    if len(entry.members) != shape.members and (entry.verb not in _PERHAPS or len(entry.members) > 1):
        raise Misshapen(f"a {verb} with {len(entry.members)} members")
    for part, allowed in (
        (entry.lots, shape.lots),
        (entry.debts, shape.debts),
        (entry.repaid, shape.repaid),
        (entry.paid, shape.paid),
        (entry.drawn, shape.drawn),
    ):
        if part and not allowed:
            raise Misshapen(f"a {verb} with parts that it cannot have")
    if not entry.moves and not _something_else(entry):
        raise Misshapen(f"a {verb} of nothing")
    if any((move.source, move.target) not in shape.moves for move in entry.moves):
        raise Misshapen(f"a {verb} with a move that it cannot make")
    refers = shape.refers if entry.act is None else entry.act.about is About.POSTED
    if bool(entry.refers_to) != refers or bool(entry.until) != shape.until:
        raise Misshapen(f"a {verb} that refers to {entry.refers_to:x} and lasts until {entry.until}")
    if not entry.occurred_at <= entry.at <= LAST_INSTANT or entry.partner > LAST_PARTY:
        raise Misshapen("its instants or its partner are out of range")
    if entry.value_micros > MAX_MICROS or (entry.value_micros and entry.verb not in _VALUED):
        raise Misshapen("it pays a value that its verb does not have, or one out of range")
    _require_parts(entry, shape, currencies)


def _something_else(entry: Entry) -> bool:
    """Whether an entry that moves no points does what its verb may do without."""
    match entry.verb:
        case Verb.EARN | Verb.ADJUST:
            return bool(entry.lots)
        case Verb.REFUND_EARN:
            return bool(entry.debts)
        case Verb.ERASE:
            return bool(entry.repaid)
        case Verb.EXIT | Verb.ACT | Verb.MERGE:
            return True
        case verb:
            return verb in _PAYING and bool(entry.paid)


def _require_parts(entry: Entry, shape: Shape, currencies: frozenset[int]) -> None:
    owner = shape.members - 1  # lots belong to the member, of a gift to the receiver
    for made in entry.lots:
        t = made.terms
        if made.owner != owner or not 0 < made.points <= MAX_POINTS or t.currency not in currencies:
            raise Misshapen("a lot has an owner, points or a currency out of range")
        if t.issuer > LAST_PARTY or max(t.earned_at, t.available_at) > LAST_INSTANT:
            raise Misshapen("a lot's terms are out of range")
        parts = t.funds.parts
        if [one.party for one in parts] != sorted({one.party for one in parts}):
            raise Misshapen("a lot's funders are not in order")
        for one in parts:
            if max(one.paid_micros, one.owed_micros, one.fee_micros, one.use_fee_micros) > MAX_MICROS:
                raise Misshapen("a lot's terms are out of range")
            if one.breakage_operator_bp > BASIS_POINTS:
                raise Misshapen("a lot gives the operator more than all of its breakage")
    for owed in entry.debts:
        if owed.owner or not 0 < owed.points <= MAX_POINTS or owed.currency not in currencies:
            raise Misshapen("a debt has an owner, points or a currency out of range")
    if any(not 0 < move.points <= MAX_POINTS for move in entry.moves):
        raise Misshapen("it moves points out of range")
    if any(not 0 < block.points <= MAX_POINTS or block.reserve > 1 for block in entry.drawn):
        raise Misshapen("it draws on a block that cannot be")
    if any(not 0 < money.micros <= LAST_INSTANT for money in entry.paid):
        raise Misshapen("it pays money out of range")
    if any(posting.amount <= 0 for posting in entry.postings):
        raise Misshapen("a posting of nothing")


class Order:
    """Ids: groups gapless from 1 in each shard, places from 0, whole groups one after the other."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._last = -1

    def require_next(self, number: int) -> bool:
        """Raises Misshapen unless id `number` may come now; True if it begins a group."""
        group, place = group_of(number), place_of(number)
        if place:
            if number != self._last + 1:
                raise Misshapen(f"place {place} of its group does not follow ent_{max(self._last, 0):016x}")
        else:
            shard, count = group >> GROUP_BITS, group & ((1 << GROUP_BITS) - 1)
            if count != self._numbers.get(shard, 0) + 1:
                raise Misshapen(f"group {count} of shard {shard} follows group {self._numbers.get(shard, 0)}")
            self._numbers[shard] = count
        self._last = number
        return not place


assert PLACE_BITS == 16  # what `Order` counts in: an id's successor is the next place
