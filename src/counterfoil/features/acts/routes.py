"""The log of acts, the public log of changes, adjustments and freezes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from counterfoil.core.calendar import text_instant
from counterfoil.core.entry import id_number
from counterfoil.gateway.auth import Operator, Reader
from counterfoil.gateway.moves import Act, Done, Key, move
from counterfoil.gateway.names import ExternalId, MemberId, Points
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.gateway.views import MEMBER_ID, Page, page_of
from counterfoil.store import registry, told
from counterfoil.store.registry import Programme

router = APIRouter(prefix="/v1", tags=["acts"])
Limit = Annotated[int, Query(ge=1, le=500)]


class Adjustment(Act):
    """Points given (or with `take` taken) at a budget's cost, whose owner pays their face or gets it."""

    external_id: ExternalId
    member: MemberId
    points: Points
    take: Annotated[bool, Field(strict=True)] = False
    budget: Annotated[str, Field(min_length=1, max_length=64, examples=["goodwill"])]
    reason_code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$", examples=["late_delivery"])]


@router.post("/adjustments", status_code=201, response_model=Done, responses=declared(404, 409, 410, 422))
async def adjust(request: Request, body: Adjustment, caller: Operator, key: Key = None) -> Response:
    """Adjust a member's points; more than the budget's `approval_above` waits for a second operator."""
    more = {"take": body.take, "budget": body.budget, "code": body.reason_code}
    return await move(
        request, "adjust", caller, key, body, external_id=body.external_id, member=id_number(body.member),
        points=body.points, more=more,
    )  # fmt: skip


@router.post(
    "/adjustments/{adjustment}/approval", status_code=201, response_model=Done, responses=declared(404, 409, 410, 422)
)
async def approve(
    request: Request, adjustment: Annotated[str, Path(max_length=128)], body: Act, caller: Operator, key: Key = None
) -> Response:
    """Agree to an adjustment that waits, with another operator's credential than proposed it."""
    return await move(request, "approve", caller, key, body, more={"adjustment": adjustment})


@router.post("/members/{member}/freeze", status_code=201, response_model=Done, responses=declared(404, 410, 422))
async def freeze(request: Request, member: MEMBER_ID, body: Act, caller: Operator, key: Key = None) -> Response:
    """The member cannot spend, give or exchange points; earns, refunds and captures of holds go on."""
    return await move(request, "freeze", caller, key, body, member=id_number(member))


@router.post("/members/{member}/unfreeze", status_code=201, response_model=Done, responses=declared(404, 410, 422))
async def unfreeze(request: Request, member: MEMBER_ID, body: Act, caller: Operator, key: Key = None) -> Response:
    """The member can spend again."""
    return await move(request, "unfreeze", caller, key, body, member=id_number(member))


class Merge(Act):
    """Into whom."""

    into: MemberId


@router.post("/members/{member}/merge", status_code=201, response_model=Done, responses=declared(404, 409, 410, 422))
async def merge(request: Request, member: MEMBER_ID, body: Merge, caller: Operator, key: Key = None) -> Response:
    """One person was enrolled twice: points, debts, holds, cards and history become the other's. There is no way back;
    `dry_run` tells what would move. The old id goes on to name the member.
    """
    return await move(request, "merge", caller, key, body, member=id_number(member), recipient=id_number(body.into))


@router.get("/acts", response_model=Page, responses=declared())
def acts(request: Request, caller: Reader, cursor: str | None = None, limit: Limit = 100) -> dict[str, Any]:
    """What operators did, with their reasons: all for the operator, for a partner what is about it."""
    gateway = gateway_of(request)
    partner = None if registry.is_operator(caller) else caller.party
    programme = gateway.known()

    def fetch(after: int, count: int) -> list[told.Told]:
        return told.acts(gateway.engine, partner=partner, after=after, limit=count)

    def shown(one: told.Told) -> dict[str, Any]:
        view = _public(one, programme) | {"reason": one.reason, "actor": one.actor or None}
        if partner is None:
            view |= {"member": f"mbr_{one.member:016x}" if one.member else None, "was": one.before, "now": one.after}
        return view

    return page_of(fetch, cursor, limit, shown)


@router.get("/changes", response_model=Page, responses=declared())
def changes(request: Request, cursor: str | None = None, limit: Limit = 100) -> dict[str, Any]:
    """The public log of changes of the rules: when each was announced, from when it holds, the rulebook's hash by then."""
    gateway = gateway_of(request)
    programme = gateway.known()

    def fetch(after: int, count: int) -> list[told.Told]:
        return told.acts(gateway.engine, rules=True, after=after, limit=count)

    def shown(one: told.Told) -> dict[str, Any]:
        now = one.after if isinstance(one.after, dict) else {}
        return _public(one, programme) | {"since": now.get("since") or text_instant(one.entry.at)}

    return page_of(fetch, cursor, limit, shown)


def _public(one: told.Told, programme: Programme) -> dict[str, Any]:
    act = one.entry.act
    assert act is not None
    return {
        "id": f"ent_{one.entry.id:016x}", "verb": one.verb, "about": act.about.name.lower(), "role": one.role.name.lower(),
        "at": text_instant(one.entry.at), "partner": programme.name_of(one.partner) if one.partner else None,
        "refers_to": f"ent_{one.entry.refers_to:016x}" if one.entry.refers_to else None,
        "before": "0x" + act.before.hex(), "after": "0x" + act.after.hex(),
    }  # fmt: skip
