"""What a swap takes and gives, and that no rate table lets anybody walk in a circle and gain."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from math import prod

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.exchange import Edge, arbitrage

NAMES = "XYZW"
RATIOS = st.integers(1, 7)
EDGES = st.lists(
    st.builds(
        Edge, st.sampled_from(NAMES), st.sampled_from(NAMES), RATIOS, RATIOS, RATIOS, st.just(1), st.just(0)
    ).filter(lambda edge: edge.src != edge.dst),
    max_size=8,
    unique_by=lambda edge: (edge.src, edge.dst),
)


def best_cycle(edges: list[Edge]) -> Fraction:
    """The largest product around any cycle, by trying all."""
    ratios = {(edge.src, edge.dst): edge.ratio for edge in edges}
    best = Fraction(0)
    for size in range(2, len(NAMES) + 1):
        for walk in permutations(NAMES, size):
            steps = list(zip(walk, (*walk[1:], walk[0]), strict=True))
            if all(step in ratios for step in steps):
                best = max(best, prod((ratios[step] for step in steps), start=Fraction(1)))
    return best


@given(EDGES)
def test_a_cycle_that_gains_is_found_exactly_when_there_is_one(edges: list[Edge]) -> None:
    found = arbitrage(edges)
    assert (found is not None) == (best_cycle(edges) > 1)
    if found is not None:
        cycle, product = found
        ratios = {(edge.src, edge.dst): edge.ratio for edge in edges}
        assert len(set(cycle)) == len(cycle)
        assert prod(ratios[step] for step in zip(cycle, (*cycle[1:], cycle[0]), strict=True)) == product > 1


@given(EDGES, st.lists(st.integers(0, 7), max_size=12), st.integers(1, 10**6))
def test_no_walk_gains(edges: list[Edge], choices: list[int], points: int) -> None:
    if arbitrage(edges) is not None or not edges:
        return
    start = at = edges[0].src
    left = points
    for choice in choices:
        ways = [edge for edge in edges if edge.src == at]
        if not ways:
            return
        edge = ways[choice % len(ways)]
        _taken, left = edge.swap(left)
        at = edge.dst
        if at == start:
            assert left <= points


def test_the_cycle_begins_with_what_the_table_names_first() -> None:
    edges = [Edge("X", "Y", 5, 4, 5, 1, 0), Edge("Y", "Z", 2, 3, 2, 1, 0), Edge("Z", "X", 1, 1, 1, 1, 0)]
    assert arbitrage(edges) == (["X", "Y", "Z"], Fraction(6, 5))
    assert arbitrage([]) is None


def test_rounding_favours_the_coalition() -> None:
    edge = Edge("X", "Y", 5, 4, 5, 9_500, 33)
    assert edge.swap(1_003) == (1_000, 800)
    assert edge.swap(4) == (0, 0)
    assert edge.price(800) == (7_600_000, 25_080)
    assert Edge("X", "Y", 1, 1, 1, 1, 1).price(1) == (1, 1)  # the fee is rounded up
