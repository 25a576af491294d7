"""Rewards: bought with points whose face waits in escrow, then used, refunded, or run out.

Points used for a voucher stay with their lots, so that a refund restores them and what runs out goes to each lot's breakage
owner. The partner that gives the reward is paid its contracted cost; what the points' face lacks of it the operator pays,
what it leaves the operator keeps.
"""

from __future__ import annotations

from msgspec import Struct

from counterfoil.core.accounts import OPERATOR, REWARD_ESCROW
from counterfoil.core.calendar import text_instant, valid_until
from counterfoil.core.entry import Entry, Paid, Place, Verb
from counterfoil.core.holdings import Hold, Holdings
from counterfoil.core.journal import Journal
from counterfoil.core.refusals import RewardAlreadyUsed, RewardExpired, RewardRefunded
from counterfoil.core.rulebook.due import room, settle_up
from counterfoil.core.rulebook.refunds import restored
from counterfoil.core.rulebook.verbs import from_lots
from counterfoil.core.units import COALITION_CURRENCY


class Reward(Struct, frozen=True):
    """What a member can buy: by whom it is given, for how many points, at what contracted cost, how many days it is valid."""

    name: str
    partner: int
    points: int
    cost_micros: int
    valid_days: int | None


def voucher_name(entry: int) -> str:
    """A voucher's public id."""
    return f"vch_{entry:016x}"


def buy(journal: Journal, who: Holdings, reward: Reward, zone: str) -> Entry:
    """The burn and the voucher are one entry: both or neither. Raises InsufficientPoints."""
    settle_up(journal, who)
    moves = from_lots(who.usable(journal.now), reward.points, Place.BURNED)
    until = valid_until(journal.now, reward.valid_days, zone)
    return journal.post(
        Verb.BUY_REWARD, (who,), partner=reward.partner, until=until, value_micros=reward.cost_micros, moves=moves
    )


def use(journal: Journal, who: Holdings, voucher: Hold) -> Entry:
    """The partner that gives it is paid; raises what its state says."""
    settle_up(journal, who)
    unused(voucher)
    assert voucher.cost_micros is not None
    return journal.post(
        Verb.USE_REWARD, (who,), partner=voucher.partner, refers_to=voucher.entry,
        paid=paid_for(voucher.partner, face(who, voucher), voucher.cost_micros),
    )  # fmt: skip


def paid_for(partner: int, face_micros: int, cost_micros: int) -> tuple[Paid, ...]:
    """Escrow to the partner up to the cost; the operator pays what lacks and keeps what is left."""
    paid = (
        Paid(REWARD_ESCROW, partner, min(face_micros, cost_micros)),
        Paid(OPERATOR, partner, cost_micros - face_micros),
        Paid(REWARD_ESCROW, OPERATOR, face_micros - cost_micros),
    )
    return tuple(one for one in paid if one.micros > 0)


def face(who: Holdings, voucher: Hold) -> int:
    """What waits in escrow for it, micros."""
    return sum(points * who.terms_of(entry, index).funds.face_micros for entry, index, points in voucher.parts)


def refund(journal: Journal, who: Holdings, voucher: Hold, zone: str) -> Entry:
    """Whole, before it is used: the same lots come back, past ones with grace. Raises what its state says."""
    settle_up(journal, who)
    unused(voucher)
    room(who, voucher.points, COALITION_CURRENCY)
    moves, lots = restored(who, reversed(voucher.parts), journal.now, zone)
    entry = journal.post(
        Verb.REFUND_REWARD, (who,), partner=voucher.partner, refers_to=voucher.entry, moves=moves, lots=lots
    )
    settle_up(journal, who)
    return entry


def unused(voucher: Hold) -> None:
    """Raises RewardAlreadyUsed, RewardRefunded, RewardExpired."""
    name = voucher_name(voucher.entry)
    if voucher.state == "used":
        raise RewardAlreadyUsed(name)
    if voucher.state == "refunded":
        raise RewardRefunded(name)
    if voucher.state == "expired":
        raise RewardExpired(name, text_instant(voucher.until))
