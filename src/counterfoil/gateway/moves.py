"""What every movement of value shares at the edge: its key, its digest, its answer as HTTP; and the seldom ones' whole way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import Header, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from counterfoil.core.errors import IdempotencyKeyMissing
from counterfoil.core.operation import Answer, Operation
from counterfoil.gateway.problems import MEDIA_TYPE, STATUS, problem_of
from counterfoil.gateway.reply import Reply
from counterfoil.gateway.state import gateway_of
from counterfoil.store import json_text
from counterfoil.store.registry import Caller

_digest = partial(hashlib.blake2b, digest_size=32)  # RFC 7693; of a hundred bytes half the cost of SHA-256
_KEY_LENGTH = 255
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="the caller's own key, 1 to 255 characters; required unless `dry_run`"),
]


class Move(BaseModel):
    """A movement's body: unknown fields are refused, a misspelt one must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dry_run: Annotated[bool, Field(strict=True, description="answer as the commit would, and change nothing")] = False


Reason = Annotated[str, Field(max_length=1_000, description="of an act: kept beside the log, which has its hash")]


class Change(BaseModel):
    """A change of the programme. It is an entry of the log: who, in which role, why, and what stood before and after."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason = ""


class Act(Move):
    """A movement that an operator makes or allows, and why."""

    reason: Reason = ""


class Done(BaseModel):
    """What was done, with its counterfoil where an entry was made."""

    model_config = ConfigDict(extra="allow")
    verb: str
    at: str


def checked_key(key: str | None, field: str) -> str:
    """An Idempotency-Key of 1 to 255 printable ASCII characters; raises IdempotencyKeyMissing."""
    if key is None or not 1 <= len(key) <= _KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise IdempotencyKeyMissing(field)
    return key


def digest_of(verb: str, fields: object) -> bytes:
    """What tells the same request from another; how its JSON was written does not matter."""
    return _digest(orjson.dumps([verb, fields])).digest()


def finished(answer: Answer, body: bytes, *, dry_run: bool, request_id: str) -> tuple[int, bytes]:
    """Status and body of an answer."""
    if answer.ok:
        return (200 if dry_run else 201), body
    facts = answer.facts
    return problem(facts.pop("code"), facts.pop("detail"), facts, request_id)


def problem(code: str, detail: str, facts: dict[str, object], request_id: str) -> tuple[int, bytes]:
    """Status and body of a refusal."""
    return STATUS[code], json_text.dumps(problem_of(code, detail, facts, request_id))


def replied(answer: Answer, status: int, shown: bytes) -> Reply:
    """An answer as it leaves."""
    headers = {"Idempotent-Replayed": "true"} if answer.replayed else {}
    return Reply(status, shown, "application/json" if status < 400 else MEDIA_TYPE, headers)


async def move(request: Request, verb: str, caller: Caller, key: str | None, body: Move, **fields: Any) -> Response:
    """Post one seldom movement; `fields` are the operation's. Raises IdempotencyKeyMissing."""
    checked = None if body.dry_run else checked_key(key, "Idempotency-Key")
    digest = digest_of(verb, {**body.model_dump(mode="json"), "path": request.url.path})
    op = Operation(
        verb, caller.party, key=checked, digest=digest, dry_run=body.dry_run, by=caller.credential,
        reason=body.reason if isinstance(body, Act) else "", **{"more": {}, **fields},
    )  # fmt: skip
    ((answer, shown),) = await gateway_of(request).post([op])
    status, shown = finished(answer, shown, dry_run=op.dry_run, request_id=request.scope["request_id"])
    return replied(answer, status, shown).response()


View = Callable[[dict[str, Any]], BaseModel]


def act(
    request: Request, verb: str, caller: Caller, body: Change, view: View | None, points: int = 0, **more: Any
) -> Response:
    """Post a change of the programme, which needs no key: twice it is refused or changes nothing. `view` shows its facts."""
    op = Operation(verb, caller.party, by=caller.credential, reason=body.reason, points=points, more=more)
    return posted(request, op, view)


def posted(request: Request, op: Operation, view: View | None) -> Response:
    """Post what needs no key; `view` shows its facts."""
    gateway = gateway_of(request)
    if gateway.read_only is not None:
        raise gateway.read_only
    (answer,), _group = gateway.writer.submit([op]).result()
    if not answer.ok:
        status, shown = finished(answer, b"", dry_run=False, request_id=request.scope["request_id"])
        return replied(answer, status, shown).response()
    if view is None:
        return Response(status_code=204)
    status, facts = request.scope["route"].status_code or 200, answer.facts
    del facts["verb"], facts["at"]
    return Response(view(facts).model_dump_json(exclude={"reason"}), status, media_type="application/json")
