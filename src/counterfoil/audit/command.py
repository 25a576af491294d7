"""`counterfoil audit`: prints a report, or one line about what cannot be read. Never a traceback."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from counterfoil.audit.auditor import audit
from counterfoil.audit.terminal import plain, progress_bar
from counterfoil.chain.client import Web3, connect
from counterfoil.core.errors import CounterfoilError

UNREADABLE = 2


def run(
    export: Path,
    sealed: Path | None,
    counterfoils: Path | None,
    rpc: str,
    settlement: str,
    as_json: bool,
    w3: Web3 | None = None,
) -> int:
    """Audit and print; returns 0 without findings, 1 with, 2 if something cannot be read. `w3` stands in for `rpc`."""
    try:
        with progress_bar(shown=not as_json and sys.stderr.isatty()) as progress:
            report = audit(export, sealed, counterfoils, w3 or connect(rpc), settlement, progress)
    except CounterfoilError as error:
        text = " ".join(str(error).split())
        if as_json:
            print(orjson.dumps({"error": {"code": error.code, **_texts(error)}}).decode())  # noqa: T201
        print(f"counterfoil: {text}", file=sys.stderr)  # noqa: T201
        return UNREADABLE
    if as_json:
        print(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2).decode())  # noqa: T201
    else:
        print(report.as_text())  # noqa: T201
    return report.exit_code


def _texts(error: CounterfoilError) -> dict[str, str]:
    facts = {name: plain(str(value)) for name, value in error.facts().items()}
    return {"detail": plain(str(error)), **facts}
