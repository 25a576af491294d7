"""The short way: hot routes answered before FastAPI's routing and dependencies, by the same functions, with the same errors.

FastAPI still has the routes, for OpenAPI and for whoever takes the long way; a test asks both and compares.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from counterfoil.gateway.problems import failed

Handler = Callable[[Request], Awaitable[Response]]


class Short:
    """An ASGI layer that knows a few (method, path) by heart."""

    def __init__(self, app: ASGIApp, application: FastAPI, routes: Mapping[str, Handler]) -> None:
        self.app, self.application, self.routes = app, application, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = None
        if scope["type"] == "http" and scope["method"] == "POST":
            handler = self.routes.get(scope["path"])
        if handler is None:
            await self.app(scope, receive, send)
            return
        scope["app"], scope["short"] = self.application, scope["path"]
        request = Request(scope, receive)
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001 the layer answers for whatever its routes raise, as FastAPI would
            response = failed(error, request)
        await response(scope, receive, send)
