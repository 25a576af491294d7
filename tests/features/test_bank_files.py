"""Payment files and statements against the published schemas, over random parties and amounts; hostile files; errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from counterfoil.core.errors import BankFileUnreadable
from counterfoil.core.rulebook.payment_files import DEBITS, TRANSFERS, asked, names_in, read_batch
from counterfoil.core.rulebook.payments import Account, Cash, Clearing, Mandate, Payment, Try
from counterfoil.features.bank import camt, pain
from tests.features.bank import OWN, Entry, german, statement, valid

AT = 1_764_583_200_000_000
LETTERS = "ABCdefgh123 /-?:().,'+"
NAMES = st.text(LETTERS, min_size=1, max_size=70).filter(
    lambda text: text == text.strip() and "//" not in text and text.strip("/") == text
)


ACCOUNTS = st.builds(
    Account, NAMES, st.integers(0, 10**18 - 1).map(german), st.sampled_from([None, "COBADEFFXXX", "ABNANL2A"])
)
MICROS = st.integers(1, 10**11).map(lambda cents: cents * 10_000)


@st.composite
def files(draw: Callable[..., Any]) -> tuple[str, int, int, list[Payment]]:
    """A kind, a settlement, a file's number, and payments of which some stand in it."""
    kind = draw(st.sampled_from([TRANSFERS, DEBITS]))
    settlement, trial = draw(st.integers(1, 2**31 - 1)), draw(st.integers(1, 3))
    currency = "EUR" if kind == DEBITS else draw(st.sampled_from(["EUR", "PLN"]))
    short = draw(st.text("ABZ019", min_size=1, max_size=8))
    clearing = Clearing(1, draw(ACCOUNTS), "DE98ZZZ09999999999", currency, short)
    made = []
    for partner in sorted(draw(st.sets(st.integers(16, 2**15 - 1), min_size=1, max_size=6))):
        schemes = st.sampled_from(["CORE", "B2B"])
        mandate = Mandate(draw(st.text("AZ09-", min_size=1, max_size=35)), date(2020, 2, 29), draw(schemes))
        cash = Cash(1, draw(ACCOUNTS), mandate)
        days = st.none() | st.integers(0, 40).map(lambda days: date(2025, 12, 1) + timedelta(days=days))
        tries = draw(
            st.lists(
                st.builds(Try, days, MICROS, st.integers(AT, AT + 10**12), st.just(clearing), st.just(cash)),
                min_size=trial,
                max_size=3,
            )
        )
        micros = draw(MICROS) * (1 if kind == TRANSFERS else -1)
        made.append(Payment(settlement, partner, micros, AT, date(2025, 12, 4), date(2025, 12, 8), tries))
    made[0].tries[trial - 1] = Try(date(2025, 12, 4), draw(MICROS), AT, clearing, made[0].cash)
    return kind, settlement, trial, made


def checked(kind: str, settlement: int, trial: int, made: list[Payment]) -> None:
    """Valid by the published schema, with sums that add up and ids that lead back."""
    blocks = asked(made, kind, trial)
    xml = pain.payment_file(kind, settlement, trial, blocks)
    assert xml == pain.payment_file(kind, settlement, trial, asked(reversed(made), kind, trial))
    valid(xml, "pain.001.001.09" if kind == TRANSFERS else "pain.008.001.08")
    root, short = etree.fromstring(xml), made[0].clearing.short

    def texts(node: Any, path: str) -> list[str]:
        return [one.text for one in node.findall("/".join(f"{{*}}{name}" for name in path.split("/")))]

    message = root[0]
    amount = "CdtTrfTxInf/Amt/InstdAmt" if kind == TRANSFERS else "DrctDbtTxInf/InstdAmt"
    total = Decimal(0)
    for place, block in enumerate(message.findall("{*}PmtInf"), 1):
        amounts = [Decimal(text) for text in texts(block, amount)]
        assert texts(block, "NbOfTxs") == [str(len(amounts))]
        assert [Decimal(text) for text in texts(block, "CtrlSum")] == [sum(amounts)]
        assert read_batch(texts(block, "PmtInfId")[0], short) == (settlement, kind, trial, place)
        total += sum(amounts)
    assert [Decimal(text) for text in texts(message, "GrpHdr/CtrlSum")] == [total]
    wanted = {one.name: one.tries[trial - 1].micros for one in made if one.tries[trial - 1].on is not None}
    assert texts(message, "GrpHdr/NbOfTxs") == [str(len(wanted))]
    assert total * 1_000_000 == sum(wanted.values())
    ids = [one.text for one in message.iter("{*}EndToEndId")]
    assert all(len(str(one)) <= 35 for one in ids)
    assert sorted(name for one in ids for name in names_in(str(one), short)) == sorted(wanted)


@given(files())
@settings(max_examples=150, deadline=None)
def test_a_file_is_valid_by_the_published_schema_and_adds_up(file: tuple[str, int, int, list[Payment]]) -> None:
    checked(*file)


def one_of_each() -> list[tuple[str, int, int, list[Payment]]]:
    clearing = Clearing(1, Account("Coalition", OWN), "DE98ZZZ09999999999")
    cash = Cash(1, Account("Brand", "NL91ABNA0417164300"), Mandate("M", date(2025, 1, 1)))
    tries = [Try(date(2025, 12, 4), 110_000, AT, clearing, cash)]
    return [
        (kind, 1, 1, [Payment(1, 16, micros, AT, date(2025, 12, 4), date(2025, 12, 8), tries)])
        for kind, micros in ((TRANSFERS, 110_000), (DEBITS, -110_000))
    ]


def no_sum(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pain, "_sums", lambda parent, count, micros: [pain._add(parent, "NbOfTxs", str(count))])


def wrong_sum(patch: pytest.MonkeyPatch) -> None:
    real = pain._sums
    patch.setattr(pain, "_sums", lambda parent, count, micros: real(parent, count, micros + 10_000))


def wrong_order(patch: pytest.MonkeyPatch) -> None:
    real = pain._add
    names = {"BtchBookg": "PmtMtd", "PmtMtd": "BtchBookg"}

    def add(parent: Any, path: str, text: str | None = None) -> Any:
        return real(parent, names.get(path, path), text)

    patch.setattr(pain, "_add", add)


@pytest.mark.parametrize("plant", [no_sum, wrong_sum, wrong_order])
def test_canaries_of_files_are_caught(
    monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    for file in one_of_each():
        checked(*file)
    plant(monkeypatch)
    for file in one_of_each():
        with pytest.raises((AssertionError, etree.DocumentInvalid)):
            checked(*file)


ENTRIES = st.builds(
    Entry, MICROS.flatmap(lambda micros: st.sampled_from([micros, -micros])),
    st.none() | st.text("ABC019-/", min_size=1, max_size=35), st.integers(0, 10**18 - 1).map(german),
    st.text(LETTERS, max_size=60).map(str.strip), st.sampled_from(["", "AC04", "MD01"]), st.sampled_from(["BOOK", "PDNG"]),
    st.dates(date(2000, 1, 1), date(2100, 1, 1)).map(date.isoformat), st.sampled_from(["", "CF-1-DD1-1"]),
)  # fmt: skip


@given(st.lists(ENTRIES, max_size=8))
@settings(max_examples=150, deadline=None)
def test_a_statement_is_read_as_it_was_written(entries: list[Entry]) -> None:
    (read,), text = camt.statements(statement("S-1", *entries, opening=10**17 * 9), {OWN})
    assert (read.id, read.account, text.count("<Ntry>")) == ("S-1", OWN, len(entries))
    for line, entry in zip(read.lines, entries, strict=True):
        assert (line.amount_micros, line.currency, line.booked) == (entry.micros, "EUR", entry.status == "BOOK")
        assert (line.booked_on.isoformat(), line.end_to_end, line.batch or "") == (
            entry.on,
            entry.end_to_end,
            entry.batch,
        )
        if entry.end_to_end is not None:
            assert (line.iban, line.text, line.reason or "") == (entry.iban, entry.text, entry.reason)


def test_a_collective_entry_gives_a_line_for_each_transaction() -> None:
    first, second = Entry(10_000, "CF-1-16"), Entry(20_000, "CF-1-17")
    parts = [one.xml().split("<NtryDtls>")[1].split("</NtryDtls>")[0] for one in (first, second)]
    whole = statement("S", Entry(30_000, None, batch="CF-1-DD1-1")).decode()
    xml = whole.replace("</NtryDtls>", "".join(parts) + "</NtryDtls>").encode()
    valid(xml, "camt.053.001.08")
    (read,), _text = camt.statements(xml, {OWN})
    assert [(line.amount_micros, line.end_to_end) for line in read.lines] == [(10_000, "CF-1-16"), (20_000, "CF-1-17")]
    (odd,), _text = camt.statements(xml.replace(b">0.02<", b">0.01<"), {OWN})  # amounts that do not add up: one line
    assert [(line.amount_micros, line.end_to_end) for line in odd.lines] == [(30_000, None)]


GOOD = statement("S-1", Entry(11_000_000, "CF-1-16"))


@pytest.mark.parametrize(
    ("old", "new", "element", "why"),
    [
        (b"camt.053.001.08", b"camt.053.001.02", "Document", "camt.053.001.08"),
        (b">11.00<", b">11,00<", "Stmt/Ntry/Amt", "'11,00' is not an amount"),
        (b">11.00<", b">-11.00<", "Stmt/Ntry/Amt", "'-11.00' is not an amount"),
        (b">11.00<", b">1e3<", "Stmt/Ntry/Amt", "'1e3' is not an amount"),
        (b">11.00<", b">11.0000001<", "Stmt/Ntry/Amt", "too many digits"),
        (b">11.00<", b">12.00<", "Stmt", "opening to the closing balance"),
        (b"<BookgDt>\n<Dt>2025-12-04<", b"<BookgDt>\n<Dt>yesterday<", "Stmt/Ntry/BookgDt/Dt", "not a date"),
        (b"<Cd>BOOK</Cd>", b"<Prtry>X</Prtry>", "Stmt/Ntry", "lacks Sts/Cd"),
        (OWN.encode(), b"NL91ABNA0417164300", "Stmt/Acct/Id/IBAN", "not an account of this programme"),
        (b"<Id>S-1</Id>", b"<MsgId/>", "Stmt", "lacks Id"),
        (b"</Document>", b"", "document", ""),
    ],
)
def test_what_is_wrong_is_named_by_line_and_element(old: bytes, new: bytes, element: str, why: str) -> None:
    xml = GOOD.replace(old, new)
    assert xml != GOOD
    with pytest.raises(BankFileUnreadable) as caught:
        camt.statements(xml, {OWN})
    found = caught.value
    assert (found.element, why in found.why) == (element, True), str(found)
    assert 1 <= found.line <= len(xml.splitlines()) + 1
    if element == "Stmt/Ntry/Amt":
        assert b"<Amt" in xml.splitlines()[found.line - 1]


def hostile(folder: Path) -> dict[str, bytes]:
    """Files that reach for others, or grow."""
    (folder / "secret").write_text("the-secret-of-this-machine")
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    inside = GOOD.replace(b">CF-1-16<", b">&l;<").decode()
    quadratic = f'<!ENTITY l "{"x" * 100_000}">'
    return {
        "file": f'<!DOCTYPE Document [<!ENTITY l SYSTEM "file://{folder}/secret">]>{inside}'.encode(),
        "network": f'<!DOCTYPE Document [<!ENTITY l SYSTEM "http://127.0.0.1:9/x">]>{inside}'.encode(),
        "outer": f'<!DOCTYPE Document SYSTEM "file://{folder}/secret">{GOOD.decode()}'.encode(),
        "laughs": f'<!DOCTYPE Document [<!ENTITY l0 "ha">{laughs}]>{inside.replace("&l;", "&l9;")}'.encode(),
        "quadratic": f"<!DOCTYPE Document [{quadratic}]>{inside.replace('&l;', '&l;' * 5_000)}".encode(),
        "attribute": f'<!DOCTYPE Document [<!ENTITY l0 "ha">{laughs}]>'.encode() + GOOD.replace(b'"EUR"', b'"&l9;"'),
        "utf-16": f'<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE Document [<!ENTITY l "x">]>{inside}'.encode(
            "utf-16"
        ),
        "harmless": b"<!DOCTYPE Document>" + GOOD,
        "deep": b"<a>" * 100_000,
    }


def refused(folder: Path) -> None:
    for name, xml in hostile(folder).items():
        start = time.perf_counter()
        with pytest.raises(BankFileUnreadable) as caught:
            camt.statements(xml, {OWN})
        assert time.perf_counter() - start < 5, name
        assert "the-secret" not in str(caught.value), name


def test_entities_and_document_types_are_refused(tmp_path: Path) -> None:
    refused(tmp_path)


def test_canary_a_parser_that_resolves_entities_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loose = etree.XMLParser(resolve_entities=True, load_dtd=True, no_network=False)
    monkeypatch.setattr(etree, "XMLParser", lambda **_options: loose)
    file = hostile(tmp_path)["file"]
    with pytest.raises(BankFileUnreadable):  # the document type alone is refused
        camt.statements(file, {OWN})
    root = etree.fromstring(file, loose)
    assert "the-secret" in etree.tostring(root).decode()  # and this is what it would have read
