"""The page at /, the picture of a settlement, and the last audit."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from starlette.staticfiles import StaticFiles

from counterfoil.core.errors import UnknownSettlement
from counterfoil.features.overview import audits, looks
from counterfoil.features.overview.guard import refused
from counterfoil.gateway.auth import Operator
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.store import settlements
from counterfoil.store.memory import BooksMemory
from counterfoil.web import amounts, page
from counterfoil.web.picture import who_paid_whom

router = APIRouter(tags=["overview"])
_files = StaticFiles(directory=page.STATIC)
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/", include_in_schema=False, response_class=Response)
def overview(
    request: Request, settlement: str | None = None, before: str | None = None, member: str | None = None,
    after: str | None = None,
) -> Response:  # fmt: skip
    """The page: open in a sandbox, else behind the operator's credential."""
    refusal = refused(request)
    if refusal is not None:
        return refusal
    gateway = gateway_of(request)
    programme = gateway.known()
    listed = looks.listed(gateway, programme, settlement, before)
    chosen = listed.chosen
    netting = chosen.netting if chosen else None
    chain = looks.chain(request, list(netting.names) if netting else [])
    who = looks.member(gateway, programme, member, after, listed.ranges)
    audit, unreadable = audits.last(BooksMemory(gateway.engine))
    pictures = {}
    if chosen is not None and netting is not None:
        title = f"Settlement {chosen.row.number}"
        pictures = {
            shape: page.picture_markup(
                who_paid_whom(title, netting.names, netting.flows, netting.nets, shape=shape, standalone=False)
            )
            for shape in ("wide", "tall")
        }
    text = page.render(
        "page.html",
        programme=programme, livemode=gateway.livemode, open_settlement=programme.open_settlement,
        read_only=str(gateway.read_only) if gateway.read_only else None, now=gateway.now(),
        listed=listed, chosen=chosen, netting=netting, pictures=pictures,
        lines=netting.lines(chain.collateral) if netting else [],
        saved=amounts.saved(netting.gross_micros, netting.net_micros) if netting else None,
        chain=chain, member=who, before=before or "", audit=audit, unreadable=unreadable,
        counterfoil_key=gateway.counterfoil.address, example=looks.example(gateway), base=str(request.base_url),
    )  # fmt: skip
    missing = listed.unknown is not None or (who is not None and who.problem is not None)
    return Response(text, 404 if missing else 200, page.HEADERS, "text/html")


@router.get("/settlements/{number}/picture.svg", include_in_schema=False, response_class=Response)
def picture(request: Request, number: Number, shape: Literal["wide", "tall"] = "wide") -> Response:
    """A settlement's picture as a file of its own."""
    refusal = refused(request)
    if refusal is not None:
        return refusal
    gateway = gateway_of(request)
    row = settlements.one(gateway.engine, number)
    netting = looks.settlement_of(row, gateway.known()).netting if row is not None else None
    if netting is None:
        raise UnknownSettlement(str(number))
    svg = who_paid_whom(f"Settlement {number}: who paid whom", netting.names, netting.flows, netting.nets, shape=shape)
    headers = {**page.HEADERS, "Content-Security-Policy": page.PICTURE_POLICY}
    return Response(svg, 200, headers, "image/svg+xml")


@router.post("/v1/audits", status_code=201, response_model=audits.Kept, responses=declared())
def keep_audit(request: Request, body: audits.Audit, _caller: Operator) -> audits.Kept:
    """Keep what `counterfoil audit --json` found, so that the page shows it; it replaces the one before."""
    gateway = gateway_of(request)
    return audits.keep(BooksMemory(gateway.engine), body, gateway.now())


@router.get("/static/{path:path}", include_in_schema=False, response_class=Response)
async def static(request: Request, path: str) -> Response:
    """The page's style and modules, as they stand in the package."""
    answer = await _files.get_response(path, request.scope)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
