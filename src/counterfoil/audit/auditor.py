"""The auditor: which checks there are, in which order, and how they become a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from counterfoil.audit import evidence, onchain
from counterfoil.audit.case import Case, Lacks
from counterfoil.audit.checks import books, claims, files, headers, inclusion, kept, liabilities, log
from counterfoil.audit.evidence import Folder, Missing, Signed
from counterfoil.audit.onchain import Chain
from counterfoil.audit.report import PER_CHECK, Check, Finding, Report
from counterfoil.audit.terminal import Progress, silent
from counterfoil.chain.client import Web3
from counterfoil.core.errors import Unreadable


@dataclass(frozen=True, slots=True)
class Step:
    """One function and the checks whose findings it gives."""

    names: tuple[str, ...]
    run: Callable[[Case], Iterator[Finding]]


STEPS = (
    Step(("programme",), headers.programme),
    Step(("header_chain",), headers.header_chain),
    Step(("final_on_chain",), headers.final_on_chain),
    Step(("signatures",), headers.signatures),
    Step(("settled",), headers.settled),
    Step(("supply",), headers.supply),
    Step(("collateral",), headers.collateral),
    Step(("outcome",), headers.replayed),
    Step(("claims",), claims.claims),
    Step(("manifest",), files.manifest),
    Step(("rulebook",), files.rulebook),
    Step(("log",), log.log),
    Step(("checkpoints",), log.checkpoints),
    Step(("counterfoils",), kept.counterfoils),
    Step(("files",), files.files),
    Step(("inclusion",), inclusion.inclusion),
    Step(("handles",), inclusion.handles),
    Step(("liabilities",), liabilities.liabilities),
    Step(("entries", "refold", "acts", "balances", "wallets", "pool", "positions"), books.refolded),
)


def audit(
    export: Path,
    sealed: Path | None,
    counterfoils: Path | None,
    w3: Web3,
    settlement: str,
    progress: Progress = silent,
) -> Report:
    """Check the folders `export`, `sealed` and the file `counterfoils` against the Settlement at an address.

    Raises Unreadable for what cannot be read at all, Unreachable for a chain that does not answer.
    """
    Folder.at(export)  # before the chain is asked
    return examine(export, sealed, counterfoils, onchain.read(w3, settlement), progress)


def examine(
    export: Path, sealed: Path | None, counterfoils: Path | None, chain: Chain, progress: Progress = silent
) -> Report:
    """The same on facts of the chain already read; raises Unreadable."""
    public = Folder.at(export)
    folder = None if sealed is None else Folder.at(sealed)
    said = evidence.programme(public)
    case = Case(public, folder, counterfoils, chain, said, _headers(public), progress)
    checks: list[Check] = []
    findings: list[Finding] = []
    for step in STEPS:
        found, needs = run(step, case)
        findings += found
        for name in step.names:
            failed = any(one.check == name for one in found)
            missing = case.lacks.get(name, needs)
            checks.append(Check(name, "failed" if failed else "not_run" if missing else "passed", missing))
    return Report(checks, findings)


def run(step: Step, case: Case) -> tuple[list[Finding], str | None]:
    """The findings of a step, at most PER_CHECK of each check, and what it lacked, if it did not run to its end."""
    found: list[Finding] = []
    counts: dict[str, int] = {}
    try:
        for one in step.run(case):
            counts[one.check] = counts.get(one.check, 0) + 1
            if counts[one.check] <= PER_CHECK:
                found.append(one)
    except Lacks as lacks:
        return found, lacks.needs
    except OSError as error:
        raise Unreadable("export", error.strerror or "cannot be read") from error
    return found, None


def _headers(public: Folder) -> dict[int, Signed]:
    """Headers of settlements 1, 2, ... up to the first that is not there."""
    found: dict[int, Signed] = {}
    for number in evidence.settlement_numbers(public):
        if number != len(found) + 1:
            break
        try:
            found[number] = evidence.signed(public, number)
        except Missing:
            break
    return found
