"""Earn, burn, hold, capture, release, gift: points, lots and legs."""

from __future__ import annotations

import pytest

from counterfoil.core.accounts import Kind, account, party
from counterfoil.core.entry import Entry, Place, Posting, Verb
from counterfoil.core.limits import BalanceLimit, CaptureExceedsHold, InsufficientPoints
from counterfoil.core.refusals import AlreadyCaptured, AlreadyReleased, HoldExpired
from counterfoil.core.units import MAX_POINTS, NEVER
from tests.core.books import BIG, DAY, SMALL, Books, check, refused

POOL, OPERATOR = party(1), party(2)
AVAILABLE, HELD = account(Kind.AVAILABLE, 0), account(Kind.HELD, 0)


def used(entry: Entry) -> list[tuple[int, Place, int]]:
    return [(move.entry, move.target, move.points) for move in entry.moves]


def test_an_earn_makes_a_lot_and_pays_face_and_fee() -> None:
    books = Books()
    entry = books.earn(books.ann, 100, SMALL, days=60)
    assert entry.postings == (
        Posting(account(Kind.ISSUED, SMALL), AVAILABLE, 100, 1),
        Posting(party(SMALL), POOL, 833_300, 0),
        Posting(party(SMALL), OPERATOR, 77_700, 0),
    )
    (lot,) = books.ann.lots.values()
    assert (lot.entry, lot.index, lot.points, lot.available) == (entry.id, 0, 100, 100)
    assert (lot.terms.issuer, lot.terms.funds.sole, lot.terms.currency) == (SMALL, SMALL, 1)
    assert (lot.terms.earned_at, lot.terms.expires_at) == (books.now, books.now + 60 * DAY)
    assert lot.origin == (entry.id, 0)


def test_no_fee_posts_no_fee() -> None:
    books = Books()
    entry = books.earn(books.ann, 5, 18)
    assert entry.postings[1:] == (Posting(party(18), POOL, 100_000, 0),)


def test_burn_order() -> None:
    """Earliest expiry, none last; then earliest earned; then as made."""
    books = Books()
    never = books.earn(books.ann, 10, days=None)
    late = books.earn(books.ann, 10, days=20)
    books.now += DAY
    early = books.earn(books.ann, 10, days=5)
    same_end = books.earn(books.ann, 10, days=19)
    twin = books.earn(books.ann, 10, days=19)
    order = [early.id, late.id, same_end.id, twin.id, never.id]
    assert [lot.entry for lot in books.ann.usable(books.now)] == order
    entry = books.burn(books.ann, 45, SMALL)
    assert used(entry) == [(one, Place.BURNED, 10 if one != never.id else 5) for one in order]
    assert entry.postings == (
        Posting(AVAILABLE, account(Kind.BURNED, SMALL), 45, 1), Posting(POOL, party(SMALL), 450_000, 0),
    )  # fmt: skip
    check(books)


def test_a_burn_pays_each_lot_its_own_face() -> None:
    books = Books()
    books.earn(books.ann, 3, SMALL, days=1)
    books.earn(books.ann, 3, BIG)
    entry = books.burn(books.ann, 5, 18)
    assert entry.postings[-1] == Posting(POOL, party(18), 3 * 8_333 + 2 * 10_000, 0)


def test_a_gift_goes_oldest_first_and_keeps_its_terms() -> None:
    books = Books()
    first = books.earn(books.ann, 10, SMALL, days=90)
    twin = books.earn(books.ann, 10, BIG, days=30)
    books.now += DAY
    second = books.earn(books.ann, 10, days=2)
    entry = books.gift(books.ann, books.bob, 25)
    assert used(entry) == [
        (twin.id, Place.GIFTED, 10), (first.id, Place.GIFTED, 10), (second.id, Place.GIFTED, 5),
    ]  # fmt: skip
    assert entry.postings == (Posting(AVAILABLE, account(Kind.AVAILABLE, 1), 25, 1),)
    assert len(entry.members) == 2
    given = sorted(books.bob.lots.values(), key=lambda lot: lot.index)
    for lot, move in zip(given, entry.moves, strict=True):
        assert lot.terms == books.ann.lots[move.entry, move.index].terms
        assert lot.points == move.points
        assert lot.origin == (entry.id, lot.index)  # counts as made by the gift
    check(books)


def test_not_enough() -> None:
    books = Books()
    books.earn(books.ann, 10)
    books.hold(books.ann, 4)
    for act in (
        lambda: books.burn(books.ann, 7),
        lambda: books.hold(books.ann, 7),
        lambda: books.gift(books.ann, books.bob, 7),
    ):
        refusal = refused(act)
        assert isinstance(refusal, InsufficientPoints)
        assert (refusal.requested, refusal.available) == (7, 6)
    assert isinstance(refused(lambda: books.burn(books.bob, 1)), InsufficientPoints)
    assert len(books.written) == 2


def test_a_hold_sets_aside_and_a_capture_takes_the_first_lots() -> None:
    books = Books()
    early = books.earn(books.ann, 10, days=5)
    late = books.earn(books.ann, 10, days=9)
    held = books.hold(books.ann, 15, SMALL)
    assert held.postings == (Posting(AVAILABLE, HELD, 15, 1),)
    assert (books.ann.available, books.ann.held, held.until) == (5, 15, books.now + DAY)
    taken = books.capture(books.ann, held.id, 12)
    assert used(taken) == [
        (early.id, Place.BURNED, 10), (late.id, Place.BURNED, 2), (late.id, Place.AVAILABLE, 3),
    ]  # fmt: skip
    assert taken.postings == (
        Posting(HELD, account(Kind.BURNED, SMALL), 12, 1),
        Posting(POOL, party(SMALL), 120_000, 0),
        Posting(HELD, AVAILABLE, 3, 1),
    )
    assert (taken.partner, taken.refers_to) == (SMALL, held.id)
    assert (books.ann.available, books.ann.held) == (8, 0)
    check(books)


def test_a_hold_is_captured_once_and_never_beyond() -> None:
    books = Books()
    books.earn(books.ann, 10)
    held = books.hold(books.ann, 10)
    refusal = refused(lambda: books.capture(books.ann, held.id, 11))
    assert isinstance(refusal, CaptureExceedsHold)
    books.capture(books.ann, held.id, 1)
    for act in (lambda: books.capture(books.ann, held.id, 1), lambda: books.release(books.ann, held.id)):
        assert type(refused(act)) is AlreadyCaptured
    free = books.hold(books.ann, 5)
    books.release(books.ann, free.id)
    for act in (lambda: books.capture(books.ann, free.id, 1), lambda: books.release(books.ann, free.id)):
        assert type(refused(act)) is AlreadyReleased
    assert (books.ann.available, books.ann.held) == (9, 0)
    check(books)


@pytest.mark.parametrize(("early", "lapsed"), [(1, False), (0, True), (-1, True)])
def test_a_hold_lapses_at_exactly_its_time_to_live(early: int, lapsed: bool) -> None:
    books = Books()
    books.earn(books.ann, 10)
    held = books.hold(books.ann, 10)
    books.now = held.until - early
    refusal = refused(lambda: books.capture(books.ann, held.id, 10))
    assert isinstance(refusal, HoldExpired) == lapsed
    assert books.ann.holds[held.id].state == ("lapsed" if lapsed else "captured")
    assert books.ann.available == (10 if lapsed else 0)
    if lapsed:
        given_back = books.entries[-1]
        assert (given_back.verb, given_back.occurred_at) == (Verb.RELEASE, held.until)
        assert isinstance(refused(lambda: books.release(books.ann, held.id)), HoldExpired)


def test_a_hold_beats_expiry() -> None:
    books = Books()
    books.earn(books.ann, 10, days=2)
    held = books.hold(books.ann, 6, days=5)
    books.now += 3 * DAY
    assert [e.verb for e in books.due(books.ann)] == [Verb.EXPIRE]
    assert (books.ann.available, books.ann.held) == (0, 6)
    books.capture(books.ann, held.id, 4)  # what is released is past: it runs out right behind
    assert [e.verb for e in books.entries[-2:]] == [Verb.CAPTURE, Verb.EXPIRE]
    assert (books.ann.available, books.ann.held) == (0, 0)
    (lot,) = books.ann.lots.values()
    assert (lot.burned, lot.expired) == (4, 6)
    check(books)


def test_past_points_buy_nothing() -> None:
    books = Books()
    lot = books.earn(books.ann, 10, days=2)
    books.now = lot.lots[0].terms.expires_at - 1
    books.burn(books.ann, 1)
    books.now += 1
    assert isinstance(refused(lambda: books.burn(books.ann, 1)), InsufficientPoints)
    assert books.entries[-1].verb is Verb.EXPIRE  # what fell due stands, although the burn was refused
    check(books)


def test_points_stay_below_what_json_carries() -> None:
    books = Books()
    books.earn(books.ann, MAX_POINTS - 1, days=None)
    books.hold(books.ann, 5)
    refusal = refused(lambda: books.earn(books.ann, 2))
    assert isinstance(refusal, BalanceLimit)
    assert refusal.outstanding == MAX_POINTS - 1
    books.earn(books.ann, 1, days=None)
    books.earn(books.bob, 6)
    assert isinstance(refused(lambda: books.gift(books.ann, books.bob, MAX_POINTS - 5)), BalanceLimit)
    assert books.ann.next_due() == books.now + DAY < NEVER
    check(books)


def test_an_earn_already_past_expires_at_once() -> None:
    books = Books()
    books.earn(books.ann, 10, SMALL, days=0)
    assert [e.verb for e in books.entries] == [Verb.EARN, Verb.EXPIRE]
    assert books.ann.available == 0
    check(books)
