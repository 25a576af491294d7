"""From an operation to the rulebook: refusals in their order, the right verb, and the facts of the answer."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace

from msgspec import Struct, structs

from counterfoil.core.accounts import owner_of
from counterfoil.core.calendar import LAST_INSTANT, end_of_day, text_instant, valid_until
from counterfoil.core.entry import Entry, Place, Verb, group_of, place_of
from counterfoil.core.errors import (
    DuplicateExternalId,
    Refusal,
    UnknownBurn,
    UnknownEarn,
    UnknownHold,
    UnknownMember,
)
from counterfoil.core.holdings import Hold, Holdings
from counterfoil.core.journal import Journal
from counterfoil.core.operation import EFFECT_KINDS, Answer, Operation
from counterfoil.core.rulebook import due, refunds, verbs
from counterfoil.core.units import MONEY, NEVER
from counterfoil.store import json_text
from counterfoil.store.registry import Programme
from counterfoil.store.state import State


class Effect(Struct, gc=False):
    """An accepted operation under its external id; `refunded` counts points of an earn or burn taken back."""

    entry: int
    refunded: int = 0
    was: int | None = None  # `refunded` as it stands in the books; None if it is not there yet


@dataclass(slots=True)
class Desk:
    """What one transaction decides on: the journal, the members, the effects and originals read so far."""

    programme: Programme
    journal: Journal
    state: State
    effects: dict[tuple[int, str, str], Effect] = field(default_factory=dict)
    originals: dict[int, tuple[Entry, int]] = field(default_factory=dict)  # committed before: entry, its first member
    holders: dict[int, int] = field(default_factory=dict)  # member by hold
    changed: dict[tuple[int, str, str], None] = field(default_factory=dict)  # effects not written yet, in order

    def original(self, number: int) -> tuple[Entry, int]:
        """An entry that a refund refers to, and its first member; it may stand in this very group."""
        if group_of(number) == self.journal.group:
            written = self.journal.written[place_of(number)]
            return written.entry, written.members[0]
        return self.originals[number]


def member_name(number: int) -> str:
    """A member's public id."""
    return f"mbr_{number:016x}"


def entry_name(number: int) -> str:
    """An entry's public id."""
    return f"ent_{number:016x}"


def decide(desk: Desk, op: Operation) -> Answer:
    """Carry out one operation; a refusal is an answer too. A dry run works on copies and leaves nothing."""
    if op.dry_run:
        answer = decide(_scratch(desk, op), structs.replace(op, dry_run=False))
        return Answer(answer.ok, 0, _unnamed(answer) if op.verb == "hold" else answer.json)
    try:
        return _accepted(desk, op)
    except Refusal as refusal:
        return refused(refusal)


def _unnamed(answer: Answer) -> bytes:
    """Without the id of a hold that was not made."""
    return json_text.dumps({name: fact for name, fact in answer.facts.items() if name != "hold"})


def refused(refusal: Refusal) -> Answer:
    """A refusal as an answer."""
    return Answer(False, 0, json_text.dumps({"code": refusal.code, "detail": str(refusal), **refusal.facts()}))


def _scratch(desk: Desk, op: Operation) -> Desk:
    """A desk with copies of what this operation can touch; its entries stand in group 0, which is never written."""
    names = [(op.partner, EFFECT_KINDS[op.verb], op.external_id or ""), op.refunded]
    effects = {name: structs.replace(desk.effects[name]) for name in names if name in desk.effects}
    touched = {op.member, op.recipient, desk.holders.get(op.hold, 0)}
    originals = {}
    if names[1] in effects:
        number = effects[names[1]].entry
        originals[number] = desk.original(number)
        touched.add(originals[number][1])
    members = {number: deepcopy(desk.state.members[number]) for number in touched if number in desk.state.members}
    journal = Journal(desk.journal.programme, 0, desk.journal.now)
    return replace(desk, journal=journal, state=State(members), effects=effects, originals=originals, changed={})


def _accepted(desk: Desk, op: Operation) -> Answer:
    if op.verb == "due":
        due.settle_up(desk.journal, desk.state.members[op.member])
        return Answer(True, 0, b"{}")
    name = (op.partner, EFFECT_KINDS[op.verb], op.external_id or "")
    if op.external_id is not None and name in desk.effects:
        raise DuplicateExternalId(op.external_id, entry_name(desk.effects[name].entry))
    entry, facts = _VERBS[op.verb](desk, op)
    if op.external_id is not None:
        desk.effects[name] = Effect(entry.id)
        desk.changed[name] = None
    first = desk.journal.written[place_of(entry.id)].members[0]
    who = desk.state.members[first]
    shown = {
        "verb": op.verb,
        "member": member_name(first),
        "at": text_instant(entry.at),
        "money": _money(desk, entry),
        "available": who.available,
        **facts,
    }
    return Answer(True, entry.id, json_text.dumps(shown))


def _money(desk: Desk, entry: Entry) -> list[dict[str, object]]:
    """What each party receives (+) or pays (-)."""
    money: dict[int, int] = {}
    for debit, credit, amount in [(p.debit, p.credit, p.amount) for p in entry.postings if p.unit == MONEY]:
        money[debit] = money.get(debit, 0) - amount
        money[credit] = money.get(credit, 0) + amount
    name_of = desk.programme.name_of
    return [{"party": name_of(owner_of(party)), "amount_micros": net} for party, net in money.items()]


def _member(desk: Desk, number: int, field_name: str = "member") -> Holdings:
    who = desk.state.members.get(number)
    if who is None:
        raise UnknownMember(member_name(number), field_name)
    return who


def _earn(desk: Desk, op: Operation) -> tuple[Entry, dict[str, object]]:
    who, contract = _member(desk, op.member), desk.programme.parties[op.partner].contract
    now, zone = desk.journal.now, desk.programme.zone
    expires_at = end_of_day(op.valid_to, zone) if op.valid_to else valid_until(now, contract.valid_days, zone)
    entry = verbs.earn(desk.journal, who, op.partner, contract, op.points, expires_at)
    return entry, {"points": op.points, "expires_at": _expiry(expires_at)}


def _burn(desk: Desk, op: Operation) -> tuple[Entry, dict[str, object]]:
    who = _member(desk, op.member)
    entry = verbs.burn(desk.journal, who, op.partner, op.points)
    return entry, {"points": op.points, "lots": _lots(desk, entry, who)}


def _hold(desk: Desk, op: Operation) -> tuple[Entry, dict[str, object]]:
    who = _member(desk, op.member)
    until = min(desk.journal.now + op.ttl_seconds * 1_000_000, LAST_INSTANT)
    entry = verbs.hold(desk.journal, who, op.partner, op.points, until)
    return entry, {"points": op.points, "hold": verbs.hold_name(entry.id), "expires_at": text_instant(until)}


def _capture(desk: Desk, op: Operation) -> tuple[Entry, dict[str, object]]:
    who, held = _held(desk, op)
    entry = verbs.capture(desk.journal, who, held, op.points)
    facts = {"points": op.points, "released": held.points - op.points, "hold": verbs.hold_name(held.entry)}
    return entry, {**facts, "lots": _lots(desk, entry, who)}


def _release(desk: Desk, op: Operation) -> tuple[Entry, dict[str, object]]:
    who, held = _held(desk, op)
    entry = verbs.release(desk.journal, who, held)
    return entry, {"points": held.points, "hold": verbs.hold_name(held.entry)}


def _refund_earn(desk: Desk, op: Operation) -> tuple[Entry, dict[str, object]]:
    effect, original, who = _original(desk, op, UnknownEarn(op.original))
    got = refunds.refund_earn(desk.journal, who, original, op.points)
    _refunded(desk, op, effect)
    facts: dict[str, object] = {"points": op.points, "recovered": got.recovered, "debt": got.debt}
    return got.entry, {**facts, "excused": got.excused, "refers_to": entry_name(original.entry.id)}


def _refund_burn(desk: Desk, op: Operation) -> tuple[Entry, dict[str, object]]:
    effect, original, who = _original(desk, op, UnknownBurn(op.original))
    entry = refunds.refund_burn(desk.journal, who, original, op.points, desk.programme.zone)
    _refunded(desk, op, effect)
    return entry, {"points": op.points, "refers_to": entry_name(original.entry.id)}


def _refunded(desk: Desk, op: Operation, effect: Effect) -> None:
    effect.refunded += op.points
    desk.changed[op.refunded] = None


def _transfer(desk: Desk, op: Operation) -> tuple[Entry, dict[str, object]]:
    sender, recipient = _member(desk, op.member, "sender"), _member(desk, op.recipient, "recipient")
    entry = verbs.transfer(desk.journal, sender, recipient, op.points, op.partner)
    return entry, {
        "points": op.points,
        "recipient": member_name(op.recipient),
        "lots": _lots(desk, entry, sender),
    }


_VERBS: dict[str, Callable[[Desk, Operation], tuple[Entry, dict[str, object]]]] = {
    "earn": _earn, "burn": _burn, "hold": _hold, "capture": _capture, "release": _release,
    "refund_earn": _refund_earn, "refund_burn": _refund_burn, "transfer": _transfer,
}  # fmt: skip


def _held(desk: Desk, op: Operation) -> tuple[Holdings, Hold]:
    """The hold as its own partner sees it; another's is unknown."""
    who = desk.state.members.get(desk.holders.get(op.hold, 0))
    held = who.holds.get(op.hold) if who else None
    if who is None or held is None or held.partner != op.partner:
        raise UnknownHold(verbs.hold_name(op.hold))
    return who, held


def _original(desk: Desk, op: Operation, unknown: Refusal) -> tuple[Effect, refunds.Original, Holdings]:
    effect = desk.effects.get(op.refunded)
    if effect is None:
        raise unknown
    entry, owner = desk.original(effect.entry)
    return effect, refunds.Original(entry, effect.refunded), _member(desk, owner)


def _lots(desk: Desk, entry: Entry, who: Holdings) -> list[list[object]]:
    """[issuer, points] of each lot used, in the order used."""
    used = {Place.BURNED, Place.GIFTED} if entry.verb is not Verb.HOLD else {Place.HELD}
    return [
        [desk.programme.name_of(who.lots[m.entry, m.index].terms.issuer), m.points]
        for m in entry.moves
        if m.target in used
    ]


def _expiry(at: int) -> str | None:
    return None if at == NEVER else text_instant(at)
