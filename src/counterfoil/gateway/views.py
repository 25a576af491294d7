"""How entries look outside, and cursor lists: `{data, has_more, next_cursor}` by sequence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Path
from pydantic import BaseModel

from counterfoil.core.accounts import Kind, kind_of, owner_of
from counterfoil.core.calendar import text_instant
from counterfoil.core.entry import Entry, Verb, id_number
from counterfoil.core.errors import InvalidRequest
from counterfoil.core.units import MONEY
from counterfoil.store.books import Row
from counterfoil.store.registry import Programme

MEMBER_ID = Annotated[str, Path(pattern=r"^mbr_[0-9a-f]{16}$", examples=["mbr_212c39a6e24cc68e"])]
ENTRY_ID = Annotated[str, Path(pattern=r"^ent_[0-9a-f]{16}$", examples=["ent_0000000000010000"])]


class OfEntry(Protocol):
    """What a list by entry holds."""

    @property
    def entry(self) -> Entry:
        """The entry."""


Listed = TypeVar("Listed", bound=OfEntry)


class Page(BaseModel):
    """A page of a list; ask again with `cursor=next_cursor` while there is more."""

    data: list[dict[str, Any]]
    has_more: bool
    next_cursor: str | None


def page_of(
    fetch: Callable[[int, int], list[Listed]],
    cursor: str | None,
    limit: int,
    view: Callable[[Listed], dict[str, Any]],
) -> dict[str, Any]:
    """A page by entry id; raises InvalidRequest for a cursor that no page gave."""
    after = -1
    if cursor is not None:
        if not cursor.startswith("ent_") or len(cursor) != 20 or not set(cursor[4:]) <= set("0123456789abcdef"):
            raise InvalidRequest("cursor", "is not the next_cursor of a page")
        after = id_number(cursor)
    rows = fetch(after, limit + 1)
    more = len(rows) > limit
    last = f"ent_{rows[limit - 1].entry.id:016x}" if more else None
    return {"data": [view(row) for row in rows[:limit]], "has_more": more, "next_cursor": last}


def entry_view(row: Row, programme: Programme) -> dict[str, Any]:
    """An entry for those who may see it whole: its partner and the operator."""
    e = row.entry
    money: dict[str, int] = {}
    points: dict[str, int] = {}
    for p in e.postings:
        for word, sign in ((p.debit, -1), (p.credit, 1)):
            kind, owner = kind_of(word), owner_of(word)
            if p.unit == MONEY:
                name = programme.name_of(owner)
                money[name] = money.get(name, 0) + sign * p.amount
            elif kind in {Kind.AVAILABLE, Kind.HELD, Kind.DEBT} and owner == 0:
                points[kind.name.lower()] = points.get(kind.name.lower(), 0) + sign * p.amount
    return {
        "id": f"ent_{e.id:016x}",
        "verb": e.verb.name.lower(),
        "external_id": row.external_id,
        "partner": programme.name_of(e.partner) if e.partner else None,
        # whoever only funds a part of a lot learns how many points were used, not whose
        "member": f"mbr_{row.member:016x}" if row.member and e.verb is not Verb.FUND else None,
        "at": text_instant(e.at),
        "occurred_at": text_instant(e.occurred_at),
        "points": {name: change for name, change in points.items() if change},
        "money": [{"party": name, "amount_micros": net} for name, net in money.items() if net],
        "refers_to": f"ent_{e.refers_to:016x}" if e.refers_to and e.verb is not Verb.FUND else None,
        "hash": "0x" + row.hash.hex(),
        "leaf": row.leaf,
    }
