"""Runs one scenario: each step over HTTP, what was expected beside what was found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import Any

import httpx

from counterfoil.chain.client import connect
from counterfoil.chain.settlement import SettlementContract
from counterfoil.core.calendar import moment, parse_instant
from counterfoil.core.errors import CounterfoilError
from counterfoil.rehearsal.audited import audited
from counterfoil.rehearsal.coalition import Coalition, asked
from counterfoil.rehearsal.founding import founded
from counterfoil.rehearsal.grammar import Scenario
from counterfoil.rehearsal.requests import Known, send

BALANCE = ("available", "held", "pending", "debt", "balance")
FACTS = ("lots", "recovered", "debt", "cancelled", "taken", "kept", "given", "alerts", "status", "paid_micros")


@dataclass(slots=True)
class Run:
    """A scenario under way."""

    coalition: Coalition
    known: Known
    findings: list[dict[str, Any]] = field(default_factory=list)
    counterfoils: list[str] = field(default_factory=list)
    keys: int = 0


def run_scenario(scenario: Scenario, coalition: Coalition) -> dict[str, Any]:
    """The result of a scenario in the shape of --json. The coalition is fresh."""
    founded(scenario.start, coalition)
    run, steps = Run(coalition, Known(coalition)), []
    for step in scenario.steps:
        args = step.get("args", {})
        if step["do"] == "earn" and "ref" in args and "partner" in args:
            run.known.later.setdefault(("earn", str(args["ref"])), str(args["partner"]))
    for index, step in enumerate(scenario.steps):
        expected: dict[str, Any] = {name: step[name] for name in ("expect", "after", "state") if name in step}
        try:
            found = _step(run, step)
        except CounterfoilError as error:  # a signer that refuses, a gateway that fails: what follows means nothing
            trouble = {"error": str(error)}
            steps.append({"index": index, "do": step["do"], "ok": False, "expected": expected, "found": trouble})
            break
        same = _comparable(expected) == _comparable(_named(found, expected))
        same = same or _also(step.get("expect", {}), expected, found)
        steps.append({"index": index, "do": step["do"], "ok": same, "expected": expected, "found": found})
    ok = all(step["ok"] for step in steps) and not run.findings
    return {"id": scenario.id, "ok": ok, "steps": steps, "findings": run.findings}


def _step(run: Run, step: dict[str, Any]) -> dict[str, Any]:
    if "at" in step:
        asked(run.coalition.operator.post("/v1/test/clock", json={"at": step["at"]}))
    verb, args = step["do"], step.get("args", {})
    if verb == "close":
        facts = _close(run, args, step.get("expect", {}).get("sum", {}))
    elif verb in {"activate", "expire"}:
        asked(run.coalition.operator.post(f"/v1/jobs/{verb}"))
        facts = {"ok": True}
    elif verb == "race":
        facts = _race(run, args["steps"])
    else:
        facts = _facts(_sent(run, verb, args, _key(run, step)))
    found: dict[str, Any] = {"expect": facts}
    if "after" in step:
        found["after"] = {member: _balances(run, member) for member in step["after"]}
    if "state" in step:
        found["state"] = _state(run)
    return found


def _key(run: Run, step: dict[str, Any]) -> str:
    run.keys += 1
    return step.get("key") or f"rehearsal-{run.keys}"


def _sent(run: Run, verb: str, args: dict[str, Any], key: str) -> httpx.Response:
    """The answer to one operation; an accepted one is remembered for the steps that refer to it."""
    answer = send(run.known, verb, args, key)
    if answer.status_code < 400 and "ref" in args:
        run.known.note(verb, args, answer.json())
        if "counterfoil" in answer.json():
            run.counterfoils.append(answer.text)
    return answer


def _facts(answer: httpx.Response) -> dict[str, Any]:
    body = answer.json()
    facts: dict[str, Any] = {
        "ok": answer.status_code < 400,
        "replayed": "Idempotent-Replayed" in answer.headers,
    }
    if not facts["ok"]:
        return {**facts, **{name: body[name] for name in ("code", "cycle", "product", "gain") if name in body}}
    return {
        **facts,
        "cancelled": 0,
        **{name: body[name] for name in FACTS if name in body},
    }


def _race(run: Run, steps: list[dict[str, Any]]) -> dict[str, Any]:
    barrier = Barrier(len(steps))
    keys = [_key(run, step) for step in steps]

    def racer(step: dict[str, Any], key: str) -> httpx.Response:
        barrier.wait()
        return _sent(run, step["do"], step.get("args", {}), key)

    with ThreadPoolExecutor(len(steps)) as pool:
        found = [_facts(answer) for answer in pool.map(racer, steps, keys)]
    codes: dict[str, int] = {}
    for facts in found:
        if not facts["ok"]:
            codes[facts["code"]] = codes.get(facts["code"], 0) + 1
    return {"ok": sum(f["ok"] for f in found), "replayed": sum(f["replayed"] for f in found), "codes": codes}


def _close(run: Run, args: dict[str, Any], sums: dict[str, int]) -> dict[str, Any]:
    """Close, collect signatures, settle on the chain, audit; the token supply is the chain's own."""
    coalition = run.coalition
    failed = {"failed": run.known.partner({"partner": args["failed"]})} if "failed" in args else {}
    closed = asked(coalition.operator.post("/v1/settlements", json=failed))
    number = closed["number"]
    shown = coalition.settle(number)
    if shown["state"] != "final":
        return {"ok": False, "number": number, "state": shown["state"], "alert": shown["alert"]}
    contract = SettlementContract(connect(coalition.host.rpc), shown["settlement"])
    with TemporaryDirectory(prefix="counterfoil-") as folder:
        public, sealed = coalition.exports(Path(folder))
        kept = Path(folder) / "counterfoils.jsonl"
        kept.write_text("\n".join(run.counterfoils), encoding="utf-8")
        run.findings += audited(public, sealed, kept, coalition.host.rpc, contract.address)["findings"]
    facts = {name: shown[name] for name in ("number", "exact", "rounded", "change", "refers_to")}
    total = {parties: sum(shown["exact"].get(one, 0) for one in parties.split("+")) for parties in sums}
    supply = {name: contract.supply(number) for name, number in coalition.currencies.items()}
    return {"ok": True, **facts, "supply": supply, "sum": total, "waterfall": closed.get("waterfall")}


def _balances(run: Run, member: str) -> dict[str, Any]:
    if member not in run.coalition.members:
        return {}
    shown = asked(run.coalition.operator.get(f"/v1/members/{run.coalition.members[member]}/balance"))
    return {one["currency"]: {name: one[name] for name in BALANCE} for one in (shown, *shown["own"])}


def _state(run: Run) -> dict[str, Any]:
    """All balances, open lots grouped as the grammar says, and the supply on chain."""
    lots = {}
    for name, number in run.coalition.members.items():
        grouped: dict[tuple[str, str, str, str], dict[str, Any]] = {}
        for lot in asked(run.coalition.operator.get(f"/v1/members/{number}/lots"))["data"]:
            key = (lot["currency"], lot["issuer"], lot["earned_at"], lot["expires_at"] or "")
            sums = grouped.setdefault(key, {**lot, "available": 0, "held": 0, "pending": 0})
            for place in ("available", "held", "pending"):
                sums[place] += lot[place]
        lots[name] = [grouped[key] for key in sorted(grouped)]
    last = asked(run.coalition.operator.get("/v1/settlements"))["data"]
    supply = last[-1]["supply"] if last and last[-1]["state"] == "final" else {}
    return {
        "balances": {name: _balances(run, name) for name in run.coalition.members},
        "lots": lots,
        "supply": supply,
    }


def _also(expect: dict[str, Any], expected: dict[str, Any], found: dict[str, Any]) -> bool:
    """Whether a refusal came with another code that is right too."""
    code = found["expect"].get("code")
    if not isinstance(expect.get("also"), list) or code not in expect["also"]:
        return False
    asked_for = {**expected, "expect": {**expect, "code": code}}
    return bool(_comparable(asked_for) == _comparable(_named(found, asked_for)))


def _named(found: Any, expected: dict[str, Any]) -> dict[str, Any]:
    """What was found of the facts that are expected: a fact that `expect` does not name is not compared."""
    facts = {name: found["expect"].get(name) for name in expected.get("expect", {}) if name != "also"}
    fall = expected.get("expect", {}).get("waterfall")
    if isinstance(fall, dict) and isinstance(facts["waterfall"], dict):
        facts["waterfall"] = {name: facts["waterfall"].get(name) for name in fall}
    return {name: facts if name == "expect" else found.get(name) for name in expected}


def _comparable(value: Any, name: str = "") -> Any:
    """Values as they are compared: zero and empty equal absent, instants by what they mean, `also` aside."""
    if isinstance(value, dict):
        plain = {key: _comparable(one, key) for key, one in value.items() if key != "also"}
        return {key: one for key, one in plain.items() if one not in (0, None, {}, [], "") or one is False}
    if isinstance(value, list):
        return [_comparable(one) for one in value]
    if name in {"earned_at", "expires_at"} and isinstance(value, str):
        return moment(parse_instant(value, name)).isoformat()
    return value
