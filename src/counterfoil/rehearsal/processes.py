"""Processes of our own: a gateway and the partners' signers, which end with the process that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx

from counterfoil.core.errors import Unreachable

START_SECONDS = 60
STOP_SECONDS = 20
_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """In the child (Linux): be terminated when the parent is, however it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class Processes:
    """Started here, stopped here."""

    logs: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    forked: dict[str, BaseProcess] = field(default_factory=dict)

    def start(self, name: str, *args: str, source: Path | None = None) -> None:
        """Run `counterfoil ARGS`, its output in a log file; from another copy of its code if `source` names one."""
        self.logs.mkdir(parents=True, exist_ok=True)
        elsewhere = [] if source is None else ["env", f"PYTHONPATH={source}"]
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(  # noqa: S603 our own command
                [*elsewhere, sys.executable, "-m", "counterfoil", *args], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True, preexec_fn=_end_with_parent,  # noqa: PLW1509 no threads yet, and one C call
            )  # fmt: skip

    def fork(self, name: str, run: Callable[..., None], *args: object) -> None:
        """Run a function in a process of its own that has everything imported already. Call it before any thread runs."""
        self.logs.mkdir(parents=True, exist_ok=True)
        child = get_context("fork").Process(target=_forked, args=(self.logs / f"{name}.log", run, *args), name=name)
        child.start()
        self.forked[name] = child

    def assert_alive(self) -> None:
        """Raises Unreachable naming the process that ended and the end of its log."""
        for name, process in self.running.items():
            if process.poll() is not None:
                tail = (self.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
                raise Unreachable(name, f"it ended with {process.returncode}: {' | '.join(tail)}")
        for name, child in self.forked.items():
            if child.exitcode is not None:
                raise Unreachable(name, f"it ended with {child.exitcode}: see {self.logs / name}.log")

    def stop(self) -> None:
        """Ask all to end, wait, insist."""
        for child in self.forked.values():
            child.terminate()
        for process in self.running.values():
            process.terminate()
        for child in self.forked.values():
            child.join(STOP_SECONDS)
        for process in self.running.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()
        self.forked.clear()


def _forked(log: Path, run: Callable[..., None], *args: object) -> None:
    _end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends us
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    run(*args)


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_ready(processes: Processes, url: str) -> None:
    """Wait until a gateway is ready; raises Unreachable."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        processes.assert_alive()
        try:
            if httpx.get(f"{url}/readyz", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise Unreachable("gateway", f"not ready after {START_SECONDS} s")
