"""`counterfoil liability`: the report over exported folders, or one line about what cannot be read. Never a traceback."""

from __future__ import annotations

import sys
from pathlib import Path

from counterfoil.audit import evidence
from counterfoil.audit.evidence import Folder
from counterfoil.audit.terminal import plain, progress_bar
from counterfoil.core.errors import CounterfoilError
from counterfoil.features.liability.folders import in_folders, newest
from counterfoil.insights.breakage import Assumptions, Given
from counterfoil.insights.ledger import read
from counterfoil.insights.liability import report
from counterfoil.insights.written import Format, written

UNREADABLE = 2


def run(
    public: Path, sealed: Path, settlement: int | None, breakage_bp: int, estimates: list[str], form: Format,
    out: Path | None,
) -> int:  # fmt: skip
    """Read, reckon, write; returns 0, or 2 if something cannot be read or written."""
    try:
        content = reckoned(public, sealed, settlement, breakage_bp, estimates, form)
        if out is None:
            sys.stdout.buffer.write(content)
            sys.stdout.flush()
        else:
            out.write_bytes(content)
    except CounterfoilError as error:
        return _refused(" ".join(str(error).split()))
    except OSError as error:
        return _refused(f"{out or 'standard output'}: {error.strerror or 'cannot be written'}")
    return 0


def reckoned(
    public: Path, sealed: Path, settlement: int | None, breakage_bp: int, estimates: list[str], form: Format
) -> bytes:
    """The report's bytes. Raises InvalidRequest for an estimate, Unreadable naming a file."""
    assumptions = Assumptions(breakage_bp, tuple(Given.parse(one) for one in estimates))
    folders = Folder.at(public), Folder.at(sealed)
    number = newest(folders[0]) if settlement is None else settlement
    total = evidence.signed(folders[0], number).header.closing.log_size
    with progress_bar(shown=sys.stderr.isatty()) as progress:
        ledger = read(in_folders(*folders, number), progress, total)
    return written(report(ledger, assumptions), form)


def _refused(text: str) -> int:
    print(f"counterfoil: {plain(text)}", file=sys.stderr)  # noqa: T201
    return UNREADABLE
