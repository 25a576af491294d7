"""Routes of the verbs. Bodies are read by `rules`; FastAPI only routes, so a till's request stays cheap."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from counterfoil.core.errors import Forbidden, InvalidRequest, Refusal
from counterfoil.core.operation import Operation
from counterfoil.features.points import bodies, rules
from counterfoil.gateway.auth import caller_of
from counterfoil.gateway.moves import Move, finished, problem, replied
from counterfoil.gateway.names import HoldId
from counterfoil.gateway.problems import declared
from counterfoil.gateway.reply import Reply
from counterfoil.gateway.short import Asked, Handler, asked_of
from counterfoil.store.registry import Caller

router = APIRouter(prefix="/v1", tags=["points"])
_KEY_PARAMETER = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "the caller's own key, 1 to 255 characters; required unless `dry_run`",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}  # fmt: skip


def _route(path: str, model: type[Move], summary: str, *others: type[Move]) -> dict[str, Any]:
    either = [{"$ref": f"#/components/schemas/{one.__name__}"} for one in (model, *others)]
    schema: dict[str, Any] = {"oneOf": either} if others else either[0]
    return {
        "path": path, "summary": summary, "status_code": 201, "response_model": bodies.Answer,
        "responses": {200: {"model": bodies.Answer, "description": "a dry run's answer"}, **declared(404, 409, 413, 422)},
        "openapi_extra": {
            "parameters": [_KEY_PARAMETER],
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        },
    }  # fmt: skip


async def _one(asked: Asked, verb: str, **more: object) -> Reply:
    caller = caller_of(asked.gateway, asked.authorization, rules.SCOPES[verb])
    fields = rules.read_json(asked.body)
    clash = more.keys() & fields.keys()
    if clash:
        raise InvalidRequest(min(clash), "stands in the path")
    _may(caller, verb)
    op = rules.operation(verb, {**fields, **more} if more else fields, caller.party, asked.key)
    ((answer, body),) = await asked.gateway.post([op])
    return replied(answer, *finished(answer, body, dry_run=op.dry_run, request_id=asked.request_id))


def _may(caller: Caller, verb: str) -> None:
    """Points are issued and burned by partners; the operator may only transfer."""
    if caller.party < 16 and verb != "transfer":
        raise Forbidden(rules.SCOPES[verb])


async def _refund(asked: Asked) -> Reply:
    fields = rules.read_json(asked.body)
    if ("earn" in fields) == ("burn" in fields):
        caller_of(asked.gateway, asked.authorization, "refund")
        raise InvalidRequest("earn", "name either the earn or the burn that is refunded")
    return await _one(asked, "refund_earn" if "earn" in fields else "refund_burn")


@router.post(**_route("/earns", bodies.Earn, "Grant points", bodies.BasketEarn))
async def earn(request: Request) -> Response:
    """A lot for the member, issued and funded by the calling partner.

    Of a `basket` the earn rules in force at the moment of sale say how many points, and the answer explains them; each
    campaign's bonus is a lot of its own. A sale that earns nothing is answered with 0 points and leaves its `external_id` free.
    """
    return (await _one(await asked_of(request), "earn")).response()


@router.post(**_route("/burns", bodies.Burn, "Use points"))
async def burn(request: Request) -> Response:
    """Consumes lots, earliest expiry first; the calling partner is paid their face value."""
    return (await _one(await asked_of(request), "burn")).response()


@router.post(**_route("/holds", bodies.Hold, "Hold points"))
async def hold(request: Request) -> Response:
    """Sets named lots aside; at exactly `ttl_seconds` later it has lapsed."""
    return (await _one(await asked_of(request), "hold")).response()


@router.post(**_route("/holds/{hold}/capture", bodies.Capture, "Capture a hold"))
async def capture(request: Request, hold: HoldId) -> Response:
    """Burns up to all of it, once, and releases the rest."""
    return (await _one(await asked_of(request), "capture", hold=hold)).response()


@router.post(**_route("/holds/{hold}/release", bodies.Release, "Release a hold"))
async def release(request: Request, hold: HoldId) -> Response:
    """Gives all of it back."""
    return (await _one(await asked_of(request), "release", hold=hold)).response()


@router.post(**_route("/refunds", bodies.RefundEarn, "Refund an earn or a burn", bodies.RefundBurn))
async def refund(request: Request) -> Response:
    """Takes points of an `earn` back, or gives points of a `burn` back."""
    return (await _refund(await asked_of(request))).response()


@router.post(**_route("/transfers", bodies.Transfer, "Give points to another member"))
async def transfer(request: Request) -> Response:
    """Moves lots, oldest first, with issuer and expiry kept."""
    return (await _one(await asked_of(request), "transfer")).response()


@router.post(
    "/batches",
    summary="Up to 8,000 operations, an answer for each in order",
    response_model=bodies.BatchAnswers,
    responses=declared(413),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Batch"}}},
        }
    },
)
async def batch(request: Request) -> Response:
    """Each operation is stored, replayed and refused as if sent alone under its own `key`.

    A hub that serves several partners sends their API keys in `credentials` and names one in an operation's `as`:
    whose operation it is still comes from a credential.
    """
    return (await _batch(await asked_of(request))).response()


async def _batch(asked: Asked) -> Reply:
    gateway = asked.gateway
    caller = caller_of(gateway, asked.authorization, "read")
    listed = rules.read_json(asked.body)
    operations, others = listed.get("operations"), listed.get("credentials", {})
    unknown = set(listed) - {"operations", "credentials"}
    if unknown:
        raise InvalidRequest(min(unknown), "is not a field of a batch")
    if not isinstance(others, dict) or not all(isinstance(key, str) and key.isascii() for key in others.values()):
        raise InvalidRequest("credentials", "must map names to API keys")
    callers = {None: caller, **{name: gateway.caller(key) for name, key in others.items()}}
    if not isinstance(operations, list) or not 1 <= len(operations) <= bodies.MAX_BATCH:
        raise InvalidRequest("operations", f"must be a list of 1 to {bodies.MAX_BATCH}")
    parsed = [_parsed(callers, one) for one in operations]
    ready = [op for op in parsed if isinstance(op, Operation)]
    posted = iter(await gateway.post(ready) if ready else [])
    answers = []
    for op in parsed:
        replayed = False
        if isinstance(op, Operation):
            answer, body = next(posted)
            replayed = answer.replayed
            status, shown = finished(answer, body, dry_run=op.dry_run, request_id=asked.request_id)
        else:
            status, shown = problem(op.code, str(op), op.facts(), asked.request_id)
        answers.append(b'{"status":%d,"replayed":%s,"body":%s}' % (status, b"true" if replayed else b"false", shown))
    return Reply(200, b'{"answers":[%s]}' % b",".join(answers))


def _parsed(callers: dict[str | None, Caller], one: object) -> Operation | Refusal:
    try:
        if not isinstance(one, dict):
            raise InvalidRequest("operations", "holds objects")
        verb, key, name = one.pop("verb", None), one.pop("key", None), one.pop("as", None)
        if name is not None and (not isinstance(name, str) or name not in callers):
            raise InvalidRequest("as", "must be a name among `credentials`")
        caller = callers[name]
        if not isinstance(verb, str) or verb not in rules.SCOPES:
            raise InvalidRequest("verb", f"must be one of {', '.join(rules.SCOPES)}")
        if rules.SCOPES[verb] not in caller.scopes:
            raise Forbidden(rules.SCOPES[verb])
        _may(caller, verb)
        return rules.operation(verb, one, caller.party, key if isinstance(key, str) else None, "key")
    except Refusal as refusal:
        return refusal


HOT: dict[str, Handler] = {
    "/v1/earns": lambda asked: _one(asked, "earn"),
    "/v1/burns": lambda asked: _one(asked, "burn"),
    "/v1/holds": lambda asked: _one(asked, "hold"),
    "/v1/refunds": _refund,
    "/v1/batches": _batch,
}
