"""The claim tree: what it proves, what no proof may say (fault 32), and that the reference library agrees (fault 33)."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web3 import Web3

from counterfoil.core import claim_tree
from counterfoil.core.claim_tree import (
    MOST_SIBLINGS,
    NO_CLAIMS,
    ClaimTree,
    Leaf,
    fallen,
    join,
    leaves_json,
    read_leaves,
    totals,
    verify,
)
from counterfoil.core.errors import Unreadable
from counterfoil.core.typed_data import keccak
from tests.core.forged_claims import FORGERIES, at_random
from tests.core.planted import plant

HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / "contracts/node_modules/@openzeppelin/merkle-tree"
ACCOUNT = st.binary(min_size=20, max_size=20)
NAMES = st.lists(st.tuples(ACCOUNT, st.integers(1, 2**16 - 1)), unique=True, max_size=40)


@st.composite
def leaves(draw: st.DrawFn) -> list[Leaf]:
    return [Leaf(*name, draw(st.integers(1, 2**256 - 1))) for name in draw(NAMES)]


@given(leaves())
def test_every_claim_is_proven_by_its_path(found: list[Leaf]) -> None:
    tree = ClaimTree(found)
    assert tree.root == ClaimTree(found[::-1]).root
    assert (tree.root == NO_CLAIMS) == (not found)
    for one in found:
        assert verify(one, tree.path(one), tree.root)
        assert len(tree.path(one)) <= max(1, len(found)).bit_length()
        assert tree.find(one.account, one.currency) == one
    assert tree.find(bytes(20), 0) is None


@given(leaves())
def test_leaves_are_read_as_they_are_written(found: list[Leaf]) -> None:
    told = json.loads(json.dumps(leaves_json(found)))
    assert read_leaves(told) == sorted(found)
    assert sum(totals(found).values()) == sum(one.cumulative for one in found)


@given(leaves(), st.data())
def test_what_fell_is_named(found: list[Leaf], data: st.DataObject) -> None:
    more = [replace(one, cumulative=min(one.cumulative + data.draw(st.integers(0, 9)), 2**256 - 1)) for one in found]
    assert list(fallen(found, more)) == []
    if found:
        place = data.draw(st.integers(0, len(found) - 1))
        assert list(fallen(found, more[:place] + more[place + 1 :])) == [found[place]]
        if found[place].cumulative > 1:
            less = [*more[:place], replace(found[place], cumulative=found[place].cumulative - 1), *more[place + 1 :]]
            assert list(fallen(found, less)) == [found[place]]


def test_a_leaf_is_hashed_as_the_abi_encodes_it() -> None:
    one = Leaf(bytes(range(20)), 7, 10**20)
    encoded = Web3().codec.encode(
        ["address", "uint16", "uint256"], ["0x" + one.account.hex(), one.currency, one.cumulative]
    )
    assert one.hash == bytes(Web3.keccak(Web3.keccak(encoded)))


GOOD = ["0x" + "0a" * 20, 1, "5"]


@pytest.mark.parametrize(
    "data",
    [
        None, {}, "", [None], [[]], [GOOD[:2]], [[*GOOD, "5"]], [["0x" + "0a" * 19, 1, "5"]], [["0x" + "0A" * 20, 1, "5"]],
        [["0a" * 20, 1, "5"]], [["0x" + "0a" * 20, 0, "5"]], [["0x" + "0a" * 20, 2**16, "5"]], [["0x" + "0a" * 20, "1", "5"]],
        [["0x" + "0a" * 20, True, "5"]],
        [["0x" + "0a" * 20, 1, 5]], [["0x" + "0a" * 20, 1, "0"]], [["0x" + "0a" * 20, 1, "05"]],
        [["0x" + "0a" * 20, 1, "-5"]], [["0x" + "0a" * 20, 1, str(2**256)]], [["0x" + "0a" * 20, 1, "9" * 5_000]],
        [GOOD, GOOD], [["0x" + "0b" * 20, 1, "5"], GOOD],
    ],
)  # fmt: skip
def test_what_is_no_list_of_leaves(data: object) -> None:
    assert read_leaves([GOOD]) == [Leaf(b"\x0a" * 20, 1, 5)]
    with pytest.raises(Unreadable):
        read_leaves(data)


# --- fault 32


def accepted(count: int, seed: int = 32) -> Counter[str]:
    """Which of so many forged proofs are taken for true."""
    draw, found = random.Random(seed), Counter[str]()
    trees = [ClaimTree(at_random(draw, draw.randrange(5, 40))) for _ in range(40)]
    for place in range(count):
        forge = FORGERIES[place % len(FORGERIES)]
        found[forge.__name__] += verify(*forge(draw, draw.choice(trees)))
    return +found


def test_no_forged_proof_is_accepted(times: Callable[[int, int], int]) -> None:
    count = times(13_000, 1_000_000)
    assert accepted(count) == {}
    print(f"forged claim proofs: {count} of {len(FORGERIES)} kinds, 0 accepted")


def test_a_tree_longer_than_any_is_refused() -> None:
    one = Leaf(b"a" * 20, 1, 1)
    path = [bytes([place]) * 32 for place in range(MOST_SIBLINGS + 1)]
    node = one.hash
    for sibling in path:
        node = join(node, sibling)
    assert not verify(one, path, node)


PLANTS = {
    "the path is not walked": ("    return node == root\n", "    return True\n", "cut"),
    "the path may go on": ("    return node == root\n", "    return node == root or root in path\n", "extended"),
    "the amount is not hashed": (" + word(self.cumulative)", "", "other_amount"),
    "the currency is not hashed": (" + word(self.currency)", "", "other_currency"),
    "the account is not hashed": ('self.account.rjust(_WORD, b"\\0")', "bytes(32)", "other_account"),
}


@pytest.mark.parametrize("name", PLANTS)
def test_canaries_are_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new, kind = PLANTS[name]
    plant(monkeypatch, claim_tree, (old, new))
    monkeypatch.setattr(f"{__name__}.verify", claim_tree.verify)
    assert accepted(1_300)[kind]


# --- fault 33: the reference library


def reference(lists: Sequence[list[Leaf]]) -> list[dict[str, Any]]:
    """Roots and proofs of OpenZeppelin's JavaScript library, for each list of leaves."""
    node = shutil.which("node")
    assert node, "node is not on PATH: the reference library needs Node 20 or newer"
    assert INSTALLED.exists(), "contracts/node_modules lacks the reference library: scripts/compile installs it"
    lines = "".join(json.dumps(leaves_json(one)) + "\n" for one in lists)
    done = subprocess.run(
        [node, HERE / "claim_trees.mjs"], input=lines, check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def differences(count: int, tree_of: Callable[[list[Leaf]], ClaimTree] = ClaimTree) -> list[list[Leaf]]:
    """Lists of which the library has another root or another proof."""
    draw = random.Random(33)
    lists = [at_random(draw, place if place < 34 else draw.randrange(1, 120)) for place in range(1, count + 1)]
    found = []
    for one, told in zip(lists, reference(lists), strict=True):
        tree = tree_of(one)
        ours = {tuple(leaf.as_json()): ["0x" + node.hex() for node in tree.path(leaf)] for leaf in tree.leaves}
        theirs = {tuple(leaf): path for leaf, path in told["proofs"]}
        if ("0x" + tree.root.hex(), ours) != (told["root"], theirs):
            found.append(one)
    return found


def test_the_reference_library_has_the_same_roots_and_proofs(times: Callable[[int, int], int]) -> None:
    count = times(120, 3_000)
    assert differences(count) == []
    print(f"claim trees: {count} with the same root and the same proofs as the reference library")


def test_canary_another_tree_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_tree, "join", lambda left, right: keccak(left + right))
    assert differences(4)


def test_vectors_are_what_the_reference_library_makes() -> None:
    trees = json.loads((HERE.parent / "vectors/claim_trees.json").read_text(encoding="utf-8"))["claim_trees"]
    lists = [read_leaves(one["leaves"]) for one in islice(trees, 1, None)]  # the library has no tree of no leaves
    assert trees[0] == {"leaves": [], "root": "0x" + "00" * 32, "proofs": []}
    for one, told in zip(trees[1:], reference(lists), strict=True):
        assert one["root"] == told["root"]
        assert {tuple(p["leaf"]): p["path"] for p in one["proofs"]} == {
            tuple(leaf): path for leaf, path in told["proofs"]
        }
