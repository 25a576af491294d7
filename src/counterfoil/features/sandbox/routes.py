"""A sandbox's own tools: the test clock, the jobs on demand, and the embedded chain as JSON-RPC."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from counterfoil.core.calendar import parse_instant, text_instant
from counterfoil.core.errors import Forbidden, NotFound
from counterfoil.core.refusals import NotInLivemode
from counterfoil.gateway.auth import Operator
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import Gateway, gateway_of
from counterfoil.store import registry

router = APIRouter(tags=["sandbox"])


class Clock(BaseModel):
    """The test clock, RFC 3339."""

    model_config = ConfigDict(extra="forbid")
    at: str


class Ran(BaseModel):
    """How many members had something due."""

    job: str
    members: int


@router.get("/v1/test/clock", response_model=Clock, responses=declared())
def clock(request: Request, _caller: Operator) -> Clock:
    """What time it is for the books."""
    return Clock(at=text_instant(_sandbox(request).now()))


@router.post("/v1/test/clock", response_model=Clock, responses=declared(409))
def set_clock(request: Request, body: Clock, _caller: Operator) -> Clock:
    """Move the test clock: forward only; before the first entry, anywhere."""
    gateway = _sandbox(request)
    at = parse_instant(body.at, "at")
    registry.set_clock(gateway.engine, at)
    return Clock(at=text_instant(at))


@router.post("/v1/jobs/{job}", response_model=Ran, responses=declared())
def run(request: Request, job: Literal["expire", "activate"], _caller: Operator) -> Ran:
    """Run a job now: what fell due is posted in time order, whichever is named. Running one twice does no harm."""
    worker = request.app.state.worker
    with worker.lock:
        members = worker.cycle.run_due(gateway_of(request).now())
    return Ran(job=job, members=members)


@router.post("/rpc", response_class=Response, responses=declared(404))
async def rpc(request: Request) -> Response:
    """The embedded chain's JSON-RPC: reads and eth_sendRawTransaction; loopback and sandbox only."""
    gateway, chain = gateway_of(request), request.app.state.embedded
    host = request.client.host if request.client else ""
    if gateway.livemode or not (host == "testclient" or ipaddress.ip_address(host).is_loopback):
        raise Forbidden("loopback")
    if chain is None:
        raise NotFound("path", "/rpc")
    payload = await request.body()
    told = await asyncio.to_thread(chain.rpc, payload)
    return Response(told, 200 if told else 204, media_type="application/json")


def _sandbox(request: Request) -> Gateway:
    gateway = gateway_of(request)
    if gateway.livemode:
        raise NotInLivemode
    return gateway
