"""A report is made for the member by the operator's desk; the partner decides, by a deadline and with a reason."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from counterfoil.core.entry import id_number
from counterfoil.core.errors import Forbidden
from counterfoil.gateway.auth import Earner, Operator, Reader
from counterfoil.gateway.moves import Act, Done, Key, Move, move
from counterfoil.gateway.names import ExternalId, MemberId, Points
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.store import registry
from counterfoil.store.kinds import Claim
from counterfoil.store.records import every
from counterfoil.store.verbs_claims import shown

router = APIRouter(prefix="/v1/claims", tags=["claims"])
ClaimId = Annotated[str, Path(pattern=r"^clm_[0-9a-f]{16}$", examples=["clm_0000000000000000"])]


class NewClaim(Move):
    """What the member has in hand: the slip's number (or that on a photo, of which the hash is kept), date and amount."""

    member: MemberId
    partner: int
    slip: ExternalId
    sold_on: date
    amount_micros: Annotated[int, Field(strict=True, ge=1, le=2**53 - 1)]
    photo_sha256: Annotated[
        str | None, Field(pattern=r"^[0-9a-f]{64}$", description="of the photo, kept elsewhere")
    ] = None


class Accepted(Move):
    """The points that the purchase earns."""

    points: Points


class Refused(Act):
    """Why it earns none."""

    reason: Annotated[str, Field(min_length=1, max_length=1_000)]


class Claims(BaseModel):
    """By id."""

    data: list[dict[str, Any]]


@router.post("", status_code=201, response_model=Done, responses=declared(404, 409, 410, 422))
async def report(request: Request, body: NewClaim, caller: Operator, key: Key = None) -> Response:
    """Report a purchase that earned nothing. The partner has 14 local days."""
    more = {
        "partner": body.partner, "slip": body.slip, "sold_on": body.sold_on, "amount_micros": body.amount_micros,
        "photo": body.photo_sha256 or "",
    }  # fmt: skip
    return await move(request, "report_missing", caller, key, body, member=id_number(body.member), more=more)


@router.post("/{claim}/acceptance", status_code=201, response_model=Done, responses=declared(404, 409, 410, 422))
async def accept(request: Request, claim: ClaimId, body: Accepted, caller: Earner, key: Key = None) -> Response:
    """Grant the points, by the terms of the day of sale; the slip is taken as if the till had sent it."""
    _partner_only(caller)
    return await move(request, "accept_claim", caller, key, body, points=body.points, more={"claim": claim})


@router.post("/{claim}/refusal", status_code=201, response_model=Done, responses=declared(404, 409, 422))
async def refuse(request: Request, claim: ClaimId, body: Refused, caller: Earner, key: Key = None) -> Response:
    """Say no, with a reason that the member is told; after the deadline it can only be accepted."""
    _partner_only(caller)
    return await move(request, "refuse_claim", caller, key, body, more={"claim": claim})


@router.get("", response_model=Claims, responses=declared())
def listed(request: Request, caller: Reader) -> dict[str, Any]:
    """All reports for the operator, for a partner those about it."""
    gateway = gateway_of(request)
    with gateway.engine.connect() as connection:
        found = every(connection, Claim)
    now, whole = gateway.now(), registry.is_operator(caller)
    return {"data": [shown(one, now) for _name, one in found if whole or one.partner == caller.party]}


def _partner_only(caller: registry.Caller) -> None:
    if registry.is_operator(caller):
        raise Forbidden("earn")
