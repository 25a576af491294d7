"""The liability tree against a recursion over every place, and what no proof may say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core import sum_tree
from counterfoil.core.sum_tree import (
    MAX_DEPTH,
    MAX_SUM,
    Liability,
    Node,
    SumTree,
    depth_for,
    member_commitment,
    verify,
)
from tests.core import naive

Leaves = dict[int, tuple[int, bytes]]


def leaves_of(draw: random.Random, depth: int, count: int) -> Leaves:
    return {
        place: (draw.randrange(1, 2 ** draw.randrange(1, 54)), draw.randbytes(32))
        for place in draw.sample(range(1 << depth), count)
    }


def tree_of(currency: int, depth: int, leaves: Leaves) -> SumTree:
    return SumTree(currency, depth, [Liability(place, *one) for place, one in leaves.items()])


@pytest.mark.parametrize("depth", range(8))
def test_every_number_of_leaves(depth: int) -> None:
    draw = random.Random(depth)
    for count in range((1 << depth) + 1):
        leaves = leaves_of(draw, depth, count)
        tree = tree_of(1, depth, leaves)
        root = naive.sum_root(1, depth, leaves)
        assert (tree.root.hash, tree.root.sum) == root
        assert tree.root.sum == sum(balance for balance, _ in leaves.values())


@pytest.mark.parametrize("depth", range(7))
def test_every_path(depth: int) -> None:
    draw = random.Random(100 + depth)
    leaves = leaves_of(draw, depth, (1 << depth) * 2 // 3 or 1)
    tree = tree_of(9, depth, leaves)
    for place in range(1 << depth):
        path = tree.path(place)
        assert [(node.hash, node.sum) for node in path] == naive.sum_path(9, depth, leaves, place)
        if place in leaves:
            one = Liability(place, *leaves[place])
            assert verify(9, one, depth, path, tree.root.hash, tree.root.sum)


@given(st.integers(0, 2**256 - 1), st.integers(1, MAX_SUM), st.binary(min_size=32, max_size=32))
def test_leaf_and_padding_follow_the_specification(currency: int, balance: int, commitment: bytes) -> None:
    leaf, free = sum_tree.leaf(currency, balance, commitment), sum_tree.empty(currency)
    assert (leaf.hash, leaf.sum) == naive.sum_leaf(currency, balance, commitment)
    assert (free.hash, free.sum) == naive.sum_empty(currency)
    joined = sum_tree.join(leaf, free)
    assert (joined.hash, joined.sum) == naive.sum_join((leaf.hash, leaf.sum), (free.hash, 0))
    assert joined != sum_tree.join(free, leaf)


def test_sparse_and_deep() -> None:
    """48 levels over four members: only their paths are hashed."""
    last = (1 << MAX_DEPTH) - 1
    places = (0, 1, last, 0x5555_5555_5555)
    members = [Liability(place, i + 1, bytes([i]) * 32) for i, place in enumerate(places)]
    tree = SumTree(1, MAX_DEPTH, members)
    assert tree.root.sum == 10
    for one in members:
        assert verify(1, one, MAX_DEPTH, tree.path(one.place), tree.root.hash, 10)
    expected: naive.Summed = naive.sum_leaf(1, 3, b"\2" * 32)
    padding = naive.sum_empty(1)
    for height, sibling in enumerate(tree.path(last)):
        assert height == MAX_DEPTH - 1 or (sibling.hash, sibling.sum) == padding or sibling.sum
        expected = naive.sum_join((sibling.hash, sibling.sum), expected)
        padding = naive.sum_join(padding, padding)
    assert expected == (tree.root.hash, tree.root.sum)


def test_who_moved_changes_place_and_who_stayed_keeps_leaf_and_place() -> None:
    draw = random.Random(5)
    depth, leaves = 6, leaves_of(draw, 6, 20)
    for _ in range(30):
        before = tree_of(1, depth, leaves)
        mover = draw.choice(list(leaves))
        free = draw.choice([place for place in range(1 << depth) if place not in leaves])
        after = {place: one for place, one in leaves.items() if place != mover}
        after[free] = (leaves[mover][0] + draw.randrange(-leaves[mover][0] + 1, 1_000), draw.randbytes(32))
        tree = tree_of(1, depth, after)
        assert (tree.root.hash, tree.root.sum) == naive.sum_root(1, depth, after)
        assert tree.root != before.root
        for place in set(leaves) - {mover}:
            one = Liability(place, *after[place])
            assert one == Liability(place, *leaves[place])
            assert verify(1, one, depth, tree.path(place), tree.root.hash, tree.root.sum)
            assert not verify(1, one, depth, before.path(place), tree.root.hash, tree.root.sum)
        gone = Liability(mover, *leaves[mover])
        assert not verify(1, gone, depth, tree.path(mover), tree.root.hash, tree.root.sum)
        assert not verify(1, gone, depth, before.path(mover), tree.root.hash, tree.root.sum)
        leaves = after


def test_an_empty_tree_owes_nothing() -> None:
    for depth in (0, 1, 10, MAX_DEPTH):
        tree = SumTree(3, depth, [])
        assert tree.root.sum == 0
        zero = Liability(0, 0, bytes(32))
        assert not verify(3, zero, depth, tree.path(0), tree.root.hash, 0)
    assert SumTree(3, 4, []).root.hash == naive.sum_root(3, 4, {})[0]


ONE = Liability(2, 40, b"c" * 32)
TREE = SumTree(1, 2, [ONE, Liability(0, 2, b"d" * 32), Liability(3, 8, b"e" * 32)])
PATH = TREE.path(2)


@pytest.mark.parametrize(
    ("one", "depth", "path"),
    [
        (Liability(-1, 40, ONE.commitment), 2, PATH),
        (Liability(4, 40, ONE.commitment), 2, PATH),
        (Liability(6, 40, ONE.commitment), 2, PATH),
        (Liability(2, 0, ONE.commitment), 2, PATH),
        (Liability(2, -40, ONE.commitment), 2, PATH),
        (Liability(2, MAX_SUM + 1, ONE.commitment), 2, PATH),
        (Liability(2, 2**256, ONE.commitment), 2, PATH),
        (Liability(2, 40, ONE.commitment[:31]), 2, PATH),
        (Liability(2, 40, ONE.commitment + b"c"), 2, PATH),
        (ONE, 1, PATH),
        (ONE, 3, PATH),
        (ONE, -1, []),
        (ONE, MAX_DEPTH + 1, PATH * 25),
        (ONE, 2, PATH[:1]),
        (ONE, 2, [*PATH, PATH[0]]),
        (ONE, 2, PATH[::-1]),
        (ONE, 2, [Node(PATH[0].hash, -8), PATH[1]]),
        (ONE, 2, [Node(PATH[0].hash, MAX_SUM + 1), PATH[1]]),
        (ONE, 2, [Node(PATH[0].hash, MAX_SUM), PATH[1]]),
        (ONE, 2, [Node(PATH[0].hash, 2**256), PATH[1]]),
        (ONE, 2, [Node(PATH[0].hash[:31], 8), PATH[1]]),
        (ONE, 2, [Node(b"", 8), PATH[1]]),
    ],
)
def test_malformed_is_false_and_no_error(one: Liability, depth: int, path: list[Node]) -> None:
    assert verify(1, ONE, 2, PATH, TREE.root.hash, 50)
    assert verify(1, one, depth, path, TREE.root.hash, 50) is False


@pytest.mark.parametrize(("currency", "total"), [(2, 50), (0, 50), (-1, 50), (2**256, 50), (1, 49), (1, 50 + 2**128)])
def test_another_currency_or_total(currency: int, total: int) -> None:
    assert verify(currency, ONE, 2, PATH, TREE.root.hash, total) is False


def test_the_largest_sum_is_the_last() -> None:
    full = SumTree(1, 1, [Liability(0, MAX_SUM - 1, b"a" * 32), Liability(1, 1, b"b" * 32)])
    assert verify(1, Liability(1, 1, b"b" * 32), 1, full.path(1), full.root.hash, MAX_SUM)
    over = SumTree(1, 1, [Liability(0, MAX_SUM, b"a" * 32), Liability(1, 1, b"b" * 32)])
    assert not verify(1, Liability(1, 1, b"b" * 32), 1, over.path(1), over.root.hash, over.root.sum)


@pytest.mark.parametrize(
    "leaves",
    [
        [Liability(4, 1, bytes(32))], [Liability(-1, 1, bytes(32))], [Liability(0, 0, bytes(32))],
        [Liability(0, -1, bytes(32))], [Liability(0, MAX_SUM + 1, bytes(32))],
        [Liability(0, 1, bytes(32)), Liability(0, 2, bytes(32))],
    ],
)  # fmt: skip
def test_what_is_no_leaf(leaves: list[Liability]) -> None:
    with pytest.raises(AssertionError):
        SumTree(1, 2, leaves)


@given(st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1), st.binary(min_size=32, max_size=32))
def test_a_member_is_hidden_by_its_salt(member: int, other: int, salt: bytes) -> None:
    made = member_commitment(member, salt)
    assert made == naive.sha256(naive.tag("counterfoil.sum.member.v1"), naive.word(member), salt)
    assert (made == member_commitment(other, salt)) == (member == other)


@given(st.integers(0, 2**40))
def test_a_tree_has_twice_the_places_it_needs(members: int) -> None:
    depth = depth_for(members)
    assert 1 << depth >= 2 * members
    assert depth == 1 or 1 << depth - 1 < 2 * members
