"""False proofs of a claim tree, each kind with hashes that may fit: a node as leaf, cut, extended, of another tree."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from counterfoil.core.claim_tree import NO_CLAIMS, ClaimTree, Leaf

Path = list[bytes]


def at_random(draw: random.Random, count: int) -> list[Leaf]:
    accounts = [draw.randbytes(20) for _ in range(count)]
    return [Leaf(one, draw.randrange(1, 2**16), draw.randrange(1, 2 ** draw.choice([8, 53, 256]))) for one in accounts]


Forgery = Callable[[random.Random, ClaimTree], tuple[Leaf, Path, bytes]]


def pick(draw: random.Random, tree: ClaimTree) -> tuple[Leaf, Path]:
    one = draw.choice(tree.leaves)
    return one, tree.path(one)


def other_amount(draw: random.Random, tree: ClaimTree) -> tuple[Leaf, Path, bytes]:
    one, path = pick(draw, tree)
    return replace(one, cumulative=one.cumulative % (2**256 - 1) + 1), path, tree.root


def other_account(draw: random.Random, tree: ClaimTree) -> tuple[Leaf, Path, bytes]:
    one, path = pick(draw, tree)
    return replace(one, account=draw.randbytes(20)), path, tree.root


def other_currency(draw: random.Random, tree: ClaimTree) -> tuple[Leaf, Path, bytes]:
    one, path = pick(draw, tree)
    return replace(one, currency=one.currency % (2**16 - 1) + 1), path, tree.root


def node_as_leaf(draw: random.Random, tree: ClaimTree) -> tuple[Leaf, Path, bytes]:
    """The path begins above the leaf: what it says of the leaf must not matter."""
    one, path = pick(draw, tree)
    return one, path[draw.randrange(1, len(path) + 1) :], tree.root


def two_nodes_as_leaf(draw: random.Random, tree: ClaimTree) -> tuple[Leaf, Path, bytes]:
    """The 64 bytes of two children, cut into an account, a currency and an amount."""
    one, path = pick(draw, tree)
    pair = b"".join(sorted((one.hash, path[0])))
    leaf = Leaf(pair[12:32], int.from_bytes(pair[:2], "big") or 1, int.from_bytes(pair[32:], "big") or 1)
    return leaf, path[1:], tree.root


def zero_leaf(draw: random.Random, tree: ClaimTree) -> tuple[Leaf, Path, bytes]:
    _one, path = pick(draw, tree)
    nothing = (bytes(20), 0, 0), (bytes(20), 1, 0), (b"", 0, 0)
    return Leaf(*draw.choice(nothing)), draw.choice([path, []]), draw.choice([tree.root, NO_CLAIMS])


def no_root(draw: random.Random, tree: ClaimTree) -> tuple[Leaf, Path, bytes]:
    """Against the root of no claims nothing holds."""
    one, path = pick(draw, tree)
    return one, path, NO_CLAIMS


def cut(draw: random.Random, tree: ClaimTree) -> tuple[Leaf, Path, bytes]:
    one, path = pick(draw, tree)
    return one, path[: draw.randrange(len(path))], tree.root


def extended(draw: random.Random, tree: ClaimTree) -> tuple[Leaf, Path, bytes]:
    one, path = pick(draw, tree)
    more = draw.choice([tree.root, one.hash, path[-1], bytes(32), draw.randbytes(32)])
    return one, draw.choice([[*path, more], [more, *path]]), tree.root


def doubled(draw: random.Random, tree: ClaimTree) -> tuple[Leaf, Path, bytes]:
    """A leaf beside itself."""
    one, path = pick(draw, tree)
    return one, [one.hash, *path], tree.root


def reordered(draw: random.Random, tree: ClaimTree) -> tuple[Leaf, Path, bytes]:
    one, path = pick(draw, tree)
    return one, path[1:] + path[:1], tree.root


def of_width(draw: random.Random, tree: ClaimTree) -> tuple[Leaf, Path, bytes]:
    """Nodes of another width, two glued together among them."""
    one, path = pick(draw, tree)
    glued = [path[0] + path[1], *path[2:]]
    return one, draw.choice([glued, [path[0][:31], *path[1:]], [path[0] + b"\0", *path[1:]], [b"", *path]]), tree.root


def another_tree(draw: random.Random, tree: ClaimTree) -> tuple[Leaf, Path, bytes]:
    """Of another settlement: the account's amount has grown since, or the root is older."""
    one, path = pick(draw, tree)
    grown = [
        replace(leaf, cumulative=leaf.cumulative % (2**256 - 1) + 1) if leaf == one else leaf for leaf in tree.leaves
    ]
    after = ClaimTree(grown)
    return draw.choice([(one, path, after.root), (one, path, draw.randbytes(32))])


FORGERIES: tuple[Forgery, ...] = (
    other_amount, other_account, other_currency, node_as_leaf, two_nodes_as_leaf, zero_leaf, no_root, cut, extended, doubled,
    reordered, of_width, another_tree,
)  # fmt: skip
