"""Who is invoiced and under which names members know a partner: registered by the operator, each change from an instant on."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from counterfoil.core.accounts import OPERATOR
from counterfoil.core.calendar import parse_instant, text_instant
from counterfoil.core.entities import SELLER, Belongs, Brand, LegalEntity, spans
from counterfoil.core.errors import InvalidRequest, UnknownLegalEntity
from counterfoil.core.invoices import Kind
from counterfoil.core.units import BASIS_POINTS
from counterfoil.gateway.auth import Operator, Reader
from counterfoil.gateway.moves import Act, Done, Key, move
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import Gateway, gateway_of
from counterfoil.store import registry
from counterfoil.store.records import names_of, recorded

router = APIRouter(prefix="/v1", tags=["invoices"])
_PLAIN = r"^[^\x00-\x1f\x7f]*$"
Words = Annotated[str, Field(min_length=1, max_length=200, pattern=_PLAIN)]
Series = Annotated[str, Field(pattern=r"^[A-Z0-9]([A-Z0-9-]{0,14}[A-Z0-9])?$", examples=["INV-PL"])]
EntityName = Annotated[
    str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", examples=["grocer-ltd"],
              description="`operator` issues the documents; `partner-N` is partner N's own until it belongs elsewhere"),
]  # fmt: skip
Since = Annotated[str | None, Field(description="RFC 3339, not past; default: now")]


class Tax(BaseModel):
    """A named rate and the kinds of line it applies to; other lines are outside the scope of tax (category O)."""

    name: Words
    category: Annotated[
        Literal["S", "Z", "E", "AE", "O"],
        Field(description="EN 16931: standard, zero-rated, exempt, reverse charge, outside"),
    ]
    rate_bp: Annotated[int, Field(strict=True, ge=0, le=BASIS_POINTS, description="basis points")]
    kinds: Annotated[list[Kind], Field(min_length=1)]
    note: Annotated[str, Field(max_length=200, pattern=_PLAIN, description="the reason, where nothing is charged")] = ""


class NewLegalEntity(Act):
    """A legal entity as it stands from `since` on. What is null is as the operator's own entity has it."""

    name: Words
    address: Annotated[list[Words], Field(default_factory=list, max_length=6)]
    country: Annotated[str, Field(pattern=r"^([A-Z]{2})?$", description="ISO 3166-1 alpha-2")] = ""
    tax_ids: Annotated[list[Words], Field(default_factory=list, max_length=4)]
    email: Annotated[str, Field(max_length=200, pattern=r"^([!-?A-~]+@[!-?A-~]+)?$")] = ""
    language: Literal["en", "et", "pl", "ru"] = "en"
    taxes: Annotated[list[Tax] | None, Field(max_length=10)] = None
    invoice_series: Series | None = None
    credit_note_series: Series | None = None
    payment_days: Annotated[int | None, Field(strict=True, ge=0, le=365)] = None
    payment: Annotated[
        list[Words],
        Field(default_factory=list, max_length=4, description="where tax that it is due is paid to"),
    ]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217: of the operator's own")] = "EUR"
    since: Since = None


class Version(BaseModel):
    """A legal entity from an instant on."""

    since: str
    profile: dict[str, Any]


class Entity(BaseModel):
    """A legal entity with its versions, and the partners that belong to it, each with the instants [from, until)."""

    entity: str
    versions: list[Version]
    partners: list[dict[str, Any]]


class Entities(BaseModel):
    """By name."""

    data: list[Entity]


class Belonging(Act):
    """The legal entity a partner belongs to from `since` on."""

    entity: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    since: Since = None


class NewBrand(Act):
    """A name that members see."""

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*\S)?$")]


class Brands(BaseModel):
    """Each brand with the number of its partner; a partner without one shows its own name."""

    data: list[dict[str, Any]]


@router.post("/legal-entities/{entity}", status_code=201, response_model=Done, responses=declared(404, 422))
async def register(
    request: Request, entity: EntityName, body: NewLegalEntity, caller: Operator, key: Key = None
) -> Response:
    """Register a legal entity or a new version of it. Documents issued before keep what they were made with."""
    for tax in body.taxes or ():
        if tax.category != "S" and tax.rate_bp:
            raise InvalidRequest("taxes", f"category {tax.category} has no rate")
    profile = body.model_dump(mode="json", exclude={"dry_run", "reason", "since"})
    more = {"entity": entity, "profile": profile, "since": _instant(body.since)}
    return await move(request, "legal_entity", caller, key, body, more=more)


@router.get("/legal-entities", response_model=Entities, responses=declared())
def every(request: Request, caller: Reader) -> Entities:
    """All legal entities for the operator, for a partner those it belongs or belonged to."""
    gateway = gateway_of(request)
    return Entities(data=_entities(gateway, caller))


@router.get("/legal-entities/{entity}", response_model=Entity, responses=declared(404))
def one(request: Request, entity: EntityName, caller: Reader) -> Entity:
    """One legal entity with its versions."""
    found = [shown for shown in _entities(gateway_of(request), caller) if shown.entity == entity]
    if not found:
        raise UnknownLegalEntity(entity, "entity")
    return found[0]


@router.post("/partners/{partner}/legal-entity", status_code=201, response_model=Done, responses=declared(404, 422))
async def belong(request: Request, partner: int, body: Belonging, caller: Operator, key: Key = None) -> Response:
    """Say to which legal entity a partner belongs; several may belong to one."""
    more = {"partner": partner, "entity": body.entity, "since": _instant(body.since)}
    return await move(request, "belong", caller, key, body, more=more)


@router.post("/partners/{partner}/brands", status_code=201, response_model=Done, responses=declared(404, 409, 422))
async def brand(request: Request, partner: int, body: NewBrand, caller: Operator, key: Key = None) -> Response:
    """Add a brand of a partner."""
    return await move(request, "brand", caller, key, body, more={"partner": partner, "name": body.name})


@router.get("/brands", response_model=Brands, responses=declared())
def brands(request: Request, caller: Reader) -> Brands:
    """All brands for the operator, for a partner its own."""
    gateway = gateway_of(request)
    seen = _seen(gateway, caller)
    with gateway.engine.connect() as connection:
        held = {name: recorded(connection, Brand, name) for name in sorted(names_of(connection, Brand))}
    named = [(name, one.partner) for name, one in held.items() if one is not None]
    without = {one.number: one.name for one in gateway.known().partners()}
    for _name, partner in named:
        without.pop(partner, None)
    shown = [*named, *((name, partner) for partner, name in without.items())]
    return Brands(data=[{"name": name, "partner": n} for name, n in sorted(shown) if n in seen])


def _instant(since: str | None) -> int:
    return 0 if since is None else parse_instant(since, "since")


def _seen(gateway: Gateway, caller: registry.Caller) -> list[int]:
    """The partners whose records a caller may see."""
    return [one.number for one in gateway.known().partners()] if registry.is_operator(caller) else [caller.party]


def _entities(gateway: Gateway, caller: registry.Caller) -> list[Entity]:
    """What a caller may see; of its legal entities a partner sees the versions, not who else belongs there."""
    with gateway.engine.connect() as connection:
        members: dict[str, list[dict[str, Any]]] = {SELLER: []} if caller.party == OPERATOR else {}
        for partner in _seen(gateway, caller):
            for name, since, until in spans(recorded(connection, Belongs, str(partner)), partner):
                shown = {"id": partner, "from": text_instant(since), "until": text_instant(until) if until else None}
                members.setdefault(name, []).append(shown)
        if registry.is_operator(caller):
            members = {name: [] for name in names_of(connection, LegalEntity)} | members
        return [
            Entity(entity=name, versions=[
                Version(since=text_instant(since), profile=msgspec.to_builtins(profile))
                for since, profile in (recorded(connection, LegalEntity, name) or LegalEntity([])).versions
            ], partners=members[name])
            for name in sorted(members)
        ]  # fmt: skip
