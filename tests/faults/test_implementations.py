"""Fault 33: Python, Solidity and the browser agree on every root, hash and verdict; a planted difference is caught."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account.messages import _hash_eip191_message
from eth_tester import EthereumTester, PyEVMBackend
from web3 import EthereumTesterProvider, Web3

from counterfoil.core import log, settlement, sum_tree
from counterfoil.core.settlement import CLOSING_TYPE, FIELDS, HEADER_TYPE, Header
from tests.contracts.programme import Chain, Programme, deployed
from tests.core import naive
from tests.core.forged_log import CONSISTENCY, INCLUSION, Log, forged_consistency, forged_inclusion
from tests.core.forged_sums import SUMS, Sums, forged_sum, owed
from tests.core.forgeries import small_sum_tree
from tests.core.planted import plant, plant_pages
from tests.core.test_settlement import message
from tests.core.verdicts import PAGES, Claim, Question, ask, both, hexed

SMALL = (0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 299, 300)
Difference = tuple[str, object]


def altered(draw: random.Random, claim: Claim) -> Claim:
    """Some word of a claim changed at random: still true, false or malformed, whatever comes of it."""
    args: dict[str, Any] = {name: list(v) if isinstance(v, list) else v for name, v in claim.args.items()}
    name = draw.choice(sorted(args))
    value = args[name]
    if isinstance(value, int):
        args[name] = max(0, value + draw.choice([-2, -1, 1, 2, value]))
    elif isinstance(value, list):
        args[name] = draw.choice([value[1:], value[:-1], value[::-1], [*value, hexed(bytes(32))]])
    elif isinstance(value, dict):
        proof = dict(value)
        field = draw.choice(["place", "currency", "depth"])
        proof[field] = max(0, proof[field] + draw.choice([-1, 1]))
        args[name] = proof
    elif value.startswith("0x"):
        args[name] = draw.choice([value[:-2], value + "00", hexed(bytes(32)), value.upper().replace("X", "x")])
    else:
        args[name] = str(max(0, int(value) + draw.choice([-1, 0, 1])))
    return replace(claim, kind="altered", args=args)


def log_claims(draw: random.Random, one: Log, other: Log) -> Iterator[Claim]:
    """Of one log: true proofs, forged ones and altered ones."""
    if not one.size:
        return
    true = [one.inclusion(draw.randrange(one.size)), one.consistency(draw.randrange(one.size + 1), one.size)]
    yield from true
    yield from (altered(draw, draw.choice(true)) for _ in range(3))
    if one.size >= 3:
        yield forged_inclusion(draw, draw.choice(INCLUSION), one, other)
        yield forged_consistency(draw, draw.choice(CONSISTENCY), one, other)


def sum_claims(draw: random.Random, it: Sums, other: Sums) -> Iterator[Claim]:
    for one in draw.sample(it.members, min(2, len(it.members))):
        yield it.claim(one)
        yield altered(draw, it.claim(one))
        beyond = replace(one, place=one.place + (1 << it.depth))
        yield owed("beyond", it.currency, beyond, it.tree.path(one.place), it.tree.root.hash, it.tree.root.sum)
    if it.depth >= 3 and 2 <= len(it.members) < 1 << it.depth:
        yield forged_sum(draw, draw.choice(SUMS), it, other)


def roots(questions: Sequence[Question], pages: Path) -> list[tuple[str, str]]:
    """The browser's root and sum of each tree, or why it has none."""
    answers = ask(questions, pages)
    return [(a.get("root") or a.get("hash") or a["reason"], a.get("sum", "")) for a in answers]


def compared(trees: int, pages: Path = PAGES, seed: int = 33) -> tuple[list[Difference], int]:
    """Roots and verdicts of half logs, half sum trees; what differs, and how many verdicts were the same."""
    draw = random.Random(seed)
    elsewhere, other = Log.at_random(draw, 20), Sums.at_random(draw, 5, 9)
    questions: list[Question] = []
    expected: list[tuple[str, str]] = []
    claims: list[Claim] = []
    found: list[Difference] = []
    for i in range(trees // 2):
        one = Log.at_random(draw, SMALL[i] if i < len(SMALL) else draw.randrange(301))
        questions.append({"op": "merkle_root", "args": {"leaves": [hexed(leaf) for leaf in one.leaves]}})
        expected.append((hexed(one.tree.root()), ""))
        if not one.tree.root() == naive.root(one.leaves) == log.root_of(one.leaves):
            found.append(("a log's root is not that of RFC 6962", one.size))
        claims += log_claims(draw, one, elsewhere)
        currency, depth, leaves = small_sum_tree(draw)
        tree = sum_tree.SumTree(currency, depth, leaves)
        records = [
            {"place": leaf.place, "balance": str(leaf.balance), "commitment": hexed(leaf.commitment)} for leaf in leaves
        ]
        questions.append({"op": "sum_root", "args": {"currency": currency, "depth": depth, "leaves": records}})
        expected.append((hexed(tree.root.hash), str(tree.root.sum)))
        by_place = {leaf.place: (leaf.balance, leaf.commitment) for leaf in leaves}
        if depth < 7 and (tree.root.hash, tree.root.sum) != naive.sum_root(currency, depth, by_place):
            found.append(("a sum tree's root is not that of SPEC.md", depth))
        claims += sum_claims(draw, Sums(currency, depth, leaves, tree), other)
    theirs = roots(questions, pages)
    found += [("root", (ours, root)) for ours, root in zip(expected, theirs, strict=True) if ours != root]
    verdicts = list(both(claims, pages))
    found += [(claim.kind, claim) for claim, ours, browser in verdicts if ours != browser]
    found += [("a true claim is refused", claim) for claim, ours, _ in verdicts if claim.kind == "true" and not ours]
    return found, len(verdicts)


@pytest.mark.timeout(600)
def test_roots_and_verdicts_are_the_same(times: Callable[[int, int], int]) -> None:
    trees, verdicts = times(2_000, 100_000), 0
    for start in range(0, trees, 2_000):
        found, count = compared(2_000, seed=33 + start)
        assert found == []
        verdicts += count
    print(f"implementations: {trees} trees, equal roots; {verdicts} equal verdicts")


TREE_BUGS = {
    "an odd node is paired with itself": (
        "log.js", "return peaks.reduceRight((right, left) => nodeHash(left, right));",
        "return peaks.reduceRight((right, left) => nodeHash(left, right), peaks[peaks.length - 1]);",
    ),
    "the tag of a leaf": ("log.js", "const LEAF_PREFIX = 0x00", "const LEAF_PREFIX = 0x02"),
    "the last leaf of an odd level": (
        "log.js", "if (isOdd(place) || place === last) {\n      root", "if (isOdd(place)) {\n      root"
    ),
    "padding without its currency": ("sum_tree.js", "concat(EMPTY_TAG, word(currency))", "concat(EMPTY_TAG, word(0))"),
    "sums of 64 bits": ("sum_tree.js", "const SUM_BITS = 128;", "const SUM_BITS = 64;"),
    "places are not checked": ("sum_tree.js", "if (place >= 2 ** depth) refuse('bad_place');", ""),
    "the cut consistency path": ("log.js", "return last === 0 && sameBytes", "return sameBytes"),
}  # fmt: skip


@pytest.mark.parametrize("bug", TREE_BUGS)
def test_a_planted_difference_is_caught(tmp_path: Path, bug: str) -> None:
    assert compared(120, plant_pages(tmp_path, TREE_BUGS[bug]))[0]


def test_a_planted_difference_in_python_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, log, ('b"\\1" + left + right', 'b"\\1" + right + left'))
    assert compared(60)[0]


def test_a_planted_range_in_python_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, log, ("return node if sn == 0 else None", "return node"))
    assert compared(120)[0]


@pytest.fixture(scope="module")
def programme() -> Programme:
    tester = EthereumTester(PyEVMBackend())
    return deployed(Chain(Web3(EthereumTesterProvider(tester)), tester))


def any_header(draw: random.Random) -> Header:
    """Numbers below 2^53, as JSON carries them to the browser."""
    bits = {"number": 53, "attempt": 32, "closed_at": 53, "log_size": 53, "collateral_block": 53}
    packed = {"gross", "supply", "positions", "defaults"}

    def value(name: str) -> int | bytes:
        if name in bits:
            largest = (1 << bits[name]) - 1
            return draw.choice([0, 1, largest, draw.randrange(largest)])
        return draw.randbytes(draw.choice([0, 16, 31, 32, 33, 160, 700]) if name in packed else 32)

    return Header.from_fields({name: value(name) for name in FIELDS})


def hashed_differently(programme: Programme, count: int, pages: Path = PAGES) -> list[tuple[Header, set[str]]]:
    """Headers of which the four do not say the same closing hash, header hash and digest."""
    draw = random.Random(3)
    headers = [any_header(draw) for _ in range(count)]
    chain_id, address = programme.chain.w3.eth.chain_id, programme.settlement.address
    place = {"chain_id": chain_id, "address": address}
    questions: list[Question] = []
    for header in headers:
        args = {"header": header.as_json(), **place}
        questions += [{"op": op, "args": args} for op in ("closing_hash", "header_hash", "header_digest")]
    answers = [str(a.get("hash") or a.get("digest")) for a in ask(questions, pages)]
    found = []
    for i, header in enumerate(headers):
        closing, whole = (message(header, kind, chain_id, address) for kind in (CLOSING_TYPE, HEADER_TYPE))
        fields = header.fields()
        four = {
            "python": (header.closing.hash(), header.hash(), header.digest(chain_id, address)),
            "eth_account": (closing.body, whole.body, _hash_eip191_message(whole)),
            "solidity": tuple(bytes(programme.read(n, fields)) for n in ("closingHash", "headerHash", "digest")),
            "browser": tuple(bytes.fromhex(text[2:]) for text in answers[3 * i : 3 * i + 3]),
        }
        if len(set(four.values())) > 1:
            found.append((header, {name for name, said in four.items() if said != four["eth_account"]}))
    return found


def test_headers_are_hashed_alike_four_times(programme: Programme, times: Callable[[int, int], int]) -> None:
    count = times(200, 5_000)
    assert hashed_differently(programme, count) == []
    print(f"implementations: {count} headers hashed alike by Python, eth_account, Solidity and the browser")


def test_a_header_hashed_otherwise_is_caught(
    programme: Programme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = plant_pages(tmp_path, ("header.js", "['attempt', 'uint32']", "['attempt', 'uint64']"))
    assert {frozenset(who) for _, who in hashed_differently(programme, 3, pages)} == {frozenset({"browser"})}
    plant(monkeypatch, settlement, ("word(c.closed_at)", "word(c.log_size)"))
    found = hashed_differently(programme, 3)
    assert found
    assert {frozenset(who) for _, who in found} == {frozenset({"python"})}
