"""Brands' own currencies and promotions, registered by the operator."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from counterfoil.core.errors import InvalidRequest
from counterfoil.core.units import BASIS_POINTS
from counterfoil.gateway.auth import Operator
from counterfoil.gateway.moves import Change, act
from counterfoil.gateway.problems import declared

router = APIRouter(prefix="/v1", tags=["programme"])
Name = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[!-~]+$")]


class NewCurrency(Change):
    """A brand's own currency: its liability alone, used at that brand, exchanged at published rates."""

    name: Annotated[Name, Field(examples=["ALPHA"])]
    issuer: Annotated[int, Field(description="the partner whose points they are", examples=[16])]


class Currency(BaseModel):
    """A currency and its number in entries and on chain."""

    id: int
    name: str
    issuer: int


class GiftLimits(Change):
    """How much and how often a member may give in a local day; null: without limit."""

    daily_points: Annotated[int | None, Field(strict=True, ge=0, le=2**53 - 1)] = None
    daily_count: Annotated[int | None, Field(strict=True, ge=0, le=10**6)] = None


class Promotion(Change):
    """Who funds a bonus together, basis points by party's name; together 10,000."""

    name: Annotated[str, Field(min_length=1, max_length=64, examples=["spring"])]
    shares: Annotated[
        dict[str, Annotated[int, Field(strict=True, ge=1, le=BASIS_POINTS)]], Field(min_length=1, max_length=16)
    ]


@router.post("/currencies", status_code=201, response_model=Currency, responses=declared(404, 409))
def add_currency(request: Request, body: NewCurrency, caller: Operator) -> Response:
    """Register a currency. Once the settlement contract is deployed its currencies are fixed."""
    request.app.state.worker.cycle.assert_open_to_partners(body.name)
    return act(
        request, "add_currency", caller, body, lambda facts: Currency(**facts), name=body.name, issuer=body.issuer
    )


@router.post("/promotions", status_code=201, response_model=Promotion, responses=declared(404))
def add_promotion(request: Request, body: Promotion, caller: Operator) -> Response:
    """Register a promotion: each party pays its share by its own contract; the operator pays no fee."""
    if sum(body.shares.values()) != BASIS_POINTS:
        raise InvalidRequest("shares", f"add up to {sum(body.shares.values())}, not to 10000")
    return act(request, "add_promotion", caller, body, lambda _facts: body, name=body.name, shares=body.shares)


@router.put("/gift-limits", response_model=GiftLimits, responses=declared())
def gift_limits(request: Request, body: GiftLimits, caller: Operator) -> Response:
    """Set the limits on gifts."""
    limits = {"transfer_daily_points": body.daily_points, "transfer_daily_count": body.daily_count}
    return act(request, "set_limits", caller, body, lambda _facts: body, limits=limits)
