"""False claims about a log, each with the true one it was made from. Hashes come from the product, planted bugs and all."""

from __future__ import annotations

import random
from dataclasses import dataclass

from counterfoil.core import log
from tests.core import naive
from tests.core.verdicts import Claim, hexed

WIDTHS = (0, 1, 31, 33, 64)


def flipped(draw: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    changed[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def swapped(draw: random.Random, path: list[bytes]) -> list[bytes]:
    """Two nodes in each other's place, or one turned by a bit."""
    made = list(path)
    if len(set(path)) < 2:
        return [flipped(draw, one) for one in path] or [draw.randbytes(32)]
    while made == path:
        a, b = draw.sample(range(len(path)), 2)
        made[a], made[b] = made[b], made[a]
    return made


def lengthened(draw: random.Random, path: list[bytes], root: bytes) -> list[bytes]:
    more = draw.choice([root, bytes(32), draw.randbytes(32), *path])
    at = draw.randrange(len(path) + 1)
    return [*path[:at], more, *path[at:]] if draw.random() < 0.5 else [*path, more]


@dataclass(slots=True)
class Log:
    """A tree, all its levels, and its claims."""

    leaves: list[bytes]
    tree: log.Tree
    levels: list[list[bytes]]

    @classmethod
    def at_random(cls, draw: random.Random, size: int) -> Log:
        leaves = [draw.randbytes(32) for _ in range(size)]
        level = [log.leaf_hash(data) for data in leaves]
        found = [level]
        while len(level) > 1:
            above = [log.node_hash(*level[i : i + 2]) for i in range(0, len(level) - 1, 2)]
            level = above + level[-1:] if len(level) % 2 else above
            found.append(level)
        return cls(leaves, log.Tree(leaves), found)

    @property
    def size(self) -> int:
        return len(self.leaves)

    def inclusion(self, index: int) -> Claim:
        return included("true", index, self.size, self.leaves[index], self.tree.inclusion(index), self.tree.root())

    def consistency(self, old: int, size: int) -> Claim:
        roots = self.tree.root(old), self.tree.root(size)
        return consistent("true", old, size, *roots, self.tree.consistency(old, size) if old else [])


def path_in(levels: list[list[bytes]], index: int) -> list[bytes]:
    """The path of a node of the lowest of these levels."""
    path = []
    for level in levels:
        path += level[index ^ 1 : (index ^ 1) + 1]
        index >>= 1
    return path


def included(kind: str, index: int, size: int, leaf: bytes, path: list[bytes], root: bytes) -> Claim:
    return Claim(kind, "inclusion", {
        "index": index, "size": size, "leaf": hexed(leaf), "path": [hexed(one) for one in path], "root": hexed(root),
    })  # fmt: skip


def consistent(kind: str, old: int, size: int, old_root: bytes, root: bytes, path: list[bytes]) -> Claim:
    return Claim(kind, "consistency", {
        "old_size": old, "new_size": size, "old_root": hexed(old_root), "new_root": hexed(root),
        "path": [hexed(one) for one in path],
    })  # fmt: skip


INCLUSION = (
    "node as leaf", "64-byte leaf", "zero leaf", "duplicate leaf", "other leaf", "other place", "other size",
    "cut path", "extended path", "swapped siblings", "flipped", "other log", "odd width", "beyond",
)  # fmt: skip


def forged_inclusion(draw: random.Random, kind: str, one: Log, other: Log) -> Claim:  # noqa: C901, PLR0911, PLR0912
    """`one` and `other` have at least three leaves."""
    size, root = one.size, one.tree.root()
    index = draw.randrange(size)
    leaf, path = one.leaves[index], one.tree.inclusion(index)
    match kind:
        case "node as leaf" | "64-byte leaf":
            height = draw.randrange(1, len(one.levels))
            level, below = one.levels[height], one.levels[height - 1]
            at = draw.randrange(len(below) // 2)
            data = level[at] if kind == "node as leaf" else below[2 * at] + below[2 * at + 1]
            return included(kind, at, len(level), data, path_in(one.levels[height:], at), root)
        case "zero leaf":
            at = draw.choice([index, size])
            return included(kind, at, max(size, at + 1), bytes(32), path, root)
        case "duplicate leaf":  # the last leaf again, as trees that pair an odd one with itself would have it
            last = one.leaves[-1]
            again = [log.leaf_hash(last), *one.tree.inclusion(size - 1)]
            alike = naive.sides(size, size + 1) == naive.sides(size - 1, size)
            return included(kind, size, size + 1, last, again if alike else draw.choice([again, again[1:]]), root)
        case "other leaf":
            wrong = draw.choice([b for b in (*one.leaves[:3], *other.leaves[:2], root) if b != leaf])
            return included(kind, index, size, wrong, path, root)
        case "other place":
            return included(kind, draw.choice([i for i in range(size) if i != index]), size, leaf, path, root)
        case "other size":  # walked otherwise: see naive.sides
            while True:
                wrong_size = draw.choice([draw.randrange(1, 2 * size + 2), size << draw.randrange(1, 9), size + 1])
                at = index if index < wrong_size and draw.random() < 0.5 else draw.randrange(wrong_size)
                if naive.sides(at, wrong_size) != naive.sides(index, size):
                    return included(kind, at, wrong_size, leaf, path, root)
        case "cut path":
            at = draw.randrange(len(path))
            return included(kind, index, size, leaf, path[:at] + path[at + 1 :], root)
        case "extended path":
            return included(kind, index, size, leaf, lengthened(draw, path, root), root)
        case "swapped siblings":
            return included(kind, index, size, leaf, swapped(draw, path), root)
        case "flipped":
            what = draw.randrange(3)
            at = draw.randrange(len(path))
            bent = [flipped(draw, node) if what == 0 and i == at else node for i, node in enumerate(path)]
            return included(
                kind, index, size, flipped(draw, leaf) if what == 1 else leaf, bent,
                flipped(draw, root) if what == 2 else root,
            )  # fmt: skip
        case "other log":
            at = min(index, other.size - 1)
            if draw.random() < 0.5:
                return included(kind, index, size, leaf, path, other.tree.root())
            return included(kind, at, other.size, other.leaves[at], other.tree.inclusion(at), root)
        case "odd width":
            odd = draw.randbytes(draw.choice(WIDTHS))
            which = draw.randrange(3)
            return included(
                kind, index, size, odd if which == 0 else leaf, [odd, *path[1:]] if which == 1 else path,
                odd if which == 2 else root,
            )  # fmt: skip
        case "beyond":
            at, count = draw.choice([(size, size), (size + index, size), (-1, size), (index, 0), (index - size, size)])
            return included(kind, at, count, leaf, path, root)
        case _:
            raise LookupError(kind)


CONSISTENCY = (
    "rewritten log", "other past", "cut path", "extended path", "swapped nodes", "flipped", "other old size",
    "other new size", "swapped roots", "no path", "equal sizes", "shrunk", "nothing before", "odd width",
)  # fmt: skip


def forged_consistency(draw: random.Random, kind: str, one: Log, other: Log) -> Claim:  # noqa: C901, PLR0911, PLR0912
    size = draw.randrange(3, one.size + 1)
    old = draw.randrange(1, size)
    old_root, root, path = one.tree.root(old), one.tree.root(size), one.tree.consistency(old, size)
    match kind:
        case "rewritten log":  # an honest proof of a log in which one early entry was changed afterwards
            at = draw.randrange(old)
            changed = log.Tree([draw.randbytes(32) if i == at else d for i, d in enumerate(one.leaves[:size])])
            return consistent(kind, old, size, old_root, changed.root(), changed.consistency(old))
        case "other past":
            wrong = draw.choice([other.tree.root(min(old, other.size)), draw.randbytes(32), bytes(32), log.EMPTY_ROOT])
            return consistent(kind, old, size, wrong, root, path)
        case "cut path":
            at = draw.randrange(len(path))
            return consistent(kind, old, size, old_root, root, path[:at] + path[at + 1 :])
        case "extended path":
            return consistent(kind, old, size, old_root, root, lengthened(draw, path, root))
        case "swapped nodes":
            return consistent(kind, old, size, old_root, root, swapped(draw, path))
        case "flipped":
            which = draw.randrange(len(path) + 2)
            parts = [old_root, root, *path]
            parts[which] = flipped(draw, parts[which])
            return consistent(kind, old, size, parts[0], parts[1], parts[2:])
        case "other old size" | "other new size":
            while True:
                a, b = (
                    (draw.randrange(1, size + 1), size)
                    if kind == "other old size"
                    else (old, draw.randrange(old, 4 * size))
                )
                if naive.steps(a, b) != naive.steps(old, size):
                    return consistent(kind, a, b, old_root, root, path)
        case "swapped roots":
            return consistent(kind, old, size, root, old_root, path)
        case "no path":
            return consistent(kind, old, size, old_root, draw.choice([root, old_root]), [])
        case "equal sizes":
            claimed = draw.choice(
                [(old_root, root, []), (root, old_root, path), (root, root, path), (root, root, [root])]
            )
            return consistent(kind, size, size, *claimed)
        case "shrunk":
            return consistent(kind, size, old, root, old_root, draw.choice([path, []]))
        case "nothing before":
            claimed = draw.choice([(old_root, root, path), (old_root, root, []), (log.EMPTY_ROOT, root, path)])
            return consistent(kind, 0, size, *claimed)
        case "odd width":
            odd = draw.randbytes(draw.choice(WIDTHS))
            parts = [old_root, root, *path]
            parts[draw.randrange(len(parts))] = odd
            return consistent(kind, old, size, parts[0], parts[1], parts[2:])
        case _:
            raise LookupError(kind)
