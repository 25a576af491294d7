"""Collateral out: what is free, after the next settlement, or once the programme fell silent."""

from __future__ import annotations

from typing import Any

import pytest
from web3.constants import ADDRESS_ZERO
from web3.types import TxReceipt

from counterfoil.chain.artifacts import Artifact, load
from tests.contracts.changes import active, address, changed
from tests.contracts.programme import (
    DAY,
    FLOOR,
    OPERATOR_ID,
    WINDOW,
    Header,
    Programme,
    config,
    refused,
    words,
)

TO = "0x" + "88" * 20
NONE: Header = {
    "programme": bytes(32), "number": 0, "attempt": 0, "previousHeader": bytes(32), "previousClosing": bytes(32),
    "closedAt": 0, "logSize": 0, "logRoot": bytes(32), "claimRoot": bytes(32), "manifest": bytes(32), "gross": b"",
    "supply": b"", "collateralBlock": 0, "collateralBlockHash": bytes(32), "positions": b"", "defaults": b"",
}  # fmt: skip


def requesting(p: Programme, party: int, amount: int, to: str = TO) -> Any:
    return p.settlement.functions.requestCollateral(party, amount, to)


def request(p: Programme, amount: int, party: int = 18) -> TxReceipt:
    return p.chain.send(requesting(p, party, amount), p.operator if party == OPERATOR_ID else p.signer(party))


def withdraw(p: Programme, party: int = 18, header: Header = NONE) -> TxReceipt:
    return p.chain.send(p.settlement.functions.withdrawCollateral(party, tuple(header.values())), p.anyone)


def paid(p: Programme) -> int:
    return int(p.money.functions.balanceOf(TO).call())


def silence(p: Programme) -> None:
    p.chain.tester.time_travel(p.read("silentFrom"))


def test_a_request_is_paid_after_the_next_settlement(programme: Programme) -> None:
    p = programme
    p.settle()
    receipt = request(p, 4_000)
    assert p.events(receipt) == [("CollateralRequested", {"id": 18, "to": TO, "amount": 4_000, "number": 2})]
    assert p.read("requested", 18) == [4_000, 2, TO]
    with refused("RequestWaits", 2):
        withdraw(p)
    header = p.header()
    p.propose(header)
    with refused("RequestWaits", 2):
        withdraw(p, header=header)
    p.finalize(header)
    receipt, total = withdraw(p), p.read("totalCollateral")
    assert p.events(receipt) == [("CollateralWithdrawn", {"id": 18, "to": TO, "amount": 4_000, "collateral": 6_000})]
    assert (paid(p), p.read("collateral", 18), p.read("requested", 18)) == (4_000, 6_000, [0, 2, TO])
    assert p.money.functions.balanceOf(p.settlement.address).call() == total == 56_000
    with refused("NothingRequested", 18):
        withdraw(p)


def test_never_below_the_floor_and_the_rest_stays_requested(programme: Programme) -> None:
    p = programme
    request(p, 20_000)
    p.settle()
    withdraw(p)
    assert (paid(p), p.read("collateral", 18), p.read("requested", 18)[0]) == (9_000, FLOOR, 11_000)
    with refused("NotFree", 18, 0, 11_000):
        withdraw(p)
    p.deposit(18, 500)
    withdraw(p)
    assert (paid(p), p.read("collateral", 18)) == (9_500, FLOOR)


def test_what_a_standing_proposal_debits_stays(programme: Programme) -> None:
    p = programme
    request(p, 20_000)
    p.settle()
    nets = words({16: 6_000, 18: -6_000})
    header = p.header(gross=nets, positions=nets)
    p.propose(header)
    other = header | {"positions": b"", "gross": b""}
    for shown in (NONE, other):  # the header that stands must be shown
        with refused("WrongHeader", p.message(header).body, p.message(shown).body):
            withdraw(p, header=shown)
    withdraw(p, header=header)
    assert (paid(p), p.read("collateral", 18)) == (3_000, 7_000)
    with refused("NotFree", 18, 0, 17_000):
        withdraw(p, header=header)
    p.finalize(header)
    assert p.read("collateral", 18) == FLOOR


def test_what_a_proposal_brings_can_be_taken_only_when_final(programme: Programme) -> None:
    p = programme
    request(p, 20_000)
    p.settle()
    nets = words({16: -6_000, 18: 6_000})
    header = p.header(gross=nets, positions=nets)
    p.propose(header)
    withdraw(p, header=header)
    p.finalize(header)
    withdraw(p)
    assert paid(p) == 9_000 + 6_000


def test_a_new_request_replaces_the_last_and_waits_anew(programme: Programme) -> None:
    p = programme
    request(p, 4_000)
    p.settle()
    request(p, 100)
    with refused("RequestWaits", 2):
        withdraw(p)
    request(p, 0)
    with refused("NothingRequested", 18):
        withdraw(p)


def test_only_the_partys_signer_asks(programme: Programme) -> None:
    p = programme
    for party, caller in ((18, p.operator), (18, p.signer(19)), (1, p.operator), (3, p.signer(18)), (99, p.anyone),
                          (OPERATOR_ID, p.anyone)):  # fmt: skip
        with refused("NotTheSigner", party, caller):
            p.chain.send(requesting(p, party, 1), caller)
    with refused("Missing", "to"):
        p.chain.send(requesting(p, 18, 1, ADDRESS_ZERO), p.signer(18))


def test_the_operator_asks_for_its_own(programme: Programme) -> None:
    p = programme
    request(p, 10_000, OPERATOR_ID)
    p.settle(positions=words({OPERATOR_ID: -400, 16: 400}))
    withdraw(p, OPERATOR_ID)
    assert (paid(p), p.read("collateral", OPERATOR_ID)) == (9_600, 0)


def paying(p: Programme, payee: str, party: int = 18) -> Any:
    return p.settlement.functions.setPayee(party, payee)


def test_a_payee_is_out_of_the_signers_reach(programme: Programme) -> None:
    p = programme
    cold, thief = p.chain.account(8), p.signer(18)
    request(p, 100)
    receipt = p.chain.send(paying(p, cold), p.signer(18))
    assert p.events(receipt) == [("PayeeChanged", {"id": 18, "payee": cold})]
    assert (p.read("payeeOf", 18), p.read("requested", 18)[0]) == (cold, 0)
    with refused("NotThePayee", 18, TO):
        p.chain.send(requesting(p, 18, 100), thief)
    with refused("NotThePayee", 18, thief):
        p.chain.send(paying(p, TO), thief)
    p.chain.send(requesting(p, 18, 100, cold), thief)
    p.settle()
    withdraw(p)
    assert p.money.functions.balanceOf(cold).call() == 100
    p.chain.send(paying(p, ADDRESS_ZERO), cold)  # undone by itself alone
    request(p, 100)


def test_only_the_signer_names_the_first_payee(programme: Programme) -> None:
    p = programme
    for party, caller in ((18, p.operator), (18, p.signer(19)), (1, p.operator)):
        with refused("NotTheSigner", party, caller):
            p.chain.send(paying(p, TO, party), caller)
    p.chain.send(paying(p, TO, OPERATOR_ID), p.operator)


@pytest.mark.parametrize("how", ["retired", "replaced"])
def test_what_a_stolen_key_asked_for_is_not_paid(programme: Programme, how: str) -> None:
    p = programme
    request(p, 4_000)
    if how == "retired":
        p.chain.send(p.settlement.functions.retire(18), p.signer(18))
    else:
        changed(p, "setSigner", 18, address(40))
    header = p.header(positions=b"", gross=b"")
    p.propose(header, p.sign(header, *active(p)))
    p.finalize(header)
    with refused("NothingRequested", 18):
        withdraw(p)


def test_silence_frees_what_exceeds_the_floor(programme: Programme) -> None:
    """Nothing was ever proposed: thirty days from the deployment."""
    p = programme
    request(p, 20_000)
    silence(p)
    withdraw(p)
    assert (paid(p), p.read("collateral", 18)) == (9_000, FLOOR)


def test_silence_keeps_what_is_proposed(programme: Programme) -> None:
    p, nets = programme, words({16: 6_000, 18: -6_000})
    header = p.header(gross=nets, positions=nets)
    p.propose(header)
    proposed_at = p.read("proposal")[2]
    assert p.read("silentFrom") == proposed_at + 30 * DAY
    request(p, 20_000)
    p.chain.tester.time_travel(p.read("silentFrom") - 1)
    with refused("RequestWaits", 1):
        withdraw(p, header=header)
    silence(p)
    withdraw(p, header=header)
    assert paid(p) == 3_000
    p.finalize(header, wait=False)  # still possible
    assert p.read("collateral", 18) == FLOOR
    with refused("NotFree", 18, 0, 17_000):
        withdraw(p)


def test_silence_keeps_the_last_signed_debit(programme: Programme) -> None:
    p, nets = programme, words({16: 2_000, 18: -2_000})
    header = p.settle(gross=nets, positions=nets)
    request(p, 20_000)
    silence(p)
    with refused("WrongHeader", p.message(header).body, p.message(NONE).body):
        withdraw(p, header=NONE)
    withdraw(p, header=header)
    assert (paid(p), p.read("collateral", 18)) == (5_000, FLOOR + 2_000)


def test_silence_ends_with_the_next_proposal(programme: Programme) -> None:
    p = programme
    p.chain.wait(30 * DAY)
    header = p.header()
    p.propose(header)
    request(p, 1)
    with refused("RequestWaits", 1):
        withdraw(p, header=header)
    p.chain.wait(WINDOW)
    p.finalize(header, wait=False)
    assert p.read("silentFrom") == p.chain.w3.eth.get_block("latest")["timestamp"] + 30 * DAY


def test_a_token_cannot_withdraw_again_from_inside(programme: Programme, odd_money: Artifact) -> None:
    p = programme
    money = p.chain.deploy(odd_money, 6, 0)
    odd = Programme(p.chain, money, p.chain.deploy(load("Settlement"), config(p.chain, money.address)))
    odd.deposit(18, 5_000)
    odd.chain.send(requesting(odd, 18, 1_000), odd.signer(18))
    silence(odd)
    odd.chain.send(odd.money.functions.reenter(odd.settlement.address), odd.anyone)
    with refused("ReentrancyGuardReentrantCall"):
        withdraw(odd)
    assert odd.read("collateral", 18) == 5_000


def test_a_lost_bond_is_the_operators_to_withdraw(programme: Programme) -> None:
    """Bonds stay in the total: what every party has and a bond are never more than the balance."""
    p, header = programme, programme.header()
    p.propose(header)
    total = p.read("totalCollateral")
    p.chain.send(p.settlement.functions.challenge(18, tuple(header.values())), p.signer(18))
    parties = [p.read("collateral", party) for party in (*range(1, 7), *p.partners)]
    assert sum(parties) + p.read("bond") == total == p.read("totalCollateral")


@pytest.mark.parametrize("amount", [1, 2**112 - 1])
def test_any_amount_can_be_asked_for(programme: Programme, amount: int) -> None:
    request(programme, amount)
    programme.settle()
    withdraw(programme)
    assert paid(programme) == min(amount, 9_000)
