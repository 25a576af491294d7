"""A partner stops a header for a bond; the quorum confirms it, or it is void and the settlement closed anew."""

from __future__ import annotations

from typing import Any

import pytest
from web3.types import TxReceipt

from tests.contracts.programme import (
    ANSWER,
    BOND,
    FLOOR,
    OPERATOR_ID,
    WINDOW,
    Header,
    Programme,
    deployed,
    ids,
    refused,
    words,
)


@pytest.fixture
def proposed(programme: Programme) -> Header:
    header = programme.header()
    programme.propose(header)
    return header


def challenging(p: Programme, header: Header, partner: int) -> Any:
    return p.settlement.functions.challenge(partner, tuple(header.values()))


def challenge(p: Programme, header: Header, partner: int = 18) -> TxReceipt:
    return p.chain.send(challenging(p, header, partner), p.signer(partner))


def confirming(p: Programme, header: Header, challenger: int = 18, *signers: int) -> Any:
    values = {"header": p.message(header).body, "challenger": challenger}
    return p.settlement.functions.confirm(p.sign_words("Confirmation", values, *signers))


def timestamp(p: Programme) -> int:
    return int(p.chain.w3.eth.get_block("latest")["timestamp"])


def test_a_challenge_stops_the_header(programme: Programme, proposed: Header) -> None:
    p, total = programme, programme.read("totalCollateral")
    receipt, hash_ = challenge(p, proposed), p.message(proposed).body
    until = timestamp(p) + ANSWER
    assert p.events(receipt) == [
        ("BondMoved", {"id": 18, "amount": -BOND, "collateral": 10_000 - BOND}),
        ("Challenged", {"number": 1, "attempt": 1, "id": 18, "headerHash": hash_, "answerUntil": until}),
    ]  # fmt: skip
    assert p.read("challenger") == [18, until]
    assert (p.read("collateral", 18), p.read("totalCollateral")) == (10_000 - BOND, total)
    p.chain.wait(WINDOW)
    with refused("ChallengeStands", 18):
        p.finalize(proposed, wait=False)
    with refused("AlreadyProposed", 1, hash_):
        p.propose(proposed)


def test_the_quorum_confirms_and_the_bond_falls_to_the_operator(programme: Programme, proposed: Header) -> None:
    p = programme
    proposed_at = p.read("proposal")[2]
    challenge(p, proposed)
    receipt, hash_ = p.chain.send(confirming(p, proposed), p.anyone), p.message(proposed).body
    assert p.events(receipt) == [
        ("BondMoved", {"id": OPERATOR_ID, "amount": BOND, "collateral": 10_000 + BOND}),
        ("Confirmed", {"number": 1, "attempt": 1, "id": 18, "headerHash": hash_}),
    ]  # fmt: skip
    assert (p.read("challenger"), p.read("proposal")) == ([0, 0], [hash_, 1, proposed_at])  # the window goes on
    p.finalize(proposed)
    assert (p.read("collateral", 18), p.read("lastNumber")) == (10_000 - BOND, 1)


def test_a_confirmation_after_the_window_ends_the_wait(programme: Programme, proposed: Header) -> None:
    p = programme
    p.signer(18)
    p.chain.tester.time_travel(p.read("proposal")[2] + WINDOW - 1)
    challenge(p, proposed)
    p.chain.wait(ANSWER - 10)
    p.chain.send(confirming(p, proposed), p.anyone)
    p.finalize(proposed, wait=False)


def test_no_answer_voids_the_header(programme: Programme, proposed: Header) -> None:
    p = programme
    challenge(p, proposed)
    until = p.read("challenger")[1]
    upholding = p.settlement.functions.uphold()
    with refused("AnswerOpen", until):
        p.chain.send(upholding, p.anyone)
    p.chain.tester.time_travel(until)
    with refused("AnswerClosed", until):
        p.chain.send(confirming(p, proposed), p.anyone)
    receipt, hash_ = p.chain.send(upholding, p.anyone), p.message(proposed).body
    assert p.events(receipt) == [
        ("Voided", {"number": 1, "attempt": 1, "headerHash": hash_}),
        ("BondMoved", {"id": 18, "amount": BOND, "collateral": 10_000}),
    ]  # fmt: skip
    assert (p.read("nextAttempt"), p.read("lastNumber"), p.read("proposal")) == (2, 0, [bytes(32), 0, 0])
    with refused("NotChallenged"):
        p.chain.send(upholding, p.anyone)


def test_voided_and_closed_anew_with_the_next_attempt(programme: Programme, proposed: Header) -> None:
    """The whole run: 17 was debited wrongly, the second header says what is right."""
    p = programme
    challenge(p, proposed, 17)
    p.chain.send(p.settlement.functions.concede(), p.operator)
    with refused("WrongAttempt", 2, 1):
        p.propose(proposed)
    with refused("NothingProposed"):
        p.finalize(proposed)
    nets = words({OPERATOR_ID: 3, 16: 7, 17: -10})
    anew = p.header(gross=nets, positions=nets, logSize=9)
    assert anew["attempt"] == 2
    p.propose(anew)
    p.finalize(anew)
    assert p.read("lastHeader") == p.message(anew).body
    assert [p.read("collateral", party) for party in (OPERATOR_ID, 16, 17)] == [10_003, 10_007, 9_990]
    assert (p.read("lastNumber"), p.read("nextAttempt")) == (1, 1)
    p.settle()
    assert p.read("lastNumber") == 2


def test_the_operator_alone_concedes_and_only_a_challenge(programme: Programme, proposed: Header) -> None:
    p, conceding = programme, programme.settlement.functions.concede()
    with refused("NotChallenged"):
        p.chain.send(conceding, p.operator)
    challenge(p, proposed)
    with refused("NotOperator", p.anyone):
        p.chain.send(conceding, p.anyone)
    p.chain.send(conceding, p.operator)
    assert (p.read("nextAttempt"), p.read("collateral", 18)) == (2, 10_000)


def test_once_per_partner_and_header(programme: Programme, proposed: Header) -> None:
    p = programme
    challenge(p, proposed)
    with refused("ChallengeStands", 18):
        challenge(p, proposed, 19)
    p.chain.send(confirming(p, proposed), p.anyone)
    with refused("ChallengedBefore", 18, p.message(proposed).body):
        challenge(p, proposed)
    challenge(p, proposed, 19)  # another may still
    p.chain.send(p.settlement.functions.concede(), p.operator)
    anew = p.header()
    p.propose(anew)
    challenge(p, anew)  # and so may the first, the next attempt


def test_only_within_the_window(programme: Programme, proposed: Header) -> None:
    p = programme
    until = p.read("proposal")[2] + WINDOW
    p.chain.tester.time_travel(until)
    with refused("WindowClosed", until):
        challenge(p, proposed)
    p.finalize(proposed, wait=False)
    with refused("NothingProposed"):
        challenge(p, proposed)


def test_only_by_the_partners_signer_and_of_what_stands(programme: Programme, proposed: Header) -> None:
    p = programme
    for caller in (p.operator, p.signer(19)):
        with refused("NotTheSigner", 18, caller):
            p.chain.send(challenging(p, proposed, 18), caller)
    with refused("NotTheSigner", OPERATOR_ID, p.operator):
        p.chain.send(challenging(p, proposed, OPERATOR_ID), p.operator)
    other = proposed | {"manifest": b"\x01" * 32}
    with refused("WrongHeader", p.message(proposed).body, p.message(other).body):
        challenge(p, other)


@pytest.mark.parametrize(("debit", "free"), [(8_500, 500), (8_501, 499), (9_000, 0)])
def test_the_bond_is_free_collateral(programme: Programme, debit: int, free: int) -> None:
    """Above the floor and what the header debits: what was covered stays covered."""
    p, nets = programme, words({16: debit, 18: -debit})
    header = p.header(gross=nets, positions=nets)
    p.propose(header)
    if free < BOND:
        with refused("NotFree", 18, free, BOND):
            challenge(p, header)
        p.deposit(18, BOND - free)  # a victim tops up
    challenge(p, header)
    p.chain.send(confirming(p, header), p.anyone)
    p.finalize(header)
    assert p.read("collateral", 18) == FLOOR


def test_who_is_put_in_default_tops_up_to_challenge(programme: Programme) -> None:
    p, nets = programme, words({16: 9_500, 18: -9_500})
    header = p.header(gross=nets, positions=nets, defaults=ids(18))
    p.propose(header)
    with refused("NotFree", 18, 0, BOND):
        challenge(p, header)
    p.deposit(18, 500 + BOND)
    challenge(p, header)


def test_a_confirmation_is_the_quorums_over_this_challenge(programme: Programme, proposed: Header) -> None:
    p = programme
    with refused("NotChallenged"):
        p.chain.send(confirming(p, proposed), p.anyone)
    challenge(p, proposed)
    hash_ = p.message(proposed).body
    with refused("BelowQuorum", 4, 3):
        p.chain.send(confirming(p, proposed, 18, 16, 17, 19), p.anyone)
    for wrong in (p.sign(proposed), p.sign_words("Confirmation", {"header": hash_, "challenger": 19}),
                  p.sign_words("Confirmation", {"header": bytes(32), "challenger": 18})):  # fmt: skip
        with pytest.raises(Exception, match="execution reverted"):
            p.settlement.functions.confirm(wrong).call({"from": p.anyone})
    p.chain.send(confirming(p, proposed, 18, 16, 17, 19, 20), p.anyone)  # the challenger need not agree


def test_a_sandbox_without_a_window_has_no_challenge(programme: Programme) -> None:
    sandbox = deployed(programme.chain, windowSeconds=0, answerSeconds=0)
    header = sandbox.header()
    sandbox.propose(header)
    with refused("WindowClosed", sandbox.read("proposal")[2]):
        challenge(sandbox, header)
