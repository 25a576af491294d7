"""Sums of figures: several issuers' together are the same figures, each added up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from functools import reduce
from typing import Any, TypeVar

T = TypeVar("T")


def together(rows: Iterable[T], nothing: T) -> T:
    """The sum of records of integers, of lists and of records like them; their texts are the first one's."""
    return reduce(_added, rows, nothing)


def _added(one: Any, other: Any) -> Any:
    if isinstance(one, int):
        return one + other
    if isinstance(one, list):
        return [_added(a, b) for a, b in zip(one, other, strict=True)]
    if is_dataclass(one) and not isinstance(one, type):
        return type(one)(*(_added(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)))
    return one
