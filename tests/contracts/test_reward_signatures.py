"""What a signature is good for: a voucher as it was signed, a use of one token; no other form, chain, contract or account."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from eth_tester.exceptions import TransactionFailed

from tests.contracts.programme import _ERRORS as ERRORS
from tests.contracts.programme import refused
from tests.contracts.rewarded import (
    BADGE,
    COFFEE,
    FAR,
    ISSUER,
    MEMBER,
    NOBODY,
    ORDER,
    Rewarded,
    call,
    compact,
    token,
)


def other_chain(made: Rewarded, voucher: dict[str, Any]) -> bytes:
    return made.signed("Voucher", voucher, ISSUER, chainId=1)


def other_contract(made: Rewarded, voucher: dict[str, Any]) -> bytes:
    return made.signed("Voucher", voucher, ISSUER, verifyingContract=made.programme.settlement.address)


def other_member(made: Rewarded, voucher: dict[str, Any]) -> bytes:
    return made.signed("Voucher", voucher | {"account": made.programme.anyone}, ISSUER)


def other_serial(made: Rewarded, voucher: dict[str, Any]) -> bytes:
    return made.signed("Voucher", voucher | {"id": token(COFFEE, 1)}, ISSUER)


def other_reward(made: Rewarded, voucher: dict[str, Any]) -> bytes:
    return made.signed("Voucher", voucher | {"id": token(BADGE)}, ISSUER)


def longer(made: Rewarded, voucher: dict[str, Any]) -> bytes:
    return made.signed("Voucher", voucher | {"deadline": FAR + 1}, ISSUER)


def own(made: Rewarded, voucher: dict[str, Any]) -> bytes:
    return made.signed("Voucher", voucher, MEMBER)


def no_signature(_made: Rewarded, _voucher: dict[str, Any]) -> bytes:
    return bytes(65)


def other_parity(made: Rewarded, voucher: dict[str, Any]) -> bytes:
    plain = made.signed("Voucher", voucher, ISSUER)
    return plain[:64] + bytes([55 - plain[64]])


FORGED = [
    other_chain,
    other_contract,
    other_member,
    other_serial,
    other_reward,
    longer,
    own,
    no_signature,
    other_parity,
]


@pytest.mark.parametrize("forge", FORGED, ids=lambda one: one.__name__)
def test_a_voucher_counts_only_as_it_was_signed(
    made: Rewarded, holder: str, forge: Callable[[Rewarded, dict[str, Any]], bytes]
) -> None:
    voucher = made.voucher(holder)
    with refused_as("NotIssued"):
        call(made, made.claiming(voucher, forge(made, voucher)))
    assert made.held(holder) == 0


@contextmanager
def refused_as(name: str) -> Iterator[None]:
    """Whatever the facts: whom a forged signature recovers to is nobody's business."""
    with pytest.raises(TransactionFailed) as caught:
        yield
    assert ERRORS[ast.literal_eval(str(caught.value).removeprefix("execution reverted: "))[:4]][0] == name


def high_s(signature: bytes) -> bytes:
    flipped = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + flipped.to_bytes(32, "big") + bytes([55 - signature[64]])


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "high s": high_s, "compact": lambda one: b"".join(compact(one)), "empty": lambda _one: b"",
    "another's": lambda one: one[::-1],
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_an_authorisation_has_one_form(made: Rewarded, holder: str, form: str) -> None:
    made.claim(holder)
    *plain, signature = made.authorised("Use", MEMBER)
    with refused("NotAuthorised", holder):
        call(made, made.rewards.functions.use(*plain, FORMS[form](signature)), made.partner)


@pytest.mark.parametrize(
    "change", [{"id": token(COFFEE, 1)}, {"account": NOBODY}, {"ref": bytes(32)}, {"deadline": 2**38}]
)
def test_an_authorisation_is_for_one_token_account_and_use(made: Rewarded, holder: str, change: dict[str, Any]) -> None:
    made.claim(holder)
    made.claim(holder, token(COFFEE, 1))
    id_, account, ref, deadline, signature = made.authorised("Use", MEMBER)
    fields = {"id": id_, "account": account, "ref": ref, "deadline": deadline} | change
    with refused("NotAuthorised", fields["account"]):
        call(made, made.rewards.functions.use(*fields.values(), signature), made.partner)
