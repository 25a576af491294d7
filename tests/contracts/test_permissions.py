"""Signed by the member, sent and paid for by anyone: once, in time, here, for this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account
from eth_keys.constants import SECPK1_N
from web3.contract import Contract

from counterfoil.chain.artifacts import Artifact
from tests.contracts.claims import FOREVER, MEMBERS, REF, Wallets, member
from tests.contracts.programme import Programme, deployed, refused

TO = "0x" + "77" * 20
NOBODY = "0x" + "0" * 40


def claim_words(_wallets: Wallets, account: str | None = None) -> dict[str, Any]:
    return {"account": account or member(0), "recipient": TO, "currency": 1, "cumulative": 100}


def claiming(wallets: Wallets, words: dict[str, Any], permission: tuple[int, int, bytes]) -> Any:
    leaf = (words["account"], words["currency"], words["cumulative"])
    return wallets.programme.settlement.functions.claimFor(
        (*leaf, wallets.tree.proof(leaf)), words["recipient"], permission
    )


def give_back_words(_wallets: Wallets, account: str | None = None) -> dict[str, Any]:
    return {"account": account or member(0), "currency": 1, "amount": 20, "ref": REF}


def giving(wallets: Wallets, words: dict[str, Any], permission: tuple[int, int, bytes]) -> Any:
    return wallets.programme.settlement.functions.giveBackFor(*words.values(), permission)


def redeem_words(_wallets: Wallets, account: str | None = None) -> dict[str, Any]:
    return {"account": account or member(0), "currency": 1, "partner": 18, "amount": 20, "ref": REF}


def redeeming(wallets: Wallets, words: dict[str, Any], permission: tuple[int, int, bytes]) -> Any:
    return wallets.programme.settlement.functions.redeemFor(*words.values(), permission)


Words = Callable[..., dict[str, Any]]
Act = Callable[..., Any]
ACTS: dict[str, tuple[Words, Act, str]] = {
    "Claim": (claim_words, claiming, "Claimed"),
    "GiveBack": (give_back_words, giving, "GivenBack"),
    "Redeem": (redeem_words, redeeming, "Redeemed"),
}
kinds = pytest.mark.parametrize("kind", ACTS)


@pytest.fixture
def holding(wallets: Wallets) -> Wallets:
    """The first member has points besides those it may still claim."""
    wallets.claim(1)
    wallets.fund(1)
    wallets.send(wallets.programme.points().functions.transfer(member(0), 25), member(1))
    return wallets


@kinds
def test_another_pays_the_gas(holding: Wallets, kind: str) -> None:
    words_of, act, event = ACTS[kind]
    words = words_of(holding)
    receipt = holding.send(act(holding, words, holding.permission(kind, words)))
    [(name, args)] = holding.programme.events(receipt)
    assert (name, args["account"], args["currency"]) == (event, member(0), 1)
    assert holding.programme.read("nonces", member(0)) == 1
    assert holding.balance(TO) == (100 if kind == "Claim" else 0)
    assert holding.balance(member(0)) == (25 if kind == "Claim" else 5)
    if kind == "Redeem":
        assert (args["partner"], args["amount"], args["ref"]) == (18, 20, REF)


@kinds
def test_a_permission_is_good_once(holding: Wallets, kind: str) -> None:
    words_of, act, _ = ACTS[kind]
    words = words_of(holding)
    call = act(holding, words, holding.permission(kind, words))
    holding.send(call)
    with refused("WrongNonce", member(0), 1, 0):
        holding.fails(call)


@kinds
@pytest.mark.parametrize("ahead", [1, 2**255])
def test_nonces_come_in_order(holding: Wallets, kind: str, ahead: int) -> None:
    words_of, act, _ = ACTS[kind]
    words = words_of(holding)
    with refused("WrongNonce", member(0), 0, ahead):
        holding.fails(act(holding, words, holding.permission(kind, words, nonce=ahead)))


@kinds
def test_a_permission_ends_at_its_deadline(holding: Wallets, kind: str) -> None:
    words_of, act, _ = ACTS[kind]
    words, chain = words_of(holding), holding.programme.chain
    now = chain.w3.eth.get_block("latest")["timestamp"]
    call = act(holding, words, holding.permission(kind, words, deadline=now + 100))
    before = chain.tester.take_snapshot()
    chain.tester.time_travel(now + 101)
    with refused("Expired", now + 100):
        holding.send(call)
    chain.tester.revert_to_snapshot(before)
    chain.tester.time_travel(now + 100)
    holding.send(call)  # in the last second it is good


def recovered(wallets: Wallets, kind: str, words: dict[str, Any], signed: bytes, **changes: Any) -> str:
    """Whom the contract takes for the signer of these words."""
    message = wallets.message(kind, words, **changes)
    return str(Account.recover_message(message, signature=signed))


FOREIGN: dict[str, dict[str, Any]] = {
    # what the signature is over instead, or with which key
    "another chain": {"chain_id": 1},
    "another contract": {"contract": "0x" + "11" * 20},
    "another member's key": {"key": MEMBERS[2]},
    "another nonce": {"nonce": 5},
    "another deadline": {"deadline": 2**41},
}


@kinds
@pytest.mark.parametrize("foreign", FOREIGN)
def test_a_signature_over_something_else(holding: Wallets, kind: str, foreign: str) -> None:
    words_of, act, _ = ACTS[kind]
    words = words_of(holding)
    signed = holding.permission(kind, words, **FOREIGN[foreign])[2]
    with refused("BadPermission", member(0), recovered(holding, kind, words, signed)):
        holding.fails(act(holding, words, (0, FOREVER, signed)))


@kinds
def test_a_signature_over_other_words(holding: Wallets, kind: str) -> None:
    words_of, act, _ = ACTS[kind]
    words = words_of(holding)
    for name, value in words.items():
        if name == "account":
            continue
        other = {
            "recipient": member(3),
            "currency": 7,
            "cumulative": 101,
            "amount": 21,
            "ref": bytes(32),
            "partner": 19,
        }
        assert other[name] != value
        signed = holding.permission(kind, words | {name: other[name]})[2]
        with refused("BadPermission", member(0), recovered(holding, kind, words, signed)):
            holding.fails(act(holding, words, (0, FOREVER, signed)))


@kinds
def test_one_kind_is_not_another(holding: Wallets, kind: str) -> None:
    words_of, act, _ = ACTS[kind]
    words = words_of(holding)
    for other, (other_words, _act, _event) in ACTS.items():
        if other != kind:
            signed = holding.permission(other, other_words(holding))[2]
            with refused("BadPermission", member(0), recovered(holding, kind, words, signed)):
                holding.fails(act(holding, words, (0, FOREVER, signed)))


@kinds
def test_another_programmes_signature(holding: Wallets, kind: str) -> None:
    words_of, act, _ = ACTS[kind]
    words, other = words_of(holding), deployed(holding.programme.chain)
    signed = holding.permission(kind, words, contract=other.settlement.address)[2]
    with refused("BadPermission", member(0), recovered(holding, kind, words, signed)):
        holding.fails(act(holding, words, (0, FOREVER, signed)))


def twisted(signed: bytes) -> bytes:
    """The same signature in its other form."""
    s = SECPK1_N - int.from_bytes(signed[32:64], "big")
    return signed[:32] + s.to_bytes(32, "big") + bytes([27 + 28 - signed[64]])


def compact(signed: bytes) -> bytes:
    """EIP-2098: 64 bytes."""
    top = (signed[64] - 27) << 7
    return signed[:32] + bytes([signed[32] | top]) + signed[33:64]


MALFORMED: dict[str, Callable[[bytes], bytes]] = {
    "high s": twisted,
    "compact": compact,
    "none": lambda _signed: b"",
    "cut": lambda signed: signed[:-1],
    "a byte more": lambda signed: signed + b"\0",
    "v of 0 or 1": lambda signed: signed[:64] + bytes([signed[64] - 27]),
    "v with the chain in it": lambda signed: signed[:64] + bytes([signed[64] + 10]),
    "zeros": lambda _signed: bytes(65),
}


@kinds
@pytest.mark.parametrize("malformed", MALFORMED)
def test_a_malformed_signature(holding: Wallets, kind: str, malformed: str) -> None:
    words_of, act, _ = ACTS[kind]
    words = words_of(holding)
    signed = holding.permission(kind, words)[2]
    with refused("BadPermission", member(0), NOBODY):
        holding.fails(act(holding, words, (0, FOREVER, MALFORMED[malformed](signed))))


def test_nobodys_permission(holding: Wallets) -> None:
    """The zero address is what a malformed signature recovers to: it must not count as the account's own."""
    words = give_back_words(holding, NOBODY)
    with refused("BadPermission", NOBODY, NOBODY):
        holding.fails(giving(holding, words, (0, FOREVER, bytes(65))))


@pytest.fixture
def purse_account(programme: Programme, purse: Artifact) -> Contract:
    """A contract of the first member."""
    return programme.chain.deploy(purse, member(0))


@kinds
@pytest.mark.parametrize("tail", [b"", b"\x01"])
def test_an_account_may_be_a_contract(holding: Wallets, purse_account: Contract, kind: str, tail: bytes) -> None:
    words_of, act, event = ACTS[kind]
    account = purse_account.address
    holding.withdraw([*holding.tree.leaves, (account, 1, 200), (account, 7, 1)])
    holding.withdraw([*holding.tree.leaves[:-2], (account, 1, 300), (account, 7, 1)])
    holding.send(holding.claiming((account, 1, 300)))
    holding.withdraw([*holding.tree.leaves[:-2], (account, 1, 400), (account, 7, 1)])
    words = words_of(holding, account)
    if kind == "Claim":
        words["cumulative"] = 400
    nonce, deadline, signed = holding.permission(kind, words)
    good = act(holding, words, (nonce, deadline, signed + tail))

    behave = purse_account.functions.behave
    for refuses, reverts in ((True, False), (False, True)):
        holding.send(behave(refuses, reverts))
        with refused("BadPermission", account, NOBODY if tail else member(0)):
            holding.fails(good)
    holding.send(behave(False, False))
    foreign = holding.permission(kind, words, key=MEMBERS[2])[2] + tail
    with refused("BadPermission", account, NOBODY if tail else member(2)):
        holding.fails(act(holding, words, (nonce, deadline, foreign)))
    [(name, args)] = holding.programme.events(holding.send(good))
    assert (name, args["account"]) == (event, account)
