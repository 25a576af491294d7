"""Packs are sold to partners by the operator; a partner sees its own."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from counterfoil.gateway.auth import Operator, Reader
from counterfoil.gateway.moves import Done, Key, Move, move
from counterfoil.gateway.names import Points
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.store import registry
from counterfoil.store.kinds import Packs
from counterfoil.store.records import recorded

router = APIRouter(prefix="/v1", tags=["packs"])
FromZero = Annotated[int, Field(strict=True, ge=0, le=2**53 - 1)]


class NewPack(Move):
    """A pack of points at the partner's contract; `reserve` points may be drawn behind it and are paid as they are."""

    partner: int
    points: Points
    alert_at: Annotated[
        FromZero, Field(description="an alert fires once, when no more than that is left; 0: when it is empty")
    ] = 0
    reserve: FromZero = 0


class Pack(BaseModel):
    """A pack as it stands."""

    points: int
    left: int
    reserve: int
    reserve_left: int
    alert_at: int
    alerted: bool


class PackList(BaseModel):
    """By partner's name, in order of purchase."""

    data: dict[str, list[Pack]]


@router.post("/packs", status_code=201, response_model=Done, responses=declared(404, 409, 422))
async def buy(request: Request, body: NewPack, caller: Operator, key: Key = None) -> Response:
    """Sell a pack: from then on the partner's earns draw on packs, and are refused when all are empty."""
    more = {"partner": body.partner, "alert_at": body.alert_at, "reserve": body.reserve}
    return await move(request, "buy_pack", caller, key, body, points=body.points, more=more)


@router.get("/packs", response_model=PackList, responses=declared())
def every(request: Request, caller: Reader) -> dict[str, Any]:
    """All packs for the operator, for a partner its own."""
    gateway = gateway_of(request)
    programme, whole, found = gateway.known(), registry.is_operator(caller), {}
    for number in sorted(programme.prepaid):
        if whole or number == caller.party:
            with gateway.engine.connect() as connection:
                held = recorded(connection, Packs, str(number))
            found[programme.name_of(number)] = [
                {"points": one.points, "left": one.left, "reserve": one.reserve, "reserve_left": one.reserve_left,
                 "alert_at": one.alert_at, "alerted": one.alerted}
                for one in (held.packs if held else [])
            ]  # fmt: skip
    return {"data": found}
