"""What operators do to members: adjust within a budget, a second one agreeing above its limit; freeze; look."""

from __future__ import annotations

from msgspec import structs

from counterfoil.core.calendar import local_day, text_instant
from counterfoil.core.entry import Entry
from counterfoil.core.errors import DuplicateExternalId, UnknownMember
from counterfoil.core.operation import Operation
from counterfoil.core.refusals import NotWaiting, SecondApproverNeeded
from counterfoil.core.rulebook import adjustments
from counterfoil.store import tables
from counterfoil.store.budgets import budget, draw
from counterfoil.store.desk import Desk, entry_name, member_name
from counterfoil.store.kinds import LookUp, Proposal

Facts = dict[str, object]


def adjust(desk: Desk, op: Operation) -> tuple[Entry | None, Facts]:
    """Give or take points at a budget's cost; above its limit it waits for a second operator."""
    asked, name = op.asked, op.external_id or ""
    waiting = desk.records.find(Proposal, name)
    if waiting is not None:
        raise DuplicateExternalId(name, entry_name(0))
    desk.member(op.member)
    made = Proposal(op.member, op.points, bool(asked["take"]), asked["budget"], asked["code"], op.by, desk.journal.now)
    above = budget(desk, made.budget).approval_above
    if above is not None and op.points > above:
        desk.records.keep(name, made)
        return None, {"status": "waiting", "points": op.points, "budget": made.budget, "reason_code": made.code}
    return _adjusted(desk, made)


def approve(desk: Desk, op: Operation) -> tuple[Entry, Facts]:
    """A second operator agrees to an adjustment that waits. Raises NotWaiting, SecondApproverNeeded."""
    name = str(op.asked["adjustment"])
    waiting = desk.records.find(Proposal, name)
    if waiting is None or waiting.state != "waiting":
        raise NotWaiting(name)
    if waiting.by == op.by:
        raise SecondApproverNeeded(name)
    entry, facts = _adjusted(desk, waiting)
    desk.records.keep(name, structs.replace(waiting, state="approved"))
    desk.take((op.partner, "adjust", name), entry.id)
    return entry, facts


def _adjusted(desk: Desk, one: Proposal) -> tuple[Entry, Facts]:
    who, owner = desk.member(one.member), budget(desk, one.budget).owner
    party, now, zone = desk.programme.parties.get(owner), desk.journal.now, desk.programme.zone
    contract = adjustments.OPERATOR_TERMS if party is None else party.contract_at(now)
    if one.take:
        entry = adjustments.take_back(desk.journal, who, owner, one.points)
    else:
        draw(desk, one.budget, one.points)
        expires_at = contract.expires_at(now, zone)
        entry = adjustments.give(desk.journal, who, owner, contract, one.points, expires_at)
    return entry, {
        "points": one.points, "taken": one.take, "budget": one.budget, "left": budget(desk, one.budget).left,
        "reason_code": one.code, "status": "booked",
    }  # fmt: skip


def freeze(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """The member cannot spend until it is unfrozen; earns, refunds and captures of holds go on."""
    return _set_frozen(desk, op, frozen=True)


def unfreeze(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """The member can spend again."""
    return _set_frozen(desk, op, frozen=False)


def _set_frozen(desk: Desk, op: Operation, *, frozen: bool) -> tuple[None, Facts]:
    who = desk.member(op.member)
    desk.was = {"frozen": who.frozen}
    if who.frozen != frozen:
        desk.change(tables.member, ("id",), ("frozen",), (who.member, frozen, who.frozen))
        who.frozen = frozen
    return None, {"member": member_name(who.member), "frozen": frozen}


def look_up(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """Who looked at a member is told, once for each credential and local day."""
    if desk.known(op.member) is None:
        raise UnknownMember(member_name(op.member))
    desk.records.keep(look_name(desk.journal.now, desk.programme.zone, op.member, op.by), LookUp(desk.journal.now))
    return None, {"looked_at": text_instant(desk.journal.now)}


def look_name(now: int, zone: str, member: int, by: str) -> str:
    """The name of a look-up's record."""
    return f"{member}:{by}:{local_day(now, zone)}"
