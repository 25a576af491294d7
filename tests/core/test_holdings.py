"""The fold of a member's entries refuses what is not there, and looks at nobody else's parts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from counterfoil.core.entry import Entry, LotMade, Move, Place, Posting, Repaid, Verb
from counterfoil.core.holdings import Holdings, Inconsistent, Lot, take
from counterfoil.core.lots import LotTerms
from counterfoil.core.rulebook.contracts import Contract, alone
from counterfoil.core.units import NEVER
from tests.core.books import DAY, Books

TERMS = LotTerms(1, 16, 100, 1_000, 0, alone(Contract(1), 16))


def entry(verb: Verb, number: int, **parts: object) -> Entry:
    plain = Entry(number, verb, 500, 500, 16, 0, 0, 0, (), ())
    return replace(plain, **parts)


def with_lot(points: int = 10) -> Holdings:
    who = Holdings(1)
    who.apply(entry(Verb.EARN, 7, lots=(LotMade(0, points, TERMS),)))
    return who


@pytest.mark.parametrize(
    ("move", "why"),
    [
        (Move(8, 0, Place.AVAILABLE, Place.BURNED, 1), "no lot 8.0"),
        (Move(7, 1, Place.AVAILABLE, Place.BURNED, 1), "no lot 7.1"),
        (Move(7, 0, Place.AVAILABLE, Place.BURNED, 11), "fewer than 11 available"),
        (Move(7, 0, Place.HELD, Place.BURNED, 1), "fewer than 1 held"),
        (Move(7, 0, Place.BURNED, Place.AVAILABLE, 1), "fewer than 1 burned"),
        (Move(7, 0, Place.EXPIRED, Place.TAKEN, 1), "fewer than 1 expired"),
    ],
)
def test_what_is_not_there_is_not_moved(move: Move, why: str) -> None:
    with pytest.raises(Inconsistent, match=why):
        with_lot().apply(entry(Verb.BURN, 9, moves=(move,)))


@pytest.mark.parametrize("paid", [Repaid(9, 0, 1), Repaid(7, 0, 1)])
def test_a_debt_that_is_not_there_is_not_repaid(paid: Repaid) -> None:
    with pytest.raises(Inconsistent, match="is less than the 1 repaid"):
        with_lot().apply(entry(Verb.REPAY, 9, repaid=(paid,)))


def test_more_than_a_debt_is_not_repaid() -> None:
    books = Books()
    earned = books.earn(books.ann, 5)
    books.burn(books.ann, 5)
    made = books.refund_earn(books.ann, earned, 5).entry
    books.earn(books.bob, 9)
    with pytest.raises(Inconsistent, match="less than the 6 repaid"):
        books.ann.apply(entry(Verb.REPAY, 2**40, repaid=(Repaid(made.id, 0, 6),)))


@pytest.mark.parametrize("verb", [Verb.CAPTURE, Verb.RELEASE])
def test_a_hold_ends_once(verb: Verb) -> None:
    who = with_lot()
    with pytest.raises(Inconsistent, match="no open hold"):
        who.apply(entry(verb, 9, refers_to=8))
    moves = (Move(7, 0, Place.AVAILABLE, Place.HELD, 4),)
    who.apply(entry(Verb.HOLD, 8, moves=moves, until=900))
    back = entry(verb, 9, refers_to=8, moves=(Move(7, 0, Place.HELD, Place.AVAILABLE, 4),))
    who.apply(back)
    with pytest.raises(Inconsistent):
        who.apply(back)


@pytest.mark.parametrize(("at", "state"), [(899, "released"), (900, "lapsed"), (901, "lapsed")])
def test_a_release_at_the_end_of_its_time_is_a_lapse(at: int, state: str) -> None:
    who = with_lot()
    who.apply(entry(Verb.HOLD, 8, moves=(Move(7, 0, Place.AVAILABLE, Place.HELD, 4),), until=900))
    assert (who.holds[8].points, who.holds[8].state) == (4, "open")
    back = (Move(7, 0, Place.HELD, Place.AVAILABLE, 4),)
    who.apply(entry(Verb.RELEASE, 9, refers_to=8, occurred_at=at, moves=back))
    assert who.holds[8].state == state


def test_a_receiver_gets_the_lots_and_none_of_the_moves() -> None:
    gift = entry(Verb.TRANSFER, 9, lots=(LotMade(1, 4, TERMS),), moves=(Move(7, 0, Place.AVAILABLE, Place.GIFTED, 4),))
    giver, receiver = with_lot(), Holdings(2)
    giver.apply(gift, 0)
    receiver.apply(gift, 1)
    assert (giver.available, receiver.available) == (6, 4)
    assert list(receiver.lots) == [(9, 0)]
    assert list(giver.lots) == [(7, 0)]


def test_points_of_unseen_lots_count() -> None:
    who = Holdings(1, available=5, held=3, unseen_due=50)
    who.apply(entry(Verb.EARN, 7, lots=(LotMade(0, 10, TERMS),)))
    assert (who.available, who.held, who.next_due()) == (15, 3, 50)


def test_next_due_is_the_first_of_all() -> None:
    who = Holdings(1)
    assert who.next_due() is None
    books = Books()
    books.earn(books.ann, 5, days=None)
    assert books.ann.next_due() == NEVER
    books.earn(books.ann, 5, days=9)
    held = books.hold(books.ann, 5, days=4)
    assert books.ann.next_due() == held.until == books.now + 4 * DAY
    books.release(books.ann, held.id)
    assert books.ann.next_due() == books.now + 9 * DAY


def test_take_is_short_where_there_is_not_enough() -> None:
    lots = [Lot(1, i, 5, TERMS, available=i) for i in range(4)]
    moves = take(lots, 4, Place.AVAILABLE, Place.BURNED)
    assert [(move.index, move.points) for move in moves] == [(1, 1), (2, 2), (3, 1)]
    assert sum(move.points for move in take(lots, 99, Place.AVAILABLE, Place.BURNED)) == 6
    assert take(lots, 0, Place.AVAILABLE, Place.BURNED) == take([], 5, Place.HELD, Place.BURNED) == []


def test_lots_touched_are_noted() -> None:
    who = with_lot()
    who.touched.clear()
    who.apply(entry(Verb.BURN, 9, moves=(Move(7, 0, Place.AVAILABLE, Place.BURNED, 1),)))
    assert who.touched == {(7, 0)}


def test_an_entry_is_frozen() -> None:
    made = entry(Verb.EARN, 1)
    with pytest.raises(AttributeError):
        made.id = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Posting(1, 2, 3, 4).amount = 5  # type: ignore[misc]
