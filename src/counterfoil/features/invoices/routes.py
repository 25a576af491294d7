"""Invoices and credit notes: a list by sequence, and each as JSON (as stored and hashed), CSV or PDF."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from counterfoil.core.errors import InvalidRequest, UnknownInvoice
from counterfoil.features.invoices import entities, pdf, sheet
from counterfoil.gateway.auth import Reader
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.store import invoices, json_text, registry

router = APIRouter()
_own = APIRouter(prefix="/v1", tags=["invoices"])
JSON, CSV, PDF = "application/json", "text/csv", "application/pdf"
TYPES = {"json": JSON, "csv": CSV, "pdf": PDF}
Number = Annotated[str, Path(pattern=r"^[A-Z0-9-]{1,32}$", examples=["INV-000001"])]


class Issued(BaseModel):
    """A document as a list shows it; amounts with the sign of positions: + the entity receives, - it pays."""

    number: str
    kind: str
    settlement: int
    entity: str
    issued_on: str
    currency: str
    net_micros: int
    tax_micros: int
    total_micros: int
    corrects: list[dict[str, Any]]
    sha256: str


class Page(BaseModel):
    """A page of a list; ask again with `cursor=next_cursor` while there is more."""

    data: list[Issued]
    has_more: bool
    next_cursor: str | None


@_own.get("/invoices", response_model=Page, responses=declared())
def every(
    request: Request,
    caller: Reader,
    settlement: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page:
    """Documents in the order they were issued: for the operator all, for a partner those with lines of its own."""
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise InvalidRequest("cursor", "is not the next_cursor of a page")
    rows = invoices.page(gateway_of(request).engine, _partner(caller), int(cursor or 0), limit + 1, settlement)
    more = len(rows) > limit
    return Page(
        data=[_issued(row) for row in rows[:limit]], has_more=more,
        next_cursor=str(rows[limit - 1].place) if more else None,
    )  # fmt: skip


@_own.get(
    "/invoices/{invoice}",
    responses={200: {"content": {kind: {} for kind in TYPES.values()}}, **declared(404)},
    response_class=Response,
)
def one(
    request: Request,
    invoice: Number,
    caller: Reader,
    wanted: Annotated[Literal["json", "csv", "pdf"] | None, Query(alias="format")] = None,
    accept: Annotated[str, Header()] = "",
) -> Response:
    """One document. JSON is byte for byte what was stored; the digest of each form is in Repr-Digest (RFC 9530)."""
    row = invoices.one(gateway_of(request).engine, invoice, _partner(caller))
    if row is None:
        raise UnknownInvoice(invoice)
    form: str = wanted or next(
        (name for name in ("pdf", "csv") if TYPES[name] in accept and JSON not in accept), "json"
    )
    body: dict[str, Any] = json_text.loads(row.body)
    match form:
        case "pdf":
            content = pdf.rendered(body, bytes(row.hash))
        case "csv":
            content = sheet.written(body)
        case _:
            content = row.body.encode()
    digest = b64encode(sha256(content).digest()).decode()
    headers = {"Repr-Digest": f"sha-256=:{digest}:", "Vary": "Accept"}
    if form != "json":
        headers["Content-Disposition"] = f'attachment; filename="{invoice}.{form}"'
    return Response(content, media_type=TYPES[form], headers=headers)


def _partner(caller: registry.Caller) -> int | None:
    return None if registry.is_operator(caller) else caller.party


def _issued(row: Any) -> Issued:
    body = json_text.loads(row.body)
    told = {name: body[name] for name in Issued.model_fields if name in body}
    return Issued(entity=row.entity, sha256=bytes(row.hash).hex(), **told)


router.include_router(_own)
router.include_router(entities.router)
