"""The operator puts a burn in dispute and rules on it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from counterfoil.core.entry import id_number
from counterfoil.gateway.auth import Operator
from counterfoil.gateway.moves import Act, Done, Key, move
from counterfoil.gateway.names import EntryId
from counterfoil.gateway.problems import declared
from counterfoil.gateway.views import ENTRY_ID

router = APIRouter(prefix="/v1/disputes", tags=["disputes"])


class NewDispute(Act):
    """A whole burn, by its entry."""

    burn: EntryId


class Ruling(Act):
    """Whether the burn stands."""

    valid: Annotated[bool, Field(strict=True, description="true: the burn stands; false: its points go back")]


@router.post("", status_code=201, response_model=Done, responses=declared(404, 409, 410, 422))
async def dispute(request: Request, body: NewDispute, caller: Operator, key: Key = None) -> Response:
    """The burn's money waits in suspense until a ruling; until then it is not refunded."""
    return await move(request, "dispute", caller, key, body, hold=id_number(body.burn))


@router.post("/{burn}/ruling", status_code=201, response_model=Done, responses=declared(404, 409, 410, 422))
async def rule(request: Request, burn: ENTRY_ID, body: Ruling, caller: Operator, key: Key = None) -> Response:
    """The burn stands and is paid again; or the pool is, and the points go back to their lots with grace."""
    return await move(request, "rule", caller, key, body, hold=id_number(burn), more={"valid": body.valid})
