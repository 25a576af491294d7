"""Who calls: API keys in `Authorization: Bearer`, and the scope a route asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from counterfoil.core.errors import Forbidden, Unauthenticated
from counterfoil.gateway.state import Gateway, gateway_of
from counterfoil.store.registry import Caller


def caller_of(gateway: Gateway, authorization: str | None, scope: str) -> Caller:
    """The caller behind an Authorization header, if the credential has `scope`; raises Unauthenticated, Forbidden."""
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Unauthenticated("an API key is expected: Authorization: Bearer cf_...")
    if not key.isascii():
        raise Unauthenticated("this is not an API key of a counterfoil gateway")
    caller = gateway.caller(key.strip())
    if scope not in caller.scopes:
        raise Forbidden(scope)
    return caller


def needs(scope: str) -> Callable[[Request], Caller]:
    """A dependency that asks for a scope."""

    def dependency(request: Request) -> Caller:
        return caller_of(gateway_of(request), request.headers.get("Authorization"), scope)

    return dependency


Operator = Annotated[Caller, Depends(needs("operator"))]
Reader = Annotated[Caller, Depends(needs("read"))]
MemberKeeper = Annotated[Caller, Depends(needs("members"))]
Earner = Annotated[Caller, Depends(needs("earn"))]
Burner = Annotated[Caller, Depends(needs("burn"))]
Swapper = Annotated[Caller, Depends(needs("transfer"))]
PartnerSigner = Annotated[Caller, Depends(needs("sign"))]
