"""Exchange between currencies: edges of a rate table, what a swap takes and gives, and tables that would be a money machine.

Rounding favours the coalition, by less than one increment: only multiples of the increment are taken, and what is given
is floored.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from msgspec import Struct

from counterfoil.core.units import BASIS_POINTS, mul_div_down, mul_div_up


class Edge(Struct, frozen=True):
    """`takes` of `src` give `gives` of `dst`. The issuers settle `price_micros` per unit given; the fee is part of that."""

    src: str
    dst: str
    takes: int
    gives: int
    increment: int
    price_micros: int
    fee_bp: int
    daily_points: int | None = None  # of `src`, that a member may swap in a local day

    @property
    def ratio(self) -> Fraction:
        """Units given per unit taken."""
        return Fraction(self.gives, self.takes)

    def swap(self, points: int) -> tuple[int, int]:
        """Of `points` offered: how many are taken, how many are given."""
        taken = points - points % self.increment
        return taken, mul_div_down(taken, self.gives, self.takes)

    def price(self, given: int) -> tuple[int, int]:
        """What the giving issuer is paid for `given` units, and the operator's fee on top, rounded up: micros."""
        paid = self.price_micros * given
        return paid, mul_div_up(paid, self.fee_bp, BASIS_POINTS)


def arbitrage(edges: Sequence[Edge]) -> tuple[list[str], Fraction] | None:
    """A cycle of currencies whose ratios multiply to more than 1, and the product; None if there is none.

    Bellman-Ford on exact products; the cycle begins with the currency that the table names first.
    """
    names = list(dict.fromkeys(name for edge in edges for name in (edge.src, edge.dst)))
    best = dict.fromkeys(names, Fraction(1))
    came: dict[str, Edge] = {}
    last: str | None = None
    for _ in names:
        last = None
        for edge in edges:
            gained = best[edge.src] * edge.ratio
            if gained > best[edge.dst]:
                best[edge.dst], came[edge.dst], last = gained, edge, edge.dst
        if last is None:
            break
    if last is None:
        return None
    for _ in names:  # back along the way: after as many steps one stands within the cycle
        last = came[last].src
    cycle, product, at = [last], came[last].ratio, came[last].src
    while at != last:
        cycle.append(at)
        product *= came[at].ratio
        at = came[at].src
    cycle.reverse()
    start = min(range(len(cycle)), key=lambda place: names.index(cycle[place]))
    return cycle[start:] + cycle[:start], product
