"""Legal entities, who belongs to which, and brands: each change holds from an instant on, never for what is past."""

from __future__ import annotations

import msgspec

from counterfoil.core.calendar import text_instant
from counterfoil.core.entities import SELLER, Belongs, Brand, LegalEntity, Profile, own_entity
from counterfoil.core.errors import BrandTaken, InvalidRequest, UnknownLegalEntity
from counterfoil.core.operation import Operation
from counterfoil.store.desk import Desk
from counterfoil.store.terms import partner

Facts = dict[str, object]


def legal_entity(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """A new version of a legal entity, the first one registers it."""
    name, since = str(op.asked["entity"]), _since(desk, op)
    held = desk.records.find(LegalEntity, name) or LegalEntity([])
    profile = msgspec.convert(op.asked["profile"], Profile)
    versions = [*(one for one in held.versions if one[0] < since), (since, profile)]
    desk.records.keep(name, LegalEntity(versions))
    return None, {"entity": name, "version": len(versions), "since": text_instant(since)}


def belong(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """A partner's legal entity from an instant on. The operator invoices others, not itself."""
    number, name, since = partner(desk, op).number, str(op.asked["entity"]), _since(desk, op)
    if name == SELLER:
        raise InvalidRequest("entity", "the operator's own legal entity issues invoices; it is not sent any")
    if name != own_entity(number) and desk.records.find(LegalEntity, name) is None:
        raise UnknownLegalEntity(name, "entity")
    held = desk.records.find(Belongs, str(number)) or Belongs([])
    desk.records.keep(str(number), Belongs([*(one for one in held.entities if one[0] < since), (since, name)]))
    return None, {"partner": number, "entity": name, "since": text_instant(since)}


def brand(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """A name that members see becomes a partner's. Raises BrandTaken."""
    number, name = partner(desk, op).number, str(op.asked["name"])
    if desk.records.find(Brand, name) is not None:
        raise BrandTaken(name)
    desk.records.keep(name, Brand(number))
    return None, {"partner": number, "brand": name}


def _since(desk: Desk, op: Operation) -> int:
    """From now unless a later instant is named: a settlement closed before is invoiced with what held at its close."""
    since = int(op.asked.get("since") or desk.journal.now)
    if since < desk.journal.now:
        raise InvalidRequest("since", f"must not be past: it is {text_instant(desk.journal.now)} here")
    return since
