"""Rewards: a voucher bought with points, used where it is given, or refunded before."""

from __future__ import annotations

from counterfoil.core.calendar import text_instant
from counterfoil.core.entry import Entry
from counterfoil.core.errors import UnknownReward, UnknownVoucher
from counterfoil.core.holdings import Hold, Holdings
from counterfoil.core.operation import Operation
from counterfoil.core.refusals import WrongPartner
from counterfoil.core.rulebook import rewards
from counterfoil.core.rulebook.rewards import voucher_name
from counterfoil.core.units import NEVER
from counterfoil.store.desk import Desk, entry_name

Facts = dict[str, object]


def buy_reward(desk: Desk, op: Operation) -> tuple[Entry, Facts]:
    """Points for a voucher."""
    who = desk.spender(op.member)
    reward = desk.programme.rewards.get(str(op.asked["reward"]))
    if reward is None:
        raise UnknownReward(str(op.asked["reward"]))
    entry = rewards.buy(desk.journal, who, reward, desk.programme.zone)
    until = None if entry.until == NEVER else text_instant(entry.until)
    facts: Facts = {
        "reward": reward.name,
        "points": reward.points,
        "voucher": voucher_name(entry.id),
        "expires_at": until,
    }
    return entry, facts


def use_reward(desk: Desk, op: Operation) -> tuple[Entry, Facts]:
    """At the partner that gives it, once."""
    who, voucher = _voucher(desk, op)
    desk.active(op.partner)
    if voucher.partner != op.partner:
        raise WrongPartner(voucher_name(voucher.entry))
    entry = rewards.use(desk.journal, who, voucher)
    return entry, {"voucher": voucher_name(voucher.entry), "refers_to": entry_name(voucher.entry)}


def refund_reward(desk: Desk, op: Operation) -> tuple[Entry, Facts]:
    """Whole, before it is used."""
    who, voucher = _voucher(desk, op)
    desk.member(who.member)  # it may have been erased: then a voucher can be used, and no longer given back
    entry = rewards.refund(desk.journal, who, voucher, desk.programme.zone)
    name = voucher_name(voucher.entry)
    return entry, {"points": voucher.points, "voucher": name, "refers_to": entry_name(voucher.entry)}


def _voucher(desk: Desk, op: Operation) -> tuple[Holdings, Hold]:
    found = desk.hold(op.hold)
    if found is None or found[1].cost_micros is None:
        raise UnknownVoucher(voucher_name(op.hold))
    return found
