"""A coalition in which every seldom verb has something to do, and a request for each of their routes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.features.bank import IBANS, Entry, by_bank, results
from tests.features.bank import TERMS as TERMS_OF_BANK
from tests.features.wallets import account_of, event, key_of, linked, withdraw
from tests.gateway.stand import Stand, good

RATE = {"src": "ALPHA", "dst": "BETA", "in": 5, "out": 4, "increment": 5, "price_micros": 9_500, "fee_bp": 100}
ADJUST = {"external_id": "adj", "points": 10, "reason_code": "late_delivery"}
NOBODYS = "0x" + "9" * 40
CLAIM = {"partner": 16, "slip": "slip-7", "sold_on": "2025-11-30", "amount_micros": 50_000_000}
TERMS = {"B": {"funding": "redemption", "face_micros": 12_000}, "C": {"funding": "share", "issuance_bp": 4_000}}


@dataclass
class Scene:
    """Members with points of three issuers, rates, a reward bought, a burn to dispute."""

    stand: Stand
    member: str = ""
    other: str = ""
    burn: str = ""
    voucher: str = ""
    names: dict[str, str] = field(default_factory=dict)

    def operator(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = good(self.stand.post("operator", path, body))
        return made


def scene(stand: Stand) -> Scene:
    """Set it up on a fresh gateway; its partners A and B are there, C comes with a contract of its own."""
    made = Scene(stand)
    stand.add("C", terms=TERMS["C"])
    made.operator("currencies", {"name": "ALPHA", "issuer": stand.sides["A"].id})
    made.operator("currencies", {"name": "BETA", "issuer": stand.sides["B"].id})
    made.operator("promotions", {"name": "spring", "shares": {"A": 6_000, "operator": 4_000}})
    made.operator("rewards", {"name": "coffee", "partner": 17, "points": 50, "cost_micros": 400_000, "valid_days": 9})
    made.operator("rates", {"edges": [RATE]})
    made.member, made.other = stand.member(), stand.member()
    stand.earn("A", made.member, 1_000, "sale")
    stand.earn("C", made.member, 300, "share")
    good(stand.post("A", "earns", {"external_id": "al", "member": made.member, "points": 103, "currency": "ALPHA"}))
    made.burn = stand.burn("B", made.member, 100)["id"]
    bought = made.operator("vouchers", {"external_id": "v0", "member": made.member, "reward": "coffee"})
    made.voucher = bought["voucher"]
    made.operator(f"members/{made.other}/erasure", {})
    return made


Asked = Callable[[Scene], tuple[str, str, dict[str, Any], dict[str, Any]]]  # who, path, body, a body that differs
SELDOM: dict[tuple[str, str], Asked] = {
    ("POST", "/v1/rates"): lambda _s: ("operator", "rates", {"edges": [RATE]}, {"edges": []}),
    ("POST", "/v1/quotes"): lambda s: (
        "operator", "quotes",
        {"external_id": "q", "member": s.member, "src": "ALPHA", "dst": "BETA", "points": 20, "ttl_seconds": 60},
        {"external_id": "q", "member": s.member, "src": "ALPHA", "dst": "BETA", "points": 25, "ttl_seconds": 60},
    ),
    ("POST", "/v1/exchanges"): lambda s: (
        "operator", "exchanges", {"external_id": "x", "member": s.member, "src": "ALPHA", "dst": "BETA", "points": 23},
        {"external_id": "x", "member": s.member, "src": "ALPHA", "dst": "BETA", "points": 24},
    ),
    ("POST", "/v1/budgets"): lambda _s: (
        "operator", "budgets", {"name": "goodwill", "points": 1_000, "approval_above": 100},
        {"name": "goodwill", "points": 1_001},
    ),
    ("POST", "/v1/earn-rules"): lambda s: (
        "operator", "earn-rules",
        {"name": "april", "kind": "campaign", "points": "200", "promotion": "spring", "partners": [s.stand.sides["A"].id]},
        {"name": "april", "kind": "campaign", "points": "300"},
    ),
    ("POST", "/v1/adjustments"): lambda s: (
        "operator", "adjustments", {**ADJUST, "member": s.member, "budget": goodwill(s)},
        {**ADJUST, "member": s.member, "budget": "goodwill", "points": 11},
    ),
    ("POST", "/v1/adjustments/{adjustment}/approval"): lambda s: (
        "second", f"adjustments/{waiting(s)}/approval", {"reason": "seen"}, {"reason": "not seen"},
    ),
    ("POST", "/v1/members/{member}/freeze"): lambda s: ("operator", f"members/{s.member}/freeze", {}, {"reason": "theft"}),
    ("POST", "/v1/members/{member}/unfreeze"): lambda s: ("operator", f"members/{s.member}/unfreeze", {}, {"reason": "no"}),
    ("POST", "/v1/claims"): lambda s: (
        "operator", "claims", {**CLAIM, "member": s.member}, {**CLAIM, "member": s.member, "amount_micros": 2},
    ),
    ("POST", "/v1/claims/{claim}/acceptance"): lambda s: (
        "A", f"claims/{claimed(s)}/acceptance", {"points": 40}, {"points": 41},
    ),
    ("POST", "/v1/claims/{claim}/refusal"): lambda s: (
        "A", f"claims/{claimed(s)}/refusal", {"reason": "no such slip"}, {"reason": "void"},
    ),
    ("POST", "/v1/withdrawals"): lambda s: (
        "operator", "withdrawals", {"external_id": "w", "member": own(s), "points": 5},
        {"external_id": "w", "member": s.member, "points": 6},
    ),
    ("POST", "/v1/returns"): lambda s: (
        "operator", "returns", event(s.stand, away(s), 3), event(s.stand, NOBODYS, 4),
    ),
    ("POST", "/v1/returns/{reference}/assignment"): lambda s: (
        "operator", f"returns/{stray(s)}/assignment", {"member": s.member}, {"member": s.other},
    ),
    ("POST", "/v1/packs"): lambda _s: (
        "operator", "packs", {"partner": 18, "points": 100, "reserve": 10}, {"partner": 18, "points": 101},
    ),
    ("POST", "/v1/vouchers"): lambda s: (
        "operator", "vouchers", {"external_id": "v", "member": s.member, "reward": "coffee"},
        {"external_id": "v2", "member": s.member, "reward": "coffee"},
    ),
    ("POST", "/v1/vouchers/{voucher}/use"): lambda s: ("B", f"vouchers/{s.voucher}/use", {}, {"dry_run": False}),
    ("POST", "/v1/vouchers/{voucher}/refund"): lambda s: (
        "operator", f"vouchers/{s.voucher}/refund", {"external_id": "vr"}, {"external_id": "vs"},
    ),
    ("POST", "/v1/disputes"): lambda s: (
        "operator", "disputes", {"burn": s.burn}, {"burn": "ent_7fffffffffffffff"},
    ),
    ("POST", "/v1/disputes/{burn}/ruling"): lambda s: (
        "operator", f"disputes/{s.operator('disputes', {'burn': s.burn})['burn']}/ruling", {"valid": False},
        {"valid": True},
    ),
    ("POST", "/v1/partners/{partner}/suspend"): lambda _s: ("operator", "partners/18/suspend", {}, {}),
    ("POST", "/v1/partners/{partner}/reinstate"): lambda _s: ("operator", "partners/18/reinstate", {}, {}),
    ("POST", "/v1/partners/{partner}/dividends"): lambda s: (
        "operator", f"partners/{failed(s)}/dividends", {"bp": 1_000}, {"bp": 2_000},
    ),
    ("POST", "/v1/partners/{partner}/exit"): lambda _s: (
        "operator", "partners/18/exit", {"breakage_bp": 1_000}, {"breakage_bp": 2_000},
    ),
    ("POST", "/v1/legal-entities/{entity}"): lambda _s: (
        "operator", "legal-entities/shop", {"name": "Shop Ltd"}, {"name": "Shop plc"},
    ),
    ("POST", "/v1/partners/{partner}/legal-entity"): lambda _s: (
        "operator", "partners/18/legal-entity", {"entity": "partner-18"}, {"entity": "none"},
    ),
    ("POST", "/v1/partners/{partner}/brands"): lambda _s: (
        "operator", "partners/18/brands", {"name": "corner"}, {"name": "Corner"},
    ),
    ("POST", "/v1/bank"): lambda _s: ("operator", "bank", TERMS_OF_BANK, {**TERMS_OF_BANK, "due_days": 5}),
    ("POST", "/v1/partners/{partner}/cash"): lambda s: (
        "operator", f"partners/{banked(s)}/cash", {"cash": "token"}, {"cash": "bank", "account": TERMS_OF_BANK["account"]},
    ),
    ("POST", "/v1/bank/entries/{line}/assign"): lambda s: (
        "operator", f"bank/entries/{unmatched(s)}/assign", {"payment": "1-16"}, {"payment": "1-17"},
    ),
    ("POST", "/v1/members/{member}/erasure"): lambda s: ("operator", f"members/{s.member}/erasure", {}, {}),
    ("POST", "/v1/members/{member}/merge"): lambda s: (
        "operator", f"members/{s.stand.member()}/merge", {"into": s.member}, {"into": s.other},
    ),
    ("POST", "/v1/members/{member}/erase"): lambda s: ("operator", f"members/{due(s)}/erase", {}, {}),
}  # fmt: skip


def goodwill(one: Scene) -> str:
    """A budget; more than 100 at once needs a second operator."""
    one.operator("budgets", {"name": "goodwill", "points": 1_000, "approval_above": 100})
    return "goodwill"


def waiting(one: Scene) -> str:
    """An adjustment that waits, and a second operator to approve it."""
    asked = {**ADJUST, "member": one.member, "budget": goodwill(one), "points": 101, "external_id": "big"}
    assert one.operator("adjustments", asked)["status"] == "waiting"
    made = one.stand.client.post("/v1/operators", json={"reason": "a colleague"}, headers=one.stand.operator)
    one.stand.others["second"] = {"Authorization": f"Bearer {made.json()['key']}"}
    return "big"


def own(one: Scene) -> str:
    """A member with an account of its own."""
    linked(one.stand, one.member, 1)
    return one.member


def away(one: Scene) -> str:
    """An account with points."""
    withdraw(one.stand, own(one), 9)
    return account_of(key_of(1))


def stray(one: Scene) -> str:
    """Points that came back from nobody's account."""
    away(one)
    return str(one.operator("returns", event(one.stand, NOBODYS, 4))["reference"])


def claimed(one: Scene) -> str:
    """A purchase at A that its member misses points for."""
    made = one.operator("claims", {**CLAIM, "member": one.member})
    return str(made["claim"])


def failed(one: Scene) -> int:
    """A partner that could not pay the first settlement."""
    one.stand.client.post("/v1/settlements", json={"failed": 16}, headers=one.stand.operator)
    return 16


def banked(one: Scene) -> int:
    """A partner paid by bank."""
    by_bank(one.stand, "A")
    return 16


def unmatched(one: Scene) -> str:
    """A line of a statement that matches nothing, while A owes a payment."""
    banked(one)
    assert one.stand.settle()["state"] == "final"
    assert results(one.stand, "S", Entry(10_000, iban=IBANS["C"])) == ["unmatched"]
    (line,) = one.stand.read("operator", "bank/entries")["data"]
    return str(line["id"])


def due(one: Scene) -> str:
    """A member whose waiting time is over."""
    one.stand.clock("2026-01-01T10:00:00Z")
    return one.other
