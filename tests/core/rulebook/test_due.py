"""What time brings, in its order, and that bringing it forward changes nothing."""

from __future__ import annotations

import random

import pytest

from counterfoil.core.accounts import Kind, account, party
from counterfoil.core.entry import Posting, Verb
from tests.core.books import BIG, DAY, SMALL, Books, check

POOL, OPERATOR, AVAILABLE = party(1), party(2), account(Kind.AVAILABLE, 0)


def test_points_run_out_to_their_funder_and_the_operators_share_is_floored() -> None:
    books = Books()
    books.earn(books.ann, 7, SMALL, days=2)
    books.now += 2 * DAY
    (entry,) = books.due(books.ann)
    whole = 7 * 8_333
    kept = whole * 3_333 // 10_000
    assert entry.postings == (
        Posting(AVAILABLE, account(Kind.EXPIRED, SMALL), 7, 1),
        Posting(POOL, OPERATOR, kept, 0),
        Posting(POOL, party(SMALL), whole - kept, 0),
    )
    assert (entry.partner, entry.occurred_at, entry.at) == (SMALL, books.now, books.now)
    check(books)


def test_each_funder_has_an_entry_of_its_own() -> None:
    books = Books()
    for partner in (18, BIG, SMALL, BIG):
        books.earn(books.ann, 5, partner, days=2)
    books.now += 3 * DAY
    found = books.due(books.ann)
    assert [(e.verb, e.partner, len(e.moves)) for e in found] == [
        (Verb.EXPIRE, BIG, 2), (Verb.EXPIRE, SMALL, 1), (Verb.EXPIRE, 18, 1),
    ]  # fmt: skip
    assert books.due(books.ann) == []
    check(books)


def test_in_order_of_time_and_at_one_instant_holds_before_lots() -> None:
    books = Books()
    books.earn(books.ann, 5, days=3)
    books.earn(books.ann, 5, days=2)
    books.hold(books.ann, 1, days=3)
    books.hold(books.ann, 1, days=1)
    start = books.now
    books.now += 5 * DAY
    found = [(e.verb, (e.occurred_at - start) // DAY) for e in books.due(books.ann)]
    assert found == [
        (Verb.RELEASE, 1), (Verb.EXPIRE, 2), (Verb.RELEASE, 3), (Verb.EXPIRE, 2), (Verb.EXPIRE, 3),
    ]  # fmt: skip
    assert books.ann.next_due() is None
    check(books)


def test_one_microsecond_before_nothing_is_due() -> None:
    books = Books()
    books.earn(books.ann, 5, days=3)
    books.hold(books.ann, 1, days=2)
    assert books.ann.next_due() == books.now + 2 * DAY
    books.now += 2 * DAY - 1
    assert books.due(books.ann) == []
    books.now += 1
    assert [e.verb for e in books.due(books.ann)] == [Verb.RELEASE]


@pytest.mark.parametrize("seed", range(40))
def test_the_job_may_run_at_any_time(seed: int) -> None:
    """Without debts: a member who was seen to each day has what one seen to at the end has."""
    draw = random.Random(seed)
    daily, once = Books(), Books()
    for books in (daily, once):
        chosen = random.Random(seed)
        for _ in range(6):
            books.earn(books.ann, chosen.randrange(1, 50), chosen.choice((BIG, SMALL)), chosen.randrange(1, 9))
        for _ in range(3):
            books.hold(books.ann, chosen.randrange(1, 9), days=chosen.randrange(1, 9))
    for _ in range(draw.randrange(3, 9)):
        daily.now += DAY
        once.now += DAY
        daily.due(daily.ann)
    once.due(once.ann)

    def state(books: Books) -> list[tuple[int, int, int]]:
        return [(lot.available, lot.held, lot.expired) for lot in books.ann.lots.values()]

    assert state(daily) == state(once)
    assert daily.money() == once.money()
    assert [h.state for h in daily.ann.holds.values()] == [h.state for h in once.ann.holds.values()]
    check(daily)


def test_the_job_may_run_at_any_time_beside_a_debt() -> None:
    """A lapsed hold repays a debt at that instant, before its points could run out, whether or not the job ran."""

    def story(*, job: bool) -> tuple[int, dict[int, int]]:
        books = Books()
        earned = books.earn(books.ann, 100, days=3)
        books.hold(books.ann, 100, days=1)
        books.refund_earn(books.ann, earned, 100)
        assert books.ann.debt == 100
        books.now += DAY
        if job:
            books.due(books.ann)
        books.now += 4 * DAY
        books.due(books.ann)
        return books.ann.debt, books.money()

    assert story(job=True) == (0, {})
    assert story(job=False) == story(job=True)
