"""A story with legal entities, and its documents: what the tests of invoices stand on."""

from __future__ import annotations

from typing import Any

from tests.gateway.stand import Stand, good

VAT = {"name": "VAT", "category": "S", "rate_bp": 2_200, "kinds": ["fee", "exchange_fee"]}
SELLER = {
    "name": "Punktikoda OÜ", "address": ["Pikk 1", "10123 Tallinn"], "country": "EE", "tax_ids": ["EE100000001"],
    "taxes": [VAT], "payment": ["IBAN EE000000000000000000"], "payment_days": 10, "currency": "EUR",
}  # fmt: skip
BUYER = {"name": "Żółw i Synowie S.A.", "address": ["ul. Źródlana 5", "00-001 Łódź"], "country": "PL", "language": "pl"}


def entity(one: Stand, which: str, /, **profile: Any) -> dict[str, Any]:
    made: dict[str, Any] = good(one.post("operator", f"legal-entities/{which}", profile))
    return made


def belongs(one: Stand, who: str, name: str, **more: Any) -> None:
    good(one.post("operator", f"partners/{one.sides[who].id}/legal-entity", {"entity": name, **more}))


def documents(one: Stand, who: str = "operator") -> list[dict[str, Any]]:
    return [good(one.get(who, f"/v1/invoices/{shown['number']}")) for shown in one.read(who, "invoices")["data"]]


def closed(one: Stand) -> int:
    number = one.close()
    good(one.advance())
    return number


def story(one: Stand) -> str:
    """Two partners of one legal entity trade; then a rate changes, and a sale of before is refunded."""
    entity(one, "operator", **SELLER)
    entity(one, "zolw", **BUYER)
    belongs(one, "A", "zolw")
    belongs(one, "B", "zolw")
    member = one.member()
    one.earn("A", member, 10_001, "sale")
    one.burn("B", member, 3_000)
    closed(one)
    entity(one, "operator", **{**SELLER, "taxes": [{**VAT, "rate_bp": 2_400}]})
    entity(one, "zolw", **{**BUYER, "name": "Żółw w likwidacji"})
    good(one.post("A", "refunds", {"external_id": "back", "earn": "sale", "points": 1_000}))
    one.earn("B", member, 500)
    closed(one)
    return member
