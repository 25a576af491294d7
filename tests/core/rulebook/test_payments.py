"""What a payment by bank comes to: sums, states in time, files, ids. Over random lines and calendars."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.calendar import business_day_after, end_of_day, instant, local_day
from counterfoil.core.rulebook.payment_files import asked, batch_of, names_in, read_batch
from counterfoil.core.rulebook.payments import (
    Account,
    Bank,
    Cash,
    Clearing,
    Line,
    Mandate,
    Payment,
    Today,
    apply,
    payment,
    reject,
    release,
)
from counterfoil.core.units import CENT_MICROS

ZONE = "Europe/Warsaw"
AT = instant(datetime(2025, 12, 1, 10, tzinfo=UTC))
DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))
WORDS = st.integers(-(10**9), 10**9).filter(bool).map(lambda cents: cents * CENT_MICROS)
OWN, OTHER = Account("Coalition", "DE89370400440532013000"), Account("Brand", "NL91ABNA0417164300")


def agreed(due_days: int = 3, grace_days: int = 2) -> Today:
    clearing = Clearing(1, OWN, "DE98ZZZ09999999999", due_days=due_days, grace_days=grace_days)
    return Today(AT, ZONE, 8, Bank([clearing], {16: [Cash(1, OTHER, Mandate("M", date(2025, 1, 1)))]}))


TODAY = agreed()


def made(word: int, *, owes: bool = False, today: Today = TODAY) -> Payment:
    one = payment(today, 7, 16, word, owes=owes)
    assert one is not None
    return one


def line(number: int, micros: int) -> Line:
    return Line(number, "S", "Ntry", date(2025, 12, 4), micros, "EUR")


@given(DAYS, st.integers(0, 60))
def test_business_days_are_mondays_to_fridays(day: date, count: int) -> None:
    found = business_day_after(day, count)
    passed = [day + timedelta(days=more) for more in range(1, (found - day).days + 1)]
    assert sum(one.isoweekday() <= 5 for one in passed) == count
    assert not count or found.isoweekday() <= 5


@given(WORDS, st.lists(st.integers(-5, 5).filter(bool).map(lambda cents: cents * CENT_MICROS), max_size=8))
def test_what_is_left_is_the_word_less_what_the_bank_moved(word: int, lines: list[int]) -> None:
    one = made(word)
    for number, micros in enumerate(lines):
        before = one.left_micros
        told = apply(one, line(number, micros), micros, TODAY)
        assert one.left_micros == before + (micros if word > 0 else -micros)
        if (micros > 0) == (word > 0):
            assert told == "returned"
        else:
            assert told == {0: "matched", 1: "partial", -1: "overpaid"}[(one.left_micros > 0) - (one.left_micros < 0)]
    assert word + sum(lines) == (one.left_micros if word > 0 else -one.left_micros)
    assert one.wanted_micros == -(word + sum(lines))
    tries = sum((micros > 0) == (word > 0) for micros in lines)
    assert len(one.tries) <= 1 + tries
    assert all(each.micros > 0 for each in one.tries)


@given(WORDS, st.integers(0, 9), st.integers(0, 9), st.integers(-3, 30), st.booleans())
def test_states_in_time(word: int, due_days: int, grace_days: int, after: int, paid: bool) -> None:
    one = made(word, today=agreed(due_days, grace_days))
    if paid:
        apply(one, line(0, -word), -word, TODAY)
    now = AT + after * 43_200_000_000
    today = local_day(now, ZONE)
    assert one.state(now, ZONE) == ("paid" if paid else "late" if today > one.due_on else "due")
    assert one.overdue(now, ZONE) == (word < 0 and not paid and today > one.fails_after)
    assert not one.overdue(end_of_day(one.fails_after, ZONE) - 1, ZONE)
    one.failed_in = 8
    assert one.state(now, ZONE) == ("paid" if paid else "failed")


def test_what_is_withheld_stands_in_the_second_file() -> None:
    one = made(50_000, owes=True)
    assert one.state(AT, ZONE) == "withheld"
    assert asked([one], "CT", 1) == []
    release(one, TODAY)
    release(one, TODAY)
    assert asked([one], "CT", 1) == []
    (block,) = asked([one], "CT", 2)
    assert (block.micros, block.on) == (50_000, date(2025, 12, 4))
    assert asked([one], "DD", 2) == []
    assert made(-50_000, owes=True).tries[0].on == date(2025, 12, 4), "what a partner owes is asked for all the same"


@given(
    st.integers(1, 2**31 - 1),
    st.sampled_from(["CT", "DD"]),
    st.integers(1, 999),
    st.integers(0, 99),
    st.text(max_size=9),
)
def test_ids_lead_back(settlement: int, kind: str, trial: int, place: int, other: str) -> None:
    text = batch_of(settlement, kind, trial, "CF") + (f"-{place}" if place else "")
    assert len(text) <= 35
    assert read_batch(text, "CF") == (settlement, kind, trial, place)
    assert read_batch(text, "XF") is None
    assert names_in(f"paid CF-{settlement}-16, thanks", "CF") == [f"{settlement}-16"]
    assert names_in(f"cf-{settlement}-16-2", "CF") == [f"{settlement}-16"]
    assert names_in(other, "CF") == [] or "CF-" in other.upper()


@pytest.mark.parametrize("text", ["XCF-1-16", "CF-1-16A", "CF-1", "CF-1-", "CF 1-16", "CF-1-16-2-3", "-CF-1-16"])
def test_what_only_looks_like_an_id_is_none(text: str) -> None:
    assert names_in(text, "CF") == []


def test_terms_by_settlement() -> None:
    account = [Cash(2, OTHER), Cash(4)]
    bank = Bank([Clearing(2, OWN), Clearing(3, OWN, currency="PLN")], {16: account})
    assert [bank.clearing_at(n) and bank.clearing_at(n).currency for n in (1, 2, 3, 9)] == [None, "EUR", "PLN", "PLN"]  # type: ignore[union-attr]
    assert [bank.cash_at(16, n).account for n in (1, 2, 3, 4)] == [None, OTHER, OTHER, None]
    today = Today(AT, ZONE, 5, bank)
    assert payment(today, 4, 16, -CENT_MICROS, owes=False) is None
    assert payment(today, 3, 17, -CENT_MICROS, owes=False) is None
    one = payment(today, 3, 16, -CENT_MICROS, owes=False)
    assert one is not None
    assert one.method == "expect", "no mandate, and not in euro"


def test_what_is_asked_anew_goes_between_the_accounts_agreed_by_then() -> None:
    """A debit that came back from a closed account is collected from the new one; the first file stays what it was."""
    one = made(-70_000)
    first = asked([one], "DD", 1)
    new, moved = Account("Brand", "BE68539007547034"), Account("Coalition", "FR1420041010050500013M02606")
    clearing = Clearing(8, moved, "DE98ZZZ09999999999", "PLN", "ZZ", 9, 9)
    bank = Bank([*TODAY.bank.clearing, clearing], {16: [*TODAY.bank.partners[16], Cash(8, new, one.cash.mandate)]})
    back = Line(0, "S", "Ntry", date(2025, 12, 4), -70_000, "EUR", reason="AC04")
    apply(one, line(0, 70_000), 70_000, TODAY)
    assert apply(one, back, -70_000, Today(AT, ZONE, 8, bank)) == "returned"
    assert asked([one], "DD", 1) == first
    (block,) = asked([one], "DD", 2)
    ((_payment, trial),) = block.parts
    assert (block.clearing.account, trial.cash.account, trial.micros) == (moved, new, 70_000)
    assert (block.clearing.currency, one.end_to_end(2)) == ("EUR", "CF-7-16-2")
    assert reject(one, 1, "AC04", TODAY) is False, "not the last file"
    gone = Today(AT, ZONE, 8, Bank(bank.clearing, {16: [Cash(8)]}))
    assert reject(one, 2, "AM04", gone) is True
    assert reject(one, 2, "AM04", gone) is False
    assert (one.cash.account, one.tries[1].rejected) == (new, "AM04"), "who left the bank still owes by bank"
