"""From an operation to its answer: refusals in their order, dry runs, duplicates; the verbs themselves are in `verbs`."""

from __future__ import annotations

from copy import deepcopy

from msgspec import structs

from counterfoil.core.accounts import owner_of
from counterfoil.core.calendar import text_instant
from counterfoil.core.entry import Entry, place_of
from counterfoil.core.errors import DuplicateExternalId, OccurredInFuture, Refusal
from counterfoil.core.journal import Journal
from counterfoil.core.operation import Answer, Operation
from counterfoil.core.rulebook import due
from counterfoil.core.units import MONEY
from counterfoil.store import json_text
from counterfoil.store.acts import note, rules_before
from counterfoil.store.desk import Desk, entry_name, member_name
from counterfoil.store.reach import Copies
from counterfoil.store.state import State
from counterfoil.store.verbs import VERBS


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
    """A desk on which a dry run may work; its entries stand in group 0, which is never written."""
    desk.note_exposure()
    journal = Journal(desk.journal.programme, 0, desk.journal.now, reserves=deepcopy(desk.journal.reserves))
    effects = {name: structs.replace(desk.effects[name]) for name in (op.effect, op.refunded) if name in desk.effects}
    records = desk.records.scratch()
    return Desk(
        desk.programme,
        journal,
        State(),
        effects,
        holders=desk.holders,
        reach=Copies(desk),
        records=records,
        founding=desk.founding,
    )


def _accepted(desk: Desk, op: Operation) -> Answer:
    if op.verb == "due":
        who = desk.known(op.member)
        if who is not None:
            due.settle_up(desk.journal, who)
        return Answer(True, 0, b"{}")
    if op.occurred_at > desk.journal.now:
        raise OccurredInFuture(text_instant(desk.journal.now))
    name = op.effect
    if op.external_id is not None and name in desk.effects:
        raise DuplicateExternalId(op.external_id, entry_name(desk.effects[name].entry))
    rules = rules_before(desk, op)
    entry, facts = VERBS[op.verb](desk, op)
    act = note(desk, op, entry, facts, rules)
    number = entry.id if entry is not None else act.id if act is not None else 0
    if entry is not None:
        desk.take(name, entry.id)
    shown: dict[str, object] = {"verb": op.verb, "at": text_instant(desk.journal.now)}
    if entry is not None:
        first = desk.journal.written[place_of(number)].members[:1]
        if first:
            shown = {"verb": op.verb, "member": member_name(first[0]), "at": shown["at"]}
        shown["money"] = _money(desk, entry)
        if first:
            holder = desk.state.member(first[0])
            assert holder is not None
            shown["available"] = holder.available
    if desk.then:
        facts = {**facts, **_then(desk)}
    return Answer(True, number, json_text.dumps({**shown, **facts}))


def _then(desk: Desk) -> dict[str, object]:
    """Carry out what waited for this: refunds that can be booked now. What a rule turns down is dropped, and said."""
    waiting, desk.then = desk.then, []
    told: dict[str, object] = {}
    for op in waiting:
        answer = decide(desk, op)
        kind = "booked" if answer.ok else "dropped"
        line = {"verb": op.verb, "external_id": op.external_id}
        line |= {"id": entry_name(answer.entry)} if answer.ok else {"code": answer.facts["code"]}
        listed = told.setdefault(kind, [])
        assert isinstance(listed, list)
        listed.append(line)
    return told


def _money(desk: Desk, entry: Entry) -> list[dict[str, object]]:
    """What each party receives (+) or pays (-)."""
    money: dict[int, int] = {}
    for debit, credit, amount in [(p.debit, p.credit, p.amount) for p in entry.postings if p.unit == MONEY]:
        money[debit] = money.get(debit, 0) - amount
        money[credit] = money.get(credit, 0) + amount
    name_of = desk.programme.name_of
    return [{"party": name_of(owner_of(party)), "amount_micros": net} for party, net in money.items()]
