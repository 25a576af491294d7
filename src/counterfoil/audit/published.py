"""The published rulebook of a settlement, as far as entries are checked against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from counterfoil.audit.evidence import json_object
from counterfoil.core.calendar import parse_instant
from counterfoil.core.errors import InvalidRequest, Unreadable
from counterfoil.core.exchange import Edge
from counterfoil.core.rulebook.contracts import Contract, in_force
from counterfoil.core.rulebook.rewards import Reward
from counterfoil.core.units import BASIS_POINTS


@dataclass(frozen=True, slots=True)
class Rules:
    """A settlement's rulebook as the fold needs it: contracts by (partner, version), shares of promotions by name."""

    zone: str
    grace_days: int
    contracts: dict[tuple[int, int], Contract]
    names: dict[int, str]
    promotions: dict[str, dict[int, int]]
    currencies: dict[int, str] = field(default_factory=dict)
    issuers: dict[int, int] = field(default_factory=dict)  # of brands' own currencies
    edges: tuple[Edge, ...] = ()  # of every rate table published
    rewards: tuple[Reward, ...] = ()
    earn_rules: frozenset[str] = frozenset()  # hashes of all versions published

    def in_force(self, partner: int, at: int) -> Contract | None:
        """A partner's contract at an instant."""
        versions = [self.contracts[name] for name in sorted(self.contracts) if name[0] == partner]
        return in_force(versions, at) if versions else None


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
    found: dict[tuple[int, int], Contract] = {}
    names: dict[int, str] = {}
    for one in contracts:
        if not isinstance(one, Mapping):
            raise Unreadable("rulebook.json", "a contract must be an object")
        partner, name = _whole(one, "partner"), one.get("name")
        if not isinstance(name, str):
            raise Unreadable("rulebook.json", "a contract needs its partner's name")
        contract = _contract(one)
        found[partner, contract.version], names[partner] = contract, name
    currencies, issuers = _currencies(data.get("currencies"))
    edges = _edges(data.get("rates", []))
    return Rules(
        str(zone),
        days,
        found,
        names,
        _promotions(data.get("promotions", {})),
        currencies,
        issuers,
        edges,
        _rewards(data.get("rewards", [])),
        _hashes(data.get("earn_rules", [])),
    )


def _currencies(data: object) -> tuple[dict[int, str], dict[int, int]]:
    if not isinstance(data, list) or not all(isinstance(one, Mapping) for one in data):
        raise Unreadable("rulebook.json", "currencies must be a list of objects")
    names = {_whole(one, "id"): str(one.get("name")) for one in data}
    return names, {_whole(one, "id"): _whole(one, "issuer") for one in data if one.get("issuer") is not None}


def _edges(data: object) -> tuple[Edge, ...]:
    try:
        tables = msgspec.convert(data, list[RateTable])
    except msgspec.ValidationError as error:
        raise Unreadable("rulebook.json", f"rates: {error}") from error
    edges = tuple(edge for table in tables for edge in table.edges)
    if any(min(edge.takes, edge.gives, edge.increment) < 1 for edge in edges):
        raise Unreadable("rulebook.json", "a rate takes, gives and steps by at least 1")
    return edges


def _rewards(data: object) -> tuple[Reward, ...]:
    try:
        return tuple(msgspec.convert(data, list[Reward]))
    except msgspec.ValidationError as error:
        raise Unreadable("rulebook.json", f"rewards: {error}") from error


def _hashes(data: object) -> frozenset[str]:
    if not isinstance(data, list) or not all(isinstance(one, str) for one in data):
        raise Unreadable("rulebook.json", "earn_rules must be a list of hashes")
    return frozenset(data)


class RateTable(Struct):
    """A table of rates as published."""

    since: str
    edges: list[Edge]


def _contract(one: Mapping[str, object]) -> Contract:
    refundable, since = one.get("fee_refundable"), one.get("since")
    if type(refundable) is not bool:
        raise Unreadable("rulebook.json", "fee_refundable must be true or false")
    try:
        at = parse_instant(since, "since")
    except InvalidRequest as error:
        raise Unreadable("rulebook.json", str(error)) from error
    version, face, fee, share, issuance, pending = (_whole(one, name) for name in _NUMBERS)
    if issuance > BASIS_POINTS:
        raise Unreadable("rulebook.json", "issuance_bp must be at most 10000")
    valid, redemption = (None if one.get(n) is None else _whole(one, n) for n in ("valid_days", "redemption_micros"))
    months, cliff = (None if one.get("valid_months") is None else _whole(one, "valid_months")), one.get("cliff")
    clawback = one.get("clawback", "debt")
    budget = one.get("redemption_budget")
    if not isinstance(budget, str | None):
        raise Unreadable("rulebook.json", "redemption_budget must be a name or null")
    if clawback not in {"debt", "cash"}:
        raise Unreadable("rulebook.json", "clawback must be debt or cash")
    if cliff not in {None, "month", "quarter", "year"}:
        raise Unreadable("rulebook.json", "cliff must be month, quarter or year")
    return Contract(
        version,
        face,
        fee,
        valid,
        share,
        issuance,
        refundable,
        redemption,
        pending,
        at,
        months,
        cliff,
        clawback,
        redemption_budget=budget,
    )


_NUMBERS = ("version", "face_micros", "fee_micros", "breakage_operator_bp", "issuance_bp", "pending_days")


def _promotions(data: object) -> dict[str, dict[int, int]]:
    if not isinstance(data, Mapping):
        raise Unreadable("rulebook.json", "promotions must be an object")
    found: dict[str, dict[int, int]] = {}
    for name, shares in data.items():
        if not isinstance(shares, Mapping) or not all(str(n).isascii() and str(n).isdigit() for n in shares):
            raise Unreadable("rulebook.json", "a promotion must give shares by party")
        found[str(name)] = {int(str(n)[:6]): _whole(shares, n) for n in shares}
    return found


def _whole(data: Mapping[str, object], name: str) -> int:
    value = data.get(name)
    if type(value) is not int or not 0 <= value < 2**63:
        raise Unreadable("rulebook.json", f"{name} must be an integer from 0")
    return value
