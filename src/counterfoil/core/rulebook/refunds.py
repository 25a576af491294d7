"""What a partner takes back: an earn, or a burn it was paid for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs

from counterfoil.core.calendar import valid_until
from counterfoil.core.entry import DebtMade, Entry, LotMade, Move, Place, Verb
from counterfoil.core.errors import RefundExceedsOriginal
from counterfoil.core.holdings import Holdings, Lot, take
from counterfoil.core.journal import Journal
from counterfoil.core.rulebook.due import room, settle_up

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
    """How a refund of an earn was met: recovered points, points excused because they ran out, points now owed."""

    entry: Entry
    recovered: int
    excused: int
    debt: int


def burned(moves: Sequence[Move]) -> list[Move]:
    """The moves of a burn or capture that used points up, in the order used."""
    return [move for move in moves if move.target is Place.BURNED]


def refund_earn(journal: Journal, who: Holdings, original: Original, points: int) -> Recovery:
    """Take points back: the earn's own lots, what of them ran out (excused), the member's other lots, then a debt.

    Points of another issuer's lot book as if the refunded issuer had burned them. Held points are not touched.
    """
    settle_up(journal, who)
    original.checked(points)
    earned = original.entry
    own = sorted((lot for lot in who.lots.values() if lot.origin[0] == earned.id), key=Lot.burn_key)
    others = [lot for lot in who.usable(journal.now) if lot.origin[0] != earned.id]
    moves = take(own, points, Place.AVAILABLE, Place.TAKEN)
    excused = take(own, points - _sum(moves), Place.EXPIRED, Place.TAKEN)
    rest = points - _sum(moves) - _sum(excused)
    moves += take(others, rest, Place.AVAILABLE, Place.TAKEN)
    owed = points - _sum(moves) - _sum(excused)
    terms = earned.lots[0].terms
    debts = (DebtMade(0, owed, terms.currency, terms.issuer, terms.fee_micros),) if owed else ()
    entry = journal.post(
        Verb.REFUND_EARN, (who,), partner=earned.partner, refers_to=earned.id,
        moves=(*moves, *excused), debts=debts,
    )  # fmt: skip
    return Recovery(entry, _sum(moves), _sum(excused), owed)


def refund_burn(journal: Journal, who: Holdings, original: Original, points: int, zone: str) -> Entry:
    """Restore the same lots, last used first; what of them is past is valid 30 more local days, as a lot with grace."""
    settle_up(journal, who)
    original.checked(points)
    room(who, points)
    grace = valid_until(journal.now, GRACE_DAYS, zone)
    moves, lots = [], []
    for used, part in _last_first(burned(original.entry.moves), original.refunded, points):
        lot = who.lots[used.entry, used.index]
        past = lot.terms.expires_at <= journal.now
        moves.append(Move(lot.entry, lot.index, Place.BURNED, Place.RENEWED if past else Place.AVAILABLE, part))
        if past:
            entry, index = lot.origin
            terms = structs.replace(lot.terms, expires_at=grace, origin_entry=entry, origin_index=index)
            lots.append(LotMade(0, part, terms))
    made = journal.post(
        Verb.REFUND_BURN, (who,), partner=original.entry.partner, refers_to=original.entry.id,
        lots=tuple(lots), moves=tuple(moves),
    )  # fmt: skip
    settle_up(journal, who)
    return made


def _last_first(used: list[Move], skip: int, points: int) -> list[tuple[Move, int]]:
    """Parts of what was used, from the end, behind the `skip` points restored before."""
    parts = []
    for move in reversed(used):
        free = max(0, move.points - skip)
        skip -= min(skip, move.points)
        part = min(free, points)
        points -= part
        if part:
            parts.append((move, part))
    return parts


def _sum(moves: Sequence[Move]) -> int:
    return sum(move.points for move in moves)
