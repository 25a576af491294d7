"""The rulebook as published: what a partner needs to replay every number. Canonical JSON, so its hash is stable."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from counterfoil.core.rulebook.refunds import GRACE_DAYS
from counterfoil.core.units import CENT_MICROS
from counterfoil.store.registry import Programme


def rulebook(programme: Programme) -> dict[str, Any]:
    """The rules in force, without who may call what."""
    return {
        "version": programme.revision,
        "programme": "0x" + programme.programme.hex(),
        "zone": programme.zone,
        "currencies": [{"id": 1, "name": "CP"}],
        "money": {"unit": "micro", "minor_unit_micros": CENT_MICROS, "rounding": "half-even, once per party"},
        "burn_order": ["expires_at", "earned_at", "made"],
        "gift_order": ["earned_at", "expires_at", "made"],
        "grace_days": GRACE_DAYS,
        "quorum": "ceil(2n/3) of the partners not suspended",
        "contracts": [
            {
                "partner": one.number, "name": one.name, "version": one.contract.version, "funding": "issuance",
                "face_micros": one.contract.face_micros, "fee_micros": one.contract.fee_micros,
                "fee_refundable": True, "valid_days": one.contract.valid_days,
                "breakage_operator_bp": one.contract.breakage_operator_bp,
            }
            for one in programme.partners()
        ],
    }  # fmt: skip


def rulebook_bytes(programme: Programme) -> bytes:
    """The bytes that are hashed and published."""
    return orjson.dumps(rulebook(programme), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2) + b"\n"


def rulebook_hash(programme: Programme) -> bytes:
    """SHA-256 of the published bytes."""
    return hashlib.sha256(rulebook_bytes(programme)).digest()
