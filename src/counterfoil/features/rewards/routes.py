"""The operator keeps the catalogue and sells vouchers to members; the partner that gives a reward takes its voucher."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from msgspec import structs
from pydantic import BaseModel, ConfigDict, Field

from counterfoil.core.entry import id_number
from counterfoil.core.errors import Forbidden
from counterfoil.gateway.auth import Burner, Operator, Reader
from counterfoil.gateway.moves import Change, Done, Key, Move, act, move
from counterfoil.gateway.names import ExternalId, MemberId, Points
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.store import registry

router = APIRouter(prefix="/v1", tags=["rewards"])
VoucherId = Annotated[str, Path(pattern=r"^vch_[0-9a-f]{16}$", examples=["vch_0000000000010000"])]


class Reward(BaseModel):
    """A reward: given by `partner`, which is paid `cost_micros` when its voucher is used."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$", examples=["coffee"])]
    partner: int
    points: Points
    cost_micros: Annotated[int, Field(strict=True, ge=1, le=2**53 - 1)]
    valid_days: Annotated[int | None, Field(strict=True, ge=0, le=36_500)] = 365


class NewReward(Change, Reward):
    """A reward, or its terms anew."""


class Catalogue(BaseModel):
    """All rewards by name."""

    data: list[Reward]


class Bought(Move):
    """A member's purchase."""

    external_id: ExternalId
    member: MemberId
    reward: Annotated[str, Field(min_length=1, max_length=64)]


class Used(Move):
    """A voucher taken at the till."""


class Refunded(Move):
    """A voucher given back."""

    external_id: ExternalId


@router.post("/rewards", status_code=201, response_model=Reward, responses=declared(404))
def register(request: Request, body: NewReward, caller: Operator) -> Response:
    """Put a reward into the catalogue, or change its terms for who buys it from now on."""
    asked = body.model_dump(include={"name", "partner", "cost_micros", "valid_days"})
    return act(request, "add_reward", caller, body, lambda facts: Reward(**facts), points=body.points, **asked)


@router.get("/rewards", response_model=Catalogue, responses=declared())
def catalogue(request: Request, caller: Reader) -> Catalogue:
    """All rewards for the operator, for a partner those it gives: costs are between it and the coalition."""
    known = gateway_of(request).known().rewards
    whole = registry.is_operator(caller)
    shown = [known[name] for name in sorted(known) if whole or known[name].partner == caller.party]
    return Catalogue(data=[Reward(**structs.asdict(one)) for one in shown])


@router.post("/vouchers", status_code=201, response_model=Done, responses=declared(404, 409, 422))
async def buy(request: Request, body: Bought, caller: Operator, key: Key = None) -> Response:
    """Buy a reward: the points and the voucher are one entry, the face of the points waits in escrow."""
    return await move(
        request, "buy_reward", caller, key, body, external_id=body.external_id, member=id_number(body.member),
        more={"reward": body.reward},
    )  # fmt: skip


@router.post("/vouchers/{voucher}/use", status_code=201, response_model=Done, responses=declared(404, 409, 422))
async def use(request: Request, voucher: VoucherId, body: Used, caller: Burner, key: Key = None) -> Response:
    """Take a voucher, once: the calling partner must be the one that gives the reward."""
    if registry.is_operator(caller):
        raise Forbidden("burn")
    return await move(request, "use_reward", caller, key, body, hold=id_number(voucher))


@router.post("/vouchers/{voucher}/refund", status_code=201, response_model=Done, responses=declared(404, 409, 422))
async def refund(request: Request, voucher: VoucherId, body: Refunded, caller: Operator, key: Key = None) -> Response:
    """Give an unused voucher back whole: the same points come back, past ones with grace."""
    return await move(
        request, "refund_reward", caller, key, body, external_id=body.external_id, hold=id_number(voucher)
    )
