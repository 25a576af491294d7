"""What a partner takes back: an earn, or a burn it was paid for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from counterfoil.core.calendar import valid_until
from counterfoil.core.entry import DebtMade, Drawn, Entry, LotMade, Move, Place, Verb
from counterfoil.core.holdings import Holdings, Lot, at, take
from counterfoil.core.journal import Journal
from counterfoil.core.legs import fee_back
from counterfoil.core.limits import RefundExceedsOriginal
from counterfoil.core.rulebook.due import room, settle_up
from counterfoil.core.rulebook.packs import drawn_once
from counterfoil.core.units import split_largest_remainder

GRACE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Original:
    """The earn or burn that is refunded, and the points of it refunded before."""

    entry: Entry
    refunded: int

    @property
    def points(self) -> int:
        """Points it made, or burned."""
        return sum(made.points for made in self.entry.lots) or sum(m.points for m in burned(self.entry.moves))

    def checked(self, points: int) -> None:
        """Raises RefundExceedsOriginal."""
        left = self.points - self.refunded
        if points > left:
            raise RefundExceedsOriginal(points, left, self.points)


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a refund of an earn was met: points recovered, cancelled while pending, excused because they ran out, now owed.

    `cash`: points that the till keeps back in cash instead. `made` is None where there was nothing to take.
    """

    made: Entry | None
    recovered: int
    cancelled: int
    excused: int
    debt: int
    cash: int = 0

    @property
    def entry(self) -> Entry:
        """The entry, where something was taken or is owed."""
        assert self.made is not None
        return self.made


ToPacks = Callable[[int], tuple[Drawn, ...]]


def burned(moves: Sequence[Move]) -> list[Move]:
    """The moves of a burn or capture that used points up, in the order used."""
    return [move for move in moves if move.target is Place.BURNED]


def refund_earn(
    journal: Journal, who: Holdings, original: Original, points: int, to_packs: ToPacks = lambda _points: (),
    *, cash: bool = False,
) -> Recovery:  # fmt: skip
    """Take points back: the earn's own lots, what of them ran out (excused), the member's other lots, then a debt.

    Points of another lot book as if the refunded issuer had burned them, and its fee comes back too. Held points are not
    touched. `to_packs` tells which prepaid blocks the points recovered return to. `cash`: what is missing is no debt.
    """
    settle_up(journal, who)
    original.checked(points)
    moves = recovery(who, original.entry, points, journal.now)
    owed = points - _sum(moves)
    terms = original.entry.lots[0].terms
    fee = fee_back(terms, original.entry.partner)
    debts = (DebtMade(0, owed, terms.currency, original.entry.partner, fee),) if owed and not cash else ()
    if not moves and not debts:
        return Recovery(None, 0, 0, 0, 0, owed)
    entry = journal.post(
        Verb.REFUND_EARN, (who,), partner=original.entry.partner, refers_to=original.entry.id,
        moves=tuple(moves), debts=debts, drawn=to_packs(drawn_once(moves, who.terms_of)),
    )  # fmt: skip

    def moved(source: Place) -> int:
        return _sum([move for move in moves if move.source is source])

    met = (moved(Place.AVAILABLE), moved(Place.PENDING), moved(Place.EXPIRED))
    return Recovery(entry, *met, 0, owed) if cash else Recovery(entry, *met, owed)


def recovery(who: Holdings, earned: Entry, points: int, now: int) -> list[Move]:
    """The moves that take `points` of an earn back, as far as there is something to take."""
    own = sorted((lot for lot in who.lots.values() if lot.origin[0] == earned.id), key=Lot.burn_key)
    moves: list[Move] = []
    for source, target in (
        (Place.PENDING, Place.CANCELLED), (Place.AVAILABLE, Place.TAKEN), (Place.EXPIRED, Place.TAKEN),
    ):  # fmt: skip
        moves += _in_proportion(own, points - _sum(moves), source, target)
    others = [lot for lot in who.usable(now, earned.lots[0].terms.currency) if lot.origin[0] != earned.id]
    return moves + take(others, points - _sum(moves), Place.AVAILABLE, Place.REPAID)


def _in_proportion(own: list[Lot], points: int, source: Place, target: Place) -> list[Move]:
    """From base and bonuses in proportion to what is left of each, ties in their order; within each in burn order."""
    kinds = sorted({lot.origin[1] for lot in own})
    left = [sum(at(lot, source) for lot in own if lot.origin[1] == kind) for kind in kinds]
    if not any(left):
        return []
    shares = split_largest_remainder(min(points, sum(left)), left)
    moves: list[Move] = []
    for kind, share in zip(kinds, shares, strict=True):
        moves += take((lot for lot in own if lot.origin[1] == kind), share, source, target)
    return moves


def refund_burn(journal: Journal, who: Holdings, original: Original, points: int, zone: str) -> Entry:
    """Restore the same lots, last used first; what of them is past is valid 30 more local days, as a lot with grace."""
    settle_up(journal, who)
    original.checked(points)
    first = burned(original.entry.moves)[0]
    room(who, points, who.terms_of(first.entry, first.index).currency)
    parts = _last_first(burned(original.entry.moves), original.refunded, points)
    moves, lots = restored(who, parts, journal.now, zone)
    made = journal.post(
        Verb.REFUND_BURN, (who,), partner=original.entry.partner, refers_to=original.entry.id,
        value_micros=original.entry.value_micros, lots=lots, moves=moves,
    )  # fmt: skip
    settle_up(journal, who)
    return made


def restored(
    who: Holdings, parts: Iterable[tuple[int, int, int]], now: int, zone: str
) -> tuple[tuple[Move, ...], tuple[LotMade, ...]]:
    """The moves that give used points (of lots by name) back, in this order; past lots live on with grace."""
    grace, moves, lots = valid_until(now, GRACE_DAYS, zone), list[Move](), list[LotMade]()
    for entry, index, points in parts:
        lot = who.lots[entry, index]
        past = lot.terms.expires_at <= now
        moves.append(Move(entry, index, Place.BURNED, Place.RENEWED if past else Place.AVAILABLE, points))
        if past:
            lots.append(LotMade(0, points, lot.terms.renewed(grace, lot.origin)))
    return tuple(moves), tuple(lots)


def _last_first(used: list[Move], skip: int, points: int) -> list[tuple[int, int, int]]:
    """Parts of what was used, from the end, behind the `skip` points restored before."""
    parts = []
    for move in reversed(used):
        free = max(0, move.points - skip)
        skip -= min(skip, move.points)
        part = min(free, points)
        points -= part
        if part:
            parts.append((move.entry, move.index, part))
    return parts


def _sum(moves: Sequence[Move]) -> int:
    return sum(move.points for move in moves)
