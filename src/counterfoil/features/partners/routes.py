"""Partners: registered by the operator with their terms, and their API keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from counterfoil.core.errors import InvalidRequest, NotFound, UnknownPartner
from counterfoil.core.rulebook.verbs import Contract
from counterfoil.gateway.auth import Operator
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.store import registry

router = APIRouter(prefix="/v1", tags=["partners"])
_ZERO = "0x" + "0" * 40


class Terms(BaseModel):
    """Contract terms; what is left out has the rulebook's default."""

    model_config = ConfigDict(extra="forbid")
    valid_days: Annotated[int | None, Field(strict=True, ge=0, le=36_500, description="null: no expiry")] = 365
    breakage_operator_bp: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 0


class NewPartner(BaseModel):
    """A brand that is to earn and burn. Its signing key stays with it; `signer` is only the address."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            pattern=r"^[^\s:\x00-\x1f\x7f]([^:\x00-\x1f\x7f]*[^\s:\x00-\x1f\x7f])?$",
            examples=["grocer"],
        ),
    ]
    signer: Annotated[str | None, Field(pattern=r"^0x[0-9a-fA-F]{40}$", description="address of its signer")] = None
    floor_micros: Annotated[int, Field(strict=True, ge=0, le=2**53 - 1)] = 0
    terms: Terms = Terms()


class Partner(BaseModel):
    """A partner and its number in every position."""

    id: int
    name: str
    signer: str | None
    floor_micros: int
    terms: Terms


class Partners(BaseModel):
    """All of them, by number."""

    data: list[Partner]


class NewKey(BaseModel):
    """Scopes of a new API key."""

    model_config = ConfigDict(extra="forbid")
    scopes: Annotated[list[str], Field(min_length=1)] = list(registry.SCOPES)


class Key(BaseModel):
    """An API key, shown once; only its hash is kept."""

    key: str
    prefix: str
    scopes: list[str]


@router.post("/partners", status_code=201, response_model=Partner, responses=declared(409))
def register(request: Request, body: NewPartner, _caller: Operator) -> Partner:
    """Register a partner. Once the settlement contract is deployed its partners are fixed."""
    gateway = gateway_of(request)
    request.app.state.worker.cycle.assert_open_to_partners(body.name)
    signer = body.signer.lower() if body.signer else None
    if signer == _ZERO:
        raise InvalidRequest("signer", "the zero address signs nothing")
    terms = Contract(1, valid_days=body.terms.valid_days, breakage_operator_bp=body.terms.breakage_operator_bp)
    made = registry.add_partner(gateway.engine, body.name, terms, signer, body.floor_micros, gateway.now())
    return _view(made)


@router.get("/partners", response_model=Partners, responses=declared())
def every(request: Request, _caller: Operator) -> Partners:
    """The partners with their terms."""
    return Partners(data=[_view(one) for one in gateway_of(request).known().partners()])


@router.post("/partners/{partner}/keys", status_code=201, response_model=Key, responses=declared(404))
def issue(request: Request, partner: int, body: NewKey, _caller: Operator) -> Key:
    """A new API key for a partner; old ones go on until they are revoked."""
    gateway = gateway_of(request)
    if partner not in gateway.known().parties:
        raise UnknownPartner(str(partner))
    unknown = set(body.scopes) - set(registry.SCOPES)
    if unknown:
        raise InvalidRequest("scopes", f"{min(unknown)} is none of {', '.join(registry.SCOPES)}")
    key = registry.issue_key(gateway.engine, partner, tuple(body.scopes), gateway.now())
    return Key(key=key, prefix=registry.prefix_of(key), scopes=body.scopes)


@router.delete("/keys/{prefix}", status_code=204, response_class=Response, responses=declared(404))
def revoke(request: Request, prefix: str, _caller: Operator) -> Response:
    """Revoke a key; within a second it works nowhere."""
    gateway = gateway_of(request)
    if not registry.revoke_key(gateway.engine, prefix, gateway.now()):
        raise NotFound("prefix", prefix)
    gateway.callers.clear()
    return Response(status_code=204)


def _view(one: registry.Party) -> Partner:
    terms = Terms(valid_days=one.contract.valid_days, breakage_operator_bp=one.contract.breakage_operator_bp)
    return Partner(id=one.number, name=one.name, signer=one.signer, floor_micros=one.floor_micros, terms=terms)
