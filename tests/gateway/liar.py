"""A gateway that lies: a proxy on loopback that passes requests on and alters the answers on their way back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

Lie = Callable[[str, bytes], bytes]


def honest(_path: str, content: bytes) -> bytes:
    return content


def of_json(where: str, alter: Callable[[Any], object]) -> Lie:
    """A lie about the JSON of one path (its beginning); `alter` changes it in place."""

    def lie(path: str, content: bytes) -> bytes:
        if not path.startswith(where):
            return content
        data = json.loads(content)
        alter(data)
        return json.dumps(data).encode()

    return lie


@dataclass
class Liar:
    """Where it listens, what it says instead, and the signatures it was sent."""

    url: str = ""
    lie: Lie = honest
    status: int = 0  # answers everything with this, if set
    posted: list[tuple[str, Any]] = field(default_factory=list)


@contextmanager
def lying(gateway: str) -> Iterator[Liar]:
    """A running proxy. What is posted to it is kept, answered with 201 and not passed on."""
    liar = Liar()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {"Authorization": self.headers.get("Authorization", "")}
            answer = httpx.get(gateway + self.path, headers=headers, trust_env=False, timeout=30)
            content = liar.lie(self.path, answer.content) if answer.status_code < 400 else answer.content
            self.reply(liar.status or answer.status_code, content)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            liar.posted.append((self.path, body))
            self.reply(liar.status or 201, b"{}")

        def reply(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    liar.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield liar
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
