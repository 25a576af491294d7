"""Columns as PostgreSQL's binary arrays: a whole column is laid out by a few calls, whatever its length.

The format is array_send's (src/backend/utils/adt/arrayfuncs.c): dimensions, whether there are nulls, the elements' type,
size and lower bound; then each element's width (-1: null) and bytes, all big-endian. As text every number would be
written and read digit by digit: that costs four times as much on this side, and half as much again on the other.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_NULL = struct.pack(">i", -1)
_HEAD = struct.Struct(">5i").pack
_WIDTH = struct.Struct(">i").pack


class Packed(bytes):
    """An array, or a value, ready to be sent. Its type is what the statement casts it to."""

    __slots__ = ()


class _Sent(Dumper):
    format = Format.BINARY

    def dump(self, obj: bytes) -> bytes:
        return obj


def register(connection: psycopg.Connection[Any]) -> None:
    """Let a connection take `Packed` parameters."""
    connection.adapters.register_dumper(Packed, _Sent)


def packed(kind: str, column: Sequence[Any]) -> Packed:
    """A column of PostgreSQL's type `kind`. struct.error, TypeError or UnicodeError if a value is not of it."""
    oid, one, many = _KINDS[kind]
    nulls = None in column
    body = b"".join([_NULL if value is None else one(value) for value in column]) if nulls else many(column)
    return Packed(_HEAD(1, nulls, oid, len(column), 1) + body)


def single(kind: str, value: Any) -> Packed | None:
    """One value of type `kind`, sent by itself; raises as `packed` does."""
    return None if value is None else Packed(_KINDS[kind][1](value)[len(_NULL) :])


_Kind = tuple[int, Callable[[Any], bytes], Callable[[Sequence[Any]], bytes]]  # object id, an element, a column


def _numbers(oid: int, code: str, word: str) -> _Kind:
    """Of `struct`'s code, laid out as words that divide both the width's four bytes and a value."""
    pack = struct.Struct(f">i{code}").pack
    size = struct.calcsize(f">{code}")
    values = size // array(word).itemsize
    width = array(word, _WIDTH(size))
    each, step, start = width + array(word, bytes(size)), len(width) + values, len(width)

    def many(column: Sequence[int]) -> bytes:
        words, laid = array(word, struct.pack(f">{len(column)}{code}", *column)), each * len(column)
        for place in range(values):
            laid[start + place :: step] = words[place::values]
        return laid.tobytes()

    return oid, lambda value: pack(size, value), many


def _bytes(column: Sequence[bytes]) -> bytes:
    widths = set(map(len, column))
    if len(widths) == 1:  # hashes, and mostly bodies
        width = _WIDTH(widths.pop())
        return width + width.join(column)
    return b"".join(chain.from_iterable(zip(map(_WIDTH, map(len, column)), column, strict=True)))


def _texts(column: Sequence[str]) -> bytes:
    return _bytes([value.encode() for value in column])


_KINDS: dict[str, _Kind] = {  # object ids as in pg_type.dat
    "boolean": _numbers(16, "?", "B"), "bigint": _numbers(20, "q", "I"), "smallint": _numbers(21, "h", "H"),
    "integer": _numbers(23, "i", "I"), "bytea": (17, lambda value: _bytes((value,)), _bytes),
    "text": (25, lambda value: _texts((value,)), _texts),
}  # fmt: skip
