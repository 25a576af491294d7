from __future__ import annotations

from counterfoil.chain.artifacts import Artifact, load
from tests.contracts.programme import GAS, OPERATOR_ID, STRANGER_ID, Programme, config, refused


def test_anyone_adds_to_any_partys_collateral(programme: Programme) -> None:
    total = programme.read("totalCollateral")
    receipt = programme.deposit(18, 25)
    programme.deposit(3, 5)
    assert programme.events(receipt) == [
        ("CollateralDeposited", {"id": 18, "from": programme.anyone, "amount": 25, "collateral": 10_025}),
    ]  # fmt: skip
    assert (programme.read("collateral", 18), programme.read("collateral", 3)) == (10_025, 5)
    assert programme.read("totalCollateral") == total + 30
    assert programme.money.functions.balanceOf(programme.settlement.address).call() == total + 30


def test_reserved_ids_in_use_and_partners_are_known(programme: Programme) -> None:
    known = [number for number in (*range(22), STRANGER_ID, 2**16 - 1) if programme.read("known", number)]
    assert known == [1, 2, 3, 4, 5, 6, 16, 17, 18, 19, 20]


def test_money_sent_without_a_deposit_is_nobodys_collateral(programme: Programme) -> None:
    total = programme.read("totalCollateral")
    programme.chain.send(
        programme.money.functions.mint(programme.settlement.address, 50), programme.anyone
    )  # fmt: skip
    assert programme.read("totalCollateral") == total
    programme.deposit(OPERATOR_ID, 1)
    assert programme.read("collateral", OPERATOR_ID) == 10_001


def odd_programme(programme: Programme, odd_money: Artifact, fee: int) -> Programme:
    chain = programme.chain
    money = chain.deploy(odd_money, 6, fee)
    return Programme(chain, money, chain.deploy(load("Settlement"), config(chain, money.address)))


def test_what_arrives_is_credited(programme: Programme, odd_money: Artifact) -> None:
    odd = odd_programme(programme, odd_money, fee=3)
    odd.deposit(16, 100)
    assert odd.read("collateral", 16) == odd.read("totalCollateral") == 97


def test_a_token_cannot_deposit_from_inside_a_deposit(programme: Programme, odd_money: Artifact) -> None:
    odd = odd_programme(programme, odd_money, fee=0)
    by = odd.anyone
    odd.chain.send(odd.money.functions.mint(by, 100), by)
    odd.chain.send(odd.money.functions.approve(odd.settlement.address, 100), by)
    odd.chain.send(odd.money.functions.reenter(odd.settlement.address), by)
    with refused("ReentrancyGuardReentrantCall"):
        odd.settlement.functions.depositCollateral(16, 100).call({"from": by, "gas": GAS})


def test_collateral_stays_within_112_bits(programme: Programme) -> None:
    by, much = programme.anyone, 2**112
    programme.chain.send(programme.money.functions.mint(by, much), by)
    programme.chain.send(programme.money.functions.approve(programme.settlement.address, much), by)
    with refused("SafeCastOverflowedUintDowncast", 112, programme.read("totalCollateral") + much):
        programme.settlement.functions.depositCollateral(16, much).call({"from": by, "gas": GAS})


def test_without_allowance_nothing_is_deposited(programme: Programme) -> None:
    with refused("ERC20InsufficientAllowance", programme.settlement.address, 0, 1):
        programme.settlement.functions.depositCollateral(16, 1).call({"from": programme.anyone, "gas": GAS})


def test_a_token_that_answers_false_deposits_nothing(programme: Programme, odd_money: Artifact) -> None:
    odd = odd_programme(programme, odd_money, fee=0)
    odd.chain.send(odd.money.functions.sulk(), odd.anyone)
    with refused("SafeERC20FailedOperation", odd.money.address):
        odd.settlement.functions.depositCollateral(16, 1).call({"from": odd.anyone, "gas": GAS})
