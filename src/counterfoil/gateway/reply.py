"""Reply: an answer as bytes, before it is known whether FastAPI or the short way sends it."""

from __future__ import annotations

from fastapi.responses import Response
from msgspec import Struct


class Reply(Struct, frozen=True):
    """Status, body and what the headers say beside length and request id."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: dict[str, str] = {}

    def response(self) -> Response:
        """For a route or handler of FastAPI."""
        return Response(self.body, self.status, self.headers, self.media_type)
