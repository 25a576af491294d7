"""The liability report's command over the folders of two exports."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from counterfoil.cli import app


def command(folder: Path, *more: str) -> tuple[int, bytes, str]:
    """Exit code, standard output, standard error of the command over `public` and `sealed` in a folder."""
    words = ["liability", "--sealed", str(folder / "sealed"), "--public", str(folder / "public"), *more]
    done = CliRunner().invoke(app, words)
    assert "Traceback" not in done.stderr
    return done.exit_code, done.stdout_bytes, done.stderr
