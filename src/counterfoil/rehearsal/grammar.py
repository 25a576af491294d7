"""Scenario files: what they may say, checked before anything runs. The grammar is shared with other implementations."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterfoil.core.calendar import checked_zone
from counterfoil.core.errors import Unreadable

PEOPLE = frozenset({"title", "notes", "net", "why", "hand", "readings"})  # keys for people, anywhere
SCENARIO = {"id", "start", "steps"}
STEP = {"do", "at", "args", "expect", "after", "state", "key"}
ARGS = {
    "earn": {"ref", "partner", "member", "points", "valid_to", "occurred_at", "currency", "promotion", "bonus",
             "pending_days"},
    "refund_earn": {"ref", "earn", "points"},
    "refund_burn": {"ref", "burn", "points"},
    "burn": {"ref", "partner", "member", "points", "currency"},
    "hold": {"ref", "partner", "member", "points", "ttl_seconds"},
    "capture": {"ref", "hold", "points"},
    "release": {"hold"},
    "transfer": {"ref", "sender", "recipient", "points"},
    "publish_rates": {"edges"},
    "buy_reward": {"ref", "member", "reward"}, "use_reward": {"voucher", "partner"}, "refund_reward": {"ref", "voucher"},
    "suspend": {"partner"}, "reinstate": {"partner"}, "dividend": {"partner", "bp"},
    "request_erasure": {"member"}, "erase": {"member"}, "dispute": {"burn"}, "rule": {"burn", "valid"},
    "exit_partner": {"partner", "breakage_bp"},
    "buy_pack": {"partner", "points", "alert_at", "reserve"},
    "quote": {"ref", "member", "src", "dst", "points", "ttl_seconds"},
    "exchange": {"ref", "quote", "member", "src", "dst", "points"},
    "activate": set(), "expire": set(), "close": {"failed"}, "race": {"steps"},
}  # fmt: skip
START = {"zone", "partners", "members", "contracts", "currencies", "promotions", "rewards", "collateral",
         "first_loss", "transfer_daily_points", "transfer_daily_count"}  # fmt: skip
TERMS: dict[str, Callable[[Any], bool]] = {
    "funding": lambda value: value in {"issuance", "redemption", "share"},
    "issuance_bp": lambda value: type(value) is int and 0 < value < 10_000,
    "face": lambda value: type(value) is int and value > 0,
    "fee": lambda value: type(value) is int and value >= 0,
    "fee_refundable": lambda value: type(value) is bool,
    "breakage_operator_bp": lambda value: type(value) is int and 0 <= value <= 10_000,
    "valid_days": lambda value: value is None or (type(value) is int and value >= 0),
    "pending_days": lambda value: type(value) is int and value >= 0,
    "since": lambda value: isinstance(value, str),
}
OPERATION_FACTS = {
    "ok", "code", "also", "lots", "recovered", "debt", "cancelled", "replayed", "taken", "kept", "given", "cycle", "product",
    "gain", "alerts", "status", "paid_micros",
}  # fmt: skip
CLOSE_FACTS = {"ok", "number", "exact", "rounded", "sum", "supply", "change", "refers_to", "waterfall"}
RACE_FACTS = {"ok", "replayed", "codes"}
STATE = {"balances", "lots", "supply"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario, known to be within the grammar."""

    id: str
    start: dict[str, Any]
    steps: list[dict[str, Any]]


def read(path: Path, ids: list[str]) -> list[Scenario]:
    """The chosen scenarios (none: all), in the file's order. Raises Unreadable naming what is outside the grammar."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(str(path), f"cannot be read: {error}") from error
    listed = data.get("scenarios") if isinstance(data, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise Unreadable(str(path), "has no list of scenarios")
    known = [str(one.get("id")) for one in listed]
    for wanted in ids:
        if wanted not in known:
            raise Unreadable(str(path), f"has no scenario {wanted}")
    return [_scenario(one) for one in listed if not ids or str(one.get("id")) in ids]


def _scenario(data: dict[str, Any]) -> Scenario:
    where = f"scenario {data.get('id')}"
    _only(where, data, SCENARIO)
    start, steps = data.get("start", {}), data.get("steps")
    if not isinstance(data.get("id"), str) or not isinstance(start, dict) or not isinstance(steps, list):
        raise Unreadable(where, "needs a text `id`, an object `start` and a list `steps`")
    _start(f"{where}, start", start)
    for index, step in enumerate(steps):
        _step(f"{where}, step {index}", step)
    return Scenario(data["id"], start, steps)


def _start(where: str, start: dict[str, Any]) -> None:
    _only(where, {name: value for name, value in start.items() if value or name in START}, START)
    for name in ("partners", "members"):
        values = start.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise Unreadable(where, f"`{name}` must be a list of names")
    contracts = start.get("contracts", {})
    if not isinstance(contracts, dict) or not isinstance(start.get("zone", ""), str):
        raise Unreadable(where, "`contracts` must be an object and `zone` a text")
    if "zone" in start:
        checked_zone(start["zone"], f"{where}, zone")
    for partner, terms in contracts.items():
        if partner not in start.get("partners", []):
            raise Unreadable(where, f"contracts: {partner} is no partner")
        for version in terms if isinstance(terms, list) else [terms]:
            if not isinstance(version, dict):
                raise Unreadable(where, f"contracts, {partner}: terms are objects")
            _terms(f"{where}, contracts, {partner}", version)


def _terms(where: str, terms: dict[str, Any]) -> None:
    _only(where, terms, set(TERMS))
    for term, value in terms.items():
        if term not in PEOPLE and not TERMS[term](value):
            raise Unreadable(where, f"`{term}` {value!r} is not what it can be")


def _step(where: str, step: object, *, racing: bool = False) -> None:
    if not isinstance(step, dict):
        raise Unreadable(where, "must be an object")
    verb = step.get("do")
    if not isinstance(verb, str) or verb not in ARGS or (racing and verb in {"race", "close"}):
        raise Unreadable(where, f"there is no verb {verb!r}")
    _only(where, step, STEP)
    args, expect, after, state = (step.get(name, {}) for name in ("args", "expect", "after", "state"))
    if not all(isinstance(one, dict) for one in (args, expect, after, state)):
        raise Unreadable(where, "`args`, `expect`, `after` and `state` must be objects")
    _only(f"{where}, args", args, ARGS[verb])
    facts = {"close": CLOSE_FACTS, "race": RACE_FACTS}.get(verb, OPERATION_FACTS)
    _only(f"{where}, expect", expect, facts)
    _only(f"{where}, state", state, STATE)
    if not all(isinstance(one, dict) for one in after.values()):
        raise Unreadable(where, "`after` holds balances by member and currency")
    for name in ("ref", "partner", "member", "sender", "recipient", "earn", "burn", "hold"):
        if name in args and not isinstance(args[name], str):
            raise Unreadable(f"{where}, args", f"`{name}` must be a text")
    if verb == "race":
        if not isinstance(args.get("steps"), list) or not args["steps"]:
            raise Unreadable(where, "a race needs `steps`")
        for index, one in enumerate(args["steps"]):
            _step(f"{where}, racer {index}", one, racing=True)


def _only(where: str, given: dict[str, Any], known: set[str]) -> None:
    for name in given:
        if name not in known and name not in PEOPLE:
            raise Unreadable(where, f"`{name}` is outside the grammar")
