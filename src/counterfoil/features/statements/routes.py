"""A partner's own entries, and its statement of a settlement."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from counterfoil.core import netting
from counterfoil.core.entry import id_number
from counterfoil.core.errors import InvalidRequest, NotFound, UnknownSettlement
from counterfoil.core.units import rounded_half_even
from counterfoil.gateway.auth import Reader
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.gateway.views import ENTRY_ID, Page, entry_view, page_of
from counterfoil.store import books, registry, sequencer, settlements

router = APIRouter(prefix="/v1", tags=["statements"])


class Statement(BaseModel):
    """A partner's part of one settlement; lines are at /v1/entries and /v1/settlements/{number}/rows."""

    settlement: int
    state: str
    partner: str
    entries: int
    by_verb: dict[str, dict[str, int]]
    net_micros: int
    settled_micros: int


@router.get("/entries", response_model=Page, responses=declared())
def entries(
    request: Request,
    caller: Reader,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """Entries by sequence: a partner's own, or all for the operator."""
    gateway, programme = gateway_of(request), gateway_of(request).known()
    partner = None if registry.is_operator(caller) else caller.party

    def fetch(after: int, count: int) -> list[books.Row]:
        return books.rows_of(gateway.engine, partner=partner, after=after, limit=count)

    return page_of(fetch, cursor, limit, lambda row: entry_view(row, programme))


@router.get("/entries/{entry}", responses=declared(404))
def entry(request: Request, entry: ENTRY_ID, caller: Reader) -> dict[str, Any]:
    """One entry with its postings summed by party; another partner's is not found."""
    gateway = gateway_of(request)
    row = books.row(gateway.engine, id_number(entry))
    if row is None or not (registry.is_operator(caller) or row.entry.partner == caller.party):
        raise NotFound("entry", entry)
    return entry_view(row, gateway.known())


@router.get("/statement", response_model=Statement, responses=declared(404))
def statement(
    request: Request, caller: Reader, settlement: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
) -> Statement:
    """The calling partner's totals of a settlement; without a number, of the open one so far."""
    gateway = gateway_of(request)
    programme = gateway.known()
    if registry.is_operator(caller):
        raise InvalidRequest("Authorization", "a statement is a partner's: use a partner's key")
    number = settlement or programme.open_settlement
    row = settlements.one(gateway.engine, number)
    if row is not None:
        start, end, state = row.first_leaf, row.log_size, row.state
    elif number == programme.open_settlement:
        before = settlements.one(gateway.engine, number - 1)
        start, end, state = (before.log_size if before else 0), sequencer.sequence(gateway.engine)[0], "open"
    else:
        raise UnknownSettlement(str(number))
    nets: dict[int, int] = {}
    verbs: dict[str, dict[str, int]] = {}
    count = 0
    for one in books.leaves(gateway.engine, start, end, caller.party):
        mine: dict[int, int] = {}
        netting.fold(one.entry.postings, mine)
        netting.fold(one.entry.postings, nets)
        total = verbs.setdefault(one.entry.verb.name.lower(), {"entries": 0, "net_micros": 0})
        total["entries"] += 1
        total["net_micros"] += mine.get(caller.party, 0)
        count += 1
    net = nets.get(caller.party, 0)
    return Statement(
        settlement=number, state=state, partner=programme.name_of(caller.party), entries=count, by_verb=verbs,
        net_micros=net, settled_micros=rounded_half_even(net),
    )  # fmt: skip
