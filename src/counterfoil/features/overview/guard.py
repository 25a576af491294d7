"""Who may see the page: anyone in a sandbox, else the operator: its API key is the password of HTTP Basic."""

from __future__ import annotations

import base64
import binascii

from fastapi import Request
from fastapi.responses import Response

from counterfoil.core.errors import Unauthenticated
from counterfoil.gateway.state import gateway_of
from counterfoil.store.registry import OPERATOR_SCOPES
from counterfoil.web import page

_CHALLENGE = 'Basic realm="Counterfoil operator", charset="UTF-8"'


def refused(request: Request) -> Response | None:
    """The answer to who may not see the page; None for who may."""
    gateway = gateway_of(request)
    if not gateway.livemode:
        return None
    try:
        if OPERATOR_SCOPES[0] in gateway.caller(_key_of(request)).scopes:
            return None
        why = "This key is a partner's. The page shows everybody's books, so it asks for the operator's key."
    except Unauthenticated:
        sent = "Authorization" in request.headers
        why = "This key is not known, or it was revoked." if sent else "You have not signed in."
    headers = {**page.HEADERS, "WWW-Authenticate": _CHALLENGE}
    return Response(page.render("refused.html", why=why), 401, headers, "text/html")


def _key_of(request: Request) -> str:
    """The API key of a Bearer credential, or the password of a Basic one; raises Unauthenticated."""
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    key = sent.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, ValueError):
            key = ""
    elif scheme.lower() != "bearer":
        key = ""
    if not key or not key.isascii():
        raise Unauthenticated("the operator's API key is expected, as Bearer or as the password of Basic")
    return key
