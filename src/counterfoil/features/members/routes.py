"""Members: known to the books by a random id, to a partner by its own reference."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from counterfoil.core.calendar import text_instant
from counterfoil.core.entry import id_number
from counterfoil.core.holdings import Holdings
from counterfoil.core.units import COALITION_CURRENCY, NEVER
from counterfoil.gateway.auth import MemberKeeper, Operator, Reader
from counterfoil.gateway.looks import looked_up
from counterfoil.gateway.moves import Act, Done, Key, move
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.gateway.views import MEMBER_ID, Page, entry_view, page_of
from counterfoil.store import books, registry

router = APIRouter(prefix="/v1/members", tags=["members"])
Reference = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["card-2201"])]


class NewMember(BaseModel):
    """A member; with the same `reference` of the same partner it is the same one again."""

    model_config = ConfigDict(extra="forbid")
    reference: Reference | None = None


class NewMembers(BaseModel):
    """Many at once."""

    model_config = ConfigDict(extra="forbid")
    references: Annotated[list[Reference], Field(min_length=1, max_length=8_000)]


class Member(BaseModel):
    """A member's random id, and the calling partner's own name for it."""

    id: str
    reference: str | None = None
    created: bool


class Members(BaseModel):
    """In the order asked for."""

    data: list[Member]


class Balance(BaseModel):
    """Points by state. A partner sees what is spendable; the operator sees the rest."""

    model_config = ConfigDict(extra="allow")
    member: str
    currency: str
    available: int
    own: Annotated[list[dict[str, Any]], Field(description="in brands' own currencies: all, or the caller's")]


class Erasure(Act):
    """Nothing more to say."""


class Lots(BaseModel):
    """Open lots: all for the operator, for a partner those it funded."""

    data: list[dict[str, Any]]


@router.post("", status_code=201, response_model=Member, responses=declared())
def create(request: Request, body: NewMember, caller: MemberKeeper) -> Member:
    """Make a member known."""
    gateway = gateway_of(request)
    number, new = registry.add_members(gateway.engine, caller.party, [body.reference], gateway.now())[0]
    return Member(id=f"mbr_{number:016x}", reference=body.reference, created=new)


@router.post("/batch", status_code=201, response_model=Members, responses=declared(413))
def create_many(request: Request, body: NewMembers, caller: MemberKeeper) -> Members:
    """Make up to 8,000 members known in one commit."""
    gateway = gateway_of(request)
    made = registry.add_members(gateway.engine, caller.party, list(body.references), gateway.now())
    pairs = zip(body.references, made, strict=True)
    return Members(data=[Member(id=f"mbr_{n:016x}", reference=name, created=new) for name, (n, new) in pairs])


@router.get("/{member}/balance", response_model=Balance, responses=declared(404))
def balance(request: Request, member: MEMBER_ID, caller: Reader) -> dict[str, Any]:
    """What the member can spend now, due things done whether or not a job ran."""
    programme = gateway_of(request).known()
    who = looked_up(request, member, caller, programme)
    whole = registry.is_operator(caller)
    own = [c for c in programme.currencies.values() if whole or c.issuer == caller.party]
    view = _balance(who, COALITION_CURRENCY, programme, whole=whole)
    return {
        "member": f"mbr_{who.member:016x}",
        **view,
        "own": [_balance(who, c.number, programme, whole=whole) for c in own],
    }


def _balance(who: Holdings, currency: int, programme: registry.Programme, *, whole: bool) -> dict[str, Any]:
    sums = who.sums(currency)
    view: dict[str, Any] = {"currency": programme.currency_name(currency), "available": sums.available}
    if not whole:
        return view
    rest = {"held": sums.held, "pending": sums.pending, "debt": sums.debt, "balance": sums.available - sums.debt}
    return {**view, **rest}


@router.get("/{member}/lots", response_model=Lots, responses=declared(404))
def lots(request: Request, member: MEMBER_ID, caller: Reader) -> dict[str, Any]:
    """Open lots in burn order."""
    programme = gateway_of(request).known()
    who = looked_up(request, member, caller, programme)
    shown = sorted(
        (one for one in who.lots.values() if one.available or one.held or one.pending), key=lambda one: one.burn_key()
    )
    return {
        "data": [
            {
                "currency": programme.currency_name(one.terms.currency), "issuer": programme.name_of(one.terms.issuer),
                "earned_at": text_instant(one.terms.earned_at),
                "expires_at": None if one.terms.expires_at == NEVER else text_instant(one.terms.expires_at),
                "available": one.available, "held": one.held, "pending": one.pending,
            }
            for one in shown
            if registry.is_operator(caller) or caller.party == one.terms.issuer or one.terms.funds.part(caller.party)
        ]
    }  # fmt: skip


@router.get("/{member}/entries", response_model=Page, responses=declared(404))
def entries(
    request: Request, member: MEMBER_ID, caller: Reader, cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:  # fmt: skip
    """The member's history: all of it for the operator, for a partner its own entries."""
    gateway, programme = gateway_of(request), gateway_of(request).known()
    number = looked_up(request, member, caller, programme).member
    partner = None if registry.is_operator(caller) else caller.party

    def fetch(after: int, count: int) -> list[books.Row]:
        return books.rows_of(gateway.engine, partner=partner, who=number, after=after, limit=count)

    return page_of(fetch, cursor, limit, lambda row: entry_view(row, programme))


@router.post("/{member}/erasure", status_code=201, response_model=Done, responses=declared(404, 410, 422))
async def request_erasure(
    request: Request, member: MEMBER_ID, body: Erasure, caller: Operator, key: Key = None
) -> Response:  # fmt: skip
    """The member asks to be erased: it is due at 00:00 local of the thirtieth day."""
    return await move(request, "request_erasure", caller, key, body, member=id_number(member))


@router.post("/{member}/erase", status_code=201, response_model=Done, responses=declared(404, 409, 410, 422))
async def erase(request: Request, member: MEMBER_ID, body: Erasure, caller: Operator, key: Key = None) -> Response:
    """Erase a member whose waiting time is over: points are forfeit, names and the secret of its entries deleted."""
    return await move(request, "erase", caller, key, body, member=id_number(member))
