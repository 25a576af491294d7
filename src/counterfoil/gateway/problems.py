"""Problems, RFC 9457: the one table from codes to HTTP, and how every error leaves the gateway."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from counterfoil.core.errors import BodyTooLarge, CounterfoilError, InvalidRequest, MethodNotAllowed, NotFound
from counterfoil.gateway.reply import Reply
from counterfoil.store import json_text

MEDIA_TYPE = "application/problem+json"
_CODES = {
    400: (
        "idempotency_key_missing", "invalid_amount", "invalid_recipient", "invalid_request",
        "occurred_in_future",
    ),
    401: (
        "unauthenticated",
    ),
    403: (
        "forbidden", "member_frozen", "not_in_livemode", "partner_exited", "partner_suspended",
        "second_approver_needed", "wrong_partner",
    ),
    404: (
        "not_found", "unknown_bank_entry", "unknown_budget", "unknown_burn", "unknown_claim",
        "unknown_currency", "unknown_earn", "unknown_earn_rule", "unknown_hold", "unknown_invoice",
        "unknown_legal_entity", "unknown_member", "unknown_partner", "unknown_payment", "unknown_promotion",
        "unknown_quote", "unknown_rate", "unknown_return", "unknown_reward", "unknown_settlement", "unknown_voucher",
    ),
    405: (
        "method_not_allowed",
    ),
    409: (
        "already_captured", "already_claimed", "already_decided", "already_disputed",
        "already_released", "already_ruled", "balance_limit", "bank_entry_assigned",
        "brand_taken", "budget_exhausted", "cap_exhausted", "capture_exceeds_hold",
        "claim_overdue", "clock_backwards", "credit_exhausted", "currency_not_accepted",
        "dispute_window_closed", "duplicate_external_id", "erasure_not_due", "hold_expired",
        "increment_violation", "insufficient_points", "line_disputed", "member_leaving", "not_disputed",
        "not_waiting", "nothing_to_dispute", "occurred_too_long_ago", "partners_fixed",
        "prefunding_exhausted", "programme_sunset", "quote_expired", "quote_used",
        "rate_cycle_arbitrage", "refund_exceeds_original", "reward_already_used", "reward_expired",
        "return_assigned", "reward_refunded", "rule_failed", "settlement_not_waiting", "statement_differs",
        "velocity_limit", "wallet_not_linked", "wallet_taken",
    ),
    410: (
        "member_erased",
    ),
    413: (
        "body_too_large",
    ),
    422: (
        "bad_signature", "bank_file_unreadable", "idempotency_key_reused", "sign_in_refused", "unreadable",
    ),
    500: (
        "internal_error",
    ),
    503: (
        "books_behind_checkpoint", "chain_unavailable", "unreachable",
    ),
}  # fmt: skip
STATUS: dict[str, int] = {code: status for status, codes in _CODES.items() for code in codes}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": sorted(STATUS)},
        "detail": {"type": "string", "description": "for a person"},
        "field": {"type": "string", "description": "the field or header that is meant"},
        "request_id": {"type": "string"},
    },
}
_log = structlog.get_logger("gateway")


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: these statuses and those any route can give."""
    problem = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    return {
        status: {"description": ", ".join(sorted(c for c, s in STATUS.items() if s == status)), **problem}
        for status in sorted({*statuses, 400, 401, 403, 500, 503})
    }


def problem_of(code: str, detail: str, facts: dict[str, object], request_id: str) -> dict[str, object]:
    """The document of a refusal; facts stand beside the standard members."""
    return {
        "type": f"/problems/{code}", "title": code.replace("_", " "), "status": STATUS[code],
        **facts, "code": code, "detail": detail, "request_id": request_id,
    }  # fmt: skip


def reply_of(error: CounterfoilError, request_id: str) -> Reply:
    """An error as it leaves."""
    return _reply(error.code, str(error), error.facts(), request_id)


def _reply(code: str, detail: str, facts: dict[str, object], request_id: str) -> Reply:
    headers = {"WWW-Authenticate": "Bearer"} if code == "unauthenticated" else {}
    return Reply(STATUS[code], json_text.dumps(problem_of(code, detail, facts, request_id)), MEDIA_TYPE, headers)


def failed(error: Exception, asked: str, request_id: str) -> Reply:
    """Any error as it leaves; what the house did not foresee is logged whole and told as `internal_error`.

    `asked` is the method and path.
    """
    if isinstance(error, HTTPException):
        error = _own(error, asked)
    if not isinstance(error, CounterfoilError):
        _log.error("bug", error=repr(error), request_id=request_id, exc_info=error)
        detail = "the gateway failed; nothing was posted unless a retry says so"
        return _reply("internal_error", detail, {}, request_id)
    if STATUS[error.code] >= 500:
        _log.error("failed", code=error.code, detail=str(error), request_id=request_id)
    return reply_of(error, request_id)


def _own(error: HTTPException, asked: str) -> CounterfoilError:
    """The framework's own refusals in the house's words."""
    match error.status_code:
        case 404:
            return NotFound("path", asked)
        case 405:
            return MethodNotAllowed("path", asked)
        case 413:
            return BodyTooLarge("body", "is larger than this gateway takes")
        case _:
            return InvalidRequest("body", str(error.detail))


def install(app: FastAPI) -> None:
    """Make every error of the application a problem document."""

    async def on_error(request: Request, error: Exception) -> Response:
        asked = f"{request.method} {request.url.path}"
        return failed(error, asked, request.scope.get("request_id", "")).response()

    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        # a union's members stand in the place as well, under names that are no field's
        named = [str(part) for part in first["loc"][1:] if str(part).isidentifier() or isinstance(part, int)]
        where = ".".join(named) or "body"
        return await on_error(request, InvalidRequest(where, first["msg"]))

    for kind in (CounterfoilError, HTTPException, Exception):
        app.add_exception_handler(kind, on_error)
    app.add_exception_handler(RequestValidationError, on_invalid)  # type: ignore[arg-type]  # only ever gets its own
