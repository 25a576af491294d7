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
STATUS: dict[str, int] = {
    "invalid_request": 400, "idempotency_key_missing": 400, "invalid_amount": 400, "invalid_recipient": 400,
    "unauthenticated": 401, "forbidden": 403, "not_in_livemode": 403, "not_found": 404,
    "unknown_member": 404, "unknown_partner": 404, "unknown_earn": 404, "unknown_burn": 404, "unknown_hold": 404,
    "unknown_settlement": 404, "method_not_allowed": 405, "duplicate_external_id": 409, "hold_expired": 409,
    "already_captured": 409, "already_released": 409, "partners_fixed": 409, "settlement_not_waiting": 409,
    "clock_backwards": 409, "insufficient_points": 409, "capture_exceeds_hold": 409,
    "refund_exceeds_original": 409, "balance_limit": 409, "body_too_large": 413, "idempotency_key_reused": 422,
    "bad_signature": 422, "unreadable": 422, "internal_error": 500, "books_behind_checkpoint": 503,
    "chain_unavailable": 503, "unreachable": 503,
}  # fmt: skip
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
        where = ".".join(str(part) for part in first["loc"][1:]) or "body"
        return await on_error(request, InvalidRequest(where, first["msg"]))

    for kind in (CounterfoilError, HTTPException, Exception):
        app.add_exception_handler(kind, on_error)
    app.add_exception_handler(RequestValidationError, on_invalid)  # type: ignore[arg-type]  # only ever gets its own
