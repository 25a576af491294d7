"""Acts of the operator on a partner's standing."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from counterfoil.core.calendar import parse_instant, text_instant
from counterfoil.core.errors import InvalidRequest
from counterfoil.core.units import BASIS_POINTS
from counterfoil.gateway.auth import Operator
from counterfoil.gateway.moves import Act, Change, Done, Key, act, move
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of

SUNSET_NOTICE_MICROS = 180 * 86_400_000_000
router = APIRouter(prefix="/v1", tags=["standing"])


class Dividend(Act):
    """A part of the estate's claim, in basis points."""

    bp: Annotated[int, Field(strict=True, ge=1, le=BASIS_POINTS)]


class Exit(Act):
    """The share of its points that will never be used, as estimated, in basis points."""

    breakage_bp: Annotated[int, Field(strict=True, ge=0, le=BASIS_POINTS)] = 0


class FirstLoss(Change):
    """What the operator bears of a default before other partners do, micros."""

    micros: Annotated[int, Field(strict=True, ge=0, le=2**53 - 1)]


class Sunset(Change):
    """From when the programme gives no points any more; null takes it back."""

    at: Annotated[str | None, Field(description="RFC 3339, at least 180 days from now")]


@router.put("/sunset", response_model=Sunset, responses=declared())
def sunset(request: Request, body: Sunset, caller: Operator) -> Response:
    """Wind the programme down, with 180 days' notice: no expiry is brought forward, every member can use what is theirs."""
    at = None if body.at is None else parse_instant(body.at, "at")
    earliest = gateway_of(request).now() + SUNSET_NOTICE_MICROS
    if at is not None and at < earliest:
        raise InvalidRequest("at", f"must be {text_instant(earliest)} or later: members have 180 days' notice")
    return act(request, "set_limits", caller, body, lambda _facts: body, limits={"sunset_at": at})


@router.post("/partners/{partner}/suspend", status_code=201, response_model=Done, responses=declared(404, 422))
async def suspend(request: Request, partner: int, body: Act, caller: Operator, key: Key = None) -> Response:
    """Earns, burns, holds and captures of the partner are refused, its refunds queue; its points stay good elsewhere."""
    return await move(request, "suspend", caller, key, body, more={"partner": partner})


@router.post("/partners/{partner}/reinstate", status_code=201, response_model=Done, responses=declared(404, 422))
async def reinstate(request: Request, partner: int, body: Act, caller: Operator, key: Key = None) -> Response:
    """The partner is as it was before; refunds that queued are booked in order."""
    return await move(request, "reinstate", caller, key, body, more={"partner": partner})


@router.post("/partners/{partner}/exit", status_code=201, response_model=Done, responses=declared(403, 404, 422))
async def leave(request: Request, partner: int, body: Exit, caller: Operator, key: Key = None) -> Response:
    """The partner leaves: what it owes at use for points outstanding, less breakage, is set aside as a reserve."""
    await asyncio.to_thread(_bring_forward, request)
    return await move(
        request, "exit_partner", caller, key, body, more={"partner": partner, "breakage_bp": body.breakage_bp}
    )


def _bring_forward(request: Request) -> None:
    """What is outstanding is counted over all members: what fell due is posted first."""
    worker = request.app.state.worker
    with worker.lock:
        worker.cycle.run_due(gateway_of(request).now())


@router.post("/partners/{partner}/dividends", status_code=201, response_model=Done, responses=declared(404, 422))
async def dividend(request: Request, partner: int, body: Dividend, caller: Operator, key: Key = None) -> Response:
    """An estate pays a part of what others bore for it: partners are made whole first."""
    return await move(request, "dividend", caller, key, body, more={"partner": partner, "bp": body.bp})


@router.put("/first-loss", response_model=FirstLoss, responses=declared())
def first_loss(request: Request, body: FirstLoss, caller: Operator) -> Response:
    """Set the operator's first loss."""
    return act(request, "set_limits", caller, body, lambda _facts: body, limits={"first_loss_micros": body.micros})
