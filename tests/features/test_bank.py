"""Cash by bank over HTTP, on both databases: due, matched, partial, returned, late, failed and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from counterfoil.core import netting
from counterfoil.core.accounts import OPERATOR
from counterfoil.core.operation import Operation
from counterfoil.core.rulebook import payments
from counterfoil.core.settlement import Header
from counterfoil.store.records import Records, Statement
from tests.features.bank import IBANS, OWN, TERMS, Entry, by_bank, payment, results, sent, statement
from tests.features.mockbank_ground import bank
from tests.gateway.stand import START, Stand, good, problem, stand

GOOD_STATEMENT = statement("S")
OWED, PAID_OUT = 11_000_000, 3_000_000  # of A, who earns 1000 points; to B, where 300 are burned


def played(one: Stand) -> None:
    member = one.member()
    one.earn("A", member, 1_000)
    one.burn("B", member, 300)
    assert one.settle()["state"] == "final"


def failing(one: Stand) -> dict[str, Any]:
    """A close, and what it says of partners that are late."""
    told: dict[str, Any] = good(one.client.post("/v1/settlements", headers=one.operator))
    late: dict[str, Any] = told.get("late", {})
    return late


def standing(one: Stand, name: str) -> str:
    partners = one.read("operator", "partners")["data"]
    return str(next(each["status"] for each in partners if each["name"] == name))


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
        ("CF-1-16", "matched", "Stmt/Ntry[1]/NtryDtls/TxDtls"), ("CF-1-17", "matched", "Stmt/Ntry[2]/NtryDtls/TxDtls"),
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


def test_late_then_failed_then_back(database_url: str, tmp_path: Path) -> None:
    with stand(tmp_path / "home", database_url, "") as one:
        one.clock(START)
        one.add("A", collateral_micros=OWED)
        one.add("B")
        one.add("C")
        by_bank(one, "A")
        played(one)
        assert one.app.state.worker.cycle.collateral(16) == 0, "the settlement has drawn the guarantee"
        member = one.member()
        one.earn("A", member, 100)
        one.earn("B", member, 300)
        one.clock("2025-12-04T22:59:59Z")
        assert payment(one, "1-16")["state"] == "due"
        one.clock("2025-12-04T23:00:00Z")
        (notice,) = one.read("A", "payments")["data"]
        assert notice["state"] == "late"
        assert (
            notice["alert"]
            == "late since 2025-12-04: unless it is paid, the first close after 2025-12-08 names A as failed"
        )
        one.clock("2025-12-08T22:59:59Z")
        assert one.read("operator", "settlements/preview")["failing"] == []
        one.clock("2025-12-08T23:00:00Z")
        assert one.read("operator", "settlements/preview")["failing"] == ["A"]
        assert one.read("B", "settlements/preview")["failing"] == []
        late = failing(one)
        # of the 1.10 it owes for 100 points: its fee, no collateral left, and B, who alone issued besides
        assert late["A"]["fee_written_off"] == 100_000
        assert late["A"]["collateral"] == 0
        assert late["A"]["partners"] == {"B": 1_000_000}
        assert standing(one, "A") == "suspended"
        problem(one.post("A", "earns", {"external_id": "x", "member": member, "points": 1}), 403, "partner_suspended")
        shown = payment(one, "1-16")
        assert (shown["state"], shown["failed_in"]) == ("failed", 2)
        assert "waterfall started" in shown["alert"]
        assert failing(one) == {}, "a waterfall starts once"
        assert results(one, "S", Entry(OWED, "CF-1-16")) == ["matched"]
        assert (payment(one, "1-16")["state"], payment(one, "1-16")["alert"]) == ("paid", None)
        good(one.post("operator", "partners/16/reinstate"))
        assert standing(one, "A") == "active"
        one.earn("A", member, 1)
        good(one.post("operator", "partners/16/dividends", {"bp": 10_000}))
        assert failing(one) == {}


def test_payments_fall_due_once(books: Stand) -> None:
    """The cycle may ask again after a crash between the posting and the settlement's state."""
    by_bank(books, "A", "B")
    played(books)
    before = books.read("operator", "payments")
    books.clock("2025-12-20T10:00:00Z")
    again = Operation("fall_due", OPERATOR, more={"settlement": 1, "words": {16: -OWED, 17: PAID_OUT}})
    books.app.state.worker.cycle.post([again])
    late = books.read("operator", "payments")
    assert [one["due_on"] for one in late["data"]] == [one["due_on"] for one in before["data"]]


def test_nobody_fails_that_paid_in_time(books: Stand) -> None:
    by_bank(books, "A", "B")
    played(books)
    assert results(books, "S", Entry(OWED, "CF-1-16")) == ["matched"]
    books.clock("2026-01-01T10:00:00Z")
    assert payment(books, "1-17")["state"] == "late", "the operator is late"
    assert failing(books) == {}
    assert (standing(books, "A"), standing(books, "B")) == ("active", "active")


def test_who_owes_is_not_paid_before(books: Stand) -> None:
    by_bank(books, "A", "B")
    played(books)
    member = books.member()
    books.earn("B", member, 1_000)
    books.burn("A", member, 500)
    books.clock("2025-12-05T10:00:00Z")
    assert books.settle()["state"] == "final"
    held = payment(books, "2-16")
    assert (held["method"], held["state"], held["files"][0]["on"]) == ("pay", "withheld", None)
    problem(books.get("operator", "/v1/settlements/2/pain.001"), 404, "not_found", "file")
    assert results(books, "S", Entry(OWED, "CF-1-16")) == ["matched"]
    assert payment(books, "2-16")["files"][1] == {
        "file": 2, "on": "2025-12-10", "amount_micros": 5_000_000, "rejected": None,
    }  # fmt: skip
    assert "CF-2-16-2" in books.get("operator", "/v1/settlements/2/pain.001", file=2).text


def test_terms_hold_from_the_open_settlement_on(books: Stand) -> None:
    account = {"holder": "X", "iban": IBANS["A"]}
    told = problem(
        books.post("operator", "partners/16/cash", {"cash": "bank", "account": account}), 400, "invalid_request"
    )
    assert told["field"] == "cash"
    good(books.post("operator", "bank", {"account": TERMS["account"]}))
    mandate = {"cash": "bank", "account": account, "mandate": {"id": "M", "signed_on": "2025-01-01"}}
    problem(books.post("operator", "partners/16/cash", mandate), 400, "invalid_request", "mandate")
    problem(books.post("operator", "partners/99/cash", {"cash": "token"}), 404, "unknown_partner", "partner")
    wrong = {"cash": "bank", "account": {"holder": "X", "iban": IBANS["A"][:-1] + "1"}}
    told = problem(books.post("operator", "partners/16/cash", wrong), 400, "invalid_request", "account.iban")
    assert "mod 97" in told["detail"]
    member = books.member()
    books.earn("A", member, 1_000)
    number = books.close()
    by_bank(books, "A", due_days=0, grace_days=0, currency="PLN", short="ZZ")
    good(books.advance())
    for name in "AB":
        good(books.sign(name, number))
    good(books.advance())
    assert books.read("operator", "settlements/1/payments")["data"] == [], "closed before it was agreed"
    played(books)
    one = payment(books, "2-16")
    assert (one["due_on"], one["fails_after"], one["currency"]) == ("2025-12-01", "2025-12-01", "PLN")
    assert one["end_to_end_id"] == "ZZ-2-16"
    good(books.post("operator", "partners/16/cash", {"cash": "token"}))
    played(books)
    assert books.read("operator", "settlements/3/payments")["data"] == []
    published = books.read("", "rulebook")["cash"]
    assert [each["cash"] for each in published["partners"]] == ["bank", "token"]
    assert OWN not in str(published)
    assert IBANS["A"] not in str(published)


def test_chain_and_bank_move_the_same_amount_in_opposite_ways(books: Stand) -> None:
    """What stands on chain for a partner and what the bank has of it are together what was deposited, once all is paid."""
    by_bank(books, "A", "B")
    played(books)
    contract = books.app.state.worker.cycle.contract()
    first = contract.collateral([16, 17])
    member = books.member()
    books.earn("B", member, 700)
    books.burn("A", member, 400)
    assert books.settle()["state"] == "final"
    lines = [
        Entry(-one["amount_micros"], one["end_to_end_id"], IBANS[one["partner"]])
        for one in books.read("operator", "settlements/2/payments")["data"]
    ]
    assert set(results(books, "S", *lines)) == {"matched"}
    second = contract.collateral([16, 17])
    for number, name in ((16, "A"), (17, "B")):
        banked = sum(line.micros for line in lines if line.iban == IBANS[name])
        assert banked
        assert second[number] + banked == first[number]


def test_a_bank_of_another_house(books: Stand) -> None:
    """mock-bank takes our files without a finding, and we match the statements it writes."""
    by_bank(books, "A", "B", mandate="A")
    with bank("2025-12-01T11:00") as other:
        other.account(OWN, balance=100_000)
        played(books)
        for kind in ("pain.001", "pain.008"):
            file = books.get("operator", f"/v1/settlements/1/{kind}").content
            assert "1 payment, 0 findings" in other.findings(file) or "1 collection, 0 findings" in other.findings(file)
            assert other.send(file)["status"] == "ACCP"
            assert other.send(file)["reason"] == "DUPL", "the same file twice pays once"
        other.until("2025-12-05")
        assert taken(books, other.statements(OWN)) == ["matched", "matched"]
        assert payment(books, "1-16")["state"] == payment(books, "1-17")["state"] == "paid"
        other.refuse("CF-1-16", "MD01")
        other.until("2025-12-08")
        books.clock("2025-12-08T10:00:00Z")
        assert taken(books, other.statements(OWN)) == ["returned"]
        again = books.get("operator", "/v1/settlements/1/pain.008", file=2).content
        assert other.send(again)["status"] == "ACCP"
        debtor = {"name": "Brand A", "iban": IBANS["A"]}
        other.credit(account=OWN, amount=250, debtor=debtor, note="a gift")
        other.until("2025-12-12")
        assert sorted(taken(books, other.statements(OWN))) == ["matched", "unmatched"]
        assert payment(books, "1-16")["state"] == "paid"


def test_what_a_bank_rejects_stands_in_the_next_file(books: Stand) -> None:
    """The other bank says no in a pain.002, before any money moves: a transaction, and a whole file."""
    by_bank(books, "A", "B", mandate="A")
    with bank("2025-12-01T11:00") as other:
        other.account(OWN, balance=100_000)
        other.account(IBANS["A"], behaviour="insufficient-funds")
        played(books)
        other.send(books.get("operator", "/v1/settlements/1/pain.008").content)
        (report,) = other.reports()
        assert [one["result"] for one in told_of(books, report, dry_run=True)] == ["reopened"]
        (found,) = told_of(books, report)
        assert found == {"payment": "1-16", "file": 1, "reason": "AM04", "result": "reopened"}
        assert [one["result"] for one in told_of(books, report)] == ["known"]
        files = payment(books, "1-16")["files"]
        assert [(one["file"], one["rejected"]) for one in files] == [(1, "AM04"), (2, None)]
        assert "CF-1-16-2" in books.get("operator", "/v1/settlements/1/pain.008", file=2).text
        other.client.patch(f"/_mock/accounts/{OWN}", json={"behaviour": "reject-file"})
        other.send(books.get("operator", "/v1/settlements/1/pain.001").content)
        (report,) = other.reports()
        assert [(one["payment"], one["result"]) for one in told_of(books, report)] == [("1-17", "reopened")]
        foreign = report.replace(b"CF-1-CT1", b"XX-1-CT1")
        assert told_of(books, foreign) == []
        problem(sent(books, GOOD_STATEMENT, "reports"), 422, "bank_file_unreadable", "body")


def told_of(one: Stand, report: bytes, **params: Any) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = good(sent(one, report, "reports", **params))["rejections"]
    return told


def taken(one: Stand, files: list[bytes]) -> list[str]:
    told = [good(sent(one, xml))["statements"][0] for xml in files]
    return [line["result"] for each in told for line in each["entries"]]


def early(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(payments.Payment, "overdue", lambda self, now, zone: self.left_micros > 0)


def statements_forgotten(patch: pytest.MonkeyPatch) -> None:
    real = Records.find
    patch.setattr(Records, "find", lambda self, kind, name: None if kind is Statement else real(self, kind, name))


def forgetful(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(payments, "apply", lambda one, line, micros, now, zone: "matched")


@pytest.mark.parametrize(
    ("plant", "test"),
    [
        (early, test_nobody_fails_that_paid_in_time),
        (forgetful, test_what_comes_back_is_owed_again),
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
