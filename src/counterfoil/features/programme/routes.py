"""Brands' own currencies and promotions, registered by the operator."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from counterfoil.core.accounts import FIRST_PARTNER
from counterfoil.core.errors import InvalidRequest, UnknownPartner
from counterfoil.core.units import BASIS_POINTS
from counterfoil.gateway.auth import Operator
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.store import terms

router = APIRouter(prefix="/v1", tags=["programme"])
Name = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[!-~]+$")]


class NewCurrency(BaseModel):
    """A brand's own currency: its liability alone, used at that brand, exchanged at published rates."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[Name, Field(examples=["ALPHA"])]
    issuer: Annotated[int, Field(description="the partner whose points they are", examples=[16])]


class Currency(BaseModel):
    """A currency and its number in entries and on chain."""

    id: int
    name: str
    issuer: int


class GiftLimits(BaseModel):
    """How much and how often a member may give in a local day; null: without limit."""

    model_config = ConfigDict(extra="forbid")
    daily_points: Annotated[int | None, Field(strict=True, ge=0, le=2**53 - 1)] = None
    daily_count: Annotated[int | None, Field(strict=True, ge=0, le=10**6)] = None


class Promotion(BaseModel):
    """Who funds a bonus together, basis points by party's name; together 10,000."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=64, examples=["spring"])]
    shares: Annotated[
        dict[str, Annotated[int, Field(strict=True, ge=1, le=BASIS_POINTS)]], Field(min_length=1, max_length=16)
    ]


@router.post("/currencies", status_code=201, response_model=Currency, responses=declared(404, 409))
def add_currency(request: Request, body: NewCurrency, _caller: Operator) -> Currency:
    """Register a currency. Once the settlement contract is deployed its currencies are fixed."""
    gateway = gateway_of(request)
    request.app.state.worker.cycle.assert_open_to_partners(body.name)
    if body.issuer < FIRST_PARTNER or body.issuer not in gateway.known().parties:
        raise UnknownPartner(str(body.issuer), "issuer")
    made = terms.add_currency(gateway.engine, body.name, body.issuer)
    return Currency(id=made.number, name=made.name, issuer=made.issuer)


@router.post("/promotions", status_code=201, response_model=Promotion, responses=declared(404))
def add_promotion(request: Request, body: Promotion, _caller: Operator) -> Promotion:
    """Register a promotion: each party pays its share by its own contract; the operator pays no fee."""
    gateway = gateway_of(request)
    known, shares = gateway.known(), dict[int, int]()
    for name, bp in body.shares.items():
        number = known.number_of(name)
        if number is None:
            raise UnknownPartner(name, "shares")
        shares[number] = bp
    if sum(shares.values()) != BASIS_POINTS:
        raise InvalidRequest("shares", f"add up to {sum(shares.values())}, not to 10000")
    terms.add_promotion(gateway.engine, body.name, shares)
    return body


@router.put("/gift-limits", response_model=GiftLimits, responses=declared())
def gift_limits(request: Request, body: GiftLimits, _caller: Operator) -> GiftLimits:
    """Set the limits on gifts."""
    terms.set_gift_limits(gateway_of(request).engine, body.daily_points, body.daily_count)
    return body
