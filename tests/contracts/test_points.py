from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from web3.constants import ADDRESS_ZERO
from web3.contract import Contract
from web3.types import TxParams

from counterfoil.chain.artifacts import load
from tests.contracts.programme import GAS, KEYS, Chain, Programme, refused


@pytest.fixture
def points(chain: Chain) -> Contract:
    """Points whose Settlement is an account, so that it can be played."""
    return chain.deploy(load("Points"), "Bonus", "BON", 1, chain.account(0), False, ADDRESS_ZERO)


def test_points_are_whole(points: Contract) -> None:
    call = points.functions
    assert (call.name().call(), call.symbol().call(), call.decimals().call()) == ("Bonus", "BON", 0)


def test_minted_into_custody_and_retired_from_it(chain: Chain, points: Contract) -> None:
    settlement, call = chain.account(0), points.functions
    chain.send(call.settle(50, 0), settlement)
    chain.send(call.settle(30, 0), settlement)
    assert call.balanceOf(points.address).call() == call.totalSupply().call() == 30
    chain.send(call.settle(35, 12), settlement)  # minted first, then 12 become claimable
    assert (call.balanceOf(points.address).call(), call.balanceOf(settlement).call()) == (23, 12)
    with refused("ERC20InsufficientBalance", points.address, 23, 24):
        call.settle(11, 0).call({"from": settlement, "gas": GAS})
    with refused("ERC20InsufficientBalance", points.address, 23, 24):
        call.settle(35, 24).call({"from": settlement, "gas": GAS})


def test_taken_into_custody_without_an_allowance(chain: Chain, points: Contract) -> None:
    settlement, holder, call = chain.account(0), chain.account(5), points.functions
    chain.send(call.settle(50, 20), settlement)
    chain.send(call.transfer(holder, 20), settlement)
    chain.send(call.take(holder, 15), settlement)
    assert (call.balanceOf(points.address).call(), call.balanceOf(holder).call()) == (45, 5)
    with refused("ERC20InsufficientBalance", holder, 5, 6):
        call.take(holder, 6).call({"from": settlement, "gas": GAS})


def test_only_settlement_moves_custody(programme: Programme) -> None:
    points = programme.points().functions
    for caller in (programme.operator, programme.anyone):
        for verb in (points.settle(1, 0), points.take(programme.anyone, 0)):
            with refused("OnlySettlement", caller):
                verb.call({"from": caller, "gas": GAS})


@pytest.mark.parametrize("place", ["points", "settlement"])
def test_nothing_is_sent_into_custody_by_hand(programme: Programme, place: str) -> None:
    points = programme.points()
    to = points.address if place == "points" else programme.settlement.address
    by: TxParams = {"from": programme.anyone, "gas": GAS}
    for moving in (
        points.functions.transfer(to, 0),
        points.functions.transferFrom(programme.operator, to, 0),
    ):
        with refused("NotARecipient", to):
            moving.call(by)
    assert points.functions.transfer(programme.operator, 0).call(by)


def permit(points: Contract, spender: str, value: int, deadline: int, key: bytes) -> tuple[object, ...]:
    owner = Account.from_key(key).address
    _, name, version, chain_id, contract, *_ = points.functions.eip712Domain().call()
    types = {"Permit": [
        {"name": "owner", "type": "address"}, {"name": "spender", "type": "address"},
        {"name": "value", "type": "uint256"}, {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ]}  # fmt: skip
    domain = {"name": name, "version": version, "chainId": chain_id, "verifyingContract": contract}
    nonce = points.functions.nonces(owner).call()
    fields = {"owner": owner, "spender": spender, "value": value, "nonce": nonce, "deadline": deadline}
    signed = Account.sign_message(encode_typed_data(domain, types, fields), key)
    words = (signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big"))
    return owner, spender, value, deadline, signed.v, *words


def test_permit_lets_another_pay_the_gas(chain: Chain, points: Contract) -> None:
    spender = chain.account(4)
    arguments = permit(points, spender, 7, 2**40, KEYS[16])
    chain.send(points.functions.permit(*arguments), chain.account(5))
    assert points.functions.allowance(arguments[0], spender).call() == 7
    with pytest.raises(Exception, match="execution reverted"):  # the nonce is used up
        points.functions.permit(*arguments).call({"from": spender, "gas": GAS})


def test_an_old_permit_is_refused(chain: Chain, points: Contract) -> None:
    arguments = permit(points, chain.account(4), 7, 1, KEYS[16])
    with refused("ERC2612ExpiredSignature", 1):
        points.functions.permit(*arguments).call({"from": chain.account(4), "gas": GAS})
