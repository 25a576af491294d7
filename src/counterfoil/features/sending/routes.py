"""The outbox as an operator sees it: who sends, what is under way at which fees, what stopped it."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from counterfoil.chain.client import Reverted, asked
from counterfoil.chain.outbox import ALARM, Outbox
from counterfoil.core.calendar import text_instant
from counterfoil.core.errors import Unreachable
from counterfoil.gateway.auth import Operator
from counterfoil.gateway.problems import declared

router = APIRouter(prefix="/v1/sending", tags=["settlements"])


class Signing(BaseModel):
    """One signing of a tx: any of them may be the one that is mined."""

    tx: str
    fee_wei: int
    tip_wei: int


class Flight(BaseModel):
    """What was sent last."""

    purpose: str
    nonce: int
    signed_at: str
    signings: list[Signing]


class Sending(BaseModel):
    """`balance_wei` is null while the chain does not answer; with an `alarm` nothing is sent until an operator resumes."""

    sender: str
    balance_wei: int | None
    fee_cap_wei: Annotated[int, Field(description="per gas; above it a settlement waits")]
    alarm: str | None
    flight: Flight | None


@router.get("", response_model=Sending, responses=declared())
def sending(request: Request, _caller: Operator) -> Sending:
    """The sender, the last tx with every signing of it, and the alarm if there is one."""
    return _shown(request.app.state.worker.cycle.outbox())


@router.post("/resume", status_code=204, response_class=Response, responses=declared())
def resume(request: Request, _caller: Operator) -> Response:
    """Send again after an alarm, once it is known who used the key: what was under way is signed anew if it is still due."""
    worker = request.app.state.worker
    with worker.lock:
        worker.cycle.outbox().resume()
    worker.nudge()
    return Response(status_code=204)


def _shown(outbox: Outbox) -> Sending:
    one, balance = outbox.flight(), None
    with suppress(Unreachable, Reverted):
        balance = int(asked(lambda: outbox.w3.eth.get_balance(outbox.signer.address)))  # type: ignore[arg-type]
    flight = None
    if one is not None:
        signings = [Signing(tx=made.hash, fee_wei=made.fee_wei, tip_wei=made.tip_wei) for made in one.attempts]
        signed_at = text_instant(round(one.at * 1_000_000))
        flight = Flight(purpose=one.purpose, nonce=one.nonce, signed_at=signed_at, signings=signings)
    return Sending(
        sender=outbox.signer.address, balance_wei=balance, fee_cap_wei=outbox.fee_cap_wei,
        alarm=outbox.memory.recall(ALARM), flight=flight,
    )  # fmt: skip
