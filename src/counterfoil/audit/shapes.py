"""What an entry may look like before anything is known of what came before: the parts each verb allows, and ranges."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.core.accounts import LAST_PARTY
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


def _moves(*pairs: tuple[Place, Place]) -> frozenset[tuple[Place, Place]]:
    return frozenset(pairs)


_A, _H, _B = Place.AVAILABLE, Place.HELD, Place.BURNED
SHAPES = {
    Verb.EARN: Shape(_moves(), lots=True),
    Verb.BURN: Shape(_moves((_A, _B))),
    Verb.HOLD: Shape(_moves((_A, _H)), until=True),
    Verb.CAPTURE: Shape(_moves((_H, _B), (_H, _A)), refers=True),
    Verb.RELEASE: Shape(_moves((_H, _A)), refers=True),
    Verb.REFUND_EARN: Shape(_moves((_A, Place.TAKEN), (Place.EXPIRED, Place.TAKEN)), debts=True, refers=True),
    Verb.REFUND_BURN: Shape(_moves((_B, _A), (_B, Place.RENEWED)), lots=True, refers=True),
    Verb.TRANSFER: Shape(_moves((_A, Place.GIFTED)), members=2, lots=True),
    Verb.EXPIRE: Shape(_moves((_A, Place.EXPIRED))),
    Verb.REPAY: Shape(_moves((_A, Place.REPAID)), repaid=True, refers=True),
}


def require_shape(entry: Entry, currencies: frozenset[int]) -> None:
    """Raises Misshapen unless the entry has the parts its verb allows, with figures in range."""
    shape, verb = SHAPES[entry.verb], entry.verb.name.lower()
    if len(entry.members) != shape.members:
        raise Misshapen(f"a {verb} with {len(entry.members)} members")
    for part, allowed in ((entry.lots, shape.lots), (entry.debts, shape.debts), (entry.repaid, shape.repaid)):
        if part and not allowed:
            raise Misshapen(f"a {verb} with parts that it cannot have")
    if not (entry.moves or entry.lots or entry.debts):
        raise Misshapen(f"a {verb} of nothing")
    if any((move.source, move.target) not in shape.moves for move in entry.moves):
        raise Misshapen(f"a {verb} with a move that it cannot make")
    if bool(entry.refers_to) != shape.refers or bool(entry.until) != shape.until:
        raise Misshapen(f"a {verb} that refers to {entry.refers_to:x} and lasts until {entry.until}")
    if not entry.occurred_at <= entry.at <= LAST_INSTANT or entry.partner > LAST_PARTY:
        raise Misshapen("its instants or its partner are out of range")
    _require_parts(entry, shape, currencies)


def _require_parts(entry: Entry, shape: Shape, currencies: frozenset[int]) -> None:
    owner = shape.members - 1  # lots belong to the member, of a gift to the receiver
    for made in entry.lots:
        t = made.terms
        if made.owner != owner or not 0 < made.points <= MAX_POINTS or t.currency not in currencies:
            raise Misshapen("a lot has an owner, points or a currency out of range")
        if max(t.issuer, t.funder) > LAST_PARTY or max(t.face_micros, t.fee_micros) > MAX_MICROS:
            raise Misshapen("a lot's terms are out of range")
        if t.breakage_operator_bp > BASIS_POINTS:
            raise Misshapen("a lot gives the operator more than all of its breakage")
    for owed in entry.debts:
        if owed.owner or not 0 < owed.points <= MAX_POINTS or owed.currency not in currencies:
            raise Misshapen("a debt has an owner, points or a currency out of range")
    if any(not 0 < move.points <= MAX_POINTS for move in entry.moves):
        raise Misshapen("it moves points out of range")
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
