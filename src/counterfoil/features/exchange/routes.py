"""Rates are published by the operator; a quote fixes one for a member; an exchange swaps points."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from counterfoil.core.calendar import parse_instant
from counterfoil.core.entry import id_number
from counterfoil.core.errors import InvalidRequest
from counterfoil.core.units import BASIS_POINTS
from counterfoil.features.exchange.rules import duplicate
from counterfoil.gateway.auth import Operator, Swapper
from counterfoil.gateway.moves import Act, Done, Key, Move, move
from counterfoil.gateway.names import CurrencyName, ExternalId, MemberId, Points, TtlSeconds
from counterfoil.gateway.problems import declared

router = APIRouter(prefix="/v1", tags=["exchange"])
Whole = Annotated[int, Field(strict=True, ge=1, le=10**9)]


class Rate(BaseModel):
    """`in` of `src` give `out` of `dst`, in multiples of `increment`; the issuers settle `price_micros` per unit given."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    src: CurrencyName
    dst: CurrencyName
    takes: Annotated[Whole, Field(alias="in")]
    gives: Annotated[Whole, Field(alias="out")]
    increment: Whole = 1
    price_micros: Annotated[int, Field(strict=True, ge=0, le=2**40)] = 0
    fee_bp: Annotated[int, Field(strict=True, ge=0, le=BASIS_POINTS)] = 0
    daily_points: Annotated[
        int | None,
        Field(strict=True, ge=1, le=2**53 - 1, description="of `src`, that a member may swap in a local day"),
    ] = None


class Rates(Act):
    """A whole rate table; it replaces the one before, from `since` on."""

    edges: Annotated[list[Rate], Field(max_length=1_000)]
    since: Annotated[str | None, Field(description="RFC 3339; default: as soon as notice allows, in a sandbox now")] = (
        None
    )


class NewQuote(Move):
    """Fix the rate in force for a member."""

    external_id: ExternalId
    member: MemberId
    src: CurrencyName
    dst: CurrencyName
    points: Points
    ttl_seconds: TtlSeconds


class NewExchange(Move):
    """Swap by a `quote`, or `points` of `src` by the rate in force."""

    external_id: ExternalId
    quote: ExternalId | None = None
    member: MemberId | None = None
    src: CurrencyName | None = None
    dst: CurrencyName | None = None
    points: Points | None = None

    @model_validator(mode="after")
    def _one_way(self) -> NewExchange:
        by_rate = (self.member, self.src, self.dst, self.points)
        if all(value is None for value in by_rate) == (self.quote is None) or (self.quote is None and None in by_rate):
            raise ValueError("name either the quote, or member, src, dst and points")
        return self


@router.post("/rates", status_code=201, response_model=Done, responses=declared(404, 409, 422))
async def publish(request: Request, body: Rates, caller: Operator, key: Key = None) -> Response:
    """Publish a rate table; one with a cycle that multiplies points is refused with the cycle and the gain."""
    edges = [edge.model_dump() for edge in body.edges]
    twice = duplicate([(edge.src, edge.dst) for edge in body.edges])
    if twice is not None:
        raise InvalidRequest("edges", twice)
    since = parse_instant(body.since, "since") if body.since is not None else 0
    return await move(request, "publish_rates", caller, key, body, more={"edges": edges, "since": since})


@router.post("/quotes", status_code=201, response_model=Done, responses=declared(404, 409, 422))
async def quote(request: Request, body: NewQuote, caller: Swapper, key: Key = None) -> Response:
    """What the member would get; binding for `ttl_seconds`."""
    return await move(
        request, "quote", caller, key, body, external_id=body.external_id, member=id_number(body.member),
        points=body.points, ttl_seconds=body.ttl_seconds, more={"src": body.src, "dst": body.dst},
    )  # fmt: skip


@router.post("/exchanges", status_code=201, response_model=Done, responses=declared(404, 409, 422))
async def exchange(request: Request, body: NewExchange, caller: Swapper, key: Key = None) -> Response:
    """Points of one currency for points of another; the rest of an increment stays with the member."""
    more = {"quote": body.quote, "src": body.src, "dst": body.dst}
    return await move(
        request, "exchange", caller, key, body, external_id=body.external_id,
        member=id_number(body.member) if body.member else 0, points=body.points or 0, more=more,
    )  # fmt: skip
