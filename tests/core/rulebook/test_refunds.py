"""What a refund takes back and gives back, whose it is, and what stays owed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from counterfoil.core.accounts import Kind, account, party
from counterfoil.core.calendar import end_of_day, local_day
from counterfoil.core.entry import Entry, Place, Posting, Verb
from counterfoil.core.limits import RefundExceedsOriginal
from counterfoil.core.units import MAX_POINTS
from tests.core.books import BIG, DAY, SMALL, ZONE, Books, check, no_debt_beside_points, refused

POOL, OPERATOR = party(1), party(2)
AVAILABLE, DEBT = account(Kind.AVAILABLE, 0), account(Kind.DEBT, 0)


def used(entry: Entry) -> list[tuple[int, Place, int]]:
    return [(move.entry, move.target, move.points) for move in entry.moves]


def test_a_whole_refund_leaves_nothing() -> None:
    books = Books()
    earned = books.earn(books.ann, 100, SMALL)
    found = books.refund_earn(books.ann, earned, 100)
    assert (found.recovered, found.excused, found.debt) == (100, 0, 0)
    assert books.money() == {}
    assert not any(books.points().values())
    assert found.entry.postings == (
        Posting(AVAILABLE, account(Kind.ISSUED, SMALL), 100, 1),
        Posting(POOL, party(SMALL), 833_300, 0),
        Posting(OPERATOR, party(SMALL), 77_700, 0),
    )


def test_own_lots_first_then_excused_then_others_then_debt() -> None:
    books = Books()
    other = books.earn(books.ann, 7, BIG)
    earned = books.earn(books.ann, 100, SMALL, days=2)
    held = books.hold(books.ann, 30, days=9)
    books.burn(books.ann, 50)
    books.now += 3 * DAY  # 20 of its points run out
    found = books.refund_earn(books.ann, earned, 100)
    assert used(found.entry) == [(earned.id, Place.TAKEN, 20), (other.id, Place.REPAID, 7)]
    assert (found.recovered, found.excused, found.debt) == (7, 20, 73)
    assert found.entry.postings == (
        Posting(AVAILABLE, account(Kind.ISSUED, SMALL), 7, 1),
        Posting(POOL, party(SMALL), 70_000, 0),  # another issuer's lot: its face, as if burned
        Posting(OPERATOR, party(SMALL), 7 * 777, 0),  # and the refunded earn's fee
        Posting(DEBT, account(Kind.ISSUED, SMALL), 73, 1),
    )
    assert books.ann.holds[held.id].state == "open"  # held points are not touched
    check(books)
    no_debt_beside_points(books)


def test_a_partial_refund_takes_own_points_before_excused_ones() -> None:
    books = Books()
    earned = books.earn(books.ann, 100, days=2)
    books.hold(books.ann, 40, days=5)
    books.now += 3 * DAY
    assert books.refund_earn(books.ann, earned, 50).excused == 50
    assert books.refund_earn(books.ann, earned, 30).excused == 10
    assert (books.ann.debt, books.ann.held) == (20, 40)
    check(books)


@pytest.mark.parametrize("parts", [(101,), (60, 41), (100, 1), (1,) * 100 + (1,)])
def test_never_more_than_was_earned_or_burned(parts: tuple[int, ...]) -> None:
    books = Books()
    earned = books.earn(books.ann, 100)
    *first, last = parts
    for part in first:
        books.refund_earn(books.ann, earned, part)
    refusal = refused(lambda: books.refund_earn(books.ann, earned, last))
    assert isinstance(refusal, RefundExceedsOriginal)
    assert (refusal.left, refusal.original) == (100 - sum(first), 100)
    books = Books()
    books.earn(books.ann, 500)
    burned = books.burn(books.ann, 100)
    for part in first:
        books.refund_burn(books.ann, burned, part)
    assert isinstance(refused(lambda: books.refund_burn(books.ann, burned, last)), RefundExceedsOriginal)


def in_debt(books: Books, *owed: tuple[int, int]) -> list[int]:
    """Debts of (partner, points), oldest first, and nothing else left."""
    found = []
    for partner, points in owed:
        earned = books.earn(books.ann, points, partner)
        books.burn(books.ann, points, BIG)
        found.append(books.refund_earn(books.ann, earned, points).entry.id)
    assert books.ann.debt == sum(points for _, points in owed)
    return found


def test_an_earn_repays_the_oldest_debt_first() -> None:
    books = Books()
    oldest, newest = 0, 0
    first = books.earn(books.ann, 10, SMALL)
    second = books.earn(books.ann, 20, BIG)
    books.burn(books.ann, 30)
    oldest = books.refund_earn(books.ann, first, 10).entry.id
    newest = books.refund_earn(books.ann, second, 20).entry.id
    earned = books.earn(books.ann, 25, 18)
    repaid = [e for e in books.entries if e.verb is Verb.REPAY]
    assert [(e.partner, e.refers_to, e.repaid[0].points) for e in repaid] == [
        (SMALL, oldest, 10), (BIG, newest, 15),
    ]  # fmt: skip
    assert repaid[0].postings == (
        Posting(AVAILABLE, DEBT, 10, 1),
        Posting(POOL, party(SMALL), 10 * 20_000, 0),  # the face of the lot that pays
        Posting(OPERATOR, party(SMALL), 10 * 777, 0),  # the fee waited with the debt
    )
    assert (books.ann.available, books.ann.debt) == (0, 5)
    assert {move.entry for e in repaid for move in e.moves} == {earned.id}
    check(books)


def test_a_restored_burn_repays() -> None:
    books = Books()
    earned = books.earn(books.ann, 10, SMALL)
    burned = books.burn(books.ann, 10)
    books.refund_earn(books.ann, earned, 4)
    books.refund_burn(books.ann, burned, 10)
    assert [e.verb for e in books.entries[-2:]] == [Verb.REFUND_BURN, Verb.REPAY]
    assert (books.ann.available, books.ann.debt) == (6, 0)
    check(books)


def test_a_gift_repays_the_receiver() -> None:
    books = Books()
    in_debt(books, (SMALL, 10))
    books.earn(books.bob, 15)
    books.gift(books.bob, books.ann, 12)
    assert [e.verb for e in books.entries[-2:]] == [Verb.TRANSFER, Verb.REPAY]
    assert (books.ann.available, books.ann.debt, books.bob.available) == (2, 0, 3)
    check(books)


@pytest.mark.parametrize("lapses", [False, True])
def test_a_release_repays(lapses: bool) -> None:
    books = Books()
    earned = books.earn(books.ann, 10)
    held = books.hold(books.ann, 8)
    assert books.refund_earn(books.ann, earned, 10).debt == 8
    if lapses:
        books.now = held.until
        books.due(books.ann)
    else:
        books.release(books.ann, held.id)
    assert [e.verb for e in books.entries[-2:]] == [Verb.RELEASE, Verb.REPAY]
    assert (books.ann.available, books.ann.debt) == (0, 0)
    assert books.money() == {}  # in the end, as if the earn had not been
    check(books)


def test_the_rest_of_a_capture_repays() -> None:
    books = Books()
    earned = books.earn(books.ann, 10)
    held = books.hold(books.ann, 10)
    books.refund_earn(books.ann, earned, 10)
    books.capture(books.ann, held.id, 3)
    assert (books.ann.available, books.ann.debt) == (0, 3)
    check(books)


def test_a_giver_owes_and_a_receiver_keeps() -> None:
    books = Books()
    earned = books.earn(books.ann, 10)
    books.gift(books.ann, books.bob, 10)
    assert books.refund_earn(books.ann, earned, 10).debt == 10
    assert books.bob.available == 10
    check(books)


def test_a_burn_comes_back_last_used_first_in_any_parts() -> None:
    for parts in ((25,), (3, 22), (10, 5, 10), (1,) * 25):
        books = Books()
        first = books.earn(books.ann, 10, days=5)
        second = books.earn(books.ann, 10, days=6)
        third = books.earn(books.ann, 10, days=7)
        burned = books.burn(books.ann, 25, SMALL)
        back = []
        for part in parts:
            entry = books.refund_burn(books.ann, burned, part)
            back += [move.entry for move in entry.moves for _ in range(move.points)]
            assert sum(p.amount for p in entry.postings if p.unit == 0) == part * 10_000
        assert back == [third.id] * 5 + [second.id] * 10 + [first.id] * 10
        assert books.ann.available == 30
        check(books)


def test_what_is_past_comes_back_with_grace_and_its_origin() -> None:
    books = Books()
    soon = books.earn(books.ann, 10, SMALL, days=2)
    later = books.earn(books.ann, 10, days=90)
    burned = books.burn(books.ann, 15)
    books.now += 3 * DAY
    entry = books.refund_burn(books.ann, burned, 12)
    assert used(entry) == [(later.id, Place.AVAILABLE, 5), (soon.id, Place.RENEWED, 7)]
    (made,) = entry.lots
    assert (made.points, made.terms.origin_entry, made.terms.origin_index) == (7, soon.id, 0)
    last_day = local_day(books.now, ZONE) + timedelta(days=30)
    assert made.terms.expires_at == end_of_day(last_day, ZONE)
    assert (made.terms.issuer, made.terms.funds.face_micros) == (SMALL, 8_333)
    assert made.terms.earned_at == soon.lots[0].terms.earned_at
    check(books)
    again = books.burn(books.ann, 7)  # grace runs out first
    books.now = made.terms.expires_at
    entry = books.refund_burn(books.ann, again, 7)
    assert (entry.lots[0].terms.origin_entry, entry.lots[0].terms.origin_index) == (soon.id, 0)
    found = books.refund_earn(books.ann, soon, 10)  # a lot with grace is still the earn's own
    assert found.recovered == 10
    assert [move.entry for move in found.entry.moves] == [entry.id, later.id]
    check(books)


def test_a_capture_is_refunded_like_a_burn() -> None:
    books = Books()
    books.earn(books.ann, 10)
    held = books.hold(books.ann, 10)
    captured = books.capture(books.ann, held.id, 6)
    books.refund_burn(books.ann, captured, 6)
    assert isinstance(refused(lambda: books.refund_burn(books.ann, captured, 1)), RefundExceedsOriginal)
    assert books.ann.available == 10
    check(books)


def test_a_restored_burn_keeps_points_below_what_json_carries() -> None:
    books = Books()
    books.earn(books.ann, MAX_POINTS, days=None)
    burned = books.burn(books.ann, MAX_POINTS)
    books.earn(books.ann, MAX_POINTS, days=None)
    refused(lambda: books.refund_burn(books.ann, burned, MAX_POINTS))
    assert books.ann.available + books.ann.held <= MAX_POINTS
