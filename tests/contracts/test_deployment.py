from __future__ import annotations

import pytest
from eth_account import Account
from web3 import Web3

from counterfoil.chain.artifacts import load
from tests.contracts.programme import (
    CHECKPOINT_KEY,
    FLOOR,
    KEYS,
    PARTNERS,
    PROGRAMME,
    RULEBOOK,
    WINDOW,
    Chain,
    Programme,
    config,
)


def test_everything_fixed_at_deployment_can_be_read(programme: Programme) -> None:
    chain = programme.chain
    facts = {
        "programme": PROGRAMME, "rulebook": RULEBOOK, "token": programme.money.address, "window": WINDOW,
        "operator": chain.account(1), "counterfoilKey": [chain.account(3), 0],
        "checkpointKey": [CHECKPOINT_KEY, 0], "currencies": [1, 7], "partners": list(PARTNERS), "quorum": 4,
        "lastNumber": 0, "lastHeader": bytes(32), "lastClosing": bytes(32), "logSize": 0, "nextAttempt": 1,
        "proposal": [bytes(32), 0, 0],
    }  # fmt: skip
    assert {name: programme.read(name) for name in facts} == facts
    for number in PARTNERS:
        assert programme.read("signerOf", number) == Account.from_key(KEYS[number]).address
        assert (programme.read("floorOf", number), programme.read("suspended", number)) == (FLOOR, False)


@pytest.mark.parametrize(("currency", "name", "symbol"), [(1, "Bonus", "BON"), (7, "Miles", "MIL")])
def test_points_are_where_create2_puts_them(programme: Programme, currency: int, name: str, symbol: str) -> None:
    w3, settlement = programme.chain.w3, programme.settlement.address
    points = load("Points")
    made = w3.eth.contract(abi=points.abi, bytecode=points.bytecode).constructor(name, symbol)
    initcode = Web3.to_bytes(hexstr=made.data_in_transaction)
    preimage = b"\xff" + bytes.fromhex(settlement[2:]) + currency.to_bytes(32, "big") + Web3.keccak(initcode)
    assert programme.read("points", currency) == Web3.to_checksum_address(Web3.keccak(preimage)[12:])
    assert programme.points(currency).functions.settlement().call() == settlement


def test_an_unknown_currency_has_no_points(programme: Programme) -> None:
    assert programme.read("points", 2) == "0x" + "0" * 40


@pytest.mark.parametrize(("count", "required"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (20, 14)])
def test_quorum_is_two_thirds_rounded_up(chain: Chain, programme: Programme, count: int, required: int) -> None:
    partners = [(number, Account.from_key(KEYS[number]).address, 0) for number in range(16, 16 + count)]
    arguments = config(chain, programme.money.address, partners=partners, currencies=[])
    settlement = chain.deploy(load("Settlement"), arguments)
    assert settlement.functions.quorum().call() == required


def test_the_code_on_chain_is_the_artefact_with_immutables_filled_in(programme: Programme) -> None:
    for name, address in (
        ("Settlement", programme.settlement.address),
        ("Points", programme.read("points", 7)),
    ):
        artifact = load(name)
        code = bytearray(programme.chain.w3.eth.get_code(address))
        assert artifact.immutables
        for start, length in artifact.immutables:
            code[start : start + length] = bytes(length)
        assert bytes(code) == artifact.runtime
