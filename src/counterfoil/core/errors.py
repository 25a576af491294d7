"""One tree of errors; each class has a stable `code` and typed facts.

CounterfoilError
  Refusal                 an operation the rules turn down; stored, replayed, nothing changed
    form, sameness and unknown things here; people and partners, state, limits in core/{refusals,limits}.py
  Unreadable              input from outside that cannot be understood (export, proof, key file)
  Unreachable             the books, the chain or a gateway does not answer

A driver's own errors are translated at its wall (store, chain, gateway), never here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar


@dataclass(eq=False)
class CounterfoilError(Exception):
    """Root of the tree. `says` is a template over the facts; `str(error)` fills it in."""

    code: ClassVar[str] = "internal_error"
    says: ClassVar[str] = "something that must not happen has happened"

    def facts(self) -> dict[str, object]:
        """The typed facts by name, JSON-ready."""
        return {fact.name: getattr(self, fact.name) for fact in fields(self)}

    def __str__(self) -> str:
        return self.says.format(**self.facts())


@dataclass(eq=False)
class Unreadable(CounterfoilError):
    """A file, a message or a key from outside that is not what it should be."""

    code = "unreadable"
    says = "{what}: {why}"
    what: str
    why: str


@dataclass(eq=False)
class Unreachable(CounterfoilError):
    """A database, a chain or a gateway that does not answer."""

    code = "unreachable"
    says = "{what} cannot be reached: {why}"
    what: str
    why: str


class Refusal(CounterfoilError):
    """An operation turned down by a rule: an answer like any other, stored and replayed."""


# --- request, form, sameness ------------------------------------------------------------------


@dataclass(eq=False)
class InvalidRequest(Refusal):
    code = "invalid_request"
    says = "{field}: {why}"
    field: str
    why: str


@dataclass(eq=False)
class IdempotencyKeyMissing(Refusal):
    code = "idempotency_key_missing"
    says = "{field}: a movement of value needs a key of the caller's own, 1 to 255 characters"
    field: str = "Idempotency-Key"


@dataclass(eq=False)
class Unauthenticated(Refusal):
    code = "unauthenticated"
    says = "{field}: {why}"
    why: str
    field: str = "Authorization"


@dataclass(eq=False)
class Forbidden(Refusal):
    code = "forbidden"
    says = "{field}: this credential lacks the scope {scope}"
    scope: str
    field: str = "Authorization"


@dataclass(eq=False)
class NotFound(Refusal):
    code = "not_found"
    says = "{field}: there is no {value}"
    field: str
    value: str


class InvalidAmount(InvalidRequest):
    code = "invalid_amount"


class SignInRefused(InvalidRequest):
    code = "sign_in_refused"


class ReturnAssigned(InvalidRequest):
    code = "return_assigned"


class MethodNotAllowed(InvalidRequest):
    code = "method_not_allowed"


class BodyTooLarge(InvalidRequest):
    code = "body_too_large"


@dataclass(eq=False)
class InvalidRecipient(Refusal):
    code = "invalid_recipient"
    says = "{field}: it takes two different members"
    field: str = "recipient"


@dataclass(eq=False)
class OccurredInFuture(Refusal):
    code = "occurred_in_future"
    says = "{field}: it is {now} here"
    now: str
    field: str = "occurred_at"


@dataclass(eq=False)
class IdempotencyKeyReused(Refusal):
    code = "idempotency_key_reused"
    says = "{field}: the key {key} came with another body before"
    key: str
    field: str = "Idempotency-Key"


@dataclass(eq=False)
class DuplicateExternalId(Refusal):
    code = "duplicate_external_id"
    says = "{field}: {external_id} is taken by {entry}"
    external_id: str
    entry: str
    field: str = "external_id"


@dataclass(eq=False)
class BrandTaken(Refusal):
    code = "brand_taken"
    says = "{field}: {value} is a partner's brand already"
    value: str
    field: str = "name"


@dataclass(eq=False)
class BankFileUnreadable(Refusal):
    code = "bank_file_unreadable"
    says = "{field}: line {line}, {element}: {why}"
    line: int
    element: str
    why: str
    field: str = "body"


@dataclass(eq=False)
class StatementDiffers(Refusal):
    code = "statement_differs"
    says = "{field}: the statement {statement} of this account came with other content before"
    statement: str
    field: str = "Stmt/Id"


@dataclass(eq=False)
class BankEntryAssigned(Refusal):
    code = "bank_entry_assigned"
    says = "{field}: {entry} is {result}; only an unmatched entry can be assigned"
    entry: str
    result: str
    field: str = "entry"


# --- unknown things ---------------------------------------------------------------------------


@dataclass(eq=False)
class Unknown(Refusal):
    """Something named that is not there, or not the caller's."""

    thing: ClassVar[str] = "thing"
    value: str
    field: str = ""

    def __post_init__(self) -> None:
        self.field = self.field or self.thing


class UnknownMember(Unknown):
    code, thing = "unknown_member", "member"
    says = "{field}: there is no member {value}"


class UnknownPartner(Unknown):
    code, thing = "unknown_partner", "partner"
    says = "{field}: there is no partner {value}"


class UnknownEarn(Unknown):
    code, thing = "unknown_earn", "earn"
    says = "{field}: this partner has made no earn {value}"


class UnknownBurn(Unknown):
    code, thing = "unknown_burn", "burn"
    says = "{field}: this partner has made no burn {value}"


class UnknownHold(Unknown):
    code, thing = "unknown_hold", "hold"
    says = "{field}: this partner has made no hold {value}"


class UnknownCurrency(Unknown):
    code, thing = "unknown_currency", "currency"
    says = "{field}: there is no currency {value}"


class UnknownRate(Unknown):
    code, thing = "unknown_rate", "src"
    says = "{field}: no rate is published for {value}"


class UnknownReward(Unknown):
    code, thing = "unknown_reward", "reward"
    says = "{field}: there is no reward {value}"


class UnknownVoucher(Unknown):
    code, thing = "unknown_voucher", "voucher"
    says = "{field}: there is no voucher {value}"


class UnknownQuote(Unknown):
    code, thing = "unknown_quote", "quote"
    says = "{field}: there is no quote {value}"


class UnknownPromotion(Unknown):
    code, thing = "unknown_promotion", "promotion"
    says = "{field}: there is no promotion {value}"


class UnknownClaim(Unknown):
    code, thing = "unknown_claim", "claim"
    says = "{field}: there is no report {value} of a missing purchase"


class UnknownBudget(Unknown):
    code, thing = "unknown_budget", "budget"
    says = "{field}: there is no budget {value}"


class UnknownEarnRule(Unknown):
    code, thing = "unknown_earn_rule", "basket"
    says = "{field}: no earn rule is in force for {value}"


class UnknownSettlement(Unknown):
    code, thing = "unknown_settlement", "settlement"
    says = "{field}: there is no settlement {value}"


class UnknownReturn(Unknown):
    code, thing = "unknown_return", "reference"
    says = "{field}: no return {value} is in suspense"


class UnknownLegalEntity(Unknown):
    code, thing = "unknown_legal_entity", "legal_entity"
    says = "{field}: there is no legal entity {value}"


class UnknownInvoice(Unknown):
    code, thing = "unknown_invoice", "invoice"
    says = "{field}: there is no invoice {value}"


class UnknownPayment(Unknown):
    code, thing = "unknown_payment", "payment"
    says = "{field}: there is no payment {value}"


class UnknownBankEntry(Unknown):
    code, thing = "unknown_bank_entry", "entry"
    says = "{field}: no statement has an entry {value}"
