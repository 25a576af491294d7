"""False claims about a liability tree, many of them with hashes that fit: what only the range of sums refuses."""

from __future__ import annotations

import random
from dataclasses import dataclass

from counterfoil.core import sum_tree
from tests.core.forged_log import WIDTHS, flipped
from tests.core.verdicts import Claim, hexed

WRAP = 2**128


@dataclass(slots=True)
class Sums:
    """A liability tree of depth 3 or more, and who is in it."""

    currency: int
    depth: int
    members: list[sum_tree.Liability]
    tree: sum_tree.SumTree

    @classmethod
    def at_random(cls, draw: random.Random, depth: int, count: int) -> Sums:
        places = draw.sample(range(1 << depth), count)
        bits = draw.choice([8, 40, 100])
        members = [sum_tree.Liability(p, draw.randrange(1, 2**bits), draw.randbytes(32)) for p in places]
        currency = draw.randrange(1, 2**53)
        return cls(currency, depth, members, sum_tree.SumTree(currency, depth, members))

    def free(self, draw: random.Random) -> int:
        """A place of nobody."""
        taken = {member.place for member in self.members}
        while (place := draw.randrange(1 << self.depth)) in taken:
            pass
        return place

    def claim(self, one: sum_tree.Liability) -> Claim:
        root = self.tree.root
        return owed("true", self.currency, one, self.tree.path(one.place), root.hash, root.sum)


def owed(
    kind: str, currency: int, one: sum_tree.Liability, path: list[sum_tree.Node], root: bytes, total: int,
    depth: int | None = None,
) -> Claim:  # fmt: skip
    return Claim(kind, "liability", {
        "proof": {
            "currency": currency, "place": one.place, "depth": len(path) if depth is None else depth,
            "balance": str(one.balance), "commitment": hexed(one.commitment),
            "siblings": [{"hash": hexed(node.hash), "sum": str(node.sum)} for node in path],
        },
        "root": hexed(root), "total": str(total),
    })  # fmt: skip


def folded(currency: int, one: sum_tree.Liability, path: list[sum_tree.Node], *, wrap: bool) -> sum_tree.Node:
    """Where a path leads if nobody looks at ranges: an operator can build such a tree."""
    node = sum_tree.leaf(currency, one.balance, one.commitment)
    for height, sibling in enumerate(path):
        pair = [node, sibling] if one.place >> height & 1 == 0 else [sibling, node]
        joined = sum_tree.join(*(sum_tree.Node(n.hash, n.sum % 2**256) for n in pair))
        total = node.sum + sibling.sum
        node = sum_tree.Node(joined.hash, total % WRAP if wrap else total)
    return node


SUMS = (
    "other balance", "other currency", "other place", "other total", "cut path", "extended path", "swapped siblings",
    "altered sum", "shifted sums", "hidden debt", "negative", "overflow wrapped", "overflow", "node as leaf", "zero leaf",
    "duplicate leaf", "flipped", "other tree", "odd width",
)  # fmt: skip


def forged_sum(draw: random.Random, kind: str, it: Sums, other: Sums) -> Claim:  # noqa: C901, PLR0911, PLR0912, PLR0915
    one, currency, (root, total) = draw.choice(it.members), it.currency, (it.tree.root.hash, it.tree.root.sum)
    path = it.tree.path(one.place)
    at = draw.randrange(len(path))

    def with_balance(balance: int) -> sum_tree.Liability:
        return sum_tree.Liability(one.place, balance, one.commitment)

    def bent(*sums: tuple[int, int]) -> list[sum_tree.Node]:
        changes = dict(sums)
        return [sum_tree.Node(n.hash, n.sum + changes.get(i, 0)) for i, n in enumerate(path)]

    match kind:
        case "other balance":
            more = draw.choice([1, one.balance, draw.randrange(1, 2**60)])
            claimed = total + (more if draw.random() < 0.5 else 0)
            return owed(kind, currency, with_balance(one.balance + more), path, root, claimed)
        case "other currency":
            return owed(kind, draw.choice([currency + 1, 0, other.currency]), one, path, root, total)
        case "other place":
            place = draw.choice([one.place ^ (1 << at), one.place + (1 << it.depth), -1])
            return owed(kind, currency, sum_tree.Liability(place, one.balance, one.commitment), path, root, total)
        case "other total":
            wrong = draw.choice([total + 1, total - 1, 0, total + WRAP, -total, total * 2])
            return owed(kind, currency, one, path, root, wrong)
        case "cut path":
            depth = draw.choice([it.depth, None])
            return owed(kind, currency, one, path[:at] + path[at + 1 :], root, total, depth)
        case "extended path":
            more_path = [*path, draw.choice([*path, sum_tree.empty(currency), it.tree.root])]
            return owed(kind, currency, one, more_path, root, total, draw.choice([it.depth, None]))
        case "swapped siblings":
            a, b = draw.sample(range(len(path)), 2)
            made = list(path)
            made[a], made[b] = made[b], made[a]
            if made == path:
                made[a] = sum_tree.leaf(currency, 1, draw.randbytes(32))
            return owed(kind, currency, one, made, root, total)
        case "altered sum":
            more = draw.randrange(1, 2**40)
            return owed(kind, currency, one, bent((at, more)), root, total + draw.choice([more, 0]))
        case "shifted sums":
            down = draw.choice([i for i, n in enumerate(path) if n.sum])
            less = draw.randrange(1, path[down].sum + 1)
            up = draw.choice([i for i in range(len(path)) if i != down])
            return owed(kind, currency, one, bent((down, -less), (up, less)), root, total)
        case "hidden debt":
            down = draw.choice([i for i, n in enumerate(path) if n.sum])
            return owed(kind, currency, one, bent((down, -path[down].sum)), root, total - path[down].sum)
        case "negative":
            made = list(path)
            made[at] = sum_tree.Node(draw.randbytes(32), -draw.randrange(1, 2**60))
            end = folded(currency, one, made, wrap=False)
            return owed(kind, currency, one, made, end.hash, draw.choice([end.sum, max(0, end.sum), end.sum % WRAP]))
        case "overflow wrapped" | "overflow":
            made, before = list(path), folded(currency, one, path[:at], wrap=True).sum
            made[at] = sum_tree.Node(draw.randbytes(32), WRAP - draw.randrange(1, max(2, min(before, 2**60) + 1)))
            end = folded(currency, one, made, wrap=kind == "overflow wrapped")
            return owed(kind, currency, one, made, end.hash, end.sum)
        case "node as leaf":
            height = draw.randrange(1, it.depth)
            node = folded(currency, one, path[:height], wrap=False)
            inner = sum_tree.Liability(one.place >> height, node.sum, node.hash)
            return owed(kind, currency, inner, path[height:], root, total)
        case "zero leaf":
            free = it.free(draw)
            zero = sum_tree.Liability(free, 0, draw.choice([bytes(32), one.commitment]))
            return owed(kind, currency, zero, it.tree.path(free), root, total)
        case "duplicate leaf":
            free = it.free(draw)
            again = sum_tree.Liability(free, one.balance, one.commitment)
            return owed(kind, currency, again, it.tree.path(free), root, total + draw.choice([0, one.balance]))
        case "flipped":
            which = draw.randrange(3)
            made = [
                sum_tree.Node(flipped(draw, n.hash), n.sum) if which == 0 and i == at else n for i, n in enumerate(path)
            ]
            commitment = flipped(draw, one.commitment) if which == 1 else one.commitment
            changed = sum_tree.Liability(one.place, one.balance, commitment)
            return owed(kind, currency, changed, made, flipped(draw, root) if which == 2 else root, total)
        case "other tree":
            return owed(kind, currency, one, path, other.tree.root.hash, draw.choice([total, other.tree.root.sum]))
        case "odd width":
            odd, which = draw.randbytes(draw.choice(WIDTHS)), draw.randrange(3)
            made = [sum_tree.Node(odd, n.sum) if which == 0 and i == at else n for i, n in enumerate(path)]
            changed = sum_tree.Liability(one.place, one.balance, odd if which == 1 else one.commitment)
            return owed(kind, currency, changed, made, odd if which == 2 else root, total)
        case _:
            raise LookupError(kind)
