"""What every movement of value shares at the edge: its key, its digest, its answer as HTTP; and the seldom ones' whole way."""

from __future__ import annotations

import hashlib
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


async def move(request: Request, verb: str, party: int, key: str | None, body: Move, **fields: Any) -> Response:
    """Post one seldom movement; `fields` are the operation's. Raises IdempotencyKeyMissing."""
    checked = None if body.dry_run else checked_key(key, "Idempotency-Key")
    digest = digest_of(verb, {**body.model_dump(mode="json"), "path": request.url.path})
    op = Operation(verb, party, key=checked, digest=digest, dry_run=body.dry_run, **{"more": {}, **fields})
    ((answer, shown),) = await gateway_of(request).post([op])
    status, shown = finished(answer, shown, dry_run=op.dry_run, request_id=request.scope["request_id"])
    return replied(answer, status, shown).response()
