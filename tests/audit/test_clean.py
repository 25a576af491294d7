"""An honest coalition: no finding, whatever is handed in; what is lacking is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from counterfoil.audit import auditor, command
from counterfoil.audit.onchain import Chain
from counterfoil.audit.report import Finding
from counterfoil.core.encoding import decode
from counterfoil.core.entry import Place, Verb
from counterfoil.core.files import unpack_entries
from tests.audit.coalition import Coalition, audited

Settled = tuple[Coalition, Path, Chain]
NAMES = (
    "programme", "header_chain", "final_on_chain", "signatures", "settled", "supply", "collateral", "outcome",
    "claims", "manifest", "rulebook", "log", "checkpoints", "counterfoils", "files", "inclusion", "handles", "liabilities",
    "entries", "refold", "acts", "balances", "wallets", "pool", "positions",
)  # fmt: skip


def test_the_fixture_has_every_verb_and_every_place(whole: Settled) -> None:
    found = [
        decode(body)
        for path in sorted((whole[1] / "sealed/settlements").rglob("entries"))
        for body in unpack_entries(path.read_bytes())
    ]
    assert {one.verb for one in found} == set(Verb)
    assert {place for one in found for move in one.moves for place in (move.source, move.target)} == set(Place)
    assert any(move.source is Place.EXPIRED for one in found for move in one.moves)
    assert any(one.debts for one in found)


@pytest.mark.parametrize("ledger", ["settled", "whole"])
def test_all_checks_pass_without_finding(ledger: str, request: pytest.FixtureRequest) -> None:
    _made, folder, chain = request.getfixturevalue(ledger)
    report = audited(folder, chain)
    assert report.findings == []
    assert [(one.name, one.status, one.needs) for one in report.checks] == [(n, "passed", None) for n in NAMES]


def test_what_is_not_handed_in_is_not_run_and_said(settled: Settled) -> None:
    report = auditor.examine(settled[1] / "public", None, None, settled[2])
    assert report.findings == []
    waiting = {one.name: one.needs for one in report.checks if one.status == "not_run"}
    assert set(waiting) == {
        "counterfoils", "files", "inclusion", "handles", "liabilities", "entries", "refold", "acts", "balances", "wallets",
        "pool", "positions",
    }  # fmt: skip
    assert all("--sealed" in (needs or "") for name, needs in waiting.items() if name != "counterfoils")


def test_the_command_prints_json_and_text(settled: Settled, capsys: pytest.CaptureFixture[str]) -> None:
    made, ledger, chain = settled
    where = (ledger / "public", ledger / "sealed", ledger / "counterfoils.jsonl", "unused", chain.address)
    assert command.run(*where, as_json=True, w3=made.cycle.w3) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["findings"] == []
    assert [one["name"] for one in printed["checks"]] == list(NAMES)
    assert command.run(*where, as_json=False, w3=made.cycle.w3) == 0
    shown = capsys.readouterr()
    assert shown.out.endswith("no findings\n")
    assert shown.err == ""


def test_a_finding_is_exit_1(settled: Settled, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made, _ledger, chain = settled
    path = copy / "sealed/settlements/000002/entries"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    where = (copy / "public", copy / "sealed", None, "unused", chain.address)
    assert command.run(*where, as_json=True, w3=made.cycle.w3) == 1
    finding = next(one for one in json.loads(capsys.readouterr().out)["findings"] if one["check"] == "inclusion")
    assert finding["settlement"] == 2
    assert finding["entry"].startswith("ent_00000000")
    assert finding["header"] == "0x" + chain.final[2][0].hex()


def test_a_finding_has_its_shape() -> None:
    assert Finding("log", "text").as_json() == {
        "check": "log", "message": "text", "settlement": None, "entry": None,
    }  # fmt: skip
    whole = Finding("log", "text", 3, 0x10001, b"\x01" * 32, 7).as_json()
    assert (whole["entry"], whole["leaf"], whole["settlement"]) == ("ent_0000000000010001", 7, 3)
