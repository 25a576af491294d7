"""A partner's standing: suspended and reinstated, its refunds meanwhile; refunds before their sale; default and dividend."""

from __future__ import annotations

from dataclasses import asdict

from counterfoil.core.accounts import OPERATOR
from counterfoil.core.entry import Entry, Verb
from counterfoil.core.errors import DuplicateExternalId
from counterfoil.core.operation import Operation
from counterfoil.core.refusals import PartnerExited
from counterfoil.core.reserves import Reserve
from counterfoil.core.rulebook import defaults, exits
from counterfoil.store.desk import Desk, entry_name
from counterfoil.store.kinds import Estate, Parked, Queue, Waiting
from counterfoil.store.terms import partner
from counterfoil.store.verbs_bank import fail

Facts = dict[str, object]


def suspend(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """Its points stay good elsewhere; its refunds wait."""
    party = partner(desk, op)
    desk.was = {"partner": party.name, "status": party.status}
    desk.set_status(party.number, "suspended")
    return None, {"partner": party.name, "status": "suspended"}


def reinstate(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """What waited is booked, in order."""
    party = partner(desk, op)
    desk.was = {"partner": party.name, "status": party.status}
    desk.set_status(party.number, "active")
    held = desk.records.find(Queue, str(party.number))
    if held is not None and held.refunds:
        desk.then += [_operation(one) for one in held.refunds]
        desk.records.keep(str(party.number), Queue([]))
    return None, {"partner": party.name, "status": "active"}


def queue(desk: Desk, op: Operation) -> Facts:
    """A refund of a suspended partner waits for its reinstatement."""
    held = desk.records.find(Queue, str(op.partner)) or Queue([])
    _new(op, held.refunds)
    desk.records.keep(str(op.partner), Queue([*held.refunds, _waiting(op)]))
    return {"status": "queued", "points": op.points}


def park(desk: Desk, op: Operation) -> Facts:
    """A refund that came before its sale waits for it."""
    name = f"{op.partner}:{op.original}"
    held = desk.records.find(Parked, name) or Parked([])
    _new(op, held.refunds)
    desk.records.keep(name, Parked([*held.refunds, _waiting(op)]))
    desk.revise(parked=desk.programme.parked | {name})
    return {"status": "parked", "points": op.points}


def match_parked(desk: Desk, op: Operation) -> None:
    """The sale that refunds waited for is here: they follow it."""
    name = f"{op.partner}:{op.external_id}"
    held = desk.records.find(Parked, name) if name in desk.programme.parked else None
    if held is not None and held.refunds:
        desk.then += [_operation(one) for one in held.refunds]
        desk.records.keep(name, Parked([]))
        desk.revise(parked=desk.programme.parked - {name})


def default(desk: Desk, op: Operation) -> tuple[Entry | None, Facts]:
    """A partner cannot pay the open settlement: spread what is missing, and suspend it."""
    assert desk.reach is not None
    party = partner(desk, op)
    gross, issued = defaults.Gross(), dict[int, int]()
    for entry in [*desk.reach.open_entries(), *(one.entry for one in desk.journal.written)]:
        gross.add(entry, party.number)
        if entry.verb is Verb.EARN and entry.partner != party.number and entry.lots[0].terms.funding:
            issued[entry.partner] = issued.get(entry.partner, 0) + sum(made.points for made in entry.lots)
    fall = defaults.waterfall(gross, int(op.asked["collateral"]), int(op.asked["first_loss"]), issued)
    entry_made = defaults.default(desk.journal, party.number, fall)
    held = desk.records.find(Estate, str(party.number)) or Estate({}, {})
    borne = {OPERATOR: fall.fee_written_off + fall.first_loss + fall.operator, **fall.partners}
    for number, micros in borne.items():
        held.borne[number] = held.borne.get(number, 0) + micros
    desk.records.keep(str(party.number), held)
    if party.status != "exited":  # who has left has left
        desk.set_status(party.number, "suspended")
    fail(desk, party.number)
    told = {name: value for name, value in asdict(fall).items() if name != "partners"}
    by_name = {desk.programme.name_of(number): micros for number, micros in fall.partners.items()}
    return entry_made, {"waterfall": {**told, "claim": fall.claim, "partners": by_name}}


def exit_partner(desk: Desk, op: Operation) -> tuple[Entry, Facts]:
    """It leaves: a reserve stands for what it still owes at use; its points stay good elsewhere, its refunds go on."""
    assert desk.reach is not None
    party = partner(desk, op)
    if party.status == "exited":
        raise PartnerExited(party.name)
    owed, points = desk.reach.owed(party.number)
    entry = exits.exit_partner(desk.journal, party.number, owed, int(op.asked["breakage_bp"]))
    reserve = Reserve(sum(one.micros for one in entry.paid), points)
    desk.journal.reserves[party.number] = reserve
    desk.records.keep(str(party.number), reserve)
    desk.set_status(party.number, "exited")
    return entry, {"partner": party.name, "status": "exited", "reserve_micros": reserve.micros, "outstanding": points}


def dividend(desk: Desk, op: Operation) -> tuple[Entry | None, Facts]:
    """The estate pays a part of its claim: other partners are made whole first."""
    party = partner(desk, op)
    held = desk.records.find(Estate, str(party.number)) or Estate({}, {})
    shares = defaults.dividend_shares(sum(held.borne.values()), int(op.asked["bp"]), held.borne, held.repaid)
    entry = defaults.dividend(desk.journal, party.number, shares)
    for number, micros in shares.items():
        held.repaid[number] = held.repaid.get(number, 0) + micros
    desk.records.keep(str(party.number), held)
    return entry, {"paid_micros": {desk.programme.name_of(number): micros for number, micros in shares.items()}}


def _new(op: Operation, held: list[Waiting]) -> None:
    """An external id waits once."""
    if any(one.external_id == op.external_id for one in held):
        raise DuplicateExternalId(op.external_id or "", entry_name(0))


def _waiting(op: Operation) -> Waiting:
    return Waiting(op.verb, op.partner, op.external_id or "", op.original, op.points)


def _operation(one: Waiting) -> Operation:
    return Operation(
        one.verb, one.partner, external_id=one.external_id, original=one.original, points=one.points, more={}
    )
