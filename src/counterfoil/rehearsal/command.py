"""`counterfoil rehearse`: read the file, run the scenarios, print expected against found."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import typer

from counterfoil.core.errors import CounterfoilError
from counterfoil.rehearsal.coalition import Coalition
from counterfoil.rehearsal.founding import ZONE
from counterfoil.rehearsal.grammar import Scenario, read
from counterfoil.rehearsal.host import running
from counterfoil.rehearsal.runner import run_scenario
from counterfoil.store.schema import is_postgresql, own_schema


def run(file: Path, ids: list[str], database: str | None, as_json: bool) -> int:
    """Exit code: 0 all as expected, 1 a difference or finding, 2 a file that cannot be read or is beyond the grammar."""
    try:
        scenarios = read(file, ids)
        results = []
        for scenario in scenarios:
            result = _one(scenario, database)
            results.append(result)
            if not as_json:
                _print(scenario, result)
    except CounterfoilError as error:
        typer.echo(f"counterfoil: {error}", err=True)
        return 2
    passed = sum(result["ok"] for result in results)
    failed = len(results) - passed
    if as_json:
        typer.echo(json.dumps({"scenarios": results, "passed": passed, "failed": failed}))
    else:
        typer.echo(f"{passed} as expected, {failed} not")
    return 1 if failed else 0


def _one(scenario: Scenario, database: str | None) -> dict[str, Any]:
    own = own_schema(database) if database and is_postgresql(database) else nullcontext(None)
    zone = scenario.start.get("zone", ZONE)
    with own as url, running(zone, url) as host:
        coalition = Coalition.at(host)
        try:
            return run_scenario(scenario, coalition)
        finally:
            coalition.close()


def _print(scenario: Scenario, result: dict[str, Any]) -> None:
    typer.echo(f"{'ok  ' if result['ok'] else 'FAIL'} {scenario.id}: {len(scenario.steps)} steps")
    for step in result["steps"]:
        if not step["ok"]:
            typer.echo(f"  step {step['index']}, {step['do']}")
            typer.echo(f"    expected {json.dumps(step['expected'], sort_keys=True)}")
            typer.echo(f"    found    {json.dumps(step['found'], sort_keys=True)}")
    for finding in result["findings"]:
        typer.echo(f"  finding, {finding['check']}: {finding['message']}")
