"""anvil, a real node: from contracts/node_modules, or from npm into the user's cache, outside the tree."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from counterfoil.rehearsal.processes import free_port
from tests.house import tree

PACKAGE = "@foundry-rs/anvil@1.7.1"
BINARY = Path("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")


def binary() -> Path:
    """The executable; fetched once."""
    beside = tree.ROOT / "contracts" / BINARY
    if beside.exists():
        return beside
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "counterfoil-tests" / "anvil-1.7.1"
    if not (cache / BINARY).exists():
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(cache), PACKAGE]
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(command, check=True, capture_output=True, timeout=150)
    return cache / BINARY


def asked(url: str, method: str, *params: Any) -> Any:
    payload: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return requests.post(url, json=payload, timeout=10).json()["result"]


@contextmanager
def anvil(home: Path, *flags: str) -> Iterator[str]:
    """A fresh chain; its URL."""
    port = free_port()
    command = [str(binary()), "--host", "127.0.0.1", "--port", str(port), "--hardfork", "prague", "--silent", *flags]
    home.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(command, env={**os.environ, "HOME": str(home)})
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                asked(url, "eth_chainId")
                break
            except requests.RequestException:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)
