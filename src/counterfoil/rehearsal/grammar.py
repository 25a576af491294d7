"""Scenario files: what they may say, checked before anything runs. The grammar is shared with other implementations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterfoil.core.calendar import checked_zone
from counterfoil.core.errors import Unreadable

PEOPLE = frozenset({"title", "notes", "net", "why", "hand", "readings"})  # keys for people, anywhere
SCENARIO = {"id", "start", "steps"}
STEP = {"do", "at", "args", "expect", "after", "state", "key"}
ARGS = {
    "earn": {"ref", "partner", "member", "points", "valid_to"},
    "refund_earn": {"ref", "earn", "points"},
    "refund_burn": {"ref", "burn", "points"},
    "burn": {"ref", "partner", "member", "points"},
    "hold": {"ref", "partner", "member", "points", "ttl_seconds"},
    "capture": {"ref", "hold", "points"},
    "release": {"hold"},
    "transfer": {"ref", "sender", "recipient", "points"},
    "activate": set(), "expire": set(), "close": set(), "race": {"steps"},
}  # fmt: skip
LATER_ARGS = {
    "earn": {"occurred_at", "currency", "promotion", "bonus", "pending_days"}, "burn": {"currency"}, "close": {"failed"},
}  # fmt: skip
LATER_VERBS = {
    "publish_rates", "quote", "exchange", "buy_reward", "use_reward", "refund_reward", "request_erasure", "erase",
    "dispute", "rule", "buy_pack", "suspend", "reinstate", "exit_partner", "dividend",
}  # fmt: skip
START = {"zone", "partners", "members", "contracts"}
LATER_START = {
    "currencies", "promotions", "rewards", "transfer_daily_points", "transfer_daily_count", "collateral", "first_loss",
}  # fmt: skip
TERMS = {"valid_days", "breakage_operator_bp"}
SETTLED_TERMS: dict[str, object] = {  # terms that later work opens; their only value now
    "funding": "issuance", "face": 10_000, "fee": 1_000, "fee_refundable": True, "pending_days": 0,
}  # fmt: skip
LATER_TERMS = {"issuance_bp", "since"}
OPERATION_FACTS = {"ok", "code", "also", "lots", "recovered", "debt", "cancelled", "replayed"}
CLOSE_FACTS = {"ok", "number", "exact", "rounded", "sum", "supply", "change", "refers_to"}
RACE_FACTS = {"ok", "replayed", "codes"}
LATER_FACTS = {
    "taken", "kept", "given", "alerts", "status", "cycle", "product", "gain", "paid_micros", "waterfall",
}  # fmt: skip
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
    _only(where, data, SCENARIO, set())
    start, steps = data.get("start", {}), data.get("steps")
    if not isinstance(data.get("id"), str) or not isinstance(start, dict) or not isinstance(steps, list):
        raise Unreadable(where, "needs a text `id`, an object `start` and a list `steps`")
    _start(f"{where}, start", start)
    for index, step in enumerate(steps):
        _step(f"{where}, step {index}", step)
    return Scenario(data["id"], start, steps)


def _start(where: str, start: dict[str, Any]) -> None:
    _only(where, {name: value for name, value in start.items() if value or name in START}, START, LATER_START)
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
        if not isinstance(terms, dict):
            raise Unreadable(where, f"contracts, {partner}: a list of terms with `since` is not built yet")
        for term, value in terms.items():
            if term in SETTLED_TERMS and (value != SETTLED_TERMS[term] or type(value) is not type(SETTLED_TERMS[term])):
                raise Unreadable(where, f"contracts, {partner}: `{term}` {value!r} is not built yet")
        _only(f"{where}, contracts, {partner}", terms, TERMS | set(SETTLED_TERMS), LATER_TERMS)


def _step(where: str, step: object, *, racing: bool = False) -> None:
    if not isinstance(step, dict):
        raise Unreadable(where, "must be an object")
    verb = step.get("do")
    if isinstance(verb, str) and verb in LATER_VERBS:
        raise Unreadable(where, f"the verb `{verb}` is not built yet")
    if not isinstance(verb, str) or verb not in ARGS or (racing and verb in {"race", "close"}):
        raise Unreadable(where, f"there is no verb {verb!r}")
    _only(where, step, STEP, set())
    args, expect, after, state = (step.get(name, {}) for name in ("args", "expect", "after", "state"))
    if not all(isinstance(one, dict) for one in (args, expect, after, state)):
        raise Unreadable(where, "`args`, `expect`, `after` and `state` must be objects")
    _only(f"{where}, args", args, ARGS[verb], LATER_ARGS.get(verb, set()))
    facts = {"close": CLOSE_FACTS, "race": RACE_FACTS}.get(verb, OPERATION_FACTS)
    _only(f"{where}, expect", expect, facts, LATER_FACTS)
    _only(f"{where}, state", state, STATE, set())
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


def _only(where: str, given: dict[str, Any], known: set[str], later: set[str]) -> None:
    for name in given:
        if name in later:
            raise Unreadable(where, f"`{name}` is not built yet")
        if name not in known and name not in PEOPLE:
            raise Unreadable(where, f"`{name}` is outside the grammar")
