from __future__ import annotations

import pytest
from eth_account import Account
from web3 import Web3
from web3.constants import ADDRESS_ZERO

from counterfoil.chain.artifacts import load
from tests.contracts.programme import (
    ANSWER,
    BOND,
    CHECKPOINT_KEY,
    DELAY,
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
        "operator": chain.account(1), "currencies": [1, 7], "partners": list(PARTNERS), "quorum": 4,
        "answer": ANSWER, "bond": BOND, "closedLoop": False, "guardian": chain.account(4), "successor": ADDRESS_ZERO,
        "predecessor": ADDRESS_ZERO, "pausedUntil": 0, "claimRoot": bytes(32), "previousClaimRoot": bytes(32),
        "challenger": [0, 0], "counterfoilKeys": [(bytes(12) + bytes.fromhex(chain.account(3)[2:]), 0)],
        "checkpointKeys": [(CHECKPOINT_KEY, 0)], "lastNumber": 0, "lastHeader": bytes(32), "lastClosing": bytes(32),
        "logSize": 0, "nextAttempt": 1,
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
    made = w3.eth.contract(abi=points.abi, bytecode=points.bytecode).constructor(
        name, symbol, currency, settlement, False, ADDRESS_ZERO
    )
    initcode = Web3.to_bytes(hexstr=made.data_in_transaction)
    preimage = (
        b"\xff" + bytes.fromhex(programme.read("press")[2:]) + currency.to_bytes(32, "big") + Web3.keccak(initcode)
    )
    assert programme.read("points", currency) == Web3.to_checksum_address(Web3.keccak(preimage)[12:])
    read = programme.points(currency).functions
    assert (read.settlement().call(), read.currency().call(), read.closedLoop().call()) == (settlement, currency, False)
    assert read.predecessor().call() == ADDRESS_ZERO


def test_the_timelock_is_its_own(programme: Programme) -> None:
    timelock = programme.part("Timelock").functions
    assert timelock.settlement().call() == programme.settlement.address
    assert (timelock.delay().call(), timelock.nonce().call()) == (DELAY, 0)


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
        ("Timelock", programme.read("timelock")),
        ("Press", programme.read("press")),
    ):
        artifact = load(name)
        code = bytearray(programme.chain.w3.eth.get_code(address))
        assert artifact.immutables
        for start, length in artifact.immutables:
            code[start : start + length] = bytes(length)
        assert bytes(code) == artifact.runtime
