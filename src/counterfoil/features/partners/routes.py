"""Partners: registered by the operator with their terms, and their API keys."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from counterfoil.core.accounts import OPERATOR
from counterfoil.core.calendar import Cliff, parse_instant, text_instant
from counterfoil.core.errors import InvalidRequest, UnknownPartner
from counterfoil.core.rulebook.contracts import Clawback, Contract
from counterfoil.core.units import BASIS_POINTS
from counterfoil.gateway.auth import Operator
from counterfoil.gateway.moves import Change, Reason, act
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.store import credentials, registry
from counterfoil.store.registry import Caller

router = APIRouter(prefix="/v1", tags=["partners"])
_ZERO = "0x" + "0" * 40
DEFAULT_FEE_MICROS = 1_000


Micros = Annotated[int, Field(strict=True, ge=0, le=2**40)]
Points = Annotated[int, Field(strict=True, ge=0, le=10_000)]


class Terms(BaseModel):
    """Contract terms, money in micros per point; what is left out has the rulebook's default."""

    model_config = ConfigDict(extra="forbid")
    funding: Annotated[
        Literal["issuance", "redemption", "share"],
        Field(description="when the face is paid: as points become available, as they are used, or a share of each"),
    ] = "issuance"
    issuance_bp: Annotated[
        int | None, Field(strict=True, ge=1, le=9_999, description="of `share`: basis points paid at issue")
    ] = None
    face_micros: Annotated[Micros, Field(ge=1)] = 10_000
    fee_micros: Annotated[Micros | None, Field(description="default 1000; with `redemption` 0, due at use")] = None
    fee_refundable: Annotated[bool, Field(strict=True)] = True
    redemption_micros: Annotated[
        Micros | None, Field(ge=1, description="what a point used here pays; default: the lot's face")
    ] = None
    redemption_budget: Annotated[
        str | None,
        Field(
            max_length=64, description="of the operator's: for each point that pays more than its face; or none does"
        ),
    ] = None
    valid_days: Annotated[int | None, Field(strict=True, ge=0, le=36_500, description="null: no expiry")] = 365
    valid_months: Annotated[
        int | None, Field(strict=True, ge=0, le=1_200, description="instead of days: to the same day, months later")
    ] = None
    cliff: Annotated[
        Cliff | None, Field(description="with months: to the last day of the month, quarter or year in which they end")
    ] = None
    pending_days: Annotated[int, Field(strict=True, ge=0, le=3_650)] = 0
    breakage_operator_bp: Points = 0
    clawback: Annotated[
        Clawback, Field(description="what a refund cannot recover: owed in points, or kept back in cash at the till")
    ] = "debt"
    credit_limit_micros: Annotated[
        int | None, Field(strict=True, ge=0, le=2**53 - 1, description="what it may owe until settlements are final")
    ] = None
    since: Annotated[str | None, Field(description="RFC 3339; default: from the start")] = None

    @model_validator(mode="after")
    def _share(self) -> Terms:
        if (self.funding == "share") != (self.issuance_bp is not None):
            raise ValueError("issuance_bp goes with funding share, and only with it")
        if self.valid_months is not None and "valid_days" in self.model_fields_set and self.valid_days is not None:
            raise ValueError("valid_days and valid_months exclude each other")
        if self.cliff is not None and self.valid_months is None:
            raise ValueError("cliff goes with valid_months")
        return self

    def contract(self, version: int) -> Contract:
        """As the rulebook has it; raises InvalidRequest."""
        issuance_bp = {"issuance": BASIS_POINTS, "redemption": 0}.get(self.funding, self.issuance_bp or 0)
        fee = self.fee_micros if self.fee_micros is not None else DEFAULT_FEE_MICROS if issuance_bp else 0
        since = parse_instant(self.since, "since") if self.since is not None else 0
        days = self.valid_days if self.valid_months is None else None
        return Contract(
            version, self.face_micros, fee, days, self.breakage_operator_bp, issuance_bp,
            self.fee_refundable, self.redemption_micros, self.pending_days, since,
            self.valid_months, self.cliff, self.clawback, self.credit_limit_micros, self.redemption_budget,
        )  # fmt: skip


class NewTerms(Change, Terms):
    """Terms that begin later."""


class NewPartner(Change):
    """A brand that is to earn and burn. Its signing key stays with it; `signer` is only the address."""

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
    collateral_micros: Annotated[
        int | None, Field(strict=True, ge=0, le=2**53 - 1, description="of a sandbox: what it deposits; null: enough")
    ] = None
    terms: Annotated[
        Terms | list[Terms], Field(description="or several versions: the first from the start, each later one `since`")
    ] = Terms()


class Partner(BaseModel):
    """A partner and its number in every position."""

    id: int
    name: str
    signer: str | None
    floor_micros: int
    status: str
    terms: Annotated[list[Terms], Field(description="versions in order")]


class Partners(BaseModel):
    """All of them, by number."""

    data: list[Partner]


class NewKey(Change):
    """Scopes of a new API key."""

    scopes: Annotated[list[str], Field(min_length=1, default_factory=lambda: list(registry.SCOPES))]


class Key(BaseModel):
    """An API key, shown once; only its hash is kept."""

    key: str
    prefix: str
    scopes: list[str]


@router.post("/partners", status_code=201, response_model=Partner, responses=declared(409))
def register(request: Request, body: NewPartner, caller: Operator) -> Response:
    """Register a partner. Once the settlement contract is deployed its partners are fixed."""
    request.app.state.worker.cycle.assert_open_to_partners(body.name)
    signer = body.signer.lower() if body.signer else None
    if signer == _ZERO:
        raise InvalidRequest("signer", "the zero address signs nothing")
    listed = body.terms if isinstance(body.terms, list) else [body.terms]
    contracts = [one.contract(place + 1) for place, one in enumerate(listed)]
    if not contracts or any(later.since <= earlier.since for earlier, later in pairwise(contracts)):
        raise InvalidRequest("terms", "needs at least one version, and each later one a later `since`")
    return act(
        request, "add_partner", caller, body, lambda facts: _registered(request, facts), name=body.name, signer=signer,
        contracts=contracts, floor_micros=body.floor_micros, collateral_micros=body.collateral_micros,
    )  # fmt: skip


@router.post("/partners/{partner}/contracts", status_code=201, response_model=Partner, responses=declared(404))
def announce(request: Request, partner: int, body: NewTerms, caller: Operator) -> Response:
    """Announce the terms that hold `since` an instant: never sooner than the notice, never for what was made before."""
    if body.since is None:
        raise InvalidRequest("since", "must say from when the terms hold")
    return act(
        request, "add_contract", caller, body, lambda facts: _registered(request, facts), partner=partner,
        contract=body.contract(0),
    )  # fmt: skip


def _registered(request: Request, facts: dict[str, Any]) -> Partner:
    return _view(gateway_of(request).known().parties[facts["partner"]])


@router.get("/partners", response_model=Partners, responses=declared())
def every(request: Request, _caller: Operator) -> Partners:
    """The partners with their terms."""
    return Partners(data=[_view(one) for one in gateway_of(request).known().partners()])


@router.post("/partners/{partner}/keys", status_code=201, response_model=Key, responses=declared(404))
def issue(request: Request, partner: int, body: NewKey, caller: Operator) -> Response:
    """A new API key for a partner; old ones go on until they are revoked."""
    gateway = gateway_of(request)
    if partner not in gateway.known().parties:
        raise UnknownPartner(str(partner))
    unknown = set(body.scopes) - set(registry.SCOPES)
    if unknown:
        raise InvalidRequest("scopes", f"{min(unknown)} is none of {', '.join(registry.SCOPES)}")
    return _issued(request, caller, body, partner, body.scopes)


@router.post("/operators", status_code=201, response_model=Key, responses=declared())
def second(request: Request, body: Change, caller: Operator) -> Response:
    """A new API key for another person who operates: what needs a second approver needs a second key."""
    return _issued(request, caller, body, OPERATOR, list(registry.OPERATOR_SCOPES))


def _issued(request: Request, caller: Caller, body: Change, party: int, scopes: list[str]) -> Response:
    key = credentials.fresh_key()
    row = credentials.credential_row(key, party, scopes, gateway_of(request).now())
    made = Key(key=key, prefix=row[0], scopes=scopes)
    return act(request, "issue_key", caller, body, lambda _facts: made, row=row, partner=party)


@router.delete("/keys/{prefix}", status_code=204, response_class=Response, responses=declared(404))
def revoke(request: Request, prefix: str, caller: Operator, reason: Reason = "") -> Response:
    """Revoke a key; within a second it works nowhere."""
    done = act(request, "revoke_key", caller, Change(reason=reason), None, prefix=prefix)
    gateway_of(request).callers.clear()
    return done


def _view(one: registry.Party) -> Partner:
    terms = [
        Terms(
            funding=c.funding,
            issuance_bp=c.issuance_bp if c.funding == "share" else None,
            face_micros=c.face_micros,
            fee_micros=c.fee_micros,
            fee_refundable=c.fee_refundable,
            redemption_micros=c.redemption_micros,
            redemption_budget=c.redemption_budget,
            valid_days=c.valid_days,
            valid_months=c.valid_months,
            cliff=c.cliff,
            clawback=c.clawback,
            credit_limit_micros=c.credit_limit_micros,
            pending_days=c.pending_days,
            breakage_operator_bp=c.breakage_operator_bp,
            since=text_instant(c.since) if c.since else None,
        )
        for c in one.contracts
    ]
    return Partner(id=one.number, name=one.name, signer=one.signer, floor_micros=one.floor_micros, status=one.status,
                   terms=terms)  # fmt: skip
