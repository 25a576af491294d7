"""Cash by bank over HTTP, on both databases: due, matched, partial, assigned, returned."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from counterfoil.core import netting
from counterfoil.core.rulebook import payments
from counterfoil.core.settlement import Header
from counterfoil.store.kinds import Statement
from counterfoil.store.records import Records
from tests.features.bank import (
    IBANS,
    OWED,
    PAID_OUT,
    Entry,
    by_bank,
    payment,
    played,
    results,
    sent,
    statement,
)
from tests.gateway.stand import Stand, good, problem


def test_a_final_settlement_is_paid_through_the_bank(engines: Stand) -> None:
    by_bank(engines, "A", "B", mandate="A")
    number = engines.sides["A"].id
    member = engines.member()
    engines.earn("A", member, 1_000)
    engines.burn("B", member, 300)
    assert engines.read("operator", "payments")["data"] == []
    problem(engines.get("operator", "/v1/settlements/1/payments"), 404, "unknown_settlement", "settlement")
    shown = engines.settle()
    words = netting.unpack(Header.from_json(shown["header"]).positions)
    for name, method, word in (("A", "collect", -OWED), ("B", "pay", PAID_OUT)):
        one = payment(engines, f"1-{engines.sides[name].id}")
        assert (one["method"], one["state"], one["amount_micros"], one["left_micros"]) == (
            method,
            "due",
            word,
            abs(word),
        )
        assert (one["due_on"], one["fails_after"], one["alert"]) == ("2025-12-04", "2025-12-08", None)
        assert word == words[engines.sides[name].id], "the bank moves what the chain moved"
        assert [each["id"] for each in engines.read(name, "payments")["data"]] == [one["id"]], "its own alone"
        assert [each["id"] for each in engines.read(name, "settlements/1/payments")["data"]] == [one["id"]]
        assert list(engines.read(name, "bank")["partners"]) == [name]
    assert (
        results(engines, "S-1", Entry(OWED, f"CF-1-{number}"), Entry(-PAID_OUT, "CF-1-17", IBANS["B"]))
        == ["matched"] * 2
    )
    assert engines.read("operator", "payments")["data"] == []
    assert payment(engines, "1-16")["state"] == payment(engines, "1-17")["state"] == "paid"
    problem(engines.get("operator", "/v1/settlements/1/pain.008", file=2), 404, "not_found", "file")
    entries = engines.read("operator", "bank/entries")["data"]
    assert [(each["end_to_end"], each["result"], each["place"]) for each in entries] == [
        ("CF-1-16", "matched", "1.1"), ("CF-1-17", "matched", "2.1"),
    ]  # fmt: skip


def test_a_statement_counts_once(engines: Stand) -> None:
    by_bank(engines, "A")
    played(engines)
    xml = statement("S-1", Entry(OWED, "CF-1-16"), Entry(5_000_000, text="who is this"))
    tried = good(sent(engines, xml, dry_run=True))
    assert payment(engines, "1-16")["state"] == "due", "a dry run had an effect"
    first = good(sent(engines, xml))
    assert first == tried
    assert first["statements"][0]["status"] == "taken"
    again = sent(engines, xml)
    assert again.status_code == 201
    told = again.json()["statements"][0]
    assert told == {**first["statements"][0], "status": "known"}
    assert good(sent(engines, xml + b"\n"))["statements"][0]["status"] == "known", "the same statement in another file"
    assert payment(engines, "1-16")["paid_micros"] == OWED
    other = statement("S-1", Entry(OWED, "CF-1-16"))
    problem(sent(engines, other), 409, "statement_differs", "Stmt/Id")
    both = xml.replace(b"</Stmt>", b"</Stmt>" + other.split(b"</GrpHdr>")[1].split(b"</BkToCstmrStmt>")[0])
    problem(sent(engines, both), 422, "bank_file_unreadable")
    assert len(engines.read("operator", "bank/entries")["data"]) == 2
    assert [one["text"] for one in engines.read("operator", "bank/entries", unmatched=True)["data"]] == ["who is this"]


def test_lines_find_their_payments(books: Stand) -> None:
    by_bank(books, "A", "B", mandate="A")
    played(books)
    assert results(books, "partial", Entry(OWED - 10_000, "CF-1-16"), Entry(-PAID_OUT, "X", IBANS["C"])) == [
        "partial", "unmatched",
    ]  # fmt: skip
    one = payment(books, "1-16")
    assert (one["state"], one["left_micros"]) == ("partial", 10_000)
    assert results(books, "amount", Entry(10_000, "NOTPROVIDED", IBANS["B"]), Entry(10_000)) == ["unmatched", "matched"]
    assert results(books, "text", Entry(10_000, text="paid twice, sorry: cf-1-16 of last month")) == ["overpaid"]
    assert payment(books, "1-16")["alert"] == "more came than was to be paid: send the rest back"
    assert results(books, "pending", Entry(-PAID_OUT, "CF-1-17", IBANS["B"], status="PDNG")) == ["not_booked"]
    assert results(books, "foreign", Entry(-PAID_OUT, "CF-1-17", IBANS["B"], currency="USD")) == ["unmatched"]
    assert payment(books, "1-17")["state"] == "due"
    assert results(books, "block", Entry(-PAID_OUT, None, batch="CF-1-CT1-1")) == ["matched"]
    assert payment(books, "1-17")["state"] == "paid"
    spoofed = Entry(10_000, "CF-1-17", text="CF-1-17")  # a payer writes the id of a payment that went out
    assert results(books, "spoofed", spoofed) == ["unmatched"]
    assert payment(books, "1-17")["state"] == "paid"
    assert (
        results(books, "none", Entry(PAID_OUT, "CF-9-17", IBANS["B"]), Entry(1_000_000, "CFX-1-17"))
        == ["unmatched"] * 2
    )


def test_one_transfer_for_two_settlements(books: Stand) -> None:
    by_bank(books, "A")
    played(books)
    played(books)
    assert results(books, "one", Entry(2 * OWED + 10_000, text="CF-1-16 CF-2-16")) == ["unmatched"]
    assert results(books, "oldest", Entry(OWED)) == ["matched"], "by amount the oldest"
    assert [one["id"] for one in books.read("A", "payments")["data"]] == ["2-16"]
    played(books)
    assert results(books, "two", Entry(2 * OWED, text="CF-2-16, CF-3-16")) == ["matched"]
    assert books.read("A", "payments")["data"] == []


def test_the_operator_assigns_what_matches_nothing(engines: Stand) -> None:
    by_bank(engines, "A")
    played(engines)
    assert results(engines, "S", Entry(OWED, iban=IBANS["C"], text="from our parent company")) == ["unmatched"]
    (line,) = engines.read("operator", "bank/entries", unmatched=True)["data"]
    path = f"bank/entries/{line['id']}/assign"
    problem(engines.post("operator", path, {"payment": "1-99"}), 404, "unknown_payment", "payment")
    none = "bank/entries/bnk_00000000000000ff/assign"
    problem(engines.post("operator", none, {"payment": "1-16"}), 404, "unknown_bank_entry", "entry")
    done = good(engines.post("operator", path, {"payment": "1-16"}))
    assert (done["result"], done["left_micros"]) == ("matched", 0)
    problem(engines.post("operator", path, {"payment": "1-16"}), 409, "bank_entry_assigned", "entry")
    assert engines.read("operator", "bank/entries", unmatched=True)["data"] == []
    assert payment(engines, "1-16")["state"] == "paid"


def test_what_comes_back_is_owed_again(engines: Stand) -> None:
    by_bank(engines, "A", "B", mandate="A")
    played(engines)
    lines = (Entry(OWED, "CF-1-16"), Entry(-PAID_OUT, "CF-1-17", IBANS["B"]))
    assert results(engines, "S-1", *lines) == ["matched"] * 2
    engines.clock("2025-12-05T10:00:00Z")
    back = (Entry(-OWED, "CF-1-16", reason="AC04"), Entry(PAID_OUT, "CF-1-17", IBANS["B"], reason="AC01"))
    assert results(engines, "S-2", *back) == ["returned"] * 2
    for name, reason, kind in (("1-16", "AC04", "pain.008"), ("1-17", "AC01", "pain.001")):
        one = payment(engines, name)
        assert (one["state"], one["paid_micros"], one["entries"][-1]["reason"]) == ("late", 0, reason)
        assert [each["on"] for each in one["files"]] == ["2025-12-04", "2025-12-10"]
        first, second = (engines.get("operator", f"/v1/settlements/1/{kind}", file=at).text for at in (1, 2))
        assert f"<EndToEndId>CF-{name}</EndToEndId>" in first
        assert f"<EndToEndId>CF-{name}-2</EndToEndId>" in second
    assert results(engines, "S-3", Entry(OWED, "CF-1-16-2")) == ["matched"]
    assert payment(engines, "1-16")["state"] == "paid"


def statements_forgotten(patch: pytest.MonkeyPatch) -> None:
    real = Records.find
    patch.setattr(Records, "find", lambda self, kind, name: None if kind is Statement else real(self, kind, name))


def credulous(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(payments, "fits", lambda one, line: one.clearing.currency == line.currency)


def forgetful(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(payments, "apply", lambda one, line, micros, now, zone: "matched")


@pytest.mark.parametrize(
    ("plant", "test"),
    [
        (forgetful, test_what_comes_back_is_owed_again),
        (credulous, test_lines_find_their_payments),
        (statements_forgotten, test_a_statement_counts_once),
    ],
)
def test_canaries_are_caught(
    books: Stand, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None],
    test: Callable[[Stand], None],
) -> None:  # fmt: skip
    plant(monkeypatch)
    with pytest.raises((AssertionError, StopIteration)):
        test(books)
