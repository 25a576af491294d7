"""What things cost and how large they are; a change shows in review as a change of snapshot.json.

COUNTERFOIL_SNAPSHOT=write writes the file anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from eth_account import Account
from web3 import Web3

from counterfoil.chain.artifacts import load
from tests.contracts.programme import KEYS, OPERATOR_ID, Chain, Programme, config, deployed, words

SNAPSHOT = Path(__file__).parent / "snapshot.json"
NAMES = ("Settlement", "Points", "Press", "Timelock", "TestMoney")


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
    """Gas of the first and second settlement when every partner has a position and the quorum signs."""
    numbers = range(16, 16 + count)
    partners = [(number, Account.from_key(KEYS[number]).address, 1_000) for number in numbers]
    programme = deployed(chain, partners=partners, windowSeconds=0)
    nets = words({OPERATOR_ID: 10 * count} | dict.fromkeys(numbers, -10))
    gas = {}
    for name in ("first", "second"):
        header = programme.header(gross=nets, positions=nets)
        gas[f"propose_{name}_gas"] = programme.propose(header)["gasUsed"]
        gas[f"finalize_{name}_gas"] = programme.finalize(header, wait=False)["gasUsed"]
    return gas | {"signatures": programme.read("quorum")}


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
