"""Who is invoiced: legal entities in versions, which of them a partner belongs to, and the brands that members see.

Partner, brand and legal entity are three records. Each change holds from an instant on: what was invoiced before was made
with what held then, and keeps a full copy of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from msgspec import Struct

SELLER = "operator"  # the entity that issues every document and sells what carries a fee
CATEGORIES = ("S", "Z", "E", "AE", "O")  # EN 16931, BT-151 (UNCL 5305): standard, zero, exempt, reverse charge, outside
LANGUAGES = ("en", "et", "pl", "ru")
T = TypeVar("T")


class Tax(Struct, frozen=True):
    """A named rate in basis points and the kinds of line it applies to; `note`: the reason where there is no rate."""

    name: str
    category: str
    rate_bp: int
    kinds: tuple[str, ...]
    note: str = ""


OUTSIDE = Tax("", "O", 0, ())  # points move as vouchers do: the money behind them is passed through, not turned over


class Profile(Struct, frozen=True):
    """A legal entity as it stands in one version. What is None is as the seller has it."""

    name: str
    address: tuple[str, ...] = ()
    country: str = ""
    tax_ids: tuple[str, ...] = ()
    email: str = ""
    language: str = "en"
    taxes: tuple[Tax, ...] | None = None
    invoice_series: str | None = None
    credit_note_series: str | None = None
    payment_days: int | None = None
    payment: tuple[str, ...] = ()  # where to pay it
    currency: str = "EUR"  # of the programme's money: of the seller


class LegalEntity(Struct):
    """Its versions, each with the instant from which it holds."""

    versions: list[tuple[int, Profile]]


class Belongs(Struct):
    """Of a partner: its legal entities, each with the instant from which it belongs there."""

    entities: list[tuple[int, str]]


class Brand(Struct):
    """A name that members see, and the partner whose it is."""

    partner: int


def in_force(versions: Iterable[tuple[int, T]], at: int) -> T | None:
    """The latest version that holds at an instant."""
    held = [one for since, one in versions if since <= at]
    return held[-1] if held else None


def own_entity(partner: int) -> str:
    """The legal entity of a partner that was not said to belong to another."""
    return f"partner-{partner}"


def entity_at(belongs: Belongs | None, partner: int, at: int) -> str:
    """The legal entity a partner belongs to at an instant."""
    return in_force(belongs.entities if belongs is not None else (), at) or own_entity(partner)


def spans(belongs: Belongs | None, partner: int) -> list[tuple[str, int, int | None]]:
    """The legal entities a partner belonged to, each with the instants [from, until)."""
    since = [(0, own_entity(partner)), *(belongs.entities if belongs is not None else ())]
    ends: list[int | None] = [start for start, _name in since[1:]]
    return [(name, start, end) for (start, name), end in zip(since, [*ends, None], strict=True) if start != end]


def completed(buyer: Profile, seller: Profile) -> Profile:
    """A profile with what it leaves to the seller filled in; of the seller's own, with the defaults."""
    days = seller.payment_days if buyer.payment_days is None else buyer.payment_days
    return Profile(
        buyer.name, buyer.address, buyer.country, buyer.tax_ids, buyer.email, buyer.language,
        seller.taxes or () if buyer.taxes is None else buyer.taxes,
        buyer.invoice_series or seller.invoice_series or "INV",
        buyer.credit_note_series or seller.credit_note_series or "CN",
        14 if days is None else days, buyer.payment, seller.currency,
    )  # fmt: skip
