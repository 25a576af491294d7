"""The short way: hot routes take a request read whole and give a reply, without FastAPI's routing and dependencies.

FastAPI has the same functions as routes, for OpenAPI and for whoever takes the long way; a test asks both and compares.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request
from msgspec import Struct

from counterfoil.gateway.reply import Reply
from counterfoil.gateway.state import Gateway, gateway_of


class Asked(Struct, frozen=True):
    """What a hot route looks at: two headers (None: not sent), the body, and the id this request goes by."""

    gateway: Gateway
    authorization: str | None
    key: str | None
    body: bytes
    request_id: str


Handler = Callable[[Asked], Awaitable[Reply]]


async def asked_of(request: Request) -> Asked:
    """The same of a request that came the long way."""
    headers = request.headers
    return Asked(
        gateway_of(request), headers.get("Authorization"), headers.get("Idempotency-Key"), await request.body(),
        request.scope["request_id"],
    )  # fmt: skip
