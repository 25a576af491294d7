"""The liability report over HTTP: for the operator all of it, for a partner its own points."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from counterfoil.audit.terminal import silent
from counterfoil.core.errors import UnknownSettlement
from counterfoil.core.files import FileHash
from counterfoil.core.units import BASIS_POINTS
from counterfoil.gateway.auth import Reader
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.insights import ledger
from counterfoil.insights.breakage import Assumptions, Given
from counterfoil.insights.ledger import Exported, Ledger
from counterfoil.insights.liability import Report, report
from counterfoil.insights.written import Format, written
from counterfoil.settlement import export
from counterfoil.settlement.cycle import header_of
from counterfoil.store import json_text, registry, settlements
from counterfoil.store.engine import Engine

router = APIRouter(prefix="/v1", tags=["insights"])
KEPT = 12
MEDIA_TYPES: dict[Format, str] = {"json": "application/json", "csv": "text/csv; charset=utf-8"}


@dataclass(slots=True)
class Ledgers:
    """What the last settlements asked for add up to, by header: it does not change, and reading every entry takes long.

    One is read at a time, and who waits for it holds no thread: callers cannot keep the gateway from its work.
    """

    _kept: dict[bytes, Ledger] = field(default_factory=dict)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, engine: Engine, number: int) -> Ledger:
        """The ledger at the close of settlement `number`; raises UnknownSettlement unless it is in the exports."""
        row: Any = await asyncio.to_thread(settlements.one, engine, number)
        if row is None or row.header is None:
            raise UnknownSettlement(str(number))
        name = header_of(row).hash()
        async with self._reading:
            if name not in self._kept:
                self._kept[name] = await asyncio.to_thread(ledger.read, in_books(engine, number), silent)
                if len(self._kept) > KEPT:
                    del self._kept[next(iter(self._kept))]
            return self._kept[name]


def in_books(engine: Engine, last: int) -> Iterator[Exported]:
    """Settlements 1 to `last` as the exports would have them; a member's number stands for its handle, and is not shown."""
    rows: list[Any] = [row for row in settlements.every(engine) if row.header is not None and row.number <= last]
    for row in rows:
        manifest = json_text.loads(row.manifest)
        records = export.records(engine, row, lambda member: member or 0)
        files = tuple(FileHash(f["name"], f["size"], bytes.fromhex(f["sha256"][2:])) for f in manifest["files"])
        yield Exported(header_of(row), files, manifest["rulebook"].encode(), records)


@router.get(
    "/settlements/{number}/liability",
    response_model=Report,
    responses={200: {"content": {"text/csv": {}}}, **declared(404, 422)},
)
async def liability(
    request: Request,
    number: Annotated[int, Path(ge=1, le=2**31 - 1)],
    caller: Reader,
    form: Annotated[Format, Query(alias="format")] = "json",
    breakage_bp: Annotated[int, Query(ge=0, le=BASIS_POINTS, description="where no cohort has matured yet")] = 0,
    estimate: Annotated[list[str] | None, Query(max_length=500, description="instead: PARTNER:BP[@SETTLEMENT]")] = None,
) -> Response:
    """What is outstanding, how old, how far it is covered, and the deferred revenue, as of a settlement's close.

    The same bytes as `counterfoil liability` over the exports; for a partner its own points only.
    """
    assumptions = Assumptions(breakage_bp, tuple(Given.parse(one) for one in estimate or ()))
    ledgers: Ledgers = request.app.state.ledgers
    only = None if registry.is_operator(caller) else caller.party
    read = await ledgers.of(gateway_of(request).engine, number)
    content = await asyncio.to_thread(lambda: written(report(read, assumptions, only), form))
    return Response(content, media_type=MEDIA_TYPES[form])
