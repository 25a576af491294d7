"""The log, readable by any tlog client: c2sp.org/tlog-tiles under /log, checkpoints as signed notes."""

from __future__ import annotations

import re
from functools import lru_cache

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from counterfoil.core import log
from counterfoil.core.errors import NotFound
from counterfoil.core.files import TILE, pack_bundle
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.store import books, sequencer
from counterfoil.store.engine import Engine

router = APIRouter(prefix="/log", tags=["log"])
_TILE = re.compile(r"(\d|[1-5]\d|6[0-3]|entries)/((?:x\d{3}/)*\d{3})(?:\.p/(\d{1,3}))?", re.ASCII)
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@router.get("/checkpoint", response_class=PlainTextResponse)
def checkpoint(request: Request) -> PlainTextResponse:
    """The newest signed checkpoint: c2sp.org/tlog-checkpoint."""
    gateway = gateway_of(request)
    return PlainTextResponse(gateway.checkpoint.note(*sequencer.latest(gateway.engine)))


@router.get("/tile/{path:path}", response_class=Response, responses=declared(404))
def tile(request: Request, path: str) -> Response:
    """A hash tile or, under `entries`, a bundle of leaf data; partial ones end in `.p/` and their width."""
    engine = gateway_of(request).engine
    match = _TILE.fullmatch(path)
    width = int(match[3]) if match and match[3] else TILE
    if match is None or not 0 < width <= TILE or (match[3] and width == TILE):
        raise NotFound("path", path)
    number = int(match[2].replace("x", "").replace("/", ""))
    level = 0 if match[1] == "entries" else int(match[1])
    span = TILE**level
    start, end = number * TILE * span, (number * TILE + width) * span
    if end > sequencer.latest(engine)[0]:
        raise NotFound("path", path)
    if match[1] == "entries":
        content = pack_bundle(books.leaf_hashes(engine, start, end))
    elif level == 0:
        content = b"".join(map(log.leaf_hash, books.leaf_hashes(engine, start, end)))
    else:
        content = b"".join(_subtree(engine, at, at + span) for at in range(start, end, span))
    return Response(content, media_type="application/octet-stream", headers=FOR_EVER)


@lru_cache(maxsize=4096)
def _subtree(engine: Engine, start: int, end: int) -> bytes:
    """The root of a full subtree; it never changes."""
    return log.root_of(books.leaf_hashes(engine, start, end))
