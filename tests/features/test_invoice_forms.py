"""The forms of a document: JSON as stored and hashed, CSV, PDF."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
from pypdf import PdfReader

from counterfoil.features.invoices import pdf
from counterfoil.features.invoices.words import WORDS, money
from tests.features.billing import BUYER, SELLER, belongs, closed, documents, entity, story
from tests.gateway.stand import Stand, problem


def test_json_is_what_was_stored_and_hashed(engines: Stand) -> None:
    story(engines)
    for shown in engines.read("operator", "invoices")["data"]:
        answer = engines.get("operator", f"/v1/invoices/{shown['number']}")
        digest = hashlib.sha256(answer.content)
        assert digest.hexdigest() == shown["sha256"]
        assert answer.headers["repr-digest"] == f"sha-256=:{b64encode(digest.digest()).decode()}:"
        assert answer.json()["total_micros"] == shown["total_micros"]


def test_csv_says_the_same(books: Stand) -> None:
    entity(books, "operator", **{**SELLER, "name": "=SUM(A1)"})
    entity(books, "zolw", **{**BUYER, "name": 'Quote "and", comma'})
    belongs(books, "A", "zolw")
    books.earn("A", books.member(), 1_001)
    closed(books)
    (body,) = documents(books)
    answer = books.get("A", f"/v1/invoices/{body['number']}", format="csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))
    assert [int(row["amount_micros"]) for row in rows] == [line["amount_micros"] for line in body["lines"]]
    assert sum(int(row["amount_micros"]) for row in rows) == body["net_micros"] == int(rows[0]["document_net_micros"])
    for row, line in zip(rows, body["lines"], strict=True):
        told = {name: row[name] or None for name in ("kind", "partner", "points", "unit_micros", "corrects")}
        assert told == {name: None if line[name] is None else str(line[name]) for name in told}
        assert row["tax_category"] == line["tax"]["category"]
        assert row["buyer"] == 'Quote "and", comma'
        assert row["seller"] == "'=SUM(A1)", "a spreadsheet would compute it"


def test_pdf_says_the_totals_and_is_the_same_each_time(books: Stand) -> None:
    story(books)
    for body in documents(books):
        url = f"/v1/invoices/{body['number']}"
        answer = books.get("operator", url, format="pdf")
        assert answer.headers["content-type"] == "application/pdf"
        assert books.get("operator", url, format="pdf").content == answer.content
        reader = PdfReader(io.BytesIO(answer.content))
        text = " ".join(page.extract_text() for page in reader.pages).replace("\N{NO-BREAK SPACE}", " ")
        sign = 1 if body["kind"] == "credit_note" else -1
        for amount in ("net_micros", "tax_micros", "total_micros"):
            assert money(sign * body[amount], "pl").replace("\N{NO-BREAK SPACE}", " ") in text
        for said in (body["number"], "Punktikoda OÜ", "ul. Źródlana 5", body["closing"], WORDS["pl"][body["kind"]]):
            assert said in text
        assert ("IBAN EE00" in text) is (body["tax_micros"] < 0), "the operator's account, where the entity pays tax"
        assert all(one in text for corrected in body["corrects"] for one in corrected["numbers"])
        assert reader.metadata is not None
        assert reader.metadata.title == f"{WORDS['pl'][body['kind']]} {body['number']}"
        fonts = [str(font["/BaseFont"]) for page in reader.pages for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]
        assert any("OpenSans" in font for font in fonts)


def test_pdf_is_the_same_in_another_process_and_beside_others(books: Stand) -> None:
    story(books)
    body = documents(books)[0]
    program = "import json, sys; from counterfoil.features.invoices import pdf; "
    program += "sys.stdout.buffer.write(pdf.rendered(json.load(sys.stdin), bytes(32)))"
    others = [
        subprocess.run(
            [sys.executable, "-c", program], input=json.dumps(body).encode(), env={**os.environ, "PYTHONHASHSEED": seed},
            check=True, capture_output=True,
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    with ThreadPoolExecutor(4) as pool:
        here = list(pool.map(lambda _: pdf.rendered(body, bytes(32)), range(8)))
    assert len({*others, *here}) == 1
    assert pdf.rendered(body, bytes(31) + b"\1") not in others, "nothing of it is printed"


@pytest.mark.parametrize("language", sorted(WORDS))
def test_every_language_has_every_word_and_letters_for_it(books: Stand, language: str) -> None:
    assert WORDS[language].keys() == WORDS["en"].keys()
    entity(books, "shop", name="Kõrts Łąka «Ёж»", language=language)
    belongs(books, "A", "shop")
    books.earn("A", books.member(), 1_001)
    closed(books)
    (body,) = documents(books)
    text = PdfReader(io.BytesIO(pdf.rendered(body, bytes(32)))).pages[0].extract_text()
    assert "Kõrts Łąka «Ёж»" in text
    for line in body["lines"]:
        assert WORDS[language][line["kind"]] in text


def test_the_form_is_what_is_asked_for(books: Stand) -> None:
    books.earn("A", books.member(), 1)
    closed(books)
    url, headers = "/v1/invoices/INV-000001", books.headers("A")
    for accept, kind in (
        ("application/pdf", "application/pdf"), ("text/csv", "text/csv; charset=utf-8"),
        ("*/*", "application/json"), ("application/json, application/pdf", "application/json"),
    ):  # fmt: skip
        answer = books.client.get(url, headers={**headers, "Accept": accept})
        assert answer.headers["content-type"] == kind
    problem(books.get("A", url, format="docx"), 400, "invalid_request", "format")
