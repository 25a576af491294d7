"""The liability tree: a SHA-256 Merkle sum tree, one per currency; its root says what members are owed.

Each child's sum is hashed with its hash (hashing only the total, as first proposed for exchanges, lets an operator
hide a debt in a node). Sums stay in [0, 2^128); empty places are tagged padding. A leaf keeps its place and salt
until its balance changes; then it gets a new salt and a random free place. Bytes: SPEC.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from counterfoil.core.encoding import tag, word

MAX_SUM = 2**128 - 1
MAX_DEPTH = 48
_LEAF, _NODE = tag("counterfoil.sum.leaf.v1"), tag("counterfoil.sum.node.v1")
_EMPTY, _MEMBER = tag("counterfoil.sum.empty.v1"), tag("counterfoil.sum.member.v1")


@dataclass(frozen=True, slots=True)
class Node:
    """A hash and the points below it."""

    hash: bytes
    sum: int


@dataclass(frozen=True, slots=True)
class Liability:
    """What one member is owed in one currency, at its place in the tree; `commitment` hides who."""

    place: int
    balance: int
    commitment: bytes


def member_commitment(member: int, salt: bytes) -> bytes:
    """SHA-256(tag, member id, 32-byte salt)."""
    return hashlib.sha256(_MEMBER + word(member) + salt).digest()


def leaf(currency: int, balance: int, commitment: bytes) -> Node:
    """The node of a member's balance."""
    return Node(hashlib.sha256(_LEAF + word(currency) + word(balance) + commitment).digest(), balance)


def empty(currency: int) -> Node:
    """The node of a free place."""
    return Node(hashlib.sha256(_EMPTY + word(currency)).digest(), 0)


def join(left: Node, right: Node) -> Node:
    """The parent of two nodes."""
    data = _NODE + left.hash + word(left.sum) + right.hash + word(right.sum)
    return Node(hashlib.sha256(data).digest(), left.sum + right.sum)


def depth_for(members: int) -> int:
    """Depth of a tree with at least twice as many places as members: room to move to a free one."""
    return max(1, (2 * members - 1).bit_length())


class SumTree:
    """A tree of `depth` levels over sparse leaves; free subtrees are hashed once per level."""

    def __init__(self, currency: int, depth: int, leaves: Iterable[Liability]) -> None:
        assert 0 <= depth <= MAX_DEPTH
        self.currency, self.depth = currency, depth
        self._padding = [empty(currency)]
        for _ in range(depth):
            self._padding.append(join(self._padding[-1], self._padding[-1]))
        level = {}
        for one in leaves:
            assert 0 <= one.place < 1 << depth
            assert one.place not in level
            assert 0 < one.balance <= MAX_SUM
            level[one.place] = leaf(currency, one.balance, one.commitment)
        self._levels = [level]
        for height in range(depth):
            pad, below = self._padding[height], self._levels[-1]
            self._levels.append(
                {p: join(below.get(2 * p, pad), below.get(2 * p + 1, pad)) for p in {q >> 1 for q in below}}
            )

    @property
    def root(self) -> Node:
        """Root hash and total."""
        return self._levels[-1].get(0, self._padding[-1])

    def path(self, place: int) -> list[Node]:
        """The siblings of a place, bottom up, `depth` of them."""
        return [self._levels[height].get(place >> height ^ 1, self._padding[height]) for height in range(self.depth)]


def verify(currency: int, one: Liability, depth: int, siblings: Sequence[Node], root: bytes, total: int) -> bool:
    """Whether `one` is counted in the tree of `root` and `total`. False, never an error, for anything malformed."""
    if not 0 <= depth <= MAX_DEPTH or len(siblings) != depth or not 0 <= one.place < 1 << depth:
        return False
    if not 0 < one.balance <= MAX_SUM or len(one.commitment) != 32 or not 0 <= currency < 2**256:
        return False
    node = leaf(currency, one.balance, one.commitment)
    for height, sibling in enumerate(siblings):
        if not 0 <= sibling.sum <= MAX_SUM or len(sibling.hash) != 32:
            return False
        node = join(sibling, node) if one.place >> height & 1 else join(node, sibling)
        if node.sum > MAX_SUM:
            return False
    return node.hash == root and node.sum == total
