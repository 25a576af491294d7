"""What callers say of bank accounts, checked: IBAN, BIC, creditor identifier, and the letters that every bank takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from stdnum import bic, iban
from stdnum.eu import at_02
from stdnum.exceptions import (
    InvalidChecksum,
    InvalidComponent,
    InvalidFormat,
    InvalidLength,
    ValidationError,
)

from counterfoil.core.rulebook.payments import EURO, Account, Mandate
from counterfoil.gateway.moves import Act

_WRONG: dict[type[ValidationError], str] = {
    InvalidChecksum: "its check digits do not fit (ISO 7064, mod 97)",
    InvalidLength: "its length is wrong",
    InvalidFormat: "it is not built like one",
    InvalidComponent: "its country is not known",
}
# minor units other than hundredths (ISO 4217), in which positions are not rounded
_NOT_HUNDREDTHS = frozenset(
    "BHD BIF CLF CLP DJF GNF IQD ISK JOD JPY KMF KRW KWD LYD OMR PYG RWF TND UGX UYI UYW VND VUV XAF XOF XPF".split()  # noqa: SIM905
)
_EPC = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]*")  # EPC217-08: the letters that every bank of the scheme takes


def _checked(validate: Callable[[str], str], what: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            return validate(text)
        except ValidationError as error:
            why = next((why for kind, why in _WRONG.items() if isinstance(error, kind)), "it is not valid")
            raise ValueError(f"{text!r} is no {what}: {why}") from None

    return check


def _letters(text: str) -> str:
    fits = _EPC.match(text)
    assert fits is not None
    if fits.end() < len(text):
        raise ValueError(f"{text[fits.end()]!r} is not among the letters that every bank takes (EPC217-08)")
    if text != text.strip() or text.startswith("/") or text.endswith("/") or "//" in text:
        raise ValueError("begins or ends with a space or a slash, or has two slashes")
    return text


def _currency(text: str) -> str:
    if text in _NOT_HUNDREDTHS:
        raise ValueError(f"{text} has no hundredths, to which positions are rounded")
    return text


Iban = Annotated[str, AfterValidator(_checked(iban.validate, "IBAN")), Field(examples=["DE89370400440532013000"])]
Bic = Annotated[str, AfterValidator(_checked(bic.validate, "BIC")), Field(examples=["COBADEFFXXX"])]
CreditorId = Annotated[str, AfterValidator(_checked(at_02.validate, "SEPA creditor identifier")), Field(max_length=35)]
Letters = Annotated[str, AfterValidator(_letters)]
Days = Annotated[int, Field(strict=True, ge=0, le=60, description="Mondays to Fridays")]


class BankAccount(BaseModel):
    """An account at a bank."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    holder: Annotated[Letters, Field(min_length=1, max_length=70)]
    iban: Iban
    bic: Annotated[Bic | None, Field(description="where the IBAN alone is not enough")] = None

    def account(self) -> Account:
        """As the rulebook has it."""
        return Account(self.holder, self.iban, self.bic)


class DebitMandate(BaseModel):
    """A permission to collect, signed by the partner."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: Annotated[Letters, Field(min_length=1, max_length=35)]
    signed_on: date
    scheme: Literal["CORE", "B2B"] = "CORE"


class BankTerms(Act):
    """The operator's side of cash by bank."""

    account: BankAccount
    creditor_id: Annotated[CreditorId | None, Field(description="needed for direct debits")] = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$"), AfterValidator(_currency)] = EURO
    short: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,8}$", description="begins every id that banks see")] = "CF"
    due_days: Days = 3
    grace_days: Days = 2


class CashTerms(Act):
    """How a partner's positions are paid."""

    cash: Literal["token", "bank"]
    account: BankAccount | None = None
    mandate: Annotated[DebitMandate | None, Field(description="without one the partner sends its payments itself")] = (
        None
    )

    @model_validator(mode="after")
    def _whole(self) -> CashTerms:
        if (self.cash == "bank") != (self.account is not None):
            raise ValueError("account goes with cash bank, and only with it")
        if self.mandate is not None and self.account is None:
            raise ValueError("mandate goes with cash bank, and only with it")
        return self

    def agreed(self) -> Mandate | None:
        """The mandate as the rulebook has it."""
        one = self.mandate
        return None if one is None else Mandate(one.id, one.signed_on, one.scheme)
