"""Problems, RFC 9457: the one table from codes to HTTP, and how every error leaves the gateway."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from counterfoil.core.errors import BodyTooLarge, CounterfoilError, InvalidRequest, MethodNotAllowed, NotFound
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


def response_of(error: CounterfoilError, request: Request) -> Response:
    """An error as it leaves."""
    return answer(request, error.code, str(error), error.facts())


def answer(request: Request, code: str, detail: str, facts: dict[str, object]) -> Response:
    """A problem document."""
    body = problem_of(code, detail, facts, request.scope.get("request_id", ""))
    headers = {"WWW-Authenticate": "Bearer"} if code == "unauthenticated" else None
    return Response(json_text.dumps(body), STATUS[code], headers, MEDIA_TYPE)


def failed(error: Exception, request: Request) -> Response:
    """Any error as it leaves; what the house did not foresee is logged whole and told as `internal_error`."""
    request_id = request.scope.get("request_id")
    if isinstance(error, HTTPException):
        error = _own(error, f"{request.method} {request.url.path}")
    if not isinstance(error, CounterfoilError):
        _log.error("bug", error=repr(error), request_id=request_id, exc_info=error)
        return answer(request, "internal_error", "the gateway failed; nothing was posted unless a retry says so", {})
    if STATUS[error.code] >= 500:
        _log.error("failed", code=error.code, detail=str(error), request_id=request_id)
    return response_of(error, request)


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

    @app.exception_handler(CounterfoilError)
    async def on_error(request: Request, error: CounterfoilError) -> Response:
        if STATUS[error.code] >= 500:
            _log.error("failed", code=error.code, detail=str(error), request_id=request.scope.get("request_id"))
        return response_of(error, request)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "body"
        return response_of(InvalidRequest(where, first["msg"]), request)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        return failed(error, request)

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> Response:
        _log.error("bug", error=repr(error), request_id=request.scope.get("request_id"), exc_info=error)
        return answer(request, "internal_error", "the gateway failed; nothing was posted unless a retry says so", {})
