"""Scenario files: what is outside the grammar, or not built yet, is named before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from counterfoil.rehearsal import command, grammar
from counterfoil.rehearsal.grammar import ARGS

EARN = {"do": "earn", "args": {"ref": "e", "partner": "A", "member": "M", "points": 1}}
START: dict[str, Any] = {"partners": ["A"], "members": ["M"]}


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def ran(*_: object) -> None:
        pytest.fail("it ran")

    monkeypatch.setattr(command, "_one", ran)


def written(folder: Path, *scenarios: Any) -> Path:
    path = folder / "scenarios.json"
    path.write_text(json.dumps({"version": 2, "grammar": "SCENARIOS.md", "scenarios": list(scenarios)}))
    return path


def scenario(*steps: Any, **start: Any) -> dict[str, Any]:
    return {"id": "X", "start": {**START, **start}, "steps": list(steps)}


def step(**change: Any) -> dict[str, Any]:
    return {**EARN, **change}


def refused(path: Path, capsys: pytest.CaptureFixture[str], *ids: str) -> str:
    """Exit 2, one line on standard error, nothing else."""
    assert command.run(path, list(ids), None, True) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("counterfoil: ")
    assert said.err.count("\n") == 1
    return said.err


BEYOND: list[tuple[dict[str, Any], str]] = [
    (scenario(step(do="steal")), "steal"),
    (scenario(step(do=["earn"])), "earn"),
    (scenario({"args": {}}), "None"),
    (scenario(step(colour="red")), "colour"),
    (scenario(step(args={**EARN["args"], "colour": 1})), "colour"),  # type: ignore[dict-item]
    (scenario(step(expect={"ok": True, "colour": 1})), "colour"),
    (scenario(step(state={"colour": 1})), "colour"),
    (scenario(step(args=[])), "args"),
    (scenario(step(expect=[])), "expect"),
    (scenario(step(after={"M": 5})), "after"),
    (scenario(step(args={"ref": 5})), "ref"),
    (scenario("earn"), "object"),
    (scenario({"do": "race", "args": {}}), "steps"),
    (scenario({"do": "race", "args": {"steps": []}}), "steps"),
    (scenario({"do": "race", "args": {"steps": [{"do": "close"}]}}), "close"),
    (scenario({"do": "race", "args": {"steps": [{"do": "race"}]}}), "race"),
    (scenario({"do": "race", "args": {"steps": [step(colour=1)]}}), "colour"),
    (scenario({"do": "close", "expect": {"lots": []}}), "lots"),
    (scenario({"do": "burn", "expect": {"exact": {}}}), "exact"),
    (scenario(EARN, colour=1), "colour"),
    (scenario(EARN, zone="Mars/Olympus"), "zone"),
    (scenario(EARN, zone=5), "zone"),
    (scenario(EARN, partners="A"), "partners"),
    (scenario(EARN, members=[5]), "members"),
    (scenario(EARN, contracts=[]), "contracts"),
    (scenario(EARN, contracts={"B": {}}), "B"),
    (scenario(EARN, contracts={"A": [5]}), "terms"),
    (scenario(EARN, contracts={"A": [{}, {"since": 5}]}), "since"),
    (scenario(EARN, contracts={"A": {"colour": 1}}), "colour"),
    (scenario(EARN, contracts={"A": {"funding": "gift"}}), "funding"),
    (scenario(EARN, contracts={"A": {"face": 0}}), "face"),
    (scenario(EARN, contracts={"A": {"fee": 1_000.0}}), "fee"),
    (scenario(EARN, contracts={"A": {"fee_refundable": 1}}), "fee_refundable"),
    (scenario(EARN, contracts={"A": {"pending_days": False}}), "pending_days"),
    ({**scenario(EARN), "colour": 1}, "colour"),
    ({"id": 5, "start": {}, "steps": []}, "id"),
    ({"id": "X", "start": [], "steps": []}, "start"),
    ({"id": "X", "steps": {}}, "steps"),
]


@pytest.mark.parametrize(("data", "named"), BEYOND)
def test_what_is_beyond_is_named(
    data: dict[str, Any], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert named in refused(written(tmp_path, data), capsys)


def test_where_it_stands_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(written(tmp_path, scenario(EARN, step(colour=1))), capsys)
    assert "scenario X, step 1: `colour` is outside the grammar" in said


def test_only_the_chosen_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = {**scenario(EARN), "id": "good"}
    path = written(tmp_path, plain, {**scenario(step(do="steal")), "id": "later"})
    assert [one.id for one in grammar.read(path, ["good"])] == ["good"]
    refused(path, capsys)
    refused(path, capsys, "later")
    assert "has no scenario other" in refused(path, capsys, "good", "other")


def test_the_files_order_holds(tmp_path: Path) -> None:
    path = written(tmp_path, *({**scenario(EARN), "id": name} for name in ("c", "a", "b")))
    assert [one.id for one in grammar.read(path, ["a", "c"])] == ["c", "a"]
    assert [one.id for one in grammar.read(path, [])] == ["c", "a", "b"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"scenarios": {}}', b'{"scenarios": [1]}', b"\xff\xfe", b"[" * 200_000]
)
def test_a_file_that_is_none(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_bytes(content)
    refused(tmp_path / "file", capsys)
    refused(tmp_path / "missing", capsys)
    refused(tmp_path, capsys)


def test_keys_for_people_may_stand_anywhere(tmp_path: Path) -> None:
    people = {key: {"any": ["thing"]} for key in sorted(grammar.PEOPLE)}
    noted = {**scenario({**step(args={**EARN["args"], **people}), **people}, **people), **people}  # type: ignore[dict-item]
    assert len(grammar.read(written(tmp_path, noted), [])) == 1


def test_every_verb_of_the_grammar_is_known() -> None:
    """The verbs SCENARIOS.md lists."""
    listed = {
        "earn", "refund_earn", "refund_burn", "burn", "hold", "capture", "release", "transfer", "activate", "expire",
        "publish_rates", "quote", "exchange", "buy_reward", "use_reward", "refund_reward", "request_erasure", "erase",
        "dispute", "rule", "buy_pack", "suspend", "reinstate", "exit_partner", "dividend", "close", "race",
    }  # fmt: skip
    assert set(ARGS) == listed
