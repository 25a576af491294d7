"""A scenario file played through API, chain and audit, on SQLite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from counterfoil.rehearsal.coalition import Coalition
from counterfoil.rehearsal.grammar import read
from counterfoil.rehearsal.host import running
from counterfoil.rehearsal.runner import run_scenario


def played(path: Path) -> dict[str, Any]:
    """What became of the file's first scenario, step by step."""
    scenario = read(path, [])[0]
    with running(scenario.start["zone"]) as host:
        coalition = Coalition.at(host)
        try:
            return run_scenario(scenario, coalition)
        finally:
            coalition.close()


def trouble(result: dict[str, Any]) -> str:
    """What went otherwise, for whoever reads the failure."""
    wrong = [step for step in result["steps"] if not step["ok"]]
    return json.dumps({"id": result["id"], "findings": result["findings"], "steps": wrong}, indent=1)
