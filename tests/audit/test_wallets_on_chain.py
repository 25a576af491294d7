"""A member's points on the real contract and back: withdrawn, claimed for them, sent on, given back, used at a till."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from web3 import Web3

from counterfoil.chain import artifacts
from counterfoil.chain.points import totals
from counterfoil.core.accounts import OPERATOR
from counterfoil.core.operation import Operation
from counterfoil.settlement import wallets
from counterfoil.store.kinds import Stray
from counterfoil.store.records import every
from tests.audit.coalition import BAKER, FLORIST, GROCER, Coalition, audited

ANN, EVE = bytes([0xA1]) * 32, bytes([0xE1]) * 32  # test keys of wallets
REF = bytes(32)
GAS = 500_000


class Wallet:
    """A member's wallet: it signs what it sends."""

    def __init__(self, made: Coalition, key: bytes) -> None:
        self.made, self.key, self.address = made, key, Account.from_key(key).address
        self._fund(made)
        contract = made.cycle.contract(create=True)
        assert contract is not None
        self.contract = contract

    def _fund(self, made: Coalition) -> None:
        """Gas, for what a member does by itself."""
        w3 = made.cycle.w3
        tx: dict[str, object] = {
            "type": 2, "chainId": w3.eth.chain_id, "to": self.address, "value": 10**18, "data": b"", "gas": 21_000,
            "nonce": w3.eth.get_transaction_count(Web3.to_checksum_address(made.operator.address)),
            "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 1,
        }  # fmt: skip
        w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(made.operator.sign_transaction(tx)))

    @property
    def w3(self) -> Web3:
        return self.made.cycle.w3

    @property
    def points(self) -> Any:
        address = self.contract.contract.functions.points(1).call()
        return self.w3.eth.contract(address, abi=artifacts.load("Points").abi)

    def send(self, call: Any) -> None:
        tx = call.build_transaction({
            "from": self.address, "gas": GAS, "nonce": self.w3.eth.get_transaction_count(self.address),
            "maxFeePerGas": 10**9, "maxPriorityFeePerGas": 1, "chainId": self.w3.eth.chain_id,
        })  # fmt: skip
        signed = Account.sign_transaction(tx, self.key)
        receipt = self.w3.eth.wait_for_transaction_receipt(self.w3.eth.send_raw_transaction(signed.raw_transaction))
        assert receipt["status"] == 1

    def held(self) -> int:
        return int(self.points.functions.balanceOf(self.address).call())


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Coalition]:
    one = Coalition(tmp_path / "home")
    yield one
    one.end()


def linked(made: Coalition, member: int, key: bytes) -> str:
    account = str(Account.from_key(key).address).lower()
    answers, _group = made.poster.post([Operation("wallet_nonce", OPERATOR, member=member)])
    nonce = answers[0].facts["nonce"]
    made.act("link_wallet", member=member, account=account, nonce=nonce, expires_at=2**60, not_before=0)
    return account


def free(made: Coalition, member: int) -> int:
    with made.engine.connect() as connection:
        state = connection.exec_driver_sql(f"SELECT available FROM member WHERE id = {member}").scalar_one()
    return int(state)


def test_points_go_to_a_wallet_and_come_back(made: Coalition, tmp_path: Path) -> None:
    (ann,) = made.members(1)
    made.do("earn", GROCER, ann, 300)
    linked(made, ann, ANN)
    wallet, other = Wallet(made, ANN), Wallet(made, EVE)
    made.act("withdraw", member=ann, points=120)
    made.settle()
    assert wallet.held() == 120, "claimed for the member, who has no need of gas"
    call = wallet.contract.contract.functions
    wallet.send(wallet.points.functions.transfer(other.address, 30))
    wallet.send(call.giveBack(1, 50, REF))
    wallet.send(call.redeem(1, BAKER, 15, REF))
    other.send(call.giveBack(1, 10, REF))  # nobody's account
    made.cycle.run()
    made.cycle.run()  # reading again books nothing
    assert free(made, ann) == 180 + 50
    with made.engine.connect() as connection:
        strays = [one for _name, one in every(connection, Stray)]
    assert [(one.account, one.points, one.why) for one in strays] == [(other.address.lower(), 10, "unlinked_account")]
    made.act("withdraw", member=ann, points=5)
    made.do("burn", FLORIST, ann, 25)
    made.settle()
    assert totals(wallet.contract, 1) == (125, 65, 75)
    assert (wallet.held(), other.held()) == (120 - 30 - 50 - 15 + 5, 20)
    assert wallet.points.functions.totalSupply().call() == 300 - 15 - 25
    report = audited(made.export(tmp_path / "ledger"), made.chain())
    assert [str(one) for one in report.findings] == []


def test_a_crash_between_booking_and_noting_books_once(made: Coalition, monkeypatch: pytest.MonkeyPatch) -> None:
    (ann,) = made.members(1)
    made.do("earn", GROCER, ann, 100)
    linked(made, ann, ANN)
    wallet = Wallet(made, ANN)
    made.act("withdraw", member=ann, points=60)
    made.settle()
    wallet.send(wallet.contract.contract.functions.giveBack(1, 40, REF))
    memory, plain = made.cycle.memory, made.cycle.memory.remember

    def dies(name: str, value: str) -> None:
        if name == wallets.READ:
            raise RuntimeError("killed")
        plain(name, value)

    with monkeypatch.context() as patch:
        patch.setattr(type(memory), "remember", lambda _self, name, value: dies(name, value))
        with pytest.raises(RuntimeError):
            made.cycle.run()
    assert free(made, ann) == 80
    made.cycle.run()
    assert free(made, ann) == 80
    made.settle()


def test_a_settlement_with_more_returned_than_came_back_is_refused_by_the_contract(made: Coalition) -> None:
    """What the operator books without an event, the contract does not take."""
    (ann,) = made.members(1)
    made.do("earn", GROCER, ann, 100)
    account = linked(made, ann, ANN)
    made.act("withdraw", member=ann, points=60)
    made.settle()
    made.act("give_back", points=10, account=account, block="0x" + "11" * 32, index=1)
    with pytest.raises(Exception, match=r"^propose:2.* failed"):
        made.settle()
