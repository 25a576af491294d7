"""A member's burn disputed and ruled, a member merged or erased, limits on gifts."""

from __future__ import annotations

from counterfoil.core.calendar import local_day, text_instant
from counterfoil.core.entry import Entry, Place, Verb
from counterfoil.core.errors import InvalidRecipient, UnknownBurn
from counterfoil.core.holdings import Holdings
from counterfoil.core.limits import VelocityLimit
from counterfoil.core.operation import Operation
from counterfoil.core.refusals import (
    AlreadyDisputed,
    AlreadyRuled,
    DisputeWindowClosed,
    ErasureNotDue,
    LineDisputed,
    MemberLeaving,
    NotDisputed,
    NothingToDispute,
)
from counterfoil.core.rulebook import disputes, erasure, merging
from counterfoil.core.rulebook.refunds import burned
from counterfoil.store.budgets import back_above_face
from counterfoil.store.desk import Desk, entry_name, member_name
from counterfoil.store.kinds import Dispute, Erasure, Usage, Velocity
from counterfoil.store.verbs_packs import give_back
from counterfoil.store.verbs_wallets import forget, merged

Facts = dict[str, object]


def dispute(desk: Desk, op: Operation) -> tuple[Entry, Facts]:
    """A whole burn not yet refunded, once, until ten business days after its settlement was closed."""
    burn, who = _burn(desk, op)
    desk.member(who.member)
    held, name = desk.records.find(Dispute, str(burn.id)), entry_name(burn.id)
    if held is not None:
        raise AlreadyDisputed(name)
    assert desk.reach is not None
    closed_at = desk.reach.closed_at(burn.id)
    if closed_at is not None:
        ends = disputes.window_ends(closed_at, desk.programme.zone)
        if desk.journal.now >= ends:
            raise DisputeWindowClosed(name, text_instant(ends))
    effect = desk.effect_of(burn.id)
    if (effect is not None and effect.refunded) or not disputes.amount(burn):
        raise NothingToDispute(name)
    entry = disputes.dispute(desk.journal, who, burn)
    desk.records.keep(str(burn.id), Dispute("open"))
    desk.revise(disputed=desk.programme.disputed | {str(burn.id)})
    return entry, {"burn": name, "refers_to": name}


def rule(desk: Desk, op: Operation) -> tuple[Entry, Facts]:
    """The burn stands (`valid`), or its points go back."""
    burn, who = _burn(desk, op)
    valid = bool(op.asked["valid"])
    if not valid:
        desk.member(who.member)  # an erased member's points cannot go back; that the burn stands can still be ruled
    held, name = desk.records.find(Dispute, str(burn.id)), entry_name(burn.id)
    if held is None:
        raise NotDisputed(name)
    if held.state != "open":
        raise AlreadyRuled(name)
    entry = disputes.rule(desk.journal, who, burn, desk.programme.zone, valid=valid)
    desk.records.keep(str(burn.id), Dispute("valid" if valid else "denied"))
    back_above_face(desk, who, burn, entry)
    effect = desk.effect_of(burn.id)
    if not valid and effect is not None:
        effect.refunded = sum(move.points for move in burned(burn.moves))
    return entry, {"burn": name, "valid": valid, "refers_to": name}


def undisputed(desk: Desk, burn: int) -> None:
    """Raises LineDisputed while a burn waits for its ruling."""
    held = desk.records.find(Dispute, str(burn)) if str(burn) in desk.programme.disputed else None
    if held is not None and held.state == "open":
        raise LineDisputed(entry_name(burn))


def request_erasure(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """Erasure is due at 00:00 local of the thirtieth day."""
    who = desk.member(op.member)
    held = desk.records.find(Erasure, str(who.member)) or Erasure(desk.journal.now)
    desk.records.keep(str(who.member), held)
    return None, {"due_at": text_instant(erasure.due_at(held.requested_at, desk.programme.zone))}


def erase(desk: Desk, op: Operation) -> tuple[Entry | None, Facts]:
    """What is held is released, pending cancelled, debts dropped, the rest forfeit; then the secret is deleted."""
    who = desk.member(op.member)
    held = desk.records.find(Erasure, str(who.member))
    if held is None:
        raise ErasureNotDue("the member has not asked for it", None)
    due_at = erasure.due_at(held.requested_at, desk.programme.zone)
    if desk.journal.now < due_at:
        raise ErasureNotDue(f"it is due at {text_instant(due_at)}", text_instant(due_at))
    forfeited = who.available
    entry = erasure.erase(desk.journal, who, lambda earn, points: give_back(desk, desk.original(earn)[0], points))
    forget(desk, who)
    who.erased = True
    desk.erased.append(who.member)
    return entry, {"forfeited": forfeited}


def merge(desk: Desk, op: Operation) -> tuple[Entry, Facts]:
    """One person was enrolled twice: all that `member` has becomes `recipient`'s, who is named by both ids from now on."""
    gone, kept = desk.spender(op.member), desk.spender(op.recipient, "into")
    if gone.member == kept.member:
        raise InvalidRecipient("into")
    for who, name in ((gone, "member"), (kept, "into")):
        if desk.records.find(Erasure, str(who.member)) is not None:
            raise MemberLeaving(member_name(who.member), name)
    entry = merging.merge(desk.journal, gone, kept)
    desk.state.merge(gone.member, kept.member)
    desk.merged.append((gone.member, kept.member))
    merged(desk, gone, kept)
    _count_together(desk, gone.member, kept.member)
    moved: dict[Place, int] = {}
    for move in entry.moves:
        moved[move.source] = moved.get(move.source, 0) + move.points
    told = {place.name.lower(): moved.get(place, 0) for place in merging.OPEN}
    return entry, {"into": member_name(kept.member), "moved": told, "available": kept.available}


def _count_together(desk: Desk, gone: int, kept: int) -> None:
    """What both were given or gave counts against one person's limits: of today, and over all."""
    today = local_day(desk.journal.now, desk.programme.zone)
    one, other = (desk.records.find(Velocity, f"{number}:{today}") for number in (gone, kept))
    if one is not None:
        before = other or Velocity(0, 0)
        desk.records.keep(f"{kept}:{today}", Velocity(before.points + one.points, before.count + one.count))
    for rule in desk.programme.earn_rules.versions:
        for name in (rule, f"{rule}:{today.isoformat()}"):
            used, own = (desk.records.find(Usage, f"{number}:{name}") for number in (gone, kept))
            if used is not None:
                desk.records.keep(f"{kept}:{name}", Usage(used.points + (own.points if own else 0)))


def velocity(desk: Desk, sender: Holdings, points: int) -> tuple[str, Velocity] | None:
    """What the sender's local day comes to with a gift, to be kept once it is made; raises VelocityLimit."""
    most_points, most_count = desk.programme.limits.transfer_daily_points, desk.programme.limits.transfer_daily_count
    if most_points is None and most_count is None:
        return None
    name = f"{sender.member}:{local_day(desk.journal.now, desk.programme.zone)}"
    held = desk.records.find(Velocity, name) or Velocity(0, 0)
    if most_points is not None and held.points + points > most_points:
        raise VelocityLimit("points given", most_points, held.points)
    if most_count is not None and held.count + 1 > most_count:
        raise VelocityLimit("gifts", most_count, held.count)
    return name, Velocity(held.points + points, held.count + 1)


def _burn(desk: Desk, op: Operation) -> tuple[Entry, Holdings]:
    """The burn or capture named, and whose it is."""
    try:
        entry, owner = desk.original(op.hold)
    except KeyError:
        raise UnknownBurn(entry_name(op.hold)) from None
    if entry.verb not in {Verb.BURN, Verb.CAPTURE, Verb.REDEEM}:
        raise UnknownBurn(entry_name(op.hold))
    who = desk.known(owner)
    assert who is not None
    return entry, who
