"""The golden scenarios through API, chain and audit, on both databases; and that a wrong expectation shows."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog

from counterfoil.rehearsal import command, runner
from counterfoil.rehearsal.audited import audited
from tests.house import tree

FILE = tree.ROOT.parent / "shared" / "scenarios.json"
NAMES = [one["id"] for one in json.loads(FILE.read_text(encoding="utf-8"))["scenarios"]]


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """As the command does; the gateway runs in this process."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    yield
    structlog.reset_defaults()


def golden(name: str) -> dict[str, Any]:
    listed = json.loads(FILE.read_text(encoding="utf-8"))["scenarios"]
    return copy.deepcopy(next(one for one in listed if one["id"] == name))


def run(folder: Path, data: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    path = folder / "one.json"
    path.write_text(json.dumps({"scenarios": [data]}))
    code = command.run(path, [], None, True)
    said = capsys.readouterr()
    return code, json.loads(said.out)


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str, database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(FILE, [name], database_url, True) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert (told["passed"], told["failed"]) == (1, 0)
    one = told["scenarios"][0]
    assert (one["id"], one["ok"], one["findings"]) == (name, True, [])
    assert len(one["steps"]) == len(golden(name)["steps"])
    assert said.err == ""


def test_as_a_command(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "counterfoil", "rehearse", str(FILE), "S01", "S02"]
    done = subprocess.run([*words, "--json"], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [one["id"] for one in json.loads(done.stdout)["scenarios"]] == ["S01", "S02"]
    assert list(tmp_path.iterdir()) == []  # nothing is left where it was called
    none = subprocess.run([*words, "S99"], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert (none.returncode, none.stdout) == (2, "")
    assert "S99" in none.stderr
    assert "Traceback" not in none.stderr


def test_lines_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(FILE, ["S01"], None, False) == 0
    assert capsys.readouterr().out.splitlines() == ["ok   S01: 2 steps", "1 as expected, 0 not"]


def altered(alter: Any, name: str = "S02") -> dict[str, Any]:
    data = golden(name)
    alter(data["steps"])
    return data


ALTERED: dict[str, tuple[Any, int]] = {
    "a micro-unit": (lambda steps: steps[2]["expect"]["exact"].update(A=-11_000_001), 2),
    "a rounded one": (lambda steps: steps[2]["expect"]["rounded"].update(B=3_000_001), 2),
    "a party more": (lambda steps: steps[2]["expect"]["exact"].update(C=1), 2),
    "a party less": (lambda steps: steps[2]["expect"]["exact"].pop("B"), 2),
    "supply": (lambda steps: steps[2]["expect"].update(supply={"CP": 701}), 2),
    "change": (lambda steps: steps[2]["expect"].update(change={}), 2),
    "number": (lambda steps: steps[2]["expect"].update(number=2), 2),
    "refers_to": (lambda steps: steps[2]["expect"].update(refers_to=[1]), 2),
    "lots": (lambda steps: steps[1]["expect"].update(lots=[["B", 300]]), 1),
    "lots split": (lambda steps: steps[1]["expect"].update(lots=[["A", 100], ["A", 200]]), 1),
    "refused instead": (lambda steps: steps[1].update(expect={"ok": False, "code": "insufficient_points"}), 1),
    "a balance": (lambda steps: steps[0]["after"]["M"]["CP"].update(available=999), 0),
    "a member unheard of": (lambda steps: steps[0]["after"].update(N={"CP": {"available": 1}}), 0),
    "a lot's day": (lambda steps: steps[2]["state"]["lots"]["M"][0].update(expires_at="2026-12-02T23:00:00Z"), 2),
    "a lot": (lambda steps: steps[2]["state"]["lots"]["M"].pop(), 2),
    "supply in the state": (lambda steps: steps[2]["state"]["supply"].update(CP=1), 2),
}


@pytest.mark.parametrize("name", ALTERED)
def test_a_difference_is_exit_1_at_its_step(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alter, index = ALTERED[name]
    code, told = run(tmp_path, altered(alter), capsys)
    assert code == 1
    assert (told["passed"], told["failed"]) == (0, 1)
    one = told["scenarios"][0]
    assert [step["index"] for step in one["steps"] if not step["ok"]] == [index]
    wrong = one["steps"][index]
    assert wrong["expected"] != wrong["found"]
    assert one["findings"] == []


def test_other_spellings_are_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Zero equals absent, an instant is what it means, `also` names codes that are right too."""

    def alter(steps: list[dict[str, Any]]) -> None:
        steps[0]["after"]["M"]["CP"] = {"available": 1_000, "balance": 1_000}
        steps[2]["state"]["lots"]["M"][0]["earned_at"] = "2025-12-01T11:00:00.000+01:00"
        steps[2]["expect"]["exact"]["C"] = 0
        steps.append(
            {"do": "burn", "args": {"ref": "x", "partner": "B", "member": "M", "points": 9_999},
             "expect": {"ok": False, "code": "credit_exhausted", "also": ["insufficient_points"]}}
        )  # fmt: skip

    code, told = run(tmp_path, altered(alter), capsys)
    assert code == 0, told


def test_a_difference_is_shown_to_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"scenarios": [altered(ALTERED["a micro-unit"][0])]}))
    assert command.run(path, [], None, False) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "FAIL S02: 3 steps"
    assert lines[1] == "  step 2, close"
    assert '"A": -11000001' in lines[2]
    assert '"A": -11000000' in lines[3]
    assert lines[-1] == "0 as expected, 1 not"


def test_canary_a_finding_of_the_audit_fails_the_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = audited

    def robbed(export: Path, sealed: Path, *more: Any) -> dict[str, Any]:
        """An entry's last byte is another: the auditor sees the exports so."""
        for file in sealed.glob("settlements/*/entries"):
            content = file.read_bytes()
            file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        return real(export, sealed, *more)

    monkeypatch.setattr(runner, "audited", robbed)
    code, told = run(tmp_path, golden("S02"), capsys)
    assert code == 1
    one = told["scenarios"][0]
    assert all(step["ok"] for step in one["steps"])
    assert one["findings"]
    assert {"check", "message"} <= one["findings"][0].keys()


def test_the_audit_sees_every_close_and_all_counterfoils(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, seen = audited, list[tuple[int, set[str]]]()

    def watched(export: Path, sealed: Path, counterfoils: Path, *more: Any) -> dict[str, Any]:
        report = real(export, sealed, counterfoils, *more)
        seen.append((len(counterfoils.read_text().splitlines()), {one["status"] for one in report["checks"]}))
        return report

    monkeypatch.setattr(runner, "audited", watched)
    assert run(tmp_path, golden("S04"), capsys)[0] == 0
    assert seen == [(2, {"passed"}), (3, {"passed"})]


def test_a_database_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(FILE, ["S01"], "postgresql://127.0.0.1:9/none?connect_timeout=2", True) == 2
    assert capsys.readouterr().err.startswith("counterfoil: database cannot be reached")
