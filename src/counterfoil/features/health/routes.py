"""Alive, ready, measured."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from counterfoil.chain.outbox import ALARM
from counterfoil.core.errors import CounterfoilError
from counterfoil.gateway.state import gateway_of
from counterfoil.store import sequencer, settlements

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "something stops posting"}})
def readyz(request: Request) -> JSONResponse:
    """503 for what stops posting; 200 with `degraded` for what stops only settling."""
    gateway, worker = gateway_of(request), request.app.state.worker
    stops = []
    if gateway.read_only is not None:
        stops.append(str(gateway.read_only))
    try:
        gateway.now()
    except CounterfoilError as error:
        stops.append(str(error))
    body = {"status": "ok" if not stops else "not_ready", "stops_posting": stops,
            "degraded": [worker.trouble] if worker.trouble else []}  # fmt: skip
    return JSONResponse(body, 503 if stops else 200)


@router.get("/metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Prometheus."""
    gateway, measured = gateway_of(request), request.app.state.metrics
    measured.waiting.set(gateway.writer.waiting)
    measured.log_size.set(sequencer.latest(gateway.engine)[0])
    measured.degraded.set(request.app.state.worker.trouble is not None)
    measured.stopped.set(request.app.state.worker.cycle.memory.recall(ALARM) is not None)
    states = [row.state for row in settlements.every(gateway.engine)]
    for state in ("closing", "closed", "proposed", "final"):
        measured.settlements.labels(state).set(states.count(state))
    return Response(generate_latest(measured.registry), media_type=CONTENT_TYPE_LATEST)
