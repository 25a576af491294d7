"""Settlements: close and settle now, look at them, take a partner's signature, give out rows and exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from counterfoil.chain.client import Reverted
from counterfoil.core.accounts import FIRST_PARTNER
from counterfoil.core.calendar import business_day_after, local_day
from counterfoil.core.errors import Forbidden, UnknownPartner, UnknownSettlement
from counterfoil.core.refusals import ChainUnavailable
from counterfoil.gateway.auth import Operator, PartnerSigner, Reader
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import Gateway, gateway_of
from counterfoil.settlement import export
from counterfoil.settlement.cycle import header_of
from counterfoil.settlement.preview import missing, preview
from counterfoil.settlement.worker import Worker
from counterfoil.store import books, json_text, payments, registry, settlements
from counterfoil.store.rulebook import rulebook_bytes

CALL_DAYS = 2
router = APIRouter(prefix="/v1", tags=["settlements"])
State = Literal["closing", "closed", "proposed", "final"]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


class Signature(BaseModel):
    """65 bytes r, s, v over the header's EIP-712 digest."""

    model_config = ConfigDict(extra="forbid")
    signature: Annotated[str, Field(pattern=r"^0x[0-9a-f]{130}$")]


class Close(BaseModel):
    """How to close."""

    model_config = ConfigDict(extra="forbid")
    failed: Annotated[int | None, Field(description="the number of a partner that cannot pay")] = None


class Settlement(BaseModel):
    """A settlement. Exact positions are shown to the operator, and to a partner its own."""

    model_config = ConfigDict(extra="allow")
    number: int
    state: str


class Settlements(BaseModel):
    """By number."""

    data: list[Settlement]


class Preview(BaseModel):
    """The open settlement as it would close now; `missing_micros`: collateral that parties lack for it.

    `call_by`: the margin call's day, two business days from now, if anybody lacks some.
    `failing`: partners too late by bank, whose waterfall the close would start; it is not in the positions.
    """

    number: int
    exact: dict[str, int]
    rounded: dict[str, int]
    missing_micros: dict[str, int]
    call_by: str | None
    failing: list[str]
    supply: dict[str, int]
    change: dict[str, int]


class Rows(BaseModel):
    """A partner's own entries of a settlement by leaf, with their bodies."""

    data: list[dict[str, Any]]
    has_more: bool
    next_cursor: str | None


def worker_of(request: Request) -> Worker:
    """The settlement worker of this process."""
    return cast("Worker", request.app.state.worker)


AWorker = Annotated[Worker, Depends(worker_of)]


@router.post("/settlements", status_code=201, response_model=Settlement, responses=declared(404))
def close(request: Request, worker: AWorker, caller: Operator, body: Close | None = None) -> dict[str, Any]:
    """Close the open settlement now: what is due runs first; what commits later belongs to the next.

    A partner that `failed` to pay is suspended, and what is missing goes down the waterfall; so is one that is `late`
    by bank beyond its grace.
    """
    gateway, told = gateway_of(request), dict[str, Any]()
    failed = body.failed if body is not None else None
    if failed is not None and (failed < FIRST_PARTNER or failed not in gateway.known().parties):
        raise UnknownPartner(str(failed), "failed")
    with worker.lock:
        if failed is not None:
            told = {"waterfall": worker.cycle.default(failed, gateway.now())["waterfall"]}
        if late := worker.cycle.fail_late(gateway.now()):
            told["late"] = late
        number = worker.cycle.close(gateway.now())
    worker.nudge()
    return {**_view(request, settlements.one(gateway.engine, number), caller), **told}


@router.post("/settlements/advance", response_model=Settlements, responses=declared())
def advance(request: Request, worker: AWorker, caller: Operator) -> dict[str, Any]:
    """Do every settlement step that is due now, instead of waiting for the worker."""
    try:
        worker.advance()
    except Reverted as error:
        raise ChainUnavailable(f"the contract refuses: {error}") from error
    return every(request, caller)


@router.get("/settlements", response_model=Settlements, responses=declared())
def every(request: Request, caller: Reader, state: State | None = None) -> dict[str, Any]:
    """All settlements, or those of one state: `closed` ones wait for signatures."""
    rows = settlements.every(gateway_of(request).engine, state=state)
    return {"data": [_view(request, row, caller) for row in rows]}


@router.get("/settlements/preview", response_model=Preview, responses=declared())
def look_ahead(request: Request, worker: AWorker, caller: Reader) -> dict[str, Any]:
    """What a close would give now: for the operator all positions, for a partner its own; who lacks collateral for it."""
    gateway = gateway_of(request)
    programme, found = gateway.known(), preview(gateway.engine, gateway.now())
    own = None if registry.is_operator(caller) else caller.party

    def named(values: Mapping[int, int]) -> dict[str, int]:
        shown = {n: micros for n, micros in values.items() if own is None or kept_by(n) == own}
        return {programme.name_of(n): micros for n, micros in shown.items()}

    words, contract = found.positions.words(), worker.cycle.contract()
    with gateway.engine.connect() as connection:
        failing = payments.failing(connection, gateway.now(), programme.zone)
    lacking = missing(gateway.engine, contract, words) if contract is not None else {}
    call_by = business_day_after(local_day(gateway.now(), programme.zone), CALL_DAYS)
    view: dict[str, Any] = {
        "number": found.number, "exact": named(found.positions.exact), "rounded": named(found.positions.rounded),
        "missing_micros": named(lacking),
        "call_by": call_by.isoformat() if named(lacking) else None,
        "failing": list(named(dict.fromkeys(failing, 0))),
        "supply": {programme.currency_name(n): points for n, points in found.supply.items() if points},
        "change": {programme.currency_name(n): points for n, points in found.change.items() if points},
    }  # fmt: skip
    if own is None and found.positions.rounding:
        view["rounded"]["rounding"] = found.positions.rounding
    return view


@router.get("/settlements/{number}", response_model=Settlement, responses=declared(404))
def one(request: Request, number: Number, caller: Reader) -> dict[str, Any]:
    """One settlement with its header, signatures and chain."""
    return _view(request, settlements.one(gateway_of(request).engine, number), caller, number)


@router.get("/settlements/{number}/rows", response_model=Rows, responses=declared(404))
def rows(
    request: Request, number: Number, caller: Reader, cursor: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=5_000)] = 1_000,
) -> dict[str, Any]:  # fmt: skip
    """What the calling partner's position is made of: its own entries, whole, each at its leaf of the log."""
    engine = gateway_of(request).engine
    row = settlements.one(engine, number)
    if row is None:
        raise UnknownSettlement(str(number))
    found = []
    for entry in books.leaves(engine, max(row.first_leaf, cursor), row.log_size, caller.party):
        found.append({"leaf": entry.leaf, "body": "0x" + entry.body.hex(), "external_id": entry.external_id})
        if len(found) > limit:
            break
    more = len(found) > limit
    return {
        "data": found[:limit],
        "has_more": more,
        "next_cursor": str(found[limit]["leaf"]) if more else None,
    }


@router.post(
    "/settlements/{number}/signatures",
    status_code=201,
    response_model=Settlement,
    responses=declared(404, 409, 422),
)
def sign(request: Request, number: Number, body: Signature, worker: AWorker, caller: PartnerSigner) -> dict[str, Any]:
    """A partner's signature over the header that waits. Checked before it is kept."""
    if registry.is_operator(caller):
        raise Forbidden("sign")
    worker.cycle.sign(number, caller.party, bytes.fromhex(body.signature[2:]))
    worker.nudge()
    return _view(request, settlements.one(gateway_of(request).engine, number), caller)


@router.get("/rulebook", responses={200: {"content": {"application/json": {}}}})
def rulebook(request: Request) -> Response:
    """The rules and terms in force, byte for byte as hashed."""
    return Response(rulebook_bytes(gateway_of(request).known()), media_type="application/json")


@router.get(
    "/exports/public",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-tar": {}}}},
)
def public(request: Request, worker: AWorker) -> StreamingResponse:
    """The public export as a tar: for ever, for anyone."""
    gateway, contract = gateway_of(request), worker.cycle.contract()
    place = (contract.chain_id, contract.address) if contract else None
    files = export.public(gateway.engine, gateway.checkpoint, place)
    return StreamingResponse(export.tar(files), media_type="application/x-tar")


@router.get(
    "/exports/sealed",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-tar": {}}}, **declared()},
)
def sealed(request: Request, _caller: Operator) -> StreamingResponse:
    """The sealed export as a tar, for an appointed auditor; its member handles are random, once per export."""
    return StreamingResponse(export.tar(export.sealed(gateway_of(request).engine)), media_type="application/x-tar")


def _view(request: Request, row: Any, caller: registry.Caller, number: int = 0) -> dict[str, Any]:
    if row is None:
        raise UnknownSettlement(str(number))
    gateway = gateway_of(request)
    view: dict[str, Any] = {"number": row.number, "state": row.state, "alert": row.alert, "tx": row.tx,
                            "first_leaf": row.first_leaf, "log_size": row.log_size}  # fmt: skip
    if row.totals is None:
        return view
    totals, programme = json_text.loads(row.totals), gateway.known()
    own = None if registry.is_operator(caller) else caller.party

    def named(values: dict[str, int]) -> dict[str, int]:
        return {programme.name_of(int(n)): v for n, v in values.items() if own is None or kept_by(int(n)) == own}

    def by_currency(what: str) -> dict[str, int]:
        return {programme.currency_name(int(n)): one[what] for n, one in totals["currencies"].items() if one[what]}

    view |= {
        "exact": named(totals["exact"]), "rounded": named(totals["rounded"]),
        "issued": named(totals["issued"]), "burned": named(totals["burned"]),
        "supply": by_currency("supply"), "change": by_currency("change"),
        "refers_to": totals["refers_to"] if own is None else None,
    }  # fmt: skip
    if row.state == "final":
        view["alert"] = _late(gateway, row.number, programme, own)
    if own is None and totals["rounding"]:
        view["rounded"]["rounding"] = totals["rounding"]
    if row.header is not None:
        header = json_text.loads(row.header)
        contract = worker_of(request).cycle.contract()
        signed = settlements.signatures(gateway.engine, row.number, _hash(row))
        view |= {
            "header": header, "header_hash": "0x" + _hash(row).hex(), "signed_by": sorted(signed),
            "settlement": contract.address if contract else None,
            "chain_id": contract.chain_id if contract else None,
            "files": json_text.loads(row.manifest)["files"],
        }  # fmt: skip
    return view


def _late(gateway: Gateway, number: int, programme: registry.Programme, own: int | None) -> str | None:
    """Who is late with its payment by bank; a partner is told of itself alone."""
    now = gateway.now()
    with gateway.engine.connect() as connection:
        found = [one for one in payments.of_settlement(connection, number) if own in {None, one.partner}]
    late = [one for one in found if one.amount_micros < 0 and one.state(now, programme.zone) in {"late", "failed"}]
    told = [f"{programme.name_of(one.partner)} owes {one.left_micros} micros since {one.due_on}" for one in late]
    return f"late by bank: {', '.join(told)}" if told else None


def kept_by(owner: int) -> int:
    """The partner an owner's money is kept for, or the owner itself."""
    return owner >> 16 or owner


def _hash(row: Any) -> bytes:
    return header_of(row).hash()
