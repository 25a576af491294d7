"""Budgets are set by the operator; a partner sees its own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from counterfoil.gateway.auth import Operator, Reader
from counterfoil.gateway.moves import Act, Done, Key, move
from counterfoil.gateway.names import Points
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.store import registry
from counterfoil.store.budgets import shown
from counterfoil.store.kinds import Budget
from counterfoil.store.records import every

router = APIRouter(prefix="/v1", tags=["budgets"])


class NewBudget(Act):
    """Points in all; what was spent of a budget stays spent when it is set anew."""

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$", examples=["goodwill"])]
    owner: Annotated[int, Field(description="the party that pays: a partner, or 2 for the operator", examples=[2])] = 2
    points: Points
    approval_above: Annotated[
        int | None,
        Field(strict=True, ge=0, le=2**53 - 1, description="a second operator agrees to an adjustment of more"),
    ] = None


class BudgetView(BaseModel):
    """A budget as it stands."""

    name: str
    owner: str
    points: int
    spent: int
    approval_above: int | None


class Budgets(BaseModel):
    """By name."""

    data: list[BudgetView]


@router.post("/budgets", status_code=201, response_model=Done, responses=declared(404, 422))
async def set_budget(request: Request, body: NewBudget, caller: Operator, key: Key = None) -> Response:
    """Set a budget, new or anew."""
    more = {"name": body.name, "owner": body.owner, "approval_above": body.approval_above}
    return await move(request, "set_budget", caller, key, body, points=body.points, more=more)


@router.get("/budgets", response_model=Budgets, responses=declared())
def listed(request: Request, caller: Reader) -> Budgets:
    """All budgets for the operator, for a partner its own."""
    gateway = gateway_of(request)
    programme = gateway.known()
    with gateway.engine.connect() as connection:
        found = every(connection, Budget)
    return Budgets(
        data=[
            BudgetView.model_validate(shown(programme, name, one))
            for name, one in found
            if registry.is_operator(caller) or one.owner == caller.party
        ]
    )  # fmt: skip
