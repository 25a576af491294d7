"""Invoicing: the documents of each closed settlement, in order, once. Safe to rerun after a crash at any point.

All documents of a settlement and their numbers are one commit, so a crash leaves either none or all of them. They are a
function of the settlement's entries and of what was registered when it closed: whoever makes them, and when, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from counterfoil.core.accounts import FIRST_PARTNER, settled_by
from counterfoil.core.calendar import local_day, text_instant
from counterfoil.core.entities import (
    SELLER,
    Belongs,
    LegalEntity,
    Profile,
    Tax,
    completed,
    entity_at,
    in_force,
)
from counterfoil.core.invoices import CREDIT_NOTE, Draft, Line, Lines, drafts
from counterfoil.store import invoices, json_text, registry, settlements
from counterfoil.store.engine import Connection, Engine, writing
from counterfoil.store.invoices import Span
from counterfoil.store.records import recorded


def invoice(engine: Engine, crash: Callable[[str], None] = lambda point: None) -> bool:
    """Make the documents of the first settlement that has none yet; False if there is none that is closed."""
    with engine.connect() as connection:
        number = invoices.last(connection) + 1
    row: Any = settlements.one(engine, number)
    if row is None or row.totals is None:
        return False
    ranges = [Span(one.number, one.first_leaf, one.log_size) for one in settlements.every(engine)]
    lines = invoices.lines_of(engine, [one for one in ranges if one.number <= number])
    totals = json_text.loads(row.totals)
    exact, rounded = _by_partner(totals["exact"]), _by_partner(totals["rounded"])
    partners = sorted({name.partner for name in lines.sums})
    assert all(lines.exact(partner) == exact.get(partner, 0) for partner in {*partners, *exact})
    with writing(engine) as connection:
        if not invoices.take(connection, number):  # another process was faster: the next look finds what is left
            return True
        programme = registry.load(connection)
        groups: dict[str, list[int]] = {}
        for partner in partners:
            belongs = recorded(connection, Belongs, str(partner))
            groups.setdefault(entity_at(belongs, partner, row.closed_at), []).append(partner)
        for entity in sorted(groups, key=groups.__getitem__):
            _issue(connection, programme, row, entity, _some(lines, groups[entity]), rounded)
            crash("settlement.invoice")
    crash("settlement.invoiced")
    return True


def _by_partner(words: Mapping[str, int]) -> dict[int, int]:
    """What partners' positions say, their estates included."""
    found: dict[int, int] = {}
    for owner, micros in words.items():
        if settled_by(int(owner)) >= FIRST_PARTNER:
            found[settled_by(int(owner))] = found.get(settled_by(int(owner)), 0) + micros
    return found


def _some(lines: Lines, partners: list[int]) -> Lines:
    return Lines({name: sums for name, sums in lines.sums.items() if name.partner in partners})


def _issue(
    connection: Connection,
    programme: registry.Programme,
    row: Any,
    entity: str,
    lines: Lines,
    rounded: Mapping[int, int],
) -> None:
    """One legal entity's documents of a settlement."""
    operator = _profile(connection, SELLER, row.closed_at) or Profile("Operator")
    seller = completed(operator, operator)
    partners = sorted({name.partner for name in lines.sums})
    plain = Profile(" / ".join(programme.name_of(partner) for partner in partners))
    buyer = completed(_profile(connection, entity, row.closed_at) or plain, seller)
    before = {
        (name.partner, name.corrects): invoices.corrected(connection, name.corrects, name.partner)
        for name in lines.sums
        if name.corrects
    }
    taxes: dict[tuple[int, int], tuple[Tax, ...]] = {(partner, 0): buyer.taxes or () for partner in partners}
    for key, body in before.items():  # a correction keeps the tax of what it corrects
        taxes[key] = (buyer.taxes or ()) if body is None else msgspec.convert(body["buyer"]["taxes"], tuple[Tax, ...])
    for draft in drafts(lines, {partner: rounded.get(partner, 0) for partner in partners}, taxes):
        series = buyer.credit_note_series if draft.kind == CREDIT_NOTE else buyer.invoice_series
        named = {(corrects, partner): body["number"] for (partner, corrects), body in before.items() if body}
        assert series is not None
        body = {
            **_head(programme, row, buyer), "kind": draft.kind,
            "seller": {"entity": SELLER, **msgspec.to_builtins(seller)},
            "buyer": {"entity": entity, **msgspec.to_builtins(buyer), "partners": [
                {"id": partner, "name": programme.name_of(partner)} for partner in partners
                if any(line.partner == partner for line in draft.lines)
            ]},
            "corrects": _corrects(draft, named), **_sums(draft, programme),
        }  # fmt: skip
        invoices.keep(connection, series, body)


def _profile(connection: Connection, entity: str, at: int) -> Profile | None:
    held = recorded(connection, LegalEntity, entity)
    return in_force(held.versions, at) if held is not None else None


def _head(programme: registry.Programme, row: Any, buyer: Profile) -> dict[str, Any]:
    day = local_day(row.closed_at, programme.zone)
    return {
        "version": 1, "programme": "0x" + programme.programme.hex(), "settlement": row.number,
        "closing": json_text.loads(row.totals)["closing_hash"], "closed_at": text_instant(row.closed_at),
        "issued_on": day.isoformat(), "tax_due_on": (day + timedelta(days=buyer.payment_days or 0)).isoformat(),
        "currency": buyer.currency,
    }  # fmt: skip


def _corrects(draft: Draft, named: Mapping[tuple[int, int], str]) -> list[dict[str, Any]]:
    """Earlier settlements with the documents it had there; none if no money moved then."""
    return [
        {
            "settlement": number,
            "numbers": sorted({name for (corrects, _p), name in named.items() if corrects == number}),
        }
        for number in draft.corrects
    ]


def _sums(draft: Draft, programme: registry.Programme) -> dict[str, Any]:
    return {
        "lines": [_line(one, programme) for one in draft.lines],
        "taxes": [
            {**_tax(one.tax), "base_micros": one.base_micros, "tax_micros": one.tax_micros} for one in draft.taxes
        ],
        "net_micros": draft.net_micros,
        "tax_micros": draft.tax_micros,
        "total_micros": draft.net_micros + draft.tax_micros,
    }


def _line(one: Line, programme: registry.Programme) -> dict[str, Any]:
    return {
        "partner": programme.name_of(one.partner) if one.partner else None, "kind": str(one.kind), "refund": one.refund,
        "corrects": one.corrects or None, "points": one.points or None, "unit_micros": one.unit_micros or None,
        "amount_micros": one.amount_micros,
        "tax": {"name": one.tax.name, "category": one.tax.category, "rate_bp": one.tax.rate_bp},
    }  # fmt: skip


def _tax(tax: Tax) -> dict[str, Any]:
    return {"name": tax.name, "category": tax.category, "rate_bp": tax.rate_bp, "note": tax.note}
