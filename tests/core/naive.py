"""The trees straight from their definitions, slow and plain; shares no code with the product."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

Summed = tuple[bytes, int]


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def word(natural: int) -> bytes:
    return natural.to_bytes(32, "big")


def tag(name: str) -> bytes:
    return name.encode().ljust(32, b"\0")


# --- RFC 6962, section 2.1


def split(count: int) -> int:
    """The largest power of two smaller than count."""
    half = 1
    while half * 2 < count:
        half *= 2
    return half


def root(leaves: Sequence[bytes]) -> bytes:
    """MTH."""
    if not leaves:
        return sha256()
    if len(leaves) == 1:
        return sha256(b"\0", leaves[0])
    k = split(len(leaves))
    return sha256(b"\1", root(leaves[:k]), root(leaves[k:]))


def inclusion(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH, section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*inclusion(index, leaves[:k]), root(leaves[k:])]
    return [*inclusion(index - k, leaves[k:]), root(leaves[:k])]


def consistency(old: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF, section 2.1.2."""
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if old <= k:
        return [*consistency(old, leaves[:k], whole=whole), root(leaves[k:])]
    return [*consistency(old - k, leaves[k:], whole=False), root(leaves[:k])]


def sides(index: int, size: int) -> tuple[str, ...]:
    """On which side each sibling of a path stands, bottom up. Equal sides are walked alike, whatever the sizes."""
    if size == 1:
        return ()
    k = split(size)
    if index < k:
        return (*sides(index, k), "right")
    return (*sides(index - k, size - k), "left")


def steps(old: int, size: int, *, whole: bool = True) -> tuple[str, ...]:
    """What a consistency proof of these sizes does with each of its nodes, bottom up."""
    if old == size:
        return ("whole",) if whole else ("part",)
    k = split(size)
    if old <= k:
        return (*steps(old, k, whole=whole), "new")
    return (*steps(old - k, size - k, whole=False), "both")


# --- the Merkle sum tree of core/SPEC.md


def sum_leaf(currency: int, balance: int, commitment: bytes) -> Summed:
    return sha256(tag("counterfoil.sum.leaf.v1"), word(currency), word(balance), commitment), balance


def sum_empty(currency: int) -> Summed:
    return sha256(tag("counterfoil.sum.empty.v1"), word(currency)), 0


def sum_join(left: Summed, right: Summed) -> Summed:
    data = (tag("counterfoil.sum.node.v1"), left[0], word(left[1]), right[0], word(right[1]))
    return sha256(*data), left[1] + right[1]


def sum_root(currency: int, depth: int, leaves: Mapping[int, tuple[int, bytes]], start: int = 0) -> Summed:
    """The subtree of 2^depth places from `start`; every place is visited."""
    if depth == 0:
        if start in leaves:
            return sum_leaf(currency, *leaves[start])
        return sum_empty(currency)
    half = 1 << depth - 1
    left = sum_root(currency, depth - 1, leaves, start)
    return sum_join(left, sum_root(currency, depth - 1, leaves, start + half))


def sum_path(currency: int, depth: int, leaves: Mapping[int, tuple[int, bytes]], place: int) -> list[Summed]:
    """The siblings of a place, bottom up."""
    return [sum_root(currency, height, leaves, ((place >> height) ^ 1) << height) for height in range(depth)]
