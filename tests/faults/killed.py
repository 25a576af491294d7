"""The test's side of victim.py: start it, give it tasks, hear how they ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Victims:
    """One process from which each task is forked."""

    process: subprocess.Popen[str]
    log: Path
    kills: int = 0

    def _asked(self, task: str, plant: str | None, args: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = {"task": task, "args": args} | ({"plant": plant} if plant else {})
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.log.read_text()[-2_000:]
        ended: dict[str, Any] = json.loads(line)
        return ended

    def killed(self, task: str, *, plant: str | None = None, **args: Any) -> None:
        """A task that must die at its point."""
        ended = self._asked(task, plant, args)
        why = f"{task} {args} was not killed: {ended} {self.log.read_text()[-2_000:]}"
        assert os.WIFSIGNALED(ended["status"]), why
        assert os.WTERMSIG(ended["status"]) == signal.SIGKILL, why
        self.kills += 1

    def done(self, task: str, *, plant: str | None = None, **args: Any) -> Any:
        """A task that must come to its end; what it returns."""
        ended = self._asked(task, plant, args)
        assert ended["status"] == 0, self.log.read_text()[-2_000:]
        return ended["returned"]


@contextmanager
def victims(folder: Path) -> Iterator[Victims]:
    log = folder / "victims.log"
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("victim.py"))], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=errors, env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", log.read_text()
        yield Victims(process, log)
        assert process.stdin is not None
        process.stdin.close()
