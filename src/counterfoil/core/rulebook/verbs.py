"""What a partner asks for: earn, burn, hold, capture, release, transfer."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import structs

from counterfoil.core.calendar import text_instant
from counterfoil.core.entry import Entry, LotMade, LotTerms, Move, Place, Verb
from counterfoil.core.errors import (
    AlreadyCaptured,
    AlreadyReleased,
    CaptureExceedsHold,
    HoldExpired,
    InsufficientPoints,
)
from counterfoil.core.holdings import Hold, Holdings, Lot, take
from counterfoil.core.journal import Journal
from counterfoil.core.rulebook.due import release as _release
from counterfoil.core.rulebook.due import room, settle_up
from counterfoil.core.units import COALITION_CURRENCY


@dataclass(frozen=True, slots=True)
class Contract:
    """A partner's terms as one version of them stands: money per point in micros, validity in local days."""

    version: int
    face_micros: int = 10_000
    fee_micros: int = 1_000
    valid_days: int | None = 365
    breakage_operator_bp: int = 0


def hold_name(entry: int) -> str:
    """A hold's public id."""
    return f"hld_{entry:016x}"


def earn(journal: Journal, who: Holdings, partner: int, contract: Contract, points: int, expires_at: int) -> Entry:
    """A lot of `points` for a member, issued and funded by `partner`; raises BalanceLimit."""
    settle_up(journal, who)
    room(who, points)
    terms = LotTerms(
        COALITION_CURRENCY, partner, partner, journal.now, expires_at, contract.face_micros, contract.fee_micros,
        contract.breakage_operator_bp, contract.version, 0, 0,
    )  # fmt: skip
    entry = journal.post(Verb.EARN, (who,), partner=partner, lots=(LotMade(0, points, terms),))
    settle_up(journal, who)
    return entry


def burn(journal: Journal, who: Holdings, partner: int, points: int) -> Entry:
    """Consume lots in burn order; raises InsufficientPoints."""
    settle_up(journal, who)
    moves = _from(who.usable(journal.now), points, Place.BURNED)
    return journal.post(Verb.BURN, (who,), partner=partner, moves=moves)


def hold(journal: Journal, who: Holdings, partner: int, points: int, until: int) -> Entry:
    """Set points of named lots aside until the instant `until`, exclusive; raises InsufficientPoints."""
    settle_up(journal, who)
    moves = _from(who.usable(journal.now), points, Place.HELD)
    return journal.post(Verb.HOLD, (who,), partner=partner, until=until, moves=moves)


def capture(journal: Journal, who: Holdings, held: Hold, points: int) -> Entry:
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
    made = journal.post(Verb.CAPTURE, (who,), partner=held.partner, refers_to=held.entry, moves=tuple(moves))
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
    moves = _from(sorted(sender.usable(journal.now), key=Lot.gift_key), points, Place.GIFTED)
    room(recipient, points)
    lots = tuple(
        LotMade(
            1, move.points, structs.replace(sender.lots[move.entry, move.index].terms, origin_entry=0, origin_index=0)
        )
        for move in moves
    )
    entry = journal.post(Verb.TRANSFER, (sender, recipient), partner=partner, lots=lots, moves=moves)
    settle_up(journal, recipient)
    return entry


def _from(lots: list[Lot], points: int, target: Place) -> tuple[Move, ...]:
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
