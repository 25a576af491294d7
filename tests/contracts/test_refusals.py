"""Every way Settlement says no, in one table, and the table is complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from eth_account import Account
from web3.constants import ADDRESS_ZERO

from counterfoil.chain.artifacts import Artifact, load
from tests.contracts.programme import (
    GAS,
    KEYS,
    PROGRAMME,
    STRANGER_ID,
    Chain,
    Programme,
    config,
    ids,
    refused,
    supply,
    words,
)

TOO_LARGE = 2**111
PAY = {16: 70, 17: -70}


@dataclass(frozen=True)
class Refusal:
    """`changes` to a good header are refused with `error` and `facts`."""

    error: str
    facts: tuple[Any, ...]
    changes: dict[str, Any]


def no(error: str, *facts: Any, **changes: Any) -> Refusal:
    return Refusal(error, facts, changes)


HEADERS = {
    "another programme": no("WrongProgramme", PROGRAMME, b"\x01" * 32, programme=b"\x01" * 32),
    "the number of the last": no("WrongNumber", 2, 1, number=1),
    "a number skipped": no("WrongNumber", 2, 3, number=3),
    "attempt 0": no("WrongAttempt", 1, 0, attempt=0),
    "attempt 2": no("WrongAttempt", 1, 2, attempt=2),
    "a log that shrank": no("LogShrinks", 8, 7, logSize=7),
    "a claim root without points withdrawn": no("WrongClaimRoot", b"\x01" * 32, 0, claimRoot=b"\x01" * 32),
    "points withdrawn without a claim root": no("WrongClaimRoot", bytes(32), 4, supply=supply((1, 5, 4, 0), (7, 0))),
    "points returned that never came back": no("NotReturned", 7, 0, 4, supply=supply((1, 5), (7, 5, 4, 4))),
    "points returned and none withdrawn": no("NotReturned", 7, 0, 4, supply=supply((1, 5), (7, 5, 0, 4))),
    "a currency missing": no("WrongCurrencies", 2, 1, supply=supply((1, 5))),
    "a currency too many": no("WrongCurrencies", 2, 3, supply=supply((1, 5), (7, 5), (8, 5))),
    "a currency twice": no("UnsortedId", 1, 1, supply=supply((1, 5), (1, 5))),
    "currencies in the wrong order": no("UnsortedId", 7, 1, supply=supply((7, 5), (1, 5))),
    "an unknown currency": no("UnknownCurrency", 2, supply=supply((1, 5), (2, 5))),
    "currency 0": no("UnsortedId", 0, 0, supply=supply((0, 5), (7, 5))),
    "a currency beyond 16 bits": no("UnknownCurrency", 2**16 + 1, supply=supply((1, 5), (2**16 + 1, 5))),
    "custodial points beyond what can be": no(
        "SafeCastOverflowedUintDowncast", 112, 2**112, supply=supply((1, 5), (7, 2**112))
    ),
    "withdrawn points beyond what can be": no(
        "SafeCastOverflowedUintDowncast", 96, 2**96, supply=supply((1, 5), (7, 5, 2**96, 0))
    ),
    "half a supply record": no("BrokenRecord", 319, 160, supply=supply((1, 5), (7, 5))[:-1]),
    "half a gross word": no("BrokenRecord", 33, 16, gross=words(PAY) + b"\0"),
    "half a position": no("BrokenRecord", 31, 16, positions=words(PAY)[:-1]),
    "half a default": no("BrokenRecord", 3, 2, defaults=b"\0\x10\0"),
    "gross out of order": no("UnsortedId", 17, 16, gross=words([(17, -70), (16, 70)])),
    "positions out of order": no("UnsortedId", 17, 16, positions=words([(17, -70), (16, 70)])),
    "a party twice": no("UnsortedId", 16, 16, positions=words([(16, 35), (16, 35), (17, -70)])),
    "party 0": no("UnsortedId", 0, 0, positions=words([(0, 70), (17, -70)])),
    "defaults out of order": no(
        "UnsortedId", 18, 17, positions=words({16: 19_000, 17: -9_500, 18: -9_500}), defaults=ids(18, 17)
    ),
    "a default twice": no(
        "UnsortedId", 17, 17, positions=words({16: 9_500, 17: -9_500}), defaults=ids(17, 17)
    ),
    "a stranger in gross": no("UnknownParty", STRANGER_ID, gross=words({16: 70, STRANGER_ID: -70})),
    "a reserved id not in use": no("UnknownParty", 7, positions=words({7: 70, 17: -70})),
    "a gross word of nothing": no("ZeroNet", 16, gross=words({16: 0})),
    "a position of nothing": no("ZeroNet", 18, positions=words(PAY | {18: 0})),
    "gross that does not sum": no("Unbalanced", -1, gross=words({16: 69, 17: -70})),
    "positions that do not sum": no("Unbalanced", 1, positions=words({16: 71, 17: -70})),
    "one extreme of a word": no("Unbalanced", TOO_LARGE - 1, gross=words({16: TOO_LARGE - 1})),
    "the other extreme": no("Unbalanced", -TOO_LARGE, gross=words({16: -TOO_LARGE})),
    "a debit beyond collateral": no(
        "NotCovered", 17, 10_000, 10_001, positions=words({16: 10_001, 17: -10_001})
    ),
    "a default does not help beyond it": no(
        "NotCovered", 17, 10_000, 10_001, positions=words({16: 10_001, 17: -10_001}), defaults=ids(17)
    ),
    "a reserved debit beyond collateral": no("NotCovered", 3, 0, 1, positions=words({3: -1, 16: 1})),
    "the largest debit": no("NotCovered", 17, 10_000, TOO_LARGE, positions=words(
        {16: TOO_LARGE - 1, 17: -TOO_LARGE, 18: 1})),
    "below the floor": no("BelowFloor", 17, 999, 1_000, positions=words({16: 9_001, 17: -9_001})),
    "below the floor, another named": no(
        "BelowFloor", 17, 999, 1_000, positions=words({16: 9_001, 17: -9_001}), defaults=ids(18)
    ),
    "a default on the floor": no(
        "NotInDefault", 17, 1_000, 1_000, positions=words({16: 9_000, 17: -9_000}), defaults=ids(17)
    ),
    "a default that does not move": no("NotInDefault", 18, 10_000, 1_000, defaults=ids(18)),
    "a reserved default": no("NotInDefault", 2, 10_000, 0, positions=b"", defaults=ids(2)),
    "a stranger's default": no("NotInDefault", STRANGER_ID, 0, 0, positions=b"", defaults=ids(STRANGER_ID)),
}  # fmt: skip


@pytest.fixture(scope="module")
def second(shared_programme: Programme) -> Any:
    """A programme with one final settlement in which nobody moved."""
    before = shared_programme.chain.tester.take_snapshot()
    shared_programme.settle(gross=b"", positions=b"")
    yield shared_programme
    shared_programme.chain.tester.revert_to_snapshot(before)


@pytest.mark.parametrize("case", HEADERS.values(), ids=HEADERS.keys())
def test_no_such_header_is_proposed(second: Programme, case: Refusal) -> None:
    header = second.header(**case.changes)
    with refused(case.error, *case.facts):
        second.proposing(header).call({"from": second.operator, "gas": GAS})


def test_the_header_before_must_be_named(second: Programme) -> None:
    for field, error in (
        ("previousHeader", "WrongPreviousHeader"),
        ("previousClosing", "WrongPreviousClosing"),
    ):
        good = second.header()
        for wrong in (bytes(32), b"\x01" * 32):
            with refused(error, good[field], wrong):
                second.proposing(good | {field: wrong}).call({"from": second.operator, "gas": GAS})


def test_only_the_operator_proposes(programme: Programme) -> None:
    with refused("NotOperator", programme.anyone):
        programme.proposing(programme.header()).call({"from": programme.anyone, "gas": GAS})


def test_one_proposal_at_a_time(programme: Programme) -> None:
    header = programme.header()
    programme.propose(header)
    for following in (header, header | {"manifest": b"\x01" * 32}):
        with refused("AlreadyProposed", header["number"], programme.message(header).body):
            programme.proposing(following).call({"from": programme.operator, "gas": GAS})


def test_only_what_was_proposed_becomes_final(programme: Programme) -> None:
    def finalizing(header: dict[str, Any]) -> Any:
        call = programme.settlement.functions.finalize(tuple(header.values()))
        return call.call({"from": programme.anyone, "gas": GAS})

    header = programme.header()
    with refused("NothingProposed"):
        finalizing(header)
    programme.propose(header)
    other = header | {"supply": supply((1, 10**9), (7, 300))}
    with refused("WrongHeader", programme.message(header).body, programme.message(other).body):
        finalizing(other)
    with refused("WindowOpen", programme.read("proposal")[2] + programme.read("window")):
        finalizing(header)
    programme.finalize(header)
    with refused("NothingProposed"):
        finalizing(header)


@pytest.mark.parametrize("party", [0, 7, 15, STRANGER_ID])
def test_no_collateral_for_nobody(programme: Programme, party: int) -> None:
    with refused("UnknownParty", party):
        programme.settlement.functions.depositCollateral(party, 1).call({"from": programme.anyone, "gas": GAS})


def signer(number: int) -> str:
    return str(Account.from_key(KEYS[number]).address)


DEPLOYMENTS = {
    "no programme": no("Missing", "programme", programme=bytes(32)),
    "no operator": no("Missing", "operator", operator=ADDRESS_ZERO),
    "no counterfoil key": no("Missing", "counterfoilKey", counterfoilKey=ADDRESS_ZERO),
    "no checkpoint key": no("Missing", "checkpointKey", checkpointKey=bytes(32)),
    "no time to answer": no("Missing", "answerSeconds", answerSeconds=0),
    "no partners": no("Missing", "partners", partners=[]),
    "a partner without a signer": no("Missing", "signer", partners=[(16, ADDRESS_ZERO, 0)]),
    "a reserved partner": no("ReservedId", 15, partners=[(15, signer(16), 0)]),
    "a partner twice": no("IdTaken", 16, partners=[(16, signer(16), 0), (16, signer(17), 0)]),
    "a signer twice": no("SignerTaken", 16, signer(16), partners=[(16, signer(16), 0), (18, signer(16), 0)]),
    "currency 0": no("Missing", "currency", currencies=[(0, "Bonus", "BON")]),
    "a currency twice": no("IdTaken", 1, currencies=[(1, "Bonus", "BON"), (1, "Miles", "MIL")]),
}  # fmt: skip


def deploying(chain: Chain, money: str, changes: dict[str, Any]) -> None:
    settlement = load("Settlement")
    made = chain.w3.eth.contract(abi=settlement.abi, bytecode=settlement.bytecode).constructor(
        config(chain, money, **changes)
    )
    chain.w3.eth.call({"from": chain.account(0), "data": made.data_in_transaction, "gas": GAS})


@pytest.mark.parametrize("case", DEPLOYMENTS.values(), ids=DEPLOYMENTS.keys())
def test_no_such_programme_is_deployed(programme: Programme, case: Refusal) -> None:
    deploying(programme.chain, programme.money.address, {})
    with refused(case.error, *case.facts):
        deploying(programme.chain, programme.money.address, case.changes)


@pytest.mark.parametrize("decimals", [0, 18])
def test_money_counts_in_millionths(programme: Programme, odd_money: Artifact, decimals: int) -> None:
    money = programme.chain.deploy(odd_money, decimals, 0)
    with refused("WrongDecimals", decimals):
        deploying(programme.chain, money.address, {})


ELSEWHERE = {
    # error: where it is provoked
    "AlreadyProposed": test_one_proposal_at_a_time,
    "NotOperator": test_only_the_operator_proposes,
    "NothingProposed": test_only_what_was_proposed_becomes_final,
    "WrongHeader": test_only_what_was_proposed_becomes_final,
    "WindowOpen": test_only_what_was_proposed_becomes_final,
    "WrongPreviousHeader": test_the_header_before_must_be_named,
    "WrongPreviousClosing": test_the_header_before_must_be_named,
    "WrongDecimals": test_money_counts_in_millionths,
    "BadSignature": "test_signatures.py",
    "BelowQuorum": "test_signatures.py",
    "NotASigner": "test_signatures.py",
    "ReentrancyGuardReentrantCall": "test_deposit.py",
    "SafeERC20FailedOperation": "test_deposit.py",
    "BadProof": "test_claims.py",
    "NothingToClaim": "test_claims.py",
    "WithdrawnFalls": "test_returns.py",
    "ReturnedFalls": "test_returns.py",
    "ZeroAmount": "test_returns.py",
    "UnknownPartner": "test_returns.py",
    "SuspendedPartner": "test_returns.py",
    "WrongNonce": "test_permissions.py",
    "Expired": "test_permissions.py",
    "BadPermission": "test_permissions.py",
    "WindowClosed": "test_challenge.py",
    "ChallengeStands": "test_challenge.py",
    "NotChallenged": "test_challenge.py",
    "ChallengedBefore": "test_challenge.py",
    "AnswerOpen": "test_challenge.py",
    "AnswerClosed": "test_challenge.py",
    "NotFree": "test_collateral.py",
    "NothingRequested": "test_collateral.py",
    "RequestWaits": "test_collateral.py",
    "NotTheSigner": "test_collateral.py",
    "PausedUntil": "test_pause.py",
    "PauseTooSoon": "test_pause.py",
    "NotGuardian": "test_pause.py",
    "OnlyTimelock": "test_changes.py",
    "NotSuspended": "test_registry.py",
    "NotOurs": "test_registry.py",
    "KeyTooEarly": "test_registry.py",
    "NoSuccessor": "test_migration.py",
    "NotASuccessors": "test_migration.py",
    "NotThePayee": "test_collateral.py",
}  # fmt: skip


def test_the_table_is_complete() -> None:
    named = {entry["name"] for entry in load("Settlement").abi if entry["type"] == "error"}
    tabled = {case.error for case in (*HEADERS.values(), *DEPLOYMENTS.values())}
    assert tabled | set(ELSEWHERE) == named
    assert not tabled & set(ELSEWHERE)
