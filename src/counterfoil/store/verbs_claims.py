"""Purchases that members miss points for: reported, then accepted or refused by the partner, never twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, timedelta

from msgspec import structs

from counterfoil.core.calendar import end_of_day, local_day, text_instant, valid_until
from counterfoil.core.entry import Entry
from counterfoil.core.errors import DuplicateExternalId, OccurredInFuture, UnknownClaim
from counterfoil.core.operation import Operation
from counterfoil.core.refusals import AlreadyClaimed, AlreadyDecided, ClaimOverdue
from counterfoil.store.desk import Desk, entry_name, member_name
from counterfoil.store.kinds import Claim
from counterfoil.store.terms import partner

Facts = dict[str, object]
CLAIM_DAYS = 14  # local days that a partner has to decide
Earn = Callable[[Desk, Operation], tuple[Entry | None, Facts]]


def report(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """A member's purchase at a partner, by the number of its slip; one that earned already is `duplicate_external_id`."""
    asked, zone, now = op.asked, desk.programme.zone, desk.journal.now
    who, number, slip = desk.member(op.member), partner(desk, op).number, str(asked["slip"])
    sold_on: date = asked["sold_on"]
    if sold_on > local_day(now, zone):
        raise OccurredInFuture(text_instant(now), "sold_on")
    earned = desk.effect((number, "earn", slip))
    if earned is not None:
        raise DuplicateExternalId(slip, entry_name(earned.entry), "slip")
    name = claim_name(number, slip)
    held = desk.records.find(Claim, name)
    if held is not None:
        raise AlreadyClaimed(slip, name, held.state)
    made = Claim(
        name, who.member, number, slip, sold_on.isoformat(), int(asked["amount_micros"]), str(asked["photo"]), now,
        valid_until(now, CLAIM_DAYS, zone),
    )  # fmt: skip
    desk.records.keep(name, made)
    return None, shown(made, now)


def accept(earn: Earn) -> Callable[[Desk, Operation], tuple[Entry | None, Facts]]:
    """The partner grants the points as of the day of sale, by its own number or by its rules; also after the deadline."""

    def accepted(desk: Desk, op: Operation) -> tuple[Entry | None, Facts]:
        held, zone = _open(desk, op), desk.programme.zone
        day = date.fromisoformat(held.sold_on)
        sold_at = min(desk.journal.now, end_of_day(day - timedelta(days=1), zone) + 43_200_000_000)  # noon
        sale = structs.replace(
            op, verb="earn", external_id=held.slip, member=held.member, occurred_at=sold_at, more=None
        )
        if desk.effect(sale.effect) is not None:
            raise DuplicateExternalId(held.slip, entry_name(desk.effects[sale.effect].entry), "claim")
        entry, facts = earn(desk, sale)
        if entry is not None:
            desk.take(sale.effect, entry.id)
        made = structs.replace(held, state="accepted", points=op.points)
        desk.records.keep(held.id, made)
        return entry, {**facts, **shown(made, desk.journal.now)}

    return accepted


def refuse(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """The partner says no and why, before the deadline."""
    held = _open(desk, op)
    if desk.journal.now >= held.until:
        raise ClaimOverdue(held.id, text_instant(held.until))
    made = structs.replace(held, state="refused", reason=op.reason)
    desk.records.keep(held.id, made)
    return None, shown(made, desk.journal.now)


def claim_name(partner: int, slip: str) -> str:
    """A report's public id: one purchase has one."""
    return "clm_" + hashlib.sha256(f"{partner}:{slip}".encode()).hexdigest()[:16]


def shown(one: Claim, now: int) -> Facts:
    """A report as it is told: open past its deadline it is overdue."""
    state = "overdue" if one.state == "open" and now >= one.until else one.state
    return {
        "claim": one.id, "member": member_name(one.member), "slip": one.slip, "sold_on": one.sold_on,
        "amount_micros": one.amount_micros, "photo_sha256": one.photo or None, "reported_at": text_instant(one.reported_at),
        "until": text_instant(one.until), "state": state, "reason": one.reason or None, "points": one.points,
    }  # fmt: skip


def _open(desk: Desk, op: Operation) -> Claim:
    """The report named, if it is this partner's to decide; another's is unknown."""
    name = str(op.asked["claim"])
    held = desk.records.find(Claim, name)
    if held is None or held.partner != op.partner:
        raise UnknownClaim(name)
    if held.state != "open":
        raise AlreadyDecided(held.slip, held.id, held.state)
    return held
