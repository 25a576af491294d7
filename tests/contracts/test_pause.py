"""The guardian stops proposing and finalizing for a week, and nothing else."""

from __future__ import annotations

from typing import Any

from web3.constants import ADDRESS_ZERO

from tests.contracts.changes import changed
from tests.contracts.claims import Wallets, member
from tests.contracts.programme import DAY, WINDOW, Programme, deployed, refused


def pausing(p: Programme) -> Any:
    return p.settlement.functions.pause()


def pause(p: Programme) -> int:
    """Until when."""
    receipt = p.chain.send(pausing(p), p.read("guardian"))
    until = p.chain.w3.eth.get_block("latest")["timestamp"] + 7 * DAY
    assert p.events(receipt) == [("Paused", {"until": until})]
    assert p.read("pausedUntil") == until
    return int(until)


def test_nothing_is_proposed_or_final_in_a_pause(programme: Programme) -> None:
    p, header = programme, programme.header()
    p.propose(header)
    until = pause(p)
    p.chain.tester.time_travel(until - 1)
    with refused("PausedUntil", until):
        p.finalize(header, wait=False)
    p.chain.tester.time_travel(until)
    p.finalize(header, wait=False)  # it ended by itself


def test_nothing_is_proposed_in_a_pause(programme: Programme) -> None:
    p, until = programme, pause(programme)
    with refused("PausedUntil", until):
        p.propose(p.header())
    p.chain.tester.time_travel(until)
    p.propose(p.header())


def test_a_pause_cannot_be_renewed_at_once(programme: Programme) -> None:
    p, until = programme, pause(programme)
    for moment in (until - 10, until, until + 7 * DAY - 1):
        p.chain.tester.time_travel(moment)
        with refused("PauseTooSoon", until + 7 * DAY):
            p.chain.send(pausing(p), p.read("guardian"))
    p.chain.tester.time_travel(until + 7 * DAY)
    pause(p)


def test_only_the_guardian_pauses(programme: Programme) -> None:
    for caller in (programme.operator, programme.anyone, programme.signer(16)):
        with refused("NotGuardian", caller):
            programme.chain.send(pausing(programme), caller)
    nobody = deployed(programme.chain, guardian=ADDRESS_ZERO)
    with refused("NotGuardian", nobody.anyone):
        nobody.chain.send(pausing(nobody), nobody.anyone)


def test_a_new_guardian_inherits_the_wait(programme: Programme) -> None:
    p = programme
    until = pause(p)
    changed(p, "setGuardian", p.anyone)
    with refused("PauseTooSoon", until + 7 * DAY):
        p.chain.send(pausing(p), p.anyone)


def test_members_claim_and_give_back_in_a_pause(wallets: Wallets) -> None:
    pause(wallets.programme)
    wallets.claim(0)
    wallets.fund(0)
    wallets.send(wallets.programme.settlement.functions.giveBack(1, 5, bytes(32)), member(0))
    assert wallets.balance(member(0)) == 95


def test_challenges_and_changes_go_on_in_a_pause(programme: Programme) -> None:
    p, header = programme, programme.header()
    p.propose(header)
    pause(p)
    p.chain.send(p.settlement.functions.challenge(18, tuple(header.values())), p.signer(18))
    p.chain.send(p.settlement.functions.concede(), p.operator)
    assert p.read("nextAttempt") == 2
    changed(p, "setOperator", p.anyone)


def test_pauses_cannot_make_the_silence(programme: Programme) -> None:
    """A week of pause, a week without: settlements fit in, long before the thirty days."""
    p = programme
    pause(p)
    p.chain.wait(7 * DAY)
    p.settle()
    p.chain.wait(7 * DAY - WINDOW)
    pause(p)
    assert p.read("silentFrom") > p.read("pausedUntil")
