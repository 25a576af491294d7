"""The partners' quorum changes a programme, after a delay; the operator never does."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account

from counterfoil.chain.artifacts import load
from tests.contracts.changes import call_data, fails, scheduling
from tests.contracts.programme import (
    DELAY,
    Programme,
    deployed,
    refused,
)

NEW = "0x" + "99" * 20
NAMED = "0x1234567890123456789012345678901234567890"


def key_word(account: str) -> bytes:
    return bytes(12) + bytes.fromhex(account[2:])


def test_signed_scheduled_executed(programme: Programme) -> None:
    p, data = programme, call_data(programme, "setFloor", 18, 77)
    timelock = p.part("Timelock")
    receipt = p.chain.send(scheduling(p, data), p.anyone)
    due = p.chain.w3.eth.get_block("latest")["timestamp"] + DELAY
    name = p.named("Change", {"call": data, "nonce": 0})
    [scheduled] = timelock.events.Scheduled().process_receipt(receipt)
    assert dict(scheduled["args"]) == {"change": name, "nonce": 0, "call": data, "dueAt": due}
    assert (timelock.functions.dueAt(name).call(), timelock.functions.nonce().call()) == (due, 1)
    executing = timelock.functions.execute(data, 0)
    p.chain.tester.time_travel(due - 1)
    with refused("NotDue", due):
        p.chain.send(executing, p.anyone)
    p.chain.tester.time_travel(due)
    receipt = p.chain.send(executing, p.anyone)
    assert p.events(receipt) == [("FloorChanged", {"id": 18, "floor": 77})]
    assert p.read("floorOf", 18) == 77
    with refused("UnknownChange", name):
        fails(p, executing)


def test_a_change_is_the_quorums(programme: Programme) -> None:
    p, data = programme, call_data(programme, "setOperator", NEW)
    with refused("BelowQuorum", 4, 3):
        fails(p, scheduling(p, data, 16, 17, 18))
    with refused("WrongNonce", 0, 1):
        fails(p, scheduling(p, data, nonce=1))
    for changes in ({"nonce": 1}, {"call": data + b"\0"}, {"call": call_data(p, "setOperator", p.anyone)}):
        with pytest.raises(Exception, match="execution reverted"):
            fails(p, scheduling(p, data, **changes))
    fails(p, scheduling(p, data))


def test_a_used_nonce_and_another_programme(programme: Programme) -> None:
    p, data = programme, call_data(programme, "setOperator", NEW)
    call = scheduling(p, data)
    p.chain.send(call, p.anyone)
    with refused("WrongNonce", 1, 0):
        fails(p, call)
    other = deployed(p.chain)
    signed = p.sign_words("Change", {"call": data, "nonce": 0})
    message = other.message({"call": data, "nonce": 0}, "Change")
    taken = Account.recover_message(message, signature=signed[4:69])
    with refused("BadSignature", 16, taken):
        fails(p, other.part("Timelock").functions.schedule(data, 0, signed))


def test_the_quorum_takes_a_change_back(programme: Programme) -> None:
    p, data, timelock = programme, call_data(programme, "setOperator", NEW), programme.part("Timelock").functions
    name = p.named("Change", {"call": data, "nonce": 0})
    cancelling = timelock.cancel(name, p.sign_words("Cancellation", {"change": name}))
    with refused("UnknownChange", name):
        fails(p, cancelling)
    p.chain.send(scheduling(p, data), p.anyone)
    with refused("BelowQuorum", 4, 2):
        fails(p, timelock.cancel(name, p.sign_words("Cancellation", {"change": name}, 16, 17)))
    p.chain.send(cancelling, p.anyone)
    p.chain.wait(DELAY)
    with refused("UnknownChange", name):
        fails(p, timelock.execute(data, 0))
    p.chain.send(scheduling(p, data), p.anyone)  # anew, with the next nonce: the cancellation does not touch it
    with refused("UnknownChange", name):
        fails(p, cancelling)


def test_two_changes_wait_side_by_side(programme: Programme) -> None:
    p, timelock = programme, programme.part("Timelock").functions
    for nonce, floor in enumerate((5, 6)):
        p.chain.send(scheduling(p, call_data(p, "setFloor", 18, floor)), p.anyone)
        assert timelock.nonce().call() == nonce + 1
    p.chain.wait(DELAY)
    for nonce, floor in ((1, 6), (0, 5)):
        p.chain.send(timelock.execute(call_data(p, "setFloor", 18, floor), nonce), p.anyone)
        assert p.read("floorOf", 18) == floor


ALONE: dict[str, tuple[Any, ...]] = {
    "addPartners": ([(30, NEW, 0)],), "setSigner": (18, NEW), "setFloor": (18, 0), "reinstate": (18,),
    "addCurrency": (NEW,), "setCounterfoilKey": (NEW, 1), "setCheckpointKey": (b"\x01" * 32, 1), "setOperator": (NEW,),
    "setGuardian": (NEW,), "setRulebook": (bytes(32),), "setSuccessor": (NEW,),
}  # fmt: skip


@pytest.mark.parametrize("name", ALONE)
def test_nobody_but_the_timelock(programme: Programme, name: str) -> None:
    for caller in (programme.operator, programme.read("guardian"), programme.signer(16), programme.anyone):
        with refused("OnlyTimelock", caller):
            fails(programme, programme.settlement.functions[name](*ALONE[name]), caller)


def test_every_setter_is_the_timelocks() -> None:
    """What changes the programme and is not named here is named elsewhere."""
    writing = {
        e["name"] for e in load("Settlement").abi if e["type"] == "function" and e["stateMutability"] == "nonpayable"
    }
    open_to_others = {
        "propose", "challenge", "confirm", "uphold", "concede", "finalize", "depositCollateral", "requestCollateral",
        "withdrawCollateral", "setPayee", "claim", "claimTo", "claimMany", "claimFor", "giveBack", "giveBackFor", "redeem",
        "redeemFor", "migrate", "pause", "retire",
    }  # fmt: skip
    assert writing == open_to_others | set(ALONE)
