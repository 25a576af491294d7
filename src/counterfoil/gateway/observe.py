"""One ASGI layer around everything: a request id, a structured log line, metrics, a limit on bodies."""

from __future__ import annotations

import itertools
import os
import secrets
import sys
import time
from typing import Any

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from counterfoil.core.errors import BodyTooLarge
from counterfoil.gateway.problems import response_of

MAX_BODY_BYTES = 16 * 1024 * 1024
_access_log = False  # a line a request, written straight: the logging chain would cost a tenth of the request


def configure_logging(level: str = "info") -> None:
    """Structured logs, a JSON object a line, on standard error: what a command prints stays its own."""
    global _access_log  # noqa: PLW0603 logging is configured once per process, like structlog itself
    _access_log = level == "info"
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )


class Metrics:
    """The process's metrics, in a registry of its own so that a test can make many."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._known: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self.requests = Counter(
            "counterfoil_requests",
            "Requests by route and status",
            ["route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "counterfoil_request_seconds", "Time to answer", ["route"], registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )  # fmt: skip
        self.batch = Histogram(
            "counterfoil_batch_operations", "Operations per posting transaction", registry=self.registry,
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 8000),
        )  # fmt: skip
        self.commit_seconds = Histogram(
            "counterfoil_posting_seconds", "Time of a posting transaction", registry=self.registry
        )
        self.waiting = Gauge(
            "counterfoil_writer_waiting", "Jobs waiting for the posting writer", registry=self.registry
        )
        self.log_size = Gauge("counterfoil_log_size", "Leaves in the log", registry=self.registry)
        self.settlements = Gauge("counterfoil_settlements", "Settlements by state", ["state"], registry=self.registry)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Note one request; the label lookups are remembered."""
        known = self._known.get((route, status))
        if known is None:
            known = self._known[route, status] = (self.requests.labels(route, str(status)), self.seconds.labels(route))
        known[0].inc()
        known[1].observe(seconds)

    def posted(self, operations: int, seconds: float) -> None:
        """Note one posting transaction."""
        self.batch.observe(operations)
        self.commit_seconds.observe(seconds)


class Observed:
    """The layer. It reads a request id from `X-Request-Id` if a sane one is sent, and always answers with one."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics
        self._ids = map("{}{:08x}".format, itertools.repeat(secrets.token_hex(4)), itertools.count())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        sent = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = sent if 8 <= len(sent) <= 64 and sent.replace("-", "").isalnum() else next(self._ids)
        scope["request_id"] = request_id
        status, start = 500, time.perf_counter()

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY_BYTES:  # a body that did not say how long it is
                raise HTTPException(413)
            return message

        try:
            length = headers.get(b"content-length", b"0")
            if length.isdigit() and int(length) > MAX_BODY_BYTES:
                error = BodyTooLarge("body", f"at most {MAX_BODY_BYTES} bytes")
                too_large = response_of(error, Request(scope))
                await too_large(scope, receive, observed)
            else:
                await self.app(scope, counted, observed)
        finally:
            seconds = time.perf_counter() - start
            route: Any = scope.get("route")
            name = str(scope.get("short") or getattr(route, "path", "unknown"))
            self.metrics.answered(name, status, seconds)
            if _access_log:
                line = {"event": "answered", "method": scope["method"], "route": name, "status": status,
                        "request_id": request_id, "milliseconds": round(seconds * 1000, 2), "time": time.time()}  # fmt: skip
                os.write(2, orjson.dumps(line) + b"\n")
