"""The published rulebook of a settlement, as far as entries are checked against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from counterfoil.audit.evidence import json_object
from counterfoil.core.errors import Unreadable

Terms = tuple[int, int, int]  # face, fee in micros per point; the operator's basis points of breakage


@dataclass(frozen=True, slots=True)
class Rules:
    """A settlement's rulebook as the fold needs it: terms by (partner, version of its contract)."""

    zone: str
    grace_days: int
    terms: dict[tuple[int, int], Terms]
    names: dict[int, str]


def read_rules(content: bytes, programme: bytes) -> Rules:
    """A rulebook; raises Unreadable naming the field."""
    data = json_object(content, "rulebook.json")
    zone, days, contracts = data.get("zone"), data.get("grace_days"), data.get("contracts")
    if data.get("programme") != "0x" + programme.hex():
        raise Unreadable("rulebook.json", "is of another programme")
    try:
        ZoneInfo(str(zone))
    except (ValueError, OSError, LookupError):
        raise Unreadable("rulebook.json", "its zone is not known") from None
    if type(days) is not int or not 0 <= days <= 36_500:
        raise Unreadable("rulebook.json", "grace_days must be a number of days")
    if not isinstance(contracts, list):
        raise Unreadable("rulebook.json", "contracts must be a list")
    terms: dict[tuple[int, int], Terms] = {}
    names: dict[int, str] = {}
    for one in contracts:
        if not isinstance(one, Mapping):
            raise Unreadable("rulebook.json", "a contract must be an object")
        fields = ("partner", "version", "face_micros", "fee_micros", "breakage_operator_bp")
        partner, version, face, fee, share = (_whole(one, name) for name in fields)
        name = one.get("name")
        if not isinstance(name, str):
            raise Unreadable("rulebook.json", "a contract needs its partner's name")
        terms[partner, version], names[partner] = (face, fee, share), name
    return Rules(str(zone), days, terms, names)


def _whole(data: Mapping[str, object], name: str) -> int:
    value = data.get(name)
    if type(value) is not int or not 0 <= value < 2**63:
        raise Unreadable("rulebook.json", f"{name} must be an integer from 0")
    return value
