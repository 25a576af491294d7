"""The golden vectors: made alike today, read from SPEC.md alone, and agreed to by the browser and by Solidity."""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message
from eth_tester import EthereumTester, PyEVMBackend
from web3 import EthereumTesterProvider, Web3

from counterfoil.core.encoding import decode, encode
from counterfoil.core.entry import Verb
from counterfoil.core.netting import unpack
from counterfoil.core.settlement import CLOSING_TYPE, HEADER_TYPE, Header
from tests.contracts.programme import Chain, Programme, deployed
from tests.core import naive
from tests.core.test_settlement import message
from tests.core.verdicts import ask, unhex
from tests.vectors.make import FILES, HERE, text_of

Vectors = dict[str, Any]


def load(name: str) -> Vectors:
    found: Vectors = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_what_the_code_makes(name: str) -> None:
    assert (HERE / f"{name}.json").read_text(encoding="utf-8") == text_of(name)


def test_the_files_are_small() -> None:
    assert sorted(path.stem for path in HERE.glob("*.json")) == sorted(FILES)
    assert all(path.stat().st_size < 80_000 for path in HERE.glob("*.json"))


# --- entries, read from the tables of SPEC.md


def test_entries_follow_the_specification() -> None:
    vectors = load("entries")
    keys = {one["member"]: unhex(one["test_key"]) for one in vectors["members"]}
    verbs = set()
    for one in vectors["entries"]:
        body = unhex(one["body"])
        words = struct.unpack(f">{len(body) // 8}Q", body)
        version, number, verb = words[:3]
        members, postings, lots, *rest = words[9:17]
        assert (version, number, Verb(verb).name.lower()) == (1, one["id"], one["verb"])
        at = 17 + 4 * members + 5 * postings
        for _lot in range(lots):
            at += 11 + 5 * words[at + 10]  # its funders follow it
        widths = (5, 5, 3, 3, 3)  # moves, debts, repaid, paid, drawn
        end = at + sum(count * width for count, width in zip(rest, widths, strict=True))
        assert len(words) == end + (9 if verb in {27, 28} else 0)  # a wallet
        if verb in {27, 28}:
            account, block, index = body[end * 8 + 12 : end * 8 + 32], body[end * 8 + 32 : end * 8 + 64], words[-1]
            known = decode(body).wallet
            assert known is not None
            assert (known.account, known.block, known.index) == (account, block, index)
            assert not any(body[end * 8 : end * 8 + 12])
        tagged = naive.tag("counterfoil.entry.v1") + unhex(vectors["programme"])
        assert naive.sha256(tagged, body) == unhex(one["hash"])
        for place, member in enumerate(one["members"]):
            salt = hmac.new(keys[member], number.to_bytes(8, "big"), hashlib.sha256).digest()
            expected = naive.sha256(naive.tag("counterfoil.entry.member.v1"), naive.word(member), salt)
            assert expected == body[136 + 32 * place : 168 + 32 * place] == unhex(one["commitments"][place])
        assert encode(decode(body)) == body
        verbs.add(one["verb"])
    assert len(verbs) == 15


def test_counterfoils_hold_in_the_browser() -> None:
    vectors = load("counterfoils")
    assert Account.from_key(vectors["test_key"]).address == vectors["signer"]
    questions, digests = [], []
    for group in vectors["groups"]:
        leaves = [unhex(one["entry"]) for one in group["counterfoils"]]
        for one in group["counterfoils"]:
            assert naive.root(leaves) == unhex(one["root"])
            assert naive.inclusion(one["place"], leaves) == [unhex(node) for node in one["path"]]
            args = {"counterfoil": one, "signer": vectors["signer"], "programme": one["programme"]}
            questions.append({"op": "counterfoil", "args": args})
            digests.append(group["digest"])
        assert group["first_id"] >> 16 == group["counterfoils"][0]["group"]
    answers = ask(questions)
    assert [one["ok"] for one in answers] == [True] * 13
    assert [one["digest"] for one in answers] == digests


def test_logs_hold_in_the_browser() -> None:
    vectors = load("log")
    leaves, roots = vectors["leaves"], vectors["roots"]
    raw = [unhex(leaf) for leaf in leaves]
    assert [naive.root(raw[:size]) for size in range(len(raw) + 1)] == [unhex(root) for root in roots]
    questions: list[Vectors] = [
        {"op": "merkle_root", "args": {"leaves": leaves[:size]}} for size in range(len(leaves) + 1)
    ]
    for one in vectors["inclusion"]:
        index, size = one["index"], one["size"]
        assert naive.inclusion(index, raw[:size]) == [unhex(node) for node in one["path"]]
        questions.append({"op": "inclusion", "args": {**one, "leaf": leaves[index], "root": roots[size]}})
    for one in vectors["consistency"]:
        old, size = one["old_size"], one["new_size"]
        assert naive.consistency(old, raw[:size]) == [unhex(node) for node in one["path"]]
        args = {**one, "old_root": roots[old], "new_root": roots[size]}
        questions.append({"op": "consistency", "args": args})
    answers = ask(questions)
    assert all(answer["ok"] for answer in answers)
    assert [answer["root"] for answer in answers[: len(roots)]] == roots


def test_sum_trees_hold_in_the_browser() -> None:
    questions: list[Vectors] = []
    trees = load("sum_trees")["sum_trees"]
    for tree in trees:
        shared = {"currency": tree["currency"], "depth": tree["depth"]}
        questions.append({"op": "sum_root", "args": {**shared, "leaves": tree["leaves"]}})
        for leaf in tree["leaves"]:
            tagged = (naive.tag("counterfoil.sum.member.v1"), naive.word(leaf["member"]), unhex(leaf["salt"]))
            assert naive.sha256(*tagged) == unhex(leaf["commitment"])
        if tree["depth"] < 8:
            leaves = {leaf["place"]: (int(leaf["balance"]), unhex(leaf["commitment"])) for leaf in tree["leaves"]}
            root = naive.sum_root(tree["currency"], tree["depth"], leaves)
            assert root == (unhex(tree["hash"]), int(tree["sum"]))
        for leaf, path in zip(tree["leaves"], tree["paths"], strict=False):
            proof = {**shared, **leaf, "siblings": path}
            args = {"proof": proof, "root": tree["hash"], "total": tree["sum"]}
            questions.append({"op": "liability", "args": args})
    answers = ask(questions)
    assert all(answer["ok"] for answer in answers)
    found = [(answer["hash"], answer["sum"]) for answer in answers if "sum" in answer]
    assert found == [(tree["hash"], tree["sum"]) for tree in trees]


def test_settlements_follow_the_specification() -> None:
    vectors = load("settlements")
    closing, header = "0x" + "00" * 32, "0x" + "00" * 32
    for one in vectors["settlements"]:
        fields = one["header"]
        assert (fields["previous_closing"], fields["previous_header"]) == (closing, header)
        closing, header = one["closing_hash"], one["header_hash"]
        records = sorted(one["files"], key=lambda file: str(file["name"]))
        parts = [naive.sha256(f["name"].encode()) + naive.word(f["size"]) + unhex(f["sha256"]) for f in records]
        assert naive.sha256(naive.tag("counterfoil.manifest.v1"), *parts) == unhex(fields["manifest"])
        hashes = {f["name"]: f["sha256"] for f in records}
        for name in ("rulebook", "liabilities"):
            content = unhex(vectors["rulebook_file"] if name == "rulebook" else one["liabilities_file"])
            assert naive.sha256(content) == unhex(hashes[name])
        words = {int(party): net for party, net in one["words"].items()}
        packed = b"".join(n.to_bytes(2, "big") + v.to_bytes(14, "big", signed=True) for n, v in sorted(words.items()))
        assert unhex(fields["gross"]) == unhex(fields["positions"]) == packed
        assert unpack(packed) == words
        assert sum(words.values()) == sum(one["exact"].values()) == 0
        assert unhex(fields["defaults"]) == b"".join(n.to_bytes(2, "big") for n in one["defaults"])
    assert vectors["settlements"][0]["defaults"]


def test_headers_hold_in_the_browser() -> None:
    vectors = load("settlements")
    place = {"chain_id": vectors["chain_id"], "address": vectors["contract"]}
    for one in vectors["settlements"]:
        args = {"header": one["header"], **place}
        asked = [{"op": op, "args": args} for op in ("closing_hash", "header_hash", "header_digest")]
        asked.append({"op": "recover", "args": {"digest": one["digest"], "signature": one["signature"]}})
        closing, header, digest, signer = ask(asked)
        assert closing["hash"] == one["closing_hash"]
        assert header["hash"] == one["header_hash"]
        assert digest["digest"] == one["digest"]
        assert signer["signer"] == vectors["signer"].lower()


@pytest.fixture(scope="module")
def programme() -> Programme:
    tester = EthereumTester(PyEVMBackend())
    return deployed(Chain(Web3(EthereumTesterProvider(tester)), tester))


def test_headers_hold_in_solidity_and_eth_account(programme: Programme) -> None:
    """The digest of the vectors is for a contract of their own, so the contract's is compared for its address."""
    vectors = load("settlements")
    chain_id, address = programme.chain.w3.eth.chain_id, programme.settlement.address
    for one in vectors["settlements"]:
        header = Header.from_json(one["header"])
        fields = header.fields()
        assert bytes(programme.read("closingHash", fields)) == unhex(one["closing_hash"])
        assert bytes(programme.read("headerHash", fields)) == unhex(one["header_hash"])
        assert bytes(programme.read("digest", fields)) == header.digest(chain_id, address)
        theirs = message(header, HEADER_TYPE, vectors["chain_id"], vectors["contract"])
        assert theirs.body == unhex(one["header_hash"])
        assert _hash_eip191_message(theirs) == unhex(one["digest"])
        assert Account.sign_message(theirs, vectors["test_key"]).signature == unhex(one["signature"])
        assert message(header, CLOSING_TYPE, 1, address).body == unhex(one["closing_hash"])
