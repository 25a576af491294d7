"""Cash by bank: late, failed and back; terms by settlement; chain and bank against each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from counterfoil.core.accounts import OPERATOR
from counterfoil.core.operation import Operation
from counterfoil.core.rulebook import payments
from tests.features.bank import (
    IBANS,
    OWED,
    OWN,
    PAID_OUT,
    TERMS,
    Entry,
    by_bank,
    payment,
    played,
    results,
)
from tests.gateway.stand import START, Stand, good, problem, stand


def failing(one: Stand) -> dict[str, Any]:
    """A close, and what it says of partners that are late."""
    told: dict[str, Any] = good(one.client.post("/v1/settlements", headers=one.operator))
    late: dict[str, Any] = told.get("late", {})
    return late


def finished(one: Stand, number: int) -> None:
    """Sign a settlement that was closed before."""
    good(one.advance())
    for name in one.sides:
        good(one.sign(name, number))
    good(one.advance())


def standing(one: Stand, name: str) -> str:
    partners = one.read("operator", "partners")["data"]
    return str(next(each["status"] for each in partners if each["name"] == name))


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
        for who, alert in (
            ("operator", "late by bank: A owes 11000000 micros since 2025-12-04"),
            ("A", "late by bank: A owes 11000000 micros since 2025-12-04"),
            ("B", None),
        ):
            assert one.read(who, "settlements/1")["alert"] == alert
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
        good(one.post("operator", "partners/16/dividends", {"bp": 10_000}))
        one.earn("A", member, 1)
        for number in (2, 3):
            finished(one, number)
        assert one.settle()["state"] == "final", "what came by bank covers it again"
        # its word of settlement 2 was 0, of 4: one point and its fee, rounded to a cent, and what others had borne
        assert one.app.state.worker.cycle.collateral(16) == OWED - 10_000 - 1_100_000


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


def test_who_has_left_and_does_not_pay_stays_gone(books: Stand) -> None:
    by_bank(books, "A")
    played(books)
    good(books.post("operator", "partners/16/exit", {"breakage_bp": 0}))
    books.clock("2025-12-10T10:00:00Z")
    assert list(failing(books)) == ["A"]
    assert standing(books, "A") == "exited"
    assert payment(books, "1-16")["failed_in"] == 2


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
    assert books.read("operator", "bank")["banked_micros"] == {}
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
        assert books.read(name, "bank")["banked_micros"] == {name: banked}


def early(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(payments.Payment, "overdue", lambda self, now, zone: self.left_micros > 0)


@pytest.mark.parametrize(
    ("plant", "test"),
    [
        (early, test_nobody_fails_that_paid_in_time),
    ],
)
def test_canaries_are_caught(
    books: Stand, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None],
    test: Callable[[Stand], None],
) -> None:  # fmt: skip
    plant(monkeypatch)
    with pytest.raises((AssertionError, StopIteration)):
        test(books)
