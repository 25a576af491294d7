"""What a partner asks for: earn, burn, hold, capture, release, transfer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from counterfoil.core.calendar import text_instant
from counterfoil.core.entry import Drawn, Entry, LotMade, Move, Place, Verb
from counterfoil.core.holdings import Hold, Holdings, Lot, take
from counterfoil.core.journal import Journal
from counterfoil.core.limits import CaptureExceedsHold, InsufficientPoints
from counterfoil.core.lots import LotTerms, funds
from counterfoil.core.refusals import AlreadyCaptured, AlreadyReleased, HoldExpired
from counterfoil.core.rulebook.due import release as _release
from counterfoil.core.rulebook.due import room, settle_up
from counterfoil.core.units import COALITION_CURRENCY

MOST_LOTS = 8  # a base and bonuses of one earn: each joint one may need an entry of every funder behind it


class Grant(Struct, frozen=True, gc=False):
    """Points of one lot that an earn is to make; `prepaid` of them were paid for in advance."""

    points: int
    funding: bytes
    prepaid: int = 0


class Sale(Struct, frozen=True, gc=False):
    """What an earn is for: `at` is the instant of sale, whose rules and validity hold; pending until `available_at`, or 0."""

    at: int
    expires_at: int
    available_at: int = 0
    currency: int = COALITION_CURRENCY


def cost(partner: int, grants: Sequence[Grant]) -> int:
    """Micros that grants cost a partner when their points become available."""
    parts = [(one.points, funds(one.funding).part(partner)) for one in grants]
    return sum([points * (part.paid_micros + part.fee_micros) for points, part in parts if part is not None])


def hold_name(entry: int) -> str:
    """A hold's public id."""
    return f"hld_{entry:016x}"


def earn(
    journal: Journal, who: Holdings, partner: int, grants: Sequence[Grant], sale: Sale, drawn: tuple[Drawn, ...] = ()
) -> Entry:
    """A lot for each grant, at most MOST_LOTS, issued by `partner`: the base, then bonuses. Raises BalanceLimit."""
    settle_up(journal, who)
    room(who, sum([one.points for one in grants]), sale.currency)
    available_at = sale.available_at if sale.available_at > journal.now else 0
    lots = tuple([
        LotMade(0, one.points,
                LotTerms(sale.currency, partner, sale.at, sale.expires_at, available_at, one.funding, 0, 0, one.prepaid))
        for one in grants
    ])  # fmt: skip
    entry = journal.post(Verb.EARN, (who,), partner=partner, occurred_at=sale.at, lots=lots, drawn=drawn)
    settle_up(journal, who)
    return entry


Agree = Callable[[tuple[Move, ...]], None]  # the last to refuse: it sees which lots would be used


def burn(
    journal: Journal, who: Holdings, partner: int, points: int, currency: int = COALITION_CURRENCY, value_micros: int = 0,
    agree: Agree | None = None,
) -> Entry:  # fmt: skip
    """Consume lots in burn order; the partner is paid `value_micros` a point, or their face (0). Raises InsufficientPoints."""
    settle_up(journal, who)
    moves = from_lots(who.usable(journal.now, currency), points, Place.BURNED)
    if agree is not None:
        agree(moves)
    return journal.post(Verb.BURN, (who,), partner=partner, value_micros=value_micros, moves=moves)


def hold(
    journal: Journal, who: Holdings, partner: int, points: int, until: int, currency: int = COALITION_CURRENCY
) -> Entry:
    """Set points of named lots aside until the instant `until`, exclusive; raises InsufficientPoints."""
    settle_up(journal, who)
    moves = from_lots(who.usable(journal.now, currency), points, Place.HELD)
    return journal.post(Verb.HOLD, (who,), partner=partner, until=until, moves=moves)


def capture(
    journal: Journal, who: Holdings, held: Hold, points: int, value_micros: int = 0, agree: Agree | None = None
) -> Entry:
    """Burn up to all of a hold, once; the rest is released. Raises the hold's state or CaptureExceedsHold."""
    settle_up(journal, who)
    _open(held)
    if points > held.points:
        raise CaptureExceedsHold(points, held.points)
    moves, left = [], points
    for entry, index, part in held.parts:
        burned = min(part, left)
        left -= burned
        if burned:
            moves.append(Move(entry, index, Place.HELD, Place.BURNED, burned))
        if part > burned:
            moves.append(Move(entry, index, Place.HELD, Place.AVAILABLE, part - burned))
    if agree is not None:
        agree(tuple(moves))
    made = journal.post(
        Verb.CAPTURE, (who,), partner=held.partner, refers_to=held.entry, value_micros=value_micros, moves=tuple(moves)
    )
    settle_up(journal, who)
    return made


def release(journal: Journal, who: Holdings, held: Hold) -> Entry:
    """Give a hold back whole; raises the hold's state."""
    settle_up(journal, who)
    _open(held)
    place = len(journal.written)
    _release(journal, who, held, occurred_at=journal.now)
    settle_up(journal, who)
    return journal.written[place].entry


def transfer(journal: Journal, sender: Holdings, recipient: Holdings, points: int, partner: int) -> Entry:
    """A gift: lots move oldest first, with issuer, earned at and expiry kept. Raises InsufficientPoints, BalanceLimit."""
    settle_up(journal, sender)
    settle_up(journal, recipient)
    moves = from_lots(sorted(sender.usable(journal.now), key=Lot.gift_key), points, Place.GIFTED)
    room(recipient, points)
    lots = tuple(LotMade(1, move.points, sender.terms_of(move.entry, move.index).given()) for move in moves)
    entry = journal.post(Verb.TRANSFER, (sender, recipient), partner=partner, lots=lots, moves=moves)
    settle_up(journal, recipient)
    return entry


def from_lots(lots: list[Lot], points: int, target: Place) -> tuple[Move, ...]:
    """The moves that take points from lots in their order; raises InsufficientPoints."""
    available = sum(lot.available for lot in lots)
    if points > available:
        raise InsufficientPoints(points, available)
    return tuple(take(lots, points, Place.AVAILABLE, target))


def _open(held: Hold) -> None:
    if held.state == "captured":
        raise AlreadyCaptured(hold_name(held.entry))
    if held.state == "lapsed":
        raise HoldExpired(hold_name(held.entry), text_instant(held.until))
    if held.state == "released":
        raise AlreadyReleased(hold_name(held.entry))
