"""Several bonuses in one earn: a refund in parts takes what one refund would, to the micro-unit, in proportion."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.entry import Entry, Place
from counterfoil.core.rulebook import verbs
from counterfoil.core.rulebook.contracts import alone, joint
from tests.core.books import CONTRACTS, DAY, Books, check
from tests.core.rulebook.test_whole import SHARES, Whole

PARTIES = sorted(CONTRACTS)
LOTS = st.lists(st.tuples(st.integers(1, 90), st.sampled_from([*PARTIES, 0])), min_size=1, max_size=verbs.MOST_LOTS)


def earned(books: Whole, lots: list[tuple[int, int]]) -> Entry:
    """A lot for each; of party 0: together."""
    grants = [
        verbs.Grant(points, alone(CONTRACTS[20], 20) if party else joint(SHARES, CONTRACTS)) for points, party in lots
    ]
    made: Entry = books.act(verbs.earn, books.ann, 20, grants, verbs.Sale(books.now, books.now + 40 * DAY))
    return made


def taken(entry: Entry) -> list[int]:
    by_lot: dict[int, int] = {}
    for move in entry.moves:
        if move.target is Place.TAKEN:
            by_lot[move.index] = by_lot.get(move.index, 0) + move.points
    return [by_lot.get(index, 0) for index in range(max(by_lot, default=-1) + 1)]


def test_by_hand() -> None:
    books = Whole()
    sale = earned(books, [(100, 20), (50, 0), (50, 20)])
    assert taken(books.refund_earn(books.ann, sale, 20).entry) == [10, 5, 5]
    assert taken(books.refund_earn(books.ann, sale, 1).entry) == [1]
    # 89, 45 and 45 are left: floors of 4.97, 2.51, 2.51; the largest rests are the base's and the first bonus's
    assert taken(books.refund_earn(books.ann, sale, 10).entry) == [5, 3, 2]
    check(books)


@given(LOTS, st.lists(st.integers(1, 60), max_size=8), st.integers(0, 100))
def test_refunds_in_parts_are_one_whole_refund(lots: list[tuple[int, int]], parts: list[int], burned: int) -> None:
    money = []
    for cuts in (parts, []):
        books = Whole()
        books.earn(books.ann, 1_000, 20, 40)  # what debts would else be for
        sale, left = earned(books, lots), sum(points for points, _party in lots)
        if burned and cuts is parts:
            entry = books.burn(books.ann, burned, 20)
            books.refund_burn(books.ann, entry, burned)
        for part in [*cuts, left]:
            points = min(part, left)
            if points:
                books.refund_earn(books.ann, sale, points)
            left -= points
        assert not any(lot.available for lot in books.ann.lots.values() if lot.origin[0] == sale.id)
        check(books)
        money.append(books.money())
    assert money[0] == money[1]


@given(LOTS, st.integers(1, 400))
def test_a_partial_refund_is_in_proportion(lots: list[tuple[int, int]], wanted: int) -> None:
    books, total = Whole(), sum(points for points, _party in lots)
    sale, points = earned(books, lots), min(wanted, total)
    found = taken(books.refund_earn(books.ann, sale, points).entry)
    for (made, _party), part in zip(lots, [*found, *[0] * len(lots)], strict=False):
        assert abs(part * total - points * made) < total  # less than a point off
    assert isinstance(books, Books)
