"""Vouchers: bought by the catalogue, ended once, the escrow paid out as the contract says."""

from __future__ import annotations

from counterfoil.audit.rules.before import Before, expect, points_of, taken
from counterfoil.audit.rules.refunds import given_back
from counterfoil.audit.shapes import Wrong
from counterfoil.core.calendar import valid_until
from counterfoil.core.entry import Entry, Move, Place
from counterfoil.core.holdings import Hold
from counterfoil.core.rulebook.rewards import paid_for


def buy_reward(entry: Entry, before: Before) -> None:
    """Points in burn order, as many as a reward of that partner ever cost."""
    points = points_of(entry)
    expect(entry, taken(entry, before, points, Place.BURNED), "burn order")
    if before.books.rules is None:
        return
    terms = (entry.partner, points, entry.value_micros)
    for one in before.books.rewards:
        until = valid_until(entry.at, one.valid_days, before.books.rules.zone)
        if (one.partner, one.points, one.cost_micros, until) == (*terms, entry.until):
            return
    raise Wrong(f"no reward of partner {entry.partner} costs {points} points, {entry.value_micros} micros, until then")


def use_reward(entry: Entry, before: Before) -> None:
    """The partner that gives it is paid its cost from the escrow, and the operator the difference."""
    voucher = _voucher(entry, before)
    if entry.at >= voucher.until:
        raise Wrong("it uses a voucher that has run out")
    face = sum(n * before.who.terms_of(e, i).funds.face_micros for e, i, n in voucher.parts)
    if entry.paid != paid_for(voucher.partner, face, voucher.cost_micros or 0):
        raise Wrong(f"the escrow holds {face} micros, the reward costs {voucher.cost_micros}")


def expire_reward(entry: Entry, before: Before) -> None:
    """All of it, to the breakage owners of its lots."""
    voucher = _voucher(entry, before)
    if entry.occurred_at != voucher.until:
        raise Wrong("a voucher runs out at its own instant")
    expect(entry, [Move(e, i, Place.BURNED, Place.EXPIRED, points) for e, i, points in voucher.parts], "the voucher")


def refund_reward(entry: Entry, before: Before) -> None:
    """All of it, to the lots it came from."""
    voucher = _voucher(entry, before)
    if entry.at >= voucher.until:
        raise Wrong("it refunds a voucher that has run out")
    given_back(entry, before, voucher.parts, 0, voucher.points)


def _voucher(entry: Entry, before: Before) -> Hold:
    voucher = before.who.holds.get(entry.refers_to)
    if voucher is None or voucher.cost_micros is None:
        raise Wrong(f"this member has no unused voucher ent_{entry.refers_to:016x}: a voucher ends once")
    if voucher.partner != entry.partner:
        raise Wrong(f"the reward is partner {voucher.partner}'s")
    return voucher
