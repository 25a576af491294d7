"""API keys: shown once; of each only its prefix and hash are kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from sqlalchemy import Engine, delete, select

from counterfoil.core.accounts import OPERATOR
from counterfoil.core.errors import Unauthenticated
from counterfoil.store import bulk
from counterfoil.store.engine import writing
from counterfoil.store.registry import OPERATOR_SCOPES, Caller
from counterfoil.store.tables import credential


def fresh_key() -> str:
    """A new API key: a prefix that may be shown, and a secret."""
    return f"cf_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"


def credential_row(key: str, number: int, scopes: Sequence[str], now: int) -> bulk.Row:
    """What is kept of an API key: its prefix and hash."""
    return (prefix_of(key), hashlib.sha256(key.encode()).digest(), number, " ".join(scopes), now, None)


def operator_key(engine: Engine, key: str | None = None) -> str:
    """The operator's first API key, made before anybody can act; a given one replaces that of its prefix."""
    key = key or fresh_key()
    with writing(engine) as connection:
        connection.execute(delete(credential).where(credential.c.prefix == prefix_of(key)))
        bulk.insert(connection, credential, [credential_row(key, OPERATOR, OPERATOR_SCOPES, 0)])
    return key


def prefix_of(key: str) -> str:
    """The part of a key that may be shown; raises Unauthenticated for what is no key."""
    parts = key.split("_", 2)
    if len(parts) != 3 or parts[0] != "cf" or not parts[1] or len(parts[2]) < 32:
        raise Unauthenticated("this is not an API key of a counterfoil gateway")
    return parts[1]


def authenticate(engine: Engine, key: str) -> Caller:
    """Who an API key belongs to; raises Unauthenticated."""
    with engine.connect() as connection:
        row = connection.execute(select(credential).where(credential.c.prefix == prefix_of(key))).first()
    if row is None or not hmac.compare_digest(bytes(row.hash), hashlib.sha256(key.encode()).digest()):
        raise Unauthenticated("this API key is not known")
    if row.revoked_at is not None:
        raise Unauthenticated("this API key was revoked")
    return Caller(row.party, frozenset(row.scopes.split()), row.prefix)
