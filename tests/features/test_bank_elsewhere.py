"""Cash by bank with a bank of another house: it takes our files, and we match what it writes."""

from __future__ import annotations

from typing import Any

from tests.features.bank import (
    IBANS,
    OWN,
    by_bank,
    payment,
    played,
    sent,
    statement,
)
from tests.features.mockbank_ground import bank
from tests.gateway.stand import Stand, good, problem


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
        problem(sent(books, statement("S"), "reports"), 422, "bank_file_unreadable", "body")


def told_of(one: Stand, report: bytes, **params: Any) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = good(sent(one, report, "reports", **params))["rejections"]
    return told


def taken(one: Stand, files: list[bytes]) -> list[str]:
    told = [good(sent(one, xml))["statements"][0] for xml in files]
    return [line["result"] for each in told for line in each["entries"]]
