"""Cash by bank: terms, what a settlement leaves to be paid, files for the bank, statements from it."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from counterfoil.core.errors import NotFound, UnknownSettlement
from counterfoil.core.operation import Operation
from counterfoil.core.rulebook.payment_files import DEBITS, TRANSFERS, asked
from counterfoil.core.rulebook.payments import Cash, Clearing, Payment
from counterfoil.features.bank import camt, pain, reports
from counterfoil.features.bank.bodies import BankTerms, CashTerms
from counterfoil.features.bank.views import cash_view, clearing_view, line_view, payment_view
from counterfoil.gateway.auth import Operator, Reader
from counterfoil.gateway.moves import Done, Key, Move, finished, move, replied
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.store import payments, registry, settlements

router = APIRouter(prefix="/v1", tags=["bank"])
XML = "application/xml"
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
FileNumber = Annotated[int, Query(alias="file", ge=1, le=999, description="2: what came back of the first, and so on")]
BANK_ENTRY = Annotated[str, Path(pattern=r"^bnk_[0-9a-f]{16}$", examples=["bnk_0000000000000000"])]
_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {XML: {"schema": {"type": "string"}}}}}
_TAKEN = declared(409, 413, 422)
_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {XML: {}}}}


class Assignment(Move):
    """The payment that an entry of a statement is for."""

    payment: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,9}-[1-9][0-9]{0,4}$", examples=["12-16"])]


class Terms(BaseModel):
    """What was agreed on cash: the operator's side, and each partner's; a partner sees its own. Versions in order.

    `banked_micros`: what came from a partner by bank, less what went to it.
    """

    clearing: list[dict[str, Any]]
    partners: dict[str, list[dict[str, Any]]]
    banked_micros: dict[str, int]


class Payments(BaseModel):
    """Payments by bank. Amounts in micros: + to the partner, - by it."""

    data: list[dict[str, Any]]


class Entries(BaseModel):
    """Lines of statements in the order they came."""

    data: list[dict[str, Any]]
    has_more: bool
    next_cursor: str | None


@router.post("/bank", status_code=201, response_model=Done, responses=declared(422))
async def agree_clearing(request: Request, body: BankTerms, caller: Operator, key: Key = None) -> Response:
    """The operator's bank account and terms, from the settlement that is open now on."""
    made = Clearing(
        0, body.account.account(), body.creditor_id, body.currency, body.short, body.due_days, body.grace_days
    )
    return await move(request, "agree_clearing", caller, key, body, more={"clearing": made})


@router.get("/bank", response_model=Terms, responses=declared())
def agreed(request: Request, caller: Reader) -> Terms:
    """The terms in force and before."""
    gateway, own = gateway_of(request), _own(caller)
    known = gateway.known()
    with gateway.engine.connect() as connection:
        banked = payments.banked(connection)
    return Terms(
        banked_micros={known.name_of(n): micros for n, micros in banked.items() if own in {None, n}},
        clearing=[clearing_view(one) for one in known.bank.clearing],
        partners={
            known.name_of(number): [cash_view(one) for one in versions]
            for number, versions in known.bank.partners.items()
            if own in {None, number}
        },
    )


@router.post("/partners/{partner}/cash", status_code=201, response_model=Done, responses=declared(404, 422))
async def agree_cash(request: Request, partner: int, body: CashTerms, caller: Operator, key: Key = None) -> Response:
    """How the partner's positions are paid, from the settlement that is open now on."""
    made = Cash(0, body.account.account() if body.account is not None else None, body.agreed())
    return await move(request, "agree_cash", caller, key, body, more={"partner": partner, "cash": made})


@router.get("/payments", response_model=Payments, responses=declared())
def unpaid(request: Request, caller: Reader) -> dict[str, Any]:
    """All that is not paid yet, oldest first; `alert` says what is late and what follows."""
    with gateway_of(request).engine.connect() as connection:
        return _payments(request, caller, payments.unpaid(connection))


@router.get("/settlements/{number}/payments", response_model=Payments, responses=declared(404))
def of_settlement(request: Request, number: Number, caller: Reader) -> dict[str, Any]:
    """What a settlement leaves to be paid by bank, once it is final; for a partner its own."""
    return _payments(request, caller, _found(request, number))


@router.get("/settlements/{number}/pain.001", response_class=Response, responses={**_FILE, **declared(404)})
def transfers(request: Request, number: Number, _caller: Operator, trial: FileNumber = 1) -> Response:
    """The settlement's credit transfers, pain.001.001.09; the same bytes whenever it is asked for."""
    return _file(request, TRANSFERS, number, trial)


@router.get("/settlements/{number}/pain.008", response_class=Response, responses={**_FILE, **declared(404)})
def debits(request: Request, number: Number, _caller: Operator, trial: FileNumber = 1) -> Response:
    """The settlement's direct debits, pain.008.001.08; the same bytes whenever it is asked for."""
    return _file(request, DEBITS, number, trial)


@router.post("/bank/statements", status_code=201, response_model=Done, responses=_TAKEN, openapi_extra=_BODY)
async def take_statement(request: Request, caller: Operator, *, dry_run: bool = False) -> Response:
    """Take statements, camt.053.001.08: each once, by account and id; a second time says `known` and does nothing."""
    known = await asyncio.to_thread(gateway_of(request).known)
    accounts = {one.account.iban for one in known.bank.clearing}
    xml = await request.body()
    found, text = await asyncio.to_thread(camt.statements, xml, accounts)
    more = {"statements": found, "file": hashlib.sha256(xml).hexdigest(), "xml": text}
    return await _take(request, Operation("take_statement", caller.party, dry_run=dry_run, more=more))


@router.post("/bank/reports", status_code=201, response_model=Done, responses=_TAKEN, openapi_extra=_BODY)
async def take_report(request: Request, caller: Operator, *, dry_run: bool = False) -> Response:
    """Take a status report, pain.002.001.10: what the bank rejected stands in the next file; a second time does nothing."""
    found = await asyncio.to_thread(reports.rejections, await request.body())
    return await _take(request, Operation("take_report", caller.party, dry_run=dry_run, more={"rejections": found}))


async def _take(request: Request, op: Operation) -> Response:
    """A bank's file needs no key: its own ids say whether it is known."""
    ((answer, shown),) = await gateway_of(request).post([op])
    status, shown = finished(answer, shown, dry_run=op.dry_run, request_id=request.scope["request_id"])
    return replied(answer, status, shown).response()


@router.get("/bank/entries", response_model=Entries, responses=declared())
def entries(
    request: Request, _caller: Operator, *, unmatched: bool = False,
    cursor: Annotated[int, Query(ge=0, le=2**62)] = 0, limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> dict[str, Any]:  # fmt: skip
    """Lines of statements, or those that match no payment."""
    with gateway_of(request).engine.connect() as connection:
        found = payments.lines(connection, cursor - 1, limit + 1, unmatched=unmatched)
    more = len(found) > limit
    return {
        "data": [line_view(one) for one in found[:limit]],
        "has_more": more,
        "next_cursor": str(found[limit].number) if more else None,
    }


@router.post("/bank/entries/{line}/assign", status_code=201, response_model=Done, responses=declared(404, 409, 422))
async def assign(request: Request, line: BANK_ENTRY, body: Assignment, caller: Operator, key: Key = None) -> Response:
    """Say which payment an unmatched entry is for: it counts for it, whatever its amount."""
    number = int(line.removeprefix("bnk_"), 16)
    return await move(request, "assign_line", caller, key, body, more={"line": number, "payment": body.payment})


def _own(caller: registry.Caller) -> int | None:
    return None if registry.is_operator(caller) else caller.party


def _found(request: Request, number: int) -> list[Payment]:
    engine = gateway_of(request).engine
    if settlements.one(engine, number) is None:
        raise UnknownSettlement(str(number))
    with engine.connect() as connection:
        return payments.of_settlement(connection, number)


def _payments(request: Request, caller: registry.Caller, found: list[Payment]) -> dict[str, Any]:
    gateway, own = gateway_of(request), _own(caller)
    known, now = gateway.known(), gateway.now()
    return {"data": [payment_view(one, known, now) for one in found if own in {None, one.partner}]}


def _file(request: Request, kind: str, number: int, trial: int) -> Response:
    blocks = asked(_found(request, number), kind, trial)
    if not blocks:
        raise NotFound("file", f"payment of this kind in file {trial} of settlement {number}")
    return Response(pain.payment_file(kind, number, trial, blocks), media_type=XML)
