"""JSON with exact integers of any size: money of the largest earn passes 64 bits, where orjson stops or goes floating."""

from __future__ import annotations

import json
from typing import Any

import orjson


def dumps(value: object) -> bytes:
    """UTF-8 JSON, as fast as the integers allow."""
    try:
        return orjson.dumps(value)
    except TypeError:  # an integer beyond 64 bits
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def loads(text: str | bytes) -> Any:
    """The value; integers stay integers."""
    return json.loads(text)


def canonical(value: object) -> bytes:
    """One text for equal values (RFC 8785 for what has no fractions): what is stored whole and hashed."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
