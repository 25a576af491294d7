"""Earn rules are published by the operator; a partner sees those at its tills and those it funds. Anyone may calculate."""

from __future__ import annotations

import asyncio
import secrets

from fastapi import APIRouter, Request
from fastapi.responses import Response

from counterfoil.core.accounts import FIRST_PARTNER, OPERATOR
from counterfoil.core.calendar import parse_instant
from counterfoil.core.entry import id_number
from counterfoil.core.errors import Forbidden, InvalidRequest
from counterfoil.core.operation import Operation
from counterfoil.core.rulebook.earning import EarnRule
from counterfoil.features.earning.bodies import Calculated, Calculation, NewRule, Rules, RuleView
from counterfoil.gateway.auth import Operator, Reader
from counterfoil.gateway.moves import Done, Key, finished, move, replied
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import gateway_of
from counterfoil.store import registry
from counterfoil.store.calculation import calculate
from counterfoil.store.earning import document, rule_hash, shown
from counterfoil.store.expressions import checked

router = APIRouter(prefix="/v1", tags=["earn rules"])


@router.post("/earn-rules", status_code=201, response_model=Done, responses=declared(404, 422))
async def publish(request: Request, body: NewRule, caller: Operator, key: Key = None) -> Response:
    """Publish a version of a rule, tried on sample baskets first. A live programme needs notice, as for contracts."""
    rule = await asyncio.to_thread(checked, body.rule(secrets.token_hex(32)))
    return await move(request, "publish_earn_rule", caller, key, body, more={"rule": rule})


@router.get("/earn-rules", response_model=Rules, responses=declared())
def listed(request: Request, caller: Reader) -> Rules:
    """All versions for the operator; for a partner those at its tills, and the campaigns it funds."""
    programme = gateway_of(request).known()
    return Rules(
        data=[
            RuleView(**shown(programme, one), document=document(one), salt=one.salt, hash=rule_hash(one).hex())  # type: ignore[arg-type]  # JSON, checked as it is read
            for _name, versions in sorted(programme.earn_rules.versions.items())
            for one in versions
            if registry.is_operator(caller) or _concerns(programme, one, caller.party)
        ]
    )


def _concerns(programme: registry.Programme, rule: EarnRule, partner: int) -> bool:
    funders = programme.promotions.get(rule.promotion, {}) if rule.promotion else {}
    return not rule.partners or partner in rule.partners or partner in funders


@router.post("/calculations", response_model=Calculated, responses=declared(404, 409, 410))
async def calculation(request: Request, body: Calculation, caller: Reader) -> Response:
    """As an earn of the same basket would be answered now; no key, no effect. The operator names a `partner`."""
    if body.partner is not None and caller.party not in {OPERATOR, body.partner}:
        raise Forbidden("operator")
    partner = caller.party if body.partner is None else body.partner
    gateway = gateway_of(request)
    if partner < FIRST_PARTNER:
        raise InvalidRequest("partner", "say at whose till")
    at = parse_instant(body.occurred_at, "occurred_at") if body.occurred_at else 0
    op = Operation(
        "calculate", partner, member=id_number(body.member) if body.member else 0, basket=body.basket.sold(),
        occurred_at=at, valid_to=body.valid_to, pending_days=body.pending_days,
    )  # fmt: skip
    answer = await asyncio.to_thread(calculate, gateway.engine, op)
    status, told = finished(answer, answer.json, dry_run=True, request_id=request.scope["request_id"])
    return replied(answer, status, told).response()
