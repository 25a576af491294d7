"""Rewards as tokens: vouchers claimed once and up to the cap, used by one partner, given back, bound to an account."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from eth_account import Account
from web3.logs import DISCARD
from web3.types import TxReceipt

from tests.contracts.programme import refused
from tests.contracts.rewarded import (
    BADGE,
    COFFEE,
    DOCUMENT,
    ISSUER,
    MEMBER,
    NOBODY,
    OTHER,
    REF,
    Rewarded,
    call,
    token,
)


def told(made: Rewarded, name: str, receipt: TxReceipt) -> dict[str, Any]:
    (event,) = made.rewards.events[name]().process_receipt(receipt, errors=DISCARD)
    return dict(event["args"])


def test_a_voucher_is_claimed_by_anyone_for_its_account(made: Rewarded, holder: str) -> None:
    receipt = made.claim(holder, token(COFFEE, 2))
    assert (made.held(holder, token(COFFEE, 2)), made.held(holder)) == (1, 0)
    moved = told(made, "TransferSingle", receipt)
    assert (moved["from"], moved["to"], moved["id"], moved["value"]) == (NOBODY, holder, token(COFFEE, 2), 1)
    assert made.rewards.functions.claimed(token(COFFEE, 2)).call()
    with refused("AlreadyClaimed", token(COFFEE, 2)):
        call(made, made.claiming(made.voucher(str(Account.from_key(OTHER).address), token(COFFEE, 2))))


def test_the_cap_holds_whatever_the_issuer_signs(made: Rewarded, holder: str) -> None:
    for serial in range(3):
        made.claim(holder, token(COFFEE, serial))
    with refused("BeyondCap", token(COFFEE, 3), 3):
        call(made, made.claiming(made.voucher(holder, token(COFFEE, 3))))


def test_tokens_of_several_words_are_told_apart(made: Rewarded, holder: str) -> None:
    serials = (0, 255, 256, 511, 999)
    for serial in serials:
        made.claim(holder, token(BADGE, serial))
    assert [made.held(holder, token(BADGE, serial)) for serial in serials] == [1] * 5
    assert [made.rewards.functions.claimed(token(BADGE, n)).call() for n in (1, 254, 257, 512)] == [False] * 4


def test_not_after_the_deadline_nor_the_rewards_end(made: Rewarded, holder: str) -> None:
    now = made.chain.w3.eth.get_block("latest")["timestamp"]
    voucher = made.voucher(holder, deadline=now + 100)
    made.define(7, until=now + 1_000)
    made.claim(holder, token(7))
    made.chain.wait(200)
    with refused("TooLate", now + 100):
        call(made, made.claiming(voucher))
    made.claim(holder, token(7, 1))
    made.chain.wait(1_000)
    with refused("TooLate", now + 1_000):
        call(made, made.claiming(made.voucher(holder, token(7, 2))))
    with refused("TooLate", now + 1_000):
        call(made, made.rewards.functions.giveBack(token(7), REF), holder)
    with refused("TooLate", now + 1_000):
        call(made, made.rewards.functions.use(*made.authorised("Use", MEMBER, id=token(7))), made.partner)


def test_the_partner_takes_one_in_with_the_holders_signature(made: Rewarded, holder: str) -> None:
    made.claim(holder)
    made.claim(holder, token(COFFEE, 1))
    arguments = made.authorised("Use", MEMBER)
    receipt = made.chain.send(made.rewards.functions.use(*arguments), made.partner)
    assert told(made, "Used", receipt) == {"id": token(COFFEE), "account": holder, "partner": 16, "ref": REF}
    assert (made.held(holder), made.held(holder, token(COFFEE, 1))) == (0, 1)
    with refused("ERC1155InsufficientBalance", holder, 0, 1, token(COFFEE)):  # burned, it never comes back
        call(made, made.rewards.functions.use(*arguments), made.partner)
    with refused("AlreadyClaimed", token(COFFEE)):
        call(made, made.claiming(made.voucher(holder)))


@pytest.mark.parametrize("who", ["operator", "anyone"])
def test_nobody_else_takes_it_in(made: Rewarded, holder: str, who: str) -> None:
    made.claim(holder)
    caller = getattr(made.programme, who)
    with refused("NotThePartner", 16, caller):
        call(made, made.rewards.functions.use(*made.authorised("Use", MEMBER)), caller)


def test_a_badge_is_nobodys_to_take_in_and_stays(made: Rewarded, holder: str) -> None:
    badge, coffee, to = token(BADGE), token(COFFEE), made.programme.anyone
    made.claim(holder, badge)
    made.claim(holder, coffee)
    with refused("NotThePartner", 0, made.partner):
        call(made, made.rewards.functions.use(*made.authorised("Use", MEMBER, id=badge)), made.partner)
    with refused("Soulbound", BADGE):
        call(made, made.rewards.functions.safeTransferFrom(holder, to, badge, 1, b""), holder)
    with refused("Soulbound", BADGE):
        call(made, made.rewards.functions.safeBatchTransferFrom(holder, to, [coffee, badge], [1, 1], b""), holder)
    with refused("Soulbound", BADGE):
        call(made, made.rewards.functions.giveBack(badge, REF), holder)
    assert call(made, made.rewards.functions.safeTransferFrom(holder, to, coffee, 1, b""), holder) == []


def test_given_back_by_the_holder_or_by_its_signature(made: Rewarded, holder: str) -> None:
    made.claim(holder)
    made.claim(holder, token(COFFEE, 1))
    arguments = made.authorised("GiveBack", MEMBER)
    receipt = made.chain.send(made.rewards.functions.giveBackFor(*arguments), made.programme.anyone)
    assert told(made, "GivenBack", receipt) == {"id": token(COFFEE), "account": holder, "ref": REF}
    with refused("ERC1155InsufficientBalance", holder, 0, 1, token(COFFEE)):
        call(made, made.rewards.functions.giveBackFor(*arguments))
    second = {"id": token(COFFEE, 1)}
    with refused("NotAuthorised", holder):  # an authorisation to use is none to give back
        call(made, made.rewards.functions.giveBackFor(*made.authorised("Use", MEMBER, **second)))
    with refused("TooLate", 5):
        call(made, made.rewards.functions.giveBackFor(*made.authorised("GiveBack", MEMBER, **second, deadline=5)))
    call(made, made.rewards.functions.giveBack(token(COFFEE, 1), REF), holder)
    stranger = made.programme.operator
    with refused("ERC1155InsufficientBalance", stranger, 0, 1, token(COFFEE, 1)):
        call(made, made.rewards.functions.giveBack(token(COFFEE, 1), REF), stranger)


def test_terms_are_the_operators_once_and_make_sense(made: Rewarded) -> None:
    def defining(kind: int, *terms: Any) -> Any:
        return made.rewards.functions.defineReward(kind, terms)

    operator, now = made.programme.operator, made.chain.w3.eth.get_block("latest")["timestamp"]
    issuer = str(Account.from_key(ISSUER).address)
    plain = (issuer, 16, 3, 0, False, DOCUMENT)
    with refused("NotOperator", made.programme.anyone):
        call(made, defining(9, *plain))
    with refused("AlreadyDefined", COFFEE):
        call(made, defining(COFFEE, *plain), operator)
    for field, terms in {
        "issuer": (NOBODY, 16, 1, 0, False, DOCUMENT), "cap": (issuer, 16, 0, 0, False, DOCUMENT),
        "metadata": (issuer, 16, 1, 0, False, bytes(32)), "until": (issuer, 16, 1, now, False, DOCUMENT),
    }.items():  # fmt: skip
        with refused("BadTerms", field):
            call(made, defining(9, *terms), operator)
    with refused("UnknownPartner", 99):
        call(made, defining(9, issuer, 99, 1, 0, False, DOCUMENT), operator)
    with refused("UnknownReward", 9):
        made.rewards.functions.reward(9).call()
    assert tuple(made.rewards.functions.reward(COFFEE).call()) == plain


def test_the_document_is_named_by_its_hash(made: Rewarded) -> None:
    """A CID of version 1, raw, SHA-256, in hexadecimal (multibase f): what any IPFS client looks up."""
    digest = hashlib.sha256(b'{"name":"Coffee"}').digest()
    made.chain.send(
        made.rewards.functions.defineReward(9, (made.partner, 16, 1, 0, False, digest)), made.programme.operator
    )
    assert made.rewards.functions.uri(token(9, 5)).call() == "ipfs://f" + (b"\x01\x55\x12\x20" + digest).hex()


def test_another_issuer_voids_what_the_old_one_signed(made: Rewarded, holder: str) -> None:
    with refused("NotOperator", made.programme.anyone):
        call(made, made.rewards.functions.replaceIssuer(COFFEE, holder))
    with refused("BadTerms", "issuer"):
        call(made, made.rewards.functions.replaceIssuer(COFFEE, NOBODY), made.programme.operator)
    next_issuer = Account.from_key(OTHER).address
    made.chain.send(made.rewards.functions.replaceIssuer(COFFEE, next_issuer), made.programme.operator)
    with refused("NotIssued", Account.from_key(ISSUER).address):
        call(made, made.claiming(made.voucher(holder)))
    voucher = made.voucher(holder)
    call(made, made.claiming(voucher, made.signed("Voucher", voucher, OTHER)))


def test_a_claim_costs_less_than_65_000_gas(made: Rewarded, holder: str) -> None:
    """In the steady state, sent by another account: a neighbouring token was claimed before, this account had none."""
    made.claim(str(Account.from_key(OTHER).address))
    assert made.claim(holder, token(COFFEE, 1))["gasUsed"] <= 65_000
