"""Legal entities, brands, invoices and credit notes as partners and the operator find them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from counterfoil.core.invoices import Kind
from tests.features.billing import BUYER, SELLER, VAT, belongs, closed, documents, entity, story
from tests.features.seldom import SELDOM, TERMS, scene
from tests.gateway.stand import START, Stand, good, problem, stand
from tests.settlement.opened import Opened
from tests.story.test_invoices import checked


def lines(body: dict[str, Any]) -> dict[tuple[str, str, bool], tuple[int | None, int | None, int]]:
    return {
        (line["partner"], line["kind"], line["refund"]): (line["points"], line["unit_micros"], line["amount_micros"])
        for line in body["lines"]
    }


def test_one_document_for_all_partners_of_an_entity_and_one_for_what_it_corrects(engines: Stand) -> None:
    story(engines)
    first, second, correction = documents(engines)
    assert (first["number"], first["kind"], first["settlement"]) == ("INV-000001", "invoice", 1)
    assert first["buyer"]["partners"] == [{"id": 16, "name": "A"}, {"id": 17, "name": "B"}]
    assert lines(first) == {
        ("A", "issuance", False): (10_001, 10_000, -100_010_000),
        ("A", "fee", False): (10_001, 1_000, -10_001_000),
        ("B", "redemption", False): (3_000, 10_000, 30_000_000),
        (None, "rounding", False): (None, None, 1_000),
    }
    rounded = engines.read("operator", "settlements/1")["rounded"]
    assert first["net_micros"] == rounded["A"] + rounded["B"] == -80_010_000
    rate = {"name": "VAT", "category": "S", "rate_bp": 2_200, "note": ""}
    assert first["taxes"][0] == {**rate, "base_micros": -10_001_000, "tax_micros": -2_200_000}
    assert (first["tax_micros"], first["total_micros"]) == (-2_200_000, -82_210_000)
    assert (second["number"], second["kind"], second["tax_micros"]) == ("INV-000002", "invoice", -120_000)
    assert second["buyer"]["name"] == "Żółw w likwidacji"
    assert (correction["number"], correction["kind"]) == ("CN-000001", "credit_note")
    assert correction["corrects"] == [{"settlement": 1, "numbers": ["INV-000001"]}]
    assert lines(correction) == {
        ("A", "issuance", True): (1_000, 10_000, 10_000_000),
        ("A", "fee", True): (1_000, 1_000, 1_000_000),
    }
    assert correction["tax_micros"] == 220_000, "a correction keeps the rate of what it corrects"
    rounded = engines.read("operator", "settlements/2")["rounded"]
    assert second["net_micros"] + correction["net_micros"] == rounded["A"] + rounded["B"]
    checked_totals(engines)


def checked_totals(one: Stand) -> None:
    """Over everybody the documents, the pool and the operator sum to zero: the operator is on the other side of each."""
    for settlement in one.read("operator", "settlements")["data"]:
        net = sum(body["net_micros"] for body in documents(one) if body["settlement"] == settlement["number"])
        others = sum(micros for name, micros in settlement["rounded"].items() if name not in one.sides)
        assert net + others == 0


def test_what_was_issued_never_changes(engines: Stand) -> None:
    member = story(engines)
    before = documents(engines)
    entity(engines, "zolw", **{**BUYER, "name": "Somebody else"})
    entity(engines, "operator", **{**SELLER, "name": "Another", "invoice_series": "NEW"})
    engines.earn("A", member, 5)
    closed(engines)
    after = documents(engines)
    assert after[: len(before)] == before
    assert [body["number"] for body in after[len(before) :]] == ["NEW-000001"]


def test_a_later_version_waits_for_its_day(books: Stand) -> None:
    member = books.member()
    books.earn("A", member, 5)
    belongs_to = "2025-12-05T00:00:00Z"
    entity(books, "later", name="Later Ltd")
    entity(books, "later", name="Latest Ltd", since="2026-01-01T00:00:00Z")
    belongs(books, "A", "later", since=belongs_to)
    closed(books)
    books.clock(belongs_to)
    books.earn("A", member, 5)
    closed(books)
    books.clock("2026-01-01T00:00:00Z")
    books.earn("A", member, 5)
    closed(books)
    found = [(body["buyer"]["entity"], body["buyer"]["name"]) for body in documents(books)]
    assert found == [("partner-16", "A"), ("later", "Later Ltd"), ("later", "Latest Ltd")]
    assert len(documents(books, "A")) == 3
    shown = books.read("A", "legal-entities")["data"]
    assert [one["entity"] for one in shown] == ["later", "partner-16"]
    assert [len(one["versions"]) for one in shown] == [2, 0]


def test_a_partner_sees_the_documents_with_lines_of_its_own(books: Stand) -> None:
    member = story(books)
    belongs(books, "B", "partner-17")
    books.earn("A", member, 50)
    closed(books)
    assert [body["number"] for body in documents(books, "A")] == ["INV-000001", "CN-000001", "INV-000003"]
    assert [body["number"] for body in documents(books, "B")] == ["INV-000001", "INV-000002"]
    problem(books.get("B", "/v1/invoices/INV-000003"), 404, "unknown_invoice", "invoice")
    problem(books.get("operator", "/v1/invoices/INV-000004"), 404, "unknown_invoice", "invoice")
    assert [one["entity"] for one in books.read("B", "legal-entities")["data"]] == ["partner-17"]
    problem(books.get("B", "/v1/legal-entities/operator"), 404, "unknown_legal_entity", "entity")
    assert [one["id"] for one in books.read("operator", "legal-entities/zolw")["partners"]] == [16]


def test_a_list_goes_on_where_a_page_ended(books: Stand) -> None:
    story(books)
    seen, cursor = [], None
    while True:
        page = books.read("operator", "invoices", limit=1, **({"cursor": cursor} if cursor else {}))
        seen += [one["number"] for one in page["data"]]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert seen == ["INV-000001", "INV-000002", "CN-000001"]
    of_one = books.read("operator", "invoices", settlement=1)["data"]
    assert [one["number"] for one in of_one] == ["INV-000001"]
    problem(books.get("operator", "/v1/invoices", cursor="x"), 400, "invalid_request", "cursor")


def test_what_a_pack_paid_is_shown_and_taxed_when_it_is_drawn(engines: Stand) -> None:
    entity(engines, "operator", **SELLER)
    good(engines.post("operator", "packs", {"partner": 16, "points": 1_000}))
    member = engines.member()
    closed(engines)
    engines.earn("A", member, 600, "sale")
    closed(engines)
    good(engines.post("A", "refunds", {"external_id": "back", "earn": "sale", "points": 200}))
    closed(engines)
    bought, drawn, back = documents(engines)
    assert lines(bought) == {("A", "pack", False): (None, None, -11_000_000)}
    assert bought["tax_micros"] == 0
    assert lines(drawn) == {
        ("A", "issuance", False): (600, 10_000, -6_000_000),
        ("A", "fee", False): (600, 1_000, -600_000),
        ("A", "prepaid", False): (None, None, 6_600_000),
    }
    assert (drawn["kind"], drawn["net_micros"], drawn["tax_micros"]) == ("invoice", 0, -130_000)
    assert lines(back) == {
        ("A", "issuance", True): (200, 10_000, 2_000_000),
        ("A", "fee", True): (200, 1_000, 200_000),
        ("A", "prepaid", True): (None, None, -2_200_000),
    }
    assert (back["kind"], back["net_micros"], back["tax_micros"]) == ("credit_note", 0, 40_000)
    assert back["corrects"] == [{"settlement": 2, "numbers": [drawn["number"]]}]


def test_brands(books: Stand) -> None:
    assert books.read("operator", "brands")["data"] == [{"name": "A", "partner": 16}, {"name": "B", "partner": 17}]
    for name in ("Corner", "Kiosk 24"):
        good(books.post("operator", "partners/16/brands", {"name": name}))
    problem(books.post("operator", "partners/17/brands", {"name": "Corner"}), 409, "brand_taken", "name")
    problem(books.post("operator", "partners/99/brands", {"name": "Nobody"}), 404, "unknown_partner")
    assert books.read("A", "brands")["data"] == [{"name": "Corner", "partner": 16}, {"name": "Kiosk 24", "partner": 16}]
    assert books.read("B", "brands")["data"] == [{"name": "B", "partner": 17}]


def test_refusals(books: Stand) -> None:
    path = "partners/16/legal-entity"
    problem(books.post("operator", path, {"entity": "nobody"}), 404, "unknown_legal_entity", "entity")
    problem(books.post("operator", path, {"entity": "operator"}), 400, "invalid_request", "entity")
    past = {"name": "Past Ltd", "since": "2025-11-30T00:00:00Z"}
    problem(books.post("operator", "legal-entities/past", past), 400, "invalid_request", "since")
    free = {**VAT, "category": "E"}
    problem(books.post("operator", "legal-entities/x", {"name": "X", "taxes": [free]}), 400, "invalid_request", "taxes")
    odd = {**VAT, "kinds": ["tips"]}
    problem(books.post("operator", "legal-entities/x", {"name": "X", "taxes": [odd]}), 400, "invalid_request")
    problem(books.post("operator", "legal-entities/NO", {"name": "X"}), 400, "invalid_request")
    assert books.read("operator", "legal-entities")["data"][0]["versions"] == []


def test_every_seldom_verb_is_invoiced(database_url: str, tmp_path: Path) -> None:
    later = {  # set up by others, or with closes; who is late by bank would fail
        "/v1/rates", "/v1/disputes", "/v1/partners/{partner}/dividends", "/v1/claims", "/v1/claims/{claim}/refusal",
        "/v1/bank", "/v1/partners/{partner}/cash", "/v1/bank/entries/{line}/assign",
    }  # fmt: skip
    with stand(tmp_path / "home", database_url, "A") as one:
        one.clock(START)
        one.add("B", terms=TERMS["B"])
        made = scene(one)
        Opened.stand_in(one.app.state.worker.cycle)
        for route in (route for route in SELDOM if route[1] not in later):
            who, path, body, _other = SELDOM[route](made)
            one.post(who, path, body)
        last = one.member()
        one.earn("B", last, 100)
        one.burn("A", last, 40)
        closed(one)
        one.clock("2026-12-31T10:00:00Z")
        one.earn("A", last, 400_000)  # more than it is paid back of what ran out: it can fail
        who, path, body, _other = SELDOM["POST", "/v1/partners/{partner}/dividends"](made)
        good(one.post(who, path, body))
        closed(one)
        found = checked(one.app.state.gateway.engine)
    kinds = {line["kind"] for body in found for line in body["lines"]}
    assert kinds >= {str(kind) for kind in Kind} - {"prepaid", "rounding"}
