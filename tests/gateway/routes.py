"""Every route of the application with the scope it asks for. A route that is not here fails test_scopes."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

MEMBER, ENTRY, HOLD = "mbr_0000000000000001", "ent_0000000000010000", "hld_7fffffffffffffff"
MOVE = {"external_id": "x", "points": 1}
SIGNATURE = {"signature": "0x" + "11" * 65}
ACCOUNT = {"holder": "Coalition", "iban": "DE89370400440532013000"}
ACCOUNT_ON_CHAIN, BLOCK = "0x" + "9" * 40, "0x" + "7" * 64
PUBLIC = "public"

# (method, path): the scope it asks for, and a body that is well formed
ROUTES: dict[tuple[str, str], tuple[str, Any]] = {
    ("POST", "/v1/earns"): ("earn", {**MOVE, "member": MEMBER}),
    ("POST", "/v1/calculations"): ("read", {"basket": {"amount_micros": 1}, "partner": 16}),
    ("POST", "/v1/earn-rules"): ("operator", {"name": "base", "kind": "base", "rate_bp": 100}),
    ("GET", "/v1/earn-rules"): ("read", None),
    ("POST", "/v1/burns"): ("burn", {**MOVE, "member": MEMBER}),
    ("POST", "/v1/holds"): ("hold", {**MOVE, "member": MEMBER, "ttl_seconds": 1}),
    ("POST", "/v1/holds/{hold}/capture"): ("hold", MOVE),
    ("POST", "/v1/holds/{hold}/release"): ("hold", {}),
    ("POST", "/v1/refunds"): ("refund", {**MOVE, "earn": "y"}),
    ("POST", "/v1/transfers"): ("transfer", {**MOVE, "sender": MEMBER, "recipient": MEMBER[:-1] + "2"}),
    ("POST", "/v1/batches"): ("read", {"operations": [{"verb": "earn"}]}),
    ("POST", "/v1/rates"): ("operator", {"edges": []}),
    ("POST", "/v1/quotes"): (
        "transfer",
        {**MOVE, "member": MEMBER, "src": "CP", "dst": "X", "ttl_seconds": 60},
    ),
    ("POST", "/v1/exchanges"): ("transfer", {"external_id": "x", "quote": "q"}),
    ("POST", "/v1/packs"): ("operator", {"partner": 99, "points": 1}),
    ("POST", "/v1/budgets"): ("operator", {"name": "goodwill", "points": 1}),
    ("GET", "/v1/budgets"): ("read", None),
    ("GET", "/v1/packs"): ("read", None),
    ("POST", "/v1/rewards"): ("operator", {"name": "r", "partner": 99, "points": 1, "cost_micros": 1}),
    ("GET", "/v1/rewards"): ("read", None),
    ("POST", "/v1/vouchers"): ("operator", {"external_id": "x", "member": MEMBER, "reward": "r"}),
    ("POST", "/v1/vouchers/{voucher}/use"): ("burn", {}),
    ("POST", "/v1/vouchers/{voucher}/refund"): ("operator", {"external_id": "x"}),
    ("POST", "/v1/disputes"): ("operator", {"burn": ENTRY}),
    ("POST", "/v1/disputes/{burn}/ruling"): ("operator", {"valid": True}),
    ("POST", "/v1/partners/{partner}/suspend"): ("operator", {}),
    ("POST", "/v1/partners/{partner}/reinstate"): ("operator", {}),
    ("POST", "/v1/partners/{partner}/dividends"): ("operator", {"bp": 1}),
    ("POST", "/v1/partners/{partner}/exit"): ("operator", {}),
    ("PUT", "/v1/first-loss"): ("operator", {"micros": 0}),
    ("PUT", "/v1/gift-limits"): ("operator", {}),
    ("POST", "/v1/currencies"): ("operator", {"name": "X", "issuer": 99}),
    ("POST", "/v1/promotions"): ("operator", {"name": "spring", "shares": {"A": 10_000}}),
    ("POST", "/v1/members/{member}/erasure"): ("operator", {}),
    ("POST", "/v1/members/{member}/erase"): ("operator", {}),
    ("POST", "/v1/members/{member}/merge"): ("operator", {"into": MEMBER}),
    ("POST", "/v1/members/{member}/freeze"): ("operator", {}),
    ("POST", "/v1/members/{member}/unfreeze"): ("operator", {}),
    ("POST", "/v1/adjustments"): (
        "operator",
        {**MOVE, "member": MEMBER, "budget": "goodwill", "reason_code": "late_delivery"},
    ),
    ("POST", "/v1/adjustments/{adjustment}/approval"): ("operator", {}),
    ("POST", "/v1/members/{member}/wallet/nonce"): ("operator", {}),
    ("PUT", "/v1/members/{member}/wallet"): ("operator", {"message": "m", "signature": "0x" + "11" * 65}),
    ("GET", "/v1/members/{member}/wallet"): ("operator", None),
    ("DELETE", "/v1/members/{member}/wallet"): ("operator", None),
    ("GET", "/v1/members/{member}/withdrawals"): ("operator", None),
    ("POST", "/v1/withdrawals"): ("operator", {**MOVE, "member": MEMBER}),
    ("GET", "/v1/withdrawals/{account}/proof"): (PUBLIC, None),
    ("GET", "/v1/settlements/{number}/claim-leaves"): (PUBLIC, None),
    ("POST", "/v1/returns"): ("operator", {"account": ACCOUNT_ON_CHAIN, "block": BLOCK, "index": 0, "points": 1}),
    ("GET", "/v1/returns"): ("operator", None),
    ("POST", "/v1/returns/{reference}/assignment"): ("operator", {"member": MEMBER}),
    ("POST", "/v1/claims"): (
        "operator",
        {"member": MEMBER, "partner": 99, "slip": "s", "sold_on": "2025-11-30", "amount_micros": 1},
    ),
    ("POST", "/v1/claims/{claim}/acceptance"): ("earn", {"points": 1}),
    ("POST", "/v1/claims/{claim}/refusal"): ("earn", {"reason": "not ours"}),
    ("GET", "/v1/claims"): ("read", None),
    ("PUT", "/v1/sunset"): ("operator", {"at": None}),
    ("GET", "/v1/acts"): ("read", None),
    ("GET", "/v1/changes"): (PUBLIC, None),
    ("POST", "/v1/members"): ("members", {}),
    ("POST", "/v1/members/batch"): ("members", {"references": ["x"]}),
    ("GET", "/v1/members/{member}/balance"): ("read", None),
    ("GET", "/v1/members/{member}/lots"): ("read", None),
    ("GET", "/v1/members/{member}/entries"): ("read", None),
    ("POST", "/v1/partners"): ("operator", {"name": "new"}),
    ("GET", "/v1/partners"): ("operator", None),
    ("POST", "/v1/partners/{partner}/contracts"): ("operator", {"since": "2031-01-01T00:00:00Z"}),
    ("POST", "/v1/partners/{partner}/keys"): ("operator", {}),
    ("POST", "/v1/operators"): ("operator", {}),
    ("DELETE", "/v1/keys/{prefix}"): ("operator", None),
    ("GET", "/v1/entries"): ("read", None),
    ("GET", "/v1/entries/{entry}"): ("read", None),
    ("GET", "/v1/statement"): ("read", None),
    ("GET", "/v1/sending"): ("operator", None),
    ("POST", "/v1/sending/resume"): ("operator", None),
    ("POST", "/v1/settlements"): ("operator", None),
    ("POST", "/v1/settlements/advance"): ("operator", None),
    ("GET", "/v1/settlements"): ("read", None),
    ("GET", "/v1/settlements/preview"): ("read", None),
    ("GET", "/v1/settlements/{number}"): ("read", None),
    ("GET", "/v1/settlements/{number}/rows"): ("read", None),
    ("GET", "/v1/settlements/{number}/liability"): ("read", None),
    ("POST", "/v1/settlements/{number}/signatures"): ("sign", SIGNATURE),
    ("GET", "/v1/invoices"): ("read", None),
    ("GET", "/v1/invoices/{invoice}"): ("read", None),
    ("POST", "/v1/legal-entities/{entity}"): ("operator", {"name": "Nobody Ltd"}),
    ("GET", "/v1/legal-entities"): ("read", None),
    ("GET", "/v1/legal-entities/{entity}"): ("read", None),
    ("POST", "/v1/partners/{partner}/legal-entity"): ("operator", {"entity": "nobody-ltd"}),
    ("POST", "/v1/partners/{partner}/brands"): ("operator", {"name": "corner shop"}),
    ("GET", "/v1/brands"): ("read", None),
    ("POST", "/v1/bank"): ("operator", {"account": ACCOUNT}),
    ("GET", "/v1/bank"): ("read", None),
    ("POST", "/v1/partners/{partner}/cash"): ("operator", {"cash": "bank", "account": ACCOUNT}),
    ("GET", "/v1/payments"): ("read", None),
    ("GET", "/v1/settlements/{number}/payments"): ("read", None),
    ("GET", "/v1/settlements/{number}/pain.001"): ("operator", None),
    ("GET", "/v1/settlements/{number}/pain.008"): ("operator", None),
    ("POST", "/v1/bank/statements"): ("operator", {}),
    ("POST", "/v1/bank/reports"): ("operator", {}),
    ("GET", "/v1/bank/entries"): ("operator", None),
    ("POST", "/v1/bank/entries/{line}/assign"): ("operator", {"payment": "99-99"}),
    ("GET", "/v1/rulebook"): (PUBLIC, None),
    ("GET", "/v1/exports/public"): (PUBLIC, None),
    ("GET", "/v1/exports/sealed"): ("operator", None),
    ("GET", "/v1/test/clock"): ("operator", None),
    ("POST", "/v1/test/clock"): ("operator", {"at": "2031-01-01T00:00:00Z"}),
    ("POST", "/v1/jobs/{job}"): ("operator", None),
    ("POST", "/v1/audits"): ("operator", {"checks": [], "findings": []}),
    ("POST", "/rpc"): (PUBLIC, {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}),
    ("GET", "/log/checkpoint"): (PUBLIC, None),
    ("GET", "/log/tile/{path}"): (PUBLIC, None),
    ("GET", "/healthz"): (PUBLIC, None),
    ("GET", "/readyz"): (PUBLIC, None),
    ("GET", "/metrics"): (PUBLIC, None),
    ("GET", "/"): (PUBLIC, None),
    ("GET", "/settlements/{number}/picture.svg"): (PUBLIC, None),
    ("GET", "/static/{path}"): (PUBLIC, None),
    ("GET", "/openapi.json"): (PUBLIC, None),
}
PLACES: dict[str, str] = {
    "hold": HOLD, "member": MEMBER, "entry": ENTRY, "partner": "99", "prefix": "nobody", "number": "99",
    "invoice": "INV-999999", "adjustment": "none", "claim": "clm_7fffffffffffffff", "entity": "nobody",
    "voucher": "vch_7fffffffffffffff", "account": ACCOUNT_ON_CHAIN,
    "reference": f"{BLOCK}:9", "burn": ENTRY, "line": "bnk_7fffffffffffffff", "job": "activate", "path": "0/000.p/1",
}  # fmt: skip


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    """What the application answers: the OpenAPI document's routes, and those left out of it."""
    documented = {(verb.upper(), path) for path, item in app.openapi()["paths"].items() for verb in item}
    hidden = {("GET", "/openapi.json")}
    for router in [app.router, *(getattr(one, "original_router", None) for one in app.router.routes)]:
        for route in getattr(router, "routes", []):
            if isinstance(route, APIRoute):
                hidden |= {(method, route.path) for method in route.methods or ()}
    return {(method, path.replace(":path}", "}")) for method, path in documented | hidden}


def filled(route: str, /, **more: str) -> str:
    return route.format_map({**PLACES, **more})
