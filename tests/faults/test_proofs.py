"""Fault 32: forged proofs. None is accepted, in Python or in the browser; and planted bugs are caught by the same run."""

from __future__ import annotations

import collections
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from counterfoil.chain import signer
from counterfoil.core import counterfoil as counterfoils
from counterfoil.core import log, settlement, sum_tree
from tests.core.forgeries import KINDS, forgeries, true_claims
from tests.core.planted import Change, plant, plant_pages
from tests.core.verdicts import PAGES, both

Accepted = collections.Counter[tuple[str, str]]


def accepted(count: int, pages: Path = PAGES, seed: int = 32) -> tuple[Accepted, Accepted, Accepted]:
    """What was tried, and what Python and the browser accepted of it, by operation and kind."""
    tried, by_python, by_browser = Accepted(), Accepted(), Accepted()
    for claim, ours, theirs in both(forgeries(count, seed), pages):
        name = claim.op, claim.kind
        tried[name] += 1
        by_python[name] += ours
        by_browser[name] += theirs
    return tried, +by_python, +by_browser


@pytest.mark.timeout(600)
def test_no_forged_proof_is_accepted(times: Callable[[int, int], int]) -> None:
    count = times(50_000, 10_000_000)
    tried, by_python, by_browser = accepted(count)
    assert (by_python, by_browser) == ({}, {})
    assert tried.total() == count
    assert len(tried) == sum(map(len, KINDS.values()))
    assert min(tried.values()) >= count // 1_000
    print(f"forged proofs: {count} of {len(tried)} kinds, 0 accepted")


def test_true_proofs_are_accepted(times: Callable[[int, int], int]) -> None:
    """Without this, a verifier that refuses everything would pass."""
    refused = [claim for claim, ours, theirs in both(true_claims(times(3_000, 300_000))) if not (ours and theirs)]
    assert refused == []


NO_TAGS = (
    (log, 'b"\\0" + data', "data"),
    (log, 'b"\\1" + left + right', "left + right"),
    (log, "all(len(h) == 32 for h in hashes)", "True"),
)
WALK = "while not fn & 1 and fn:"
BUGS: dict[str, tuple[list[tuple[ModuleType, str, str]], list[tuple[str, str, str]]]] = {
    "a leaf is its data, unhashed": (
        [(log, 'return hashlib.sha256(b"\\0" + data).digest()', "return data")],
        [("log.js", "preimage.set(exactBytes(leafData, 'bad_leaf', 32), 1);", "return exactBytes(leafData, 'bad_leaf', 32);")],
    ),
    "no tags, no widths": (
        list(NO_TAGS),
        [
            ("log.js", "preimage.set(exactBytes(leafData, 'bad_leaf', 32), 1);", "return sha256(leafData);"),
            ("log.js", "preimage.set(right, 33);", "return sha256(Uint8Array.of(...left, ...right));"),
        ],
    ),
    "the length of an inclusion path is not looked at": (
        [(log, "return node if sn == 0 else None", "return node")],
        [("log.js", "if (last !== 0) refuse('bad_path');", "")],
    ),
    "an index beyond the size": (
        [(log, "if not 0 <= index < size or not", "index %= size or 1\n    if size < 1 or not")],
        [("log.js", "if (place >= leaves) refuse('bad_index');", "place %= leaves;")],
    ),
    "the old root is not compared": (
        [(log, "first == old_root and second == root", "second == root")],
        [("log.js", "sameBytes(older, firstRoot) &&", "")],
    ),
    "the new root is not compared": (
        [(log, "first == old_root and second == root", "first == old_root")],
        [("log.js", "&& sameBytes(newer, secondRoot)", "")],
    ),
    "sums are not hashed": (
        [(sum_tree, "left.hash + word(left.sum) + right.hash + word(right.sum)", "left.hash + right.hash")],
        [("sum_tree.js", "left.hash, word(left.sum), right.hash, word(right.sum)", "left.hash, right.hash")],
    ),
    "the total is not compared": (
        [(sum_tree, "node.hash == root and node.sum == total", "node.hash == root")],
        [("sum_tree.js", "if (node.sum !== expectedTotal) refuse('wrong_total');", "")],
    ),
    "sums wrap around": (
        [(sum_tree, "digest(), left.sum + right.sum)", "digest(), (left.sum + right.sum) % 2**128)")],
        [("sum_tree.js", "const sum = left.sum + right.sum;", "const sum = BigInt.asUintN(128, left.sum + right.sum);")],
    ),
    "a high s": (
        [(signer, "> HALF_ORDER", "> 2**256")],
        [("secp256k1.js", "if (s > HALF_ORDER) refuse('high_s');", "")],
    ),
    "the path of a counterfoil is not walked": (
        [(counterfoils, "return log.verify_inclusion(", "return True or (")],
        [("counterfoil.js", "if (!sameBytes(groupRoot(fields), root)) refuse('wrong_root');", "")],
    ),
    "defaults are not signed": (
        [(settlement, "keccak(self.positions), keccak(self.defaults)", "keccak(self.positions), keccak(b'')")],
        [("header.js", "return keccak256(bytesFromHex(value, code));",
          "return keccak256(field === 'defaults' ? new Uint8Array(0) : bytesFromHex(value, code));")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bug: str) -> None:
    """The same run, with the bug in Python and in a changed copy of the pages' modules."""
    in_python, in_pages = BUGS[bug]
    pages = plant_pages(tmp_path, *in_pages)
    changes: dict[ModuleType, list[Change]] = {}
    for module, old, new in in_python:
        changes.setdefault(module, []).append((old, new))
    for module, theirs in changes.items():
        plant(monkeypatch, module, *theirs)
    _, by_python, by_browser = accepted(1_500, pages)
    assert by_python, "Python's bug was not caught"
    assert by_browser, "the browser's bug was not caught"


def test_a_negative_sum_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python alone: the browser's decimal strings have no sign to lose."""
    plant(
        monkeypatch, sum_tree, ("not 0 <= sibling.sum <= MAX_SUM or", ""),
        ("word(left.sum)", "word(left.sum % 2**256)"), ("word(right.sum)", "word(right.sum % 2**256)"),
    )  # fmt: skip
    _, by_python, by_browser = accepted(1_500)
    assert set(by_python) == {("liability", "negative")}
    assert not by_browser
