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
    """An array ready to be sent. Its type is what the statement casts it to."""

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
    oid, elements = _KINDS[kind]
    nulls = None in column
    if nulls:
        body = b"".join([_NULL if value is None else elements((value,)) for value in column])
    else:
        body = elements(column)
    return Packed(_HEAD(1, nulls, oid, len(column), 1) + body)


def _numbers(code: str, word: str) -> Callable[[Sequence[int]], bytes]:
    """Elements of `struct`'s code, laid out as words that divide both the width's four bytes and a value."""
    size = struct.calcsize(f">{code}")
    values = size // array(word).itemsize
    width = array(word, _WIDTH(size))
    one, step, start = width + array(word, bytes(size)), len(width) + values, len(width)

    def elements(column: Sequence[int]) -> bytes:
        words, laid = array(word, struct.pack(f">{len(column)}{code}", *column)), one * len(column)
        for place in range(values):
            laid[start + place :: step] = words[place::values]
        return laid.tobytes()

    return elements


def _bytes(column: Sequence[bytes]) -> bytes:
    widths = set(map(len, column))
    if len(widths) == 1:  # hashes, and mostly bodies
        width = _WIDTH(widths.pop())
        return width + width.join(column)
    return b"".join(chain.from_iterable(zip(map(_WIDTH, map(len, column)), column, strict=True)))


def _texts(column: Sequence[str]) -> bytes:
    return _bytes([value.encode() for value in column])


_KINDS: dict[str, tuple[int, Callable[[Sequence[Any]], bytes]]] = {  # object ids as in pg_type.dat
    "boolean": (16, _numbers("?", "B")), "bytea": (17, _bytes), "bigint": (20, _numbers("q", "I")),
    "smallint": (21, _numbers("h", "H")), "integer": (23, _numbers("i", "I")), "text": (25, _texts),
}  # fmt: skip
