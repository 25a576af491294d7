"""A gateway of our own on loopback, as a partner finds it: a URL and an operator's key."""

from __future__ import annotations

import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from counterfoil.app import Plan, build
from counterfoil.core.errors import Unreachable

START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Host:
    """Where a running gateway is."""

    url: str
    operator_key: str
    home: Path

    @property
    def rpc(self) -> str:
        """Its embedded chain."""
        return f"{self.url}/rpc"


@contextmanager
def running(zone: str, database: str | None = None) -> Iterator[Host]:
    """A fresh sandbox: books in `database` or in a scratch file, an embedded chain in memory of the scratch folder."""
    with tempfile.TemporaryDirectory(prefix="counterfoil-") as folder:
        home = Path(folder)
        key = f"cf_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"
        app = build(Plan(home, database, zone=zone, operator_key=key, worker_seconds=60))
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            deadline = time.monotonic() + START_SECONDS
            while not server.started:
                if time.monotonic() > deadline or not thread.is_alive():
                    raise Unreachable("gateway", "it did not start")
                time.sleep(0.005)
            yield Host(f"http://127.0.0.1:{listening.getsockname()[1]}", key, home)
        finally:
            server.should_exit = True
            thread.join()
            listening.close()
