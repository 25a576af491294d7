"""RFC 6962 in four forms (whole tree, frontier, levels, verifier) against its recursive definition."""

from __future__ import annotations

import random

import pytest

from counterfoil.core import log
from tests.core import naive

ALL = 64
LEAVES = [naive.sha256(b"leaf", bytes([i])) for i in range(ALL)]
SIZES = range(ALL + 1)
ROOTS = [naive.root(LEAVES[:size]) for size in SIZES]


def test_roots_of_the_rfc() -> None:
    """The vectors that implementations of Certificate Transparency share."""
    leaves = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243")]
    leaves += [bytes.fromhex("5051525354555657"), bytes.fromhex("606162636465666768696a6b6c6d6e6f")]
    roots = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    for size, root in roots.items():
        assert log.root_of(leaves[:size]).hex() == naive.root(leaves[:size]).hex() == root


@pytest.mark.parametrize("size", SIZES)
def test_every_form_has_the_same_root(size: int) -> None:
    leaves = LEAVES[:size]
    tree, frontier = log.Tree(leaves), log.Frontier()
    frontier.extend(leaves)
    assert ROOTS[size] == tree.root() == frontier.root() == log.root_of(leaves)
    assert ROOTS[size] == log.Tree(LEAVES).root(size)
    if leaves:
        assert log.levels(leaves)[-1] == [ROOTS[size]]


@pytest.mark.parametrize("size", SIZES)
def test_a_frontier_goes_on_from_what_was_written_down(size: int) -> None:
    frontier = log.Frontier()
    frontier.extend(LEAVES[:size])
    again = log.Frontier.unpacked(size, frontier.packed())
    assert again == frontier
    again.extend(LEAVES[size:])
    assert (again.size, again.root()) == (ALL, ROOTS[ALL])
    assert len(again.peaks) == 1


@pytest.mark.parametrize("wrong", [0, 32, 96, 63])
def test_a_frontier_of_another_size_is_no_frontier(wrong: int) -> None:
    with pytest.raises(AssertionError):
        log.Frontier.unpacked(3, bytes(wrong))


@pytest.mark.parametrize("size", SIZES[1:])
def test_every_inclusion_path(size: int) -> None:
    leaves, root = LEAVES[:size], ROOTS[size]
    tree = log.Tree(LEAVES)
    assert log.levels(leaves)[-1] == [root]
    for index in range(size):
        path = naive.inclusion(index, leaves)
        assert tree.inclusion(index, size) == path
        assert len(path) == len(naive.sides(index, size))
        assert log.verify_inclusion(index, size, leaves[index], path, root)
        assert log.root_from_inclusion(index, size, leaves[index], path) == root


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_path_proves_one_leaf_at_one_place(size: int) -> None:
    leaves, root = LEAVES[:size], ROOTS[size]
    tree = log.Tree(leaves)
    for index in range(size):
        path = tree.inclusion(index)
        for other in (*range(size), size, -1):
            proven = log.verify_inclusion(other, size, leaves[index], path, root)
            assert proven == (other == index)
        for other in range(size):
            assert log.verify_inclusion(index, size, leaves[other], path, root) == (other == index)


def test_a_path_is_walked_alike_in_two_sizes_only_where_its_sides_are_the_same() -> None:
    """RFC 6962 does not bind the size to the root: a checkpoint, a header and a counterfoil name both."""
    alike = 0
    for size in range(1, 20):
        tree = log.Tree(LEAVES[:size])
        for index in range(size):
            path, sides = tree.inclusion(index), naive.sides(index, size)
            for other_size in range(1, 24):
                for other in range(other_size):
                    proven = log.verify_inclusion(other, other_size, LEAVES[index], path, ROOTS[size])
                    assert proven == (naive.sides(other, other_size) == sides)
                    alike += proven
    assert alike > 190


@pytest.mark.parametrize("size", SIZES[1:])
def test_every_consistency_proof(size: int) -> None:
    tree = log.Tree(LEAVES)
    for old in range(1, size + 1):
        path = naive.consistency(old, LEAVES[:size])
        assert tree.consistency(old, size) == path
        assert log.verify_consistency(old, size, ROOTS[old], ROOTS[size], path)
        assert log.verify_consistency(old, size, ROOTS[old - 1], ROOTS[size], path) is False
        assert log.verify_consistency(old, size, ROOTS[old], ROOTS[size - 1], path) is False
        assert not log.verify_consistency(old, size, ROOTS[old], ROOTS[size], [*path, ROOTS[1]])
        assert not path or not log.verify_consistency(old, size, ROOTS[old], ROOTS[size], path[:-1])
        assert not path or not log.verify_consistency(old, size, ROOTS[old], ROOTS[size], path[1:])


def test_the_empty_log_begins_every_log() -> None:
    assert log.verify_consistency(0, 0, ROOTS[0], ROOTS[0], [])
    assert log.verify_consistency(0, 9, ROOTS[0], ROOTS[9], [])
    assert not log.verify_consistency(0, 9, ROOTS[1], ROOTS[9], [])
    assert not log.verify_consistency(0, 9, ROOTS[0], ROOTS[9], [ROOTS[9]])
    assert not log.verify_consistency(0, 0, ROOTS[1], ROOTS[1], [])
    assert not log.verify_consistency(9, 8, ROOTS[9], ROOTS[8], [])
    assert not log.verify_consistency(-1, 8, ROOTS[0], ROOTS[8], [])


@pytest.mark.parametrize("width", [0, 31, 33, 64])
def test_hashes_of_another_width_prove_nothing(width: int) -> None:
    tree = log.Tree(LEAVES[:5])
    path, odd = tree.inclusion(2), bytes(width)
    assert not log.verify_inclusion(2, 5, odd, path, ROOTS[5])
    assert not log.verify_inclusion(2, 5, LEAVES[2], [odd, *path[1:]], ROOTS[5])
    assert not log.verify_inclusion(2, 5, LEAVES[2], path, odd)
    assert not log.verify_consistency(2, 5, odd, ROOTS[5], tree.consistency(2))
    assert not log.verify_consistency(2, 5, ROOTS[2], odd, tree.consistency(2))
    assert not log.verify_consistency(2, 5, ROOTS[2], ROOTS[5], [odd])


def test_level_names_full_subtrees_only() -> None:
    tree = log.Tree(LEAVES[:11])
    assert len(tree) == 11
    for height, count in enumerate((11, 5, 2, 1, 0, 0)):
        width = 1 << height
        expected = [naive.root(LEAVES[i * width : (i + 1) * width]) for i in range(count)]
        assert tree.level(height) == expected


def test_large_trees_at_random() -> None:
    draw = random.Random(6962)
    leaves = [draw.randbytes(32) for _ in range(3_000)]
    tree = log.Tree(leaves)
    for _ in range(12):
        size = draw.randrange(1, 3_001)
        index, old = draw.randrange(size), draw.randrange(1, size + 1)
        root = naive.root(leaves[:size])
        assert tree.root(size) == root
        assert tree.inclusion(index, size) == naive.inclusion(index, leaves[:size])
        assert log.verify_inclusion(index, size, leaves[index], tree.inclusion(index, size), root)
        path = tree.consistency(old, size)
        assert path == naive.consistency(old, leaves[:size])
        assert log.verify_consistency(old, size, naive.root(leaves[:old]), root, path)


def test_empty_trees() -> None:
    assert log.Tree().root() == log.root_of([]) == log.EMPTY_ROOT == naive.sha256()
    assert not log.verify_inclusion(0, 0, LEAVES[0], [], log.EMPTY_ROOT)
    with pytest.raises(AssertionError):
        log.Tree().inclusion(0)
    with pytest.raises(AssertionError):
        log.Tree(LEAVES).consistency(0)
    with pytest.raises(AssertionError):
        log.Tree(LEAVES).root(ALL + 1)
