"""All kinds of forged proofs, in fixed shares; and true ones, without which a refusal would prove nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from counterfoil.chain.signer import Signer
from counterfoil.core import sum_tree
from tests.core import forged_log, forged_signed, forged_sums
from tests.core.forged_log import Log
from tests.core.forged_signed import Group, Signed
from tests.core.forged_sums import Sums
from tests.core.verdicts import Claim

SHARES = (*["inclusion"] * 9, *["consistency"] * 6, *["sums"] * 7, *["foil"] * 2, "header")
KINDS = {
    "inclusion": forged_log.INCLUSION, "consistency": forged_log.CONSISTENCY, "sums": forged_sums.SUMS,
    "foil": forged_signed.FOILS, "header": forged_signed.HEADERS,
}  # fmt: skip
KEY, STRANGER = Signer(b"\x11" * 32), Signer(b"\x12" * 32)  # test keys


@dataclass(slots=True)
class Ground:
    """What forgeries are made from, new for each seed."""

    draw: random.Random
    logs: list[Log]
    sums: list[Sums]
    groups: list[Group]
    headers: list[Signed]

    @classmethod
    def of(cls, seed: int) -> Ground:
        draw = random.Random(seed)
        sizes = [3, 4, 5, 6, 7, 8, 9, *(draw.randrange(3, 300) for _ in range(9))]
        depths = [3, 3, 4, 5, 6, draw.randrange(7, 12)]
        return cls(
            draw,
            [Log.at_random(draw, size) for size in sizes],
            [Sums.at_random(draw, d, draw.randrange(2, min(100, 1 << d))) for d in depths],
            [Group.at_random(draw, draw.choice([3, 4, 7, 50]), KEY, STRANGER) for _ in range(8)],
            [Signed.at_random(draw, KEY) for _ in range(8)],
        )

    def forged(self, family: str, kind: str) -> Claim:
        """One false claim."""
        draw = self.draw
        match family:
            case "inclusion":
                one, other = draw.sample(self.logs, 2)
                return forged_log.forged_inclusion(draw, kind, one, other)
            case "consistency":
                one, other = draw.sample(self.logs, 2)
                return forged_log.forged_consistency(draw, kind, one, other)
            case "sums":
                it, elsewhere = draw.sample(self.sums, 2)
                return forged_sums.forged_sum(draw, kind, it, elsewhere)
            case "foil":
                group, stranger = draw.sample(self.groups, 2)
                return forged_signed.forged_foil(draw, kind, group, stranger)
            case _:
                signed, unlike = draw.sample(self.headers, 2)
                return forged_signed.forged_header(draw, kind, signed, unlike)

    def true(self, family: str) -> Claim:
        """One true claim."""
        draw = self.draw
        match family:
            case "inclusion":
                one = draw.choice(self.logs)
                return one.inclusion(draw.randrange(one.size))
            case "consistency":
                one = draw.choice(self.logs)
                size = draw.randrange(1, one.size + 1)
                return one.consistency(draw.randrange(size + 1), size)
            case "sums":
                it = draw.choice(self.sums)
                return it.claim(draw.choice(it.members))
            case "foil":
                group = draw.choice(self.groups)
                return group.true(draw.randrange(group.log.size))
            case _:
                return draw.choice(self.headers).claim("true")


def forgeries(count: int, seed: int = 0, per_ground: int = 5_000) -> Iterator[Claim]:
    """`count` false claims; every kind of a family as often as the others."""
    turn = dict.fromkeys(KINDS, 0)
    ground = Ground.of(seed)
    for i in range(count):
        if i and i % per_ground == 0:
            ground = Ground.of(seed + i)
        family = SHARES[i % len(SHARES)]
        kinds = KINDS[family]
        yield ground.forged(family, kinds[turn[family] % len(kinds)])
        turn[family] += 1


def true_claims(count: int, seed: int = 0) -> Iterator[Claim]:
    """`count` true claims of every family."""
    ground = Ground.of(seed)
    for i in range(count):
        yield ground.true(SHARES[i % len(SHARES)])


def small_sum_tree(draw: random.Random) -> tuple[int, int, list[sum_tree.Liability]]:
    """Currency, depth and leaves of any tree, the empty and the full one too."""
    depth = draw.choice([0, 0, 1, 2, 3, 5, 8, draw.randrange(9, 49)])
    count = draw.randrange(min(1 << depth, 300) + 1) if depth < 20 else draw.randrange(40)
    places = {draw.randrange(1 << depth) for _ in range(count)} if depth > 12 else draw.sample(range(1 << depth), count)
    bits = draw.choice([1, 20, 53, 110])
    leaves = [sum_tree.Liability(place, draw.randrange(1, 2**bits + 1), draw.randbytes(32)) for place in places]
    return draw.randrange(1, 2**53), depth, leaves
