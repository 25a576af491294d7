"""The rulebook as published: what a partner needs to replay every number. Canonical JSON, so its hash is stable."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from msgspec import structs

from counterfoil.core.calendar import text_instant
from counterfoil.core.rulebook.contracts import Contract
from counterfoil.core.rulebook.refunds import GRACE_DAYS
from counterfoil.core.rulebook.verbs import MOST_LOTS
from counterfoil.core.units import BASIS_POINTS, CENT_MICROS, COALITION_CURRENCY, mul_div_down
from counterfoil.store.earning import rule_hash
from counterfoil.store.registry import COALITION_CURRENCY_NAME, NOTICE_DAYS, Programme
from counterfoil.store.verbs import LATE_DAYS


def rulebook(programme: Programme) -> dict[str, Any]:
    """The rules in force, without who may call what."""
    return {
        "version": 1,
        "programme": "0x" + programme.programme.hex(),
        "zone": programme.zone,
        "currencies": [{"id": COALITION_CURRENCY, "name": COALITION_CURRENCY_NAME, "issuer": None}]
        + [{"id": c.number, "name": c.name, "issuer": c.issuer} for c in programme.currencies.values()],
        "money": {"unit": "micro", "minor_unit_micros": CENT_MICROS, "rounding": "half-even, once per party"},
        "earn": {
            "rounding": "down, once per rule and basket", "rate": "points per minor unit of money", "most_lots": MOST_LOTS,
            "base": "a line counts for one rule", "caps": "by the local day of the sale; a refund restores none",
        },
        "burn_order": ["expires_at", "earned_at", "made"],
        "gift_order": ["earned_at", "expires_at", "made"],
        "grace_days": GRACE_DAYS,
        "quorum": "ceil(2n/3) of the partners not suspended",
        "late_days": LATE_DAYS,
        "frozen": {"refused": ["burn", "hold", "transfer", "quote", "exchange", "buy_reward"]},
        "notice_days": NOTICE_DAYS if programme.livemode else 0,
        "limits": structs.asdict(programme.limits),
        "contracts": [
            {
                "partner": party.number, "name": party.name, "version": one.version,
                "since": text_instant(one.since), "funding": one.funding, "issuance_bp": one.issuance_bp,
                "face_micros": one.face_micros, "fee_micros": one.fee_micros, "fee_refundable": one.fee_refundable,
                "redemption_micros": one.redemption_micros, "redemption_budget": one.redemption_budget,
                "valid_days": one.valid_days,
                "valid_months": one.valid_months, "cliff": one.cliff, "clawback": one.clawback,
                "pending_days": one.pending_days, "breakage_operator_bp": one.breakage_operator_bp,
            }
            for party in programme.partners()
            for one in party.contracts
        ],
        "golden": [_golden(party.number, one) for party in programme.partners() for one in party.contracts],
        "rates": [
            {"since": text_instant(since), "edges": [structs.asdict(edge) for edge in edges]}
            for since, edges in programme.rates.tables
        ],
        "rewards": [structs.asdict(programme.rewards[name]) for name in sorted(programme.rewards)],
        # what a campaign says is its parties' own affair: here stands what binds the operator to it
        "earn_rules": sorted(rule_hash(one).hex() for versions in programme.earn_rules.versions.values() for one in versions),
        "cash": _cash(programme),
        "promotions": {name: {str(n): bp for n, bp in shares.items()} for name, shares in programme.promotions.items()},
    }  # fmt: skip


def _cash(programme: Programme) -> dict[str, Any]:
    """Who is paid by bank, without any account; and what that means."""
    return {
        "default": "token",
        "bank": "the word on chain moves the partner's collateral, the guarantee; the bank moves the same amount back",
        "late": "after due day and grace the next close names the partner as failed: the waterfall starts",
        "business_days": "Monday to Friday",
        "terms": [
            {
                "since_settlement": one.since, "currency": one.currency, "due_days": one.due_days,
                "grace_days": one.grace_days,
            }
            for one in programme.bank.clearing
        ],
        "partners": [
            {"partner": number, "since_settlement": one.since, "cash": "token" if one.account is None else "bank"}
            for number, versions in sorted(programme.bank.partners.items())
            for one in versions
        ],
    }  # fmt: skip


GOLDEN_POINTS = 100


def _golden(partner: int, contract: Contract) -> dict[str, Any]:
    """What some points come to, in micros by party: earned by this version of a contract, and used where they were earned."""
    part, points = contract.part(partner), GOLDEN_POINTS
    paid, owed, fee, use_fee = (
        micros * points for micros in (part.paid_micros, part.owed_micros, part.fee_micros, part.use_fee_micros)
    )
    value = (contract.redemption_micros or contract.face_micros) * points
    return {
        "partner": partner, "version": contract.version, "points": points,
        "earn": {"partner": -paid - fee, "pool": paid, "operator": fee},
        "burn": {"partner": value - owed - use_fee, "pool": -paid, "operator": paid + owed - value + use_fee},
        "expire": {"partner": paid - mul_div_down(paid, contract.breakage_operator_bp, BASIS_POINTS), "pool": -paid,
                   "operator": mul_div_down(paid, contract.breakage_operator_bp, BASIS_POINTS)},
    }  # fmt: skip


def rulebook_bytes(programme: Programme) -> bytes:
    """The bytes that are hashed and published."""
    return orjson.dumps(rulebook(programme), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2) + b"\n"


def rulebook_hash(programme: Programme) -> bytes:
    """SHA-256 of the published bytes."""
    return hashlib.sha256(rulebook_bytes(programme)).digest()
