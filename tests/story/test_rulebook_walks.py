"""Random scenarios through API, chain and audit, against the rulebook written twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from counterfoil.core.rulebook import refunds
from tests.house import tree
from tests.story import scenarist
from tests.story.rulebook import Rulebook
from tests.story.stage import played, trouble

CANARY = 6  # a seed whose walk refunds a burn with grace
GOLDEN = tree.ROOT.parent / "shared" / "scenarios.json"


def plain(value: Any) -> Any:
    """A zero or an empty value equals an absent one."""
    if isinstance(value, dict):
        smaller = {key: plain(one) for key, one in value.items()}
        return {key: one for key, one in smaller.items() if one or one is False}
    return [plain(one) for one in value] if isinstance(value, list) else value


def differences(scenario: dict[str, Any]) -> list[tuple[int, Any, Any]]:
    """Steps in which the model says something else than the file: of facts, those that the file names."""
    model, found = Rulebook(scenario["start"], scenario["steps"]), []
    for index, step in enumerate(scenario["steps"]):
        said, expect = model.step(step), dict(step["expect"])
        facts, also = said["expect"], expect.pop("also", [])
        if "sum" in expect:
            facts["sum"] = {k: sum(facts["exact"].get(one, 0) for one in k.split("+")) for k in expect["sum"]}
        if facts.get("code") in also:
            expect["code"] = facts["code"]
        named: dict[str, Any] = {"expect": {name: facts.get(name) for name in expect}}
        named["after"] = {name: said.get("after", {}).get(name) for name in step.get("after", {})}
        named["state"] = said.get("state") if "state" in step else {}
        wanted = {"expect": expect, "after": step.get("after", {}), "state": step.get("state", {})}
        if plain(wanted) != plain(named):
            found.append((index, plain(wanted), plain(named)))
    return found


def test_the_model_reproduces_the_golden_scenarios() -> None:
    scenarios = json.loads(GOLDEN.read_text(encoding="utf-8"))["scenarios"]
    assert len(scenarios) == 29
    wrong = {one["id"]: differences(one) for one in scenarios}
    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.timeout(3_600)  # with --long, at six seconds a walk
@pytest.mark.usefixtures("quiet")
def test_walks_end_as_the_rulebook_says(tmp_path: Path, times: Callable[[int, int], int]) -> None:
    for seed in range(1, times(6, 200) + 1):
        result = played(scenarist.written(tmp_path, seed))
        assert result["ok"], trouble(result)


@pytest.mark.usefixtures("quiet")
def test_canary_grace_of_another_length_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refunds, "GRACE_DAYS", 31)
    result = played(scenarist.written(tmp_path, CANARY))
    assert any(not step["ok"] for step in result["steps"])  # here, whatever the auditor sees


def test_a_seed_makes_the_same_scenario() -> None:
    assert scenarist.Scenarist(7).scenario() == scenarist.Scenarist(7).scenario()
