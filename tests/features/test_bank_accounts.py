"""Bank accounts as callers give them: what is wrong with one is said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from stdnum import iban

from counterfoil.features.bank.bodies import BankAccount, BankTerms, CashTerms
from tests.features.bank import OWN, german


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("DE89370400440532013001", "mod 97"),
        ("DE8937040044053201300", "mod 97"),
        ("DE5137040044053201300", "not built like one"),
        ("XX89370400440532013000", "mod 97"),
        ("", "not built like one"),
        ("nonsense!", "not built like one"),
    ],
)
def test_a_wrong_iban_says_what_is_wrong(text: str, why: str) -> None:
    assert not iban.is_valid(text)
    with pytest.raises(ValidationError, match=why):
        BankAccount(holder="X", iban=text)


@given(st.integers(0, 10**18 - 1).map(german), st.integers(4, 21), st.integers(1, 9))
def test_any_digit_changed_is_found(number: str, place: int, more: int) -> None:
    """ISO 7064 mod 97 finds every single wrong digit."""
    assert BankAccount(holder="X", iban=" ".join(number[at : at + 4] for at in range(0, 22, 4))).iban == number
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]
    with pytest.raises(ValidationError, match="mod 97"):
        BankAccount(holder="X", iban=wrong)


def test_other_fields_are_checked() -> None:
    account = {"holder": "X", "iban": OWN}
    for body, why in (
        ({"account": {**account, "bic": "COBADEFFXX"}}, "BIC"),
        ({"account": account, "creditor_id": "DE99ZZZ09999999999"}, "creditor identifier: its check digits"),
        ({"account": account, "currency": "JPY"}, "no hundredths"),
        ({"account": account, "currency": "euro"}, "pattern"),
        ({"account": account, "short": "CF-1"}, "pattern"),
        ({"account": {**account, "holder": "Żabka"}}, "'Ż' is not among the letters"),
        ({"account": {**account, "holder": "a//b"}}, "two slashes"),
    ):
        with pytest.raises(ValidationError, match=why):
            BankTerms.model_validate(body)
    wrong: list[dict[str, Any]] = [{"cash": "bank"}, {"cash": "token", "account": account}, {"cash": "cheque"}]
    for body in wrong:
        with pytest.raises(ValidationError):
            CashTerms.model_validate(body)
