"""`counterfoil audit`: prints a report, or one line about what cannot be read. Never a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from counterfoil.audit import case
from counterfoil.audit.auditor import audit
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
        with _progress(shown=not as_json and sys.stderr.isatty()) as progress:
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
    facts = {name: _plain(str(value)) for name, value in error.facts().items()}
    return {"detail": _plain(str(error)), **facts}


def _plain(text: str) -> str:
    """Text that any terminal and any JSON can carry: names of files may hold bytes that are no text."""
    return text.encode("utf-8", "backslashreplace").decode()


@contextmanager
def _progress(*, shown: bool) -> Iterator[case.Progress]:
    if not shown:
        yield case.silent
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=max(done, total))

        yield show
