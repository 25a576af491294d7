"""What things cost and how large they are; a change shows in review as a change of snapshot.json.

COUNTERFOIL_SNAPSHOT=write writes the file anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from web3 import Web3

from counterfoil.chain.artifacts import load
from tests.contracts import programme as programmes
from tests.contracts.changes import address, changed
from tests.contracts.claims import Tree, Wallets, deep, member
from tests.contracts.programme import KEYS, OPERATOR_ID, Chain, Programme, config, deployed, supply, words

SNAPSHOT = Path(__file__).parent / "snapshot.json"
NAMES = ("Settlement", "Points", "Press", "Timelock", "TestMoney")
TX_GAS_MAX = 2**24  # EIP-7825; eth-tester does not hold it
BOUNDS = {5: 230_000, 20: 450_000, 100: 1_650_000}  # propose + finalize, by partners


def sizes() -> dict[str, dict[str, int | str]]:
    return {
        name: {
            "runtime_bytes": len(load(name).runtime),
            "initcode_bytes": len(load(name).bytecode),
            "initcode_keccak256": Web3.keccak(load(name).bytecode).to_0x_hex(),
        }
        for name in NAMES
    }


def with_partners(chain: Chain, count: int) -> dict[str, int]:
    """Gas of the first settlement and of a later one when every partner has a position and the quorum signs.

    Every third settlement finds all its words of storage written before, as all later ones do.
    """
    numbers = range(16, 16 + count)
    partners = [(number, Account.from_key(KEYS[number]).address, 1_000) for number in numbers]
    programme = deployed(chain, partners=partners, windowSeconds=0)
    nets = words({OPERATOR_ID: 10 * count} | dict.fromkeys(numbers, -10))
    gas = {}
    for name in ("first", "second", "later", "minting"):
        more = {"supply": supply((1, 5_001), (7, 301))} if name == "minting" else {}
        header = programme.header(gross=nets, positions=nets, **more)
        gas[f"propose_{name}_gas"] = programme.propose(header)["gasUsed"]
        gas[f"finalize_{name}_gas"] = programme.finalize(header, wait=False)["gasUsed"]
    return gas | {"signatures": programme.read("quorum")}


def claims(programme: Programme) -> dict[str, int]:
    """At depth 20, so of a million members; what comes back; all of it with a balance on both sides."""
    wallets, gas, withdrawn = Wallets(programme, Tree([(member(0), 1, 1)])), {}, 0
    wallets.fund(0)
    call = programme.settlement.functions
    for name, amount in (("first", 500), ("again", 900)):
        root, proof = deep((member(0), 1, amount), 20)
        withdrawn += 1_000
        programme.settle(claimRoot=root, supply=supply((1, 5_000, withdrawn, 0), (7, 300)))
        gas[f"claim_{name}_gas"] = wallets.send(call.claim(1, amount, proof), member(0))["gasUsed"]
    for name in ("first", "again"):
        gas[f"give_back_{name}_gas"] = wallets.send(call.giveBack(1, 10, b"\x01" * 32), member(0))["gasUsed"]
    gas["redeem_gas"] = wallets.send(call.redeem(1, 16, 10, b"\x01" * 32), member(0))["gasUsed"]
    values: dict[str, Any] = {"account": member(0), "currency": 1, "partner": 16, "amount": 5, "ref": b"\x01" * 32}
    permission = wallets.permission("Redeem", values)
    gas["redeem_for_gas"] = wallets.send(call.redeemFor(*values.values(), permission))["gasUsed"]
    return gas


def deploy_gas(chain: Chain, money: str) -> int:
    artifact = load("Settlement")
    made = chain.w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    return chain.send(made.constructor(config(chain, money)), chain.account(0))["gasUsed"]


@pytest.fixture
def measured(programme: Programme) -> dict[str, object]:
    return {
        "sizes": sizes(),
        "deploy_gas": deploy_gas(programme.chain, programme.money.address),
        "deposit_gas": programme.deposit(16, 1_000)["gasUsed"],
        "claims": claims(programme),
        "settlements": {f"{count}_partners": with_partners(programme.chain, count) for count in (5, 20)},
    }


def test_gas_and_sizes_are_as_they_were(measured: dict[str, object]) -> None:
    text = json.dumps(measured, indent=2) + "\n"
    if os.environ.get("COUNTERFOIL_SNAPSHOT") == "write":
        SNAPSHOT.write_text(text)
    assert SNAPSHOT.read_text() == text


def test_sizes_are_within_the_chains_limits() -> None:
    for name in NAMES:
        assert len(load(name).runtime) <= 24_576  # EIP-170
        assert len(load(name).bytecode) <= 49_152  # EIP-3860; the constructor's arguments count too


def test_settlements_and_claims_keep_their_bounds() -> None:
    """What the snapshot says, against what was promised."""
    known = json.loads(SNAPSHOT.read_text())
    for count in (5, 20):
        gas = known["settlements"][f"{count}_partners"]
        assert gas["propose_later_gas"] + gas["finalize_later_gas"] <= BOUNDS[count]
    assert known["claims"]["claim_first_gas"] <= 98_000
    assert known["claims"]["claim_again_gas"] <= 64_000
    assert known["deploy_gas"] <= TX_GAS_MAX


def test_a_hundred_partners(large: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programmes, "GAS", 30_000_000)
    gas = with_partners(large, 100)
    assert gas["signatures"] == 67
    assert gas["propose_later_gas"] + gas["finalize_later_gas"] <= BOUNDS[100]


@pytest.mark.long
def test_five_hundred_partners_fit_into_a_tx(large: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a constructor takes: the rest joins by the timelock, a hundred at a time."""
    monkeypatch.setattr(programmes, "GAS", 30_000_000)
    keys = {number: number.to_bytes(32, "big") for number in range(16, 516)}
    for module in (programmes, __import__("tests.contracts.changes", fromlist=["KEYS"])):
        monkeypatch.setattr(module, "KEYS", keys)
    ids_ = list(keys)
    partners = [(number, address(number), 0) for number in ids_[:100]]
    programme = deployed(large, partners=partners, windowSeconds=0, answerSeconds=0, delaySeconds=0, currencies=[])
    for start in range(100, 500, 100):
        receipt = changed(programme, "addPartners", [(n, address(n), 0) for n in ids_[start : start + 100]])
        assert receipt["gasUsed"] < TX_GAS_MAX
    assert programme.read("quorum") == 334
    programme.deposit(OPERATOR_ID, 1_000)
    nets = words({OPERATOR_ID: -500} | dict.fromkeys(ids_, 1))
    header = programme.header(gross=nets, positions=nets, supply=b"")
    signatures = programme.sign(header, *ids_[:334])
    proposed = large.send(programme.proposing(header, signatures), programme.operator)
    final = programme.finalize(header, wait=False)
    assert max(proposed["gasUsed"], final["gasUsed"]) < TX_GAS_MAX
    assert programme.read("collateral", 515) == 1
