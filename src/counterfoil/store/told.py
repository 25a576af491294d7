"""Acts as they are told: what is kept beside their entries, and the entries themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from counterfoil.core.acts import About, Role
from counterfoil.core.encoding import decode
from counterfoil.core.entry import Entry
from counterfoil.store import json_text
from counterfoil.store.tables import act
from counterfoil.store.tables import entry as entries


@dataclass(frozen=True, slots=True)
class Told:
    """An act: its entry, the verb, by which credential, about which partner and member, why, what stood before and after."""

    entry: Entry
    verb: str
    actor: str
    role: Role
    partner: int
    member: int
    reason: str
    before: Any
    after: Any


def acts(
    engine: Engine, *, partner: int | None = None, rules: bool = False, after: int = -1, limit: int = 100
) -> list[Told]:
    """Acts by entry after a cursor: all, those about a partner, or those that changed the rules."""
    query = select(act, entries.c.body).join(entries, entries.c.id == act.c.entry)
    query = query.where(act.c.entry > after).order_by(act.c.entry).limit(limit)
    if partner is not None:
        query = query.where(act.c.partner == partner)
    if rules:
        query = query.where(act.c.about == int(About.RULEBOOK))
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return [
        Told(decode(bytes(row.body)), row.verb, row.actor, Role(row.role), row.partner, row.member, row.reason,
             _value(row.before), _value(row.after))
        for row in rows
    ]  # fmt: skip


def _value(text: str | None) -> Any:
    return None if text is None else json_text.loads(text)
