"""One ASGI layer around everything: a request id, a structured log line, metrics, a limit on bodies, the short way."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import accumulate

import orjson
import structlog
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Gauge, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from counterfoil.core.errors import BodyTooLarge
from counterfoil.gateway import problems
from counterfoil.gateway.reply import Reply
from counterfoil.gateway.short import Asked, Handler

MAX_BODY_BYTES = 16 * 1024 * 1024
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds, inclusive
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


class Metrics(Collector):
    """The process's metrics, in a registry of its own so that a test can make many."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests: dict[tuple[str, int], int] = {}
        self._seconds: dict[str, tuple[list[int], list[float]]] = {}  # by route: counts by bucket, the sum
        self.registry.register(self)
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
        self.degraded = Gauge(
            "counterfoil_settling_degraded", "1 while settling stands still: /readyz says why", registry=self.registry
        )
        self.stopped = Gauge(
            "counterfoil_sending_stopped",
            "1 after an alarm: nothing is sent until an operator resumes",
            registry=self.registry,
        )
        self.settlements = Gauge("counterfoil_settlements", "Settlements by state", ["state"], registry=self.registry)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Note one request. Only the event loop does, so plain numbers do: the library's locks cost more than the rest."""
        self._requests[route, status] = self._requests.get((route, status), 0) + 1
        known = self._seconds.get(route)
        if known is None:
            known = self._seconds[route] = ([0] * (len(_BUCKETS) + 1), [0.0])
        known[0][bisect_left(_BUCKETS, seconds)] += 1
        known[1][0] += seconds

    def collect(self) -> Iterator[Metric]:
        """What `answered` noted, in the library's words."""
        requests = CounterMetricFamily(
            "counterfoil_requests", "Requests by route and status", labels=["route", "status"]
        )
        for (route, status), count in self._requests.items():
            requests.add_metric([route, str(status)], count)
        yield requests
        seconds = HistogramMetricFamily("counterfoil_request_seconds", "Time to answer", labels=["route"])
        for route, (counts, total) in self._seconds.items():
            bounds = [*map(floatToGoString, _BUCKETS), "+Inf"]
            buckets = list(zip(bounds, accumulate(counts), strict=True))
            seconds.add_metric([route], buckets, total[0])
        yield seconds

    def posted(self, operations: int, seconds: float) -> None:
        """Note one posting transaction."""
        self.batch.observe(operations)
        self.commit_seconds.observe(seconds)


class Observed:
    """The layer. It reads a request id from `X-Request-Id` if a sane one is sent, and always answers with one."""

    def __init__(self, app: ASGIApp, application: FastAPI, hot: Mapping[str, Handler], metrics: Metrics) -> None:
        self.app, self.application, self.hot, self.metrics = app, application, hot, metrics
        self._ids = map("{}{:08x}".format, itertools.repeat(secrets.token_hex(4)), itertools.count())
        self._lines: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self.application
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        sent = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = sent if 8 <= len(sent) <= 64 and sent.replace("-", "").isalnum() else next(self._ids)
        scope["request_id"] = request_id
        handler = self.hot.get(scope["path"]) if scope["method"] == "POST" else None
        status, start = 500, time.perf_counter()
        try:
            length = headers.get(b"content-length", b"0")
            if length.isdigit() and int(length) > MAX_BODY_BYTES:
                error = BodyTooLarge("body", f"at most {MAX_BODY_BYTES} bytes")
                status = await _send(send, problems.reply_of(error, request_id), request_id)
            elif handler is not None:
                status = await self._answer(handler, scope, headers, receive, send)
            else:
                status = await self._pass_on(scope, receive, send)
        finally:
            seconds = time.perf_counter() - start
            route = scope["path"] if handler is not None else str(getattr(scope.get("route"), "path", "unknown"))
            self.metrics.answered(route, status, seconds)
            if _access_log:
                line = {"event": "answered", "method": scope["method"], "route": route, "status": status,
                        "request_id": request_id, "milliseconds": round(seconds * 1000, 2), "time": time.time()}  # fmt: skip
                self._log(orjson.dumps(line))

    async def _answer(
        self, handler: Handler, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> int:
        """The short way. It answers for whatever its routes raise, as FastAPI would."""
        try:
            asked = Asked(
                self.application.state.gateway, _text(headers, b"authorization"), _text(headers, b"idempotency-key"),
                await _body(_limited(receive)), scope["request_id"],
            )  # fmt: skip
            reply = await handler(asked)
        except ClientDisconnect:
            return 499  # nobody is there to be answered, and nothing was asked for whole
        except Exception as error:  # noqa: BLE001 see above
            reply = problems.failed(error, f"POST {scope['path']}", scope["request_id"])
        return await _send(send, reply, scope["request_id"])

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> int:
        status = 500

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", scope["request_id"].encode())]
            await send(message)

        await self.app(scope, _limited(receive), observed)
        return status

    def _log(self, line: bytes) -> None:
        """Lines of one turn of the event loop are written together: a write each would cost as much as the rest."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._write)
        self._lines.append(line)

    def _write(self) -> None:
        text, self._lines = b"\n".join([*self._lines, b""]), []
        os.write(2, text)


def _text(headers: dict[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


def _limited(receive: Receive) -> Receive:
    """The same, but for a body that did not say how long it is: HTTPException where it passes the limit."""
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MAX_BODY_BYTES:
            raise HTTPException(413)
        return message

    return counted


async def _body(receive: Receive) -> bytes:
    """A request's body whole; raises ClientDisconnect if it never came."""
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _send(send: Send, reply: Reply, request_id: str) -> int:
    headers = [
        (b"content-length", b"%d" % len(reply.body)), (b"content-type", reply.media_type.encode()),
        (b"x-request-id", request_id.encode()),
    ]  # fmt: skip
    if reply.headers:
        headers += [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
    return reply.status
