"""After any sequence of verbs: points are neither made nor lost, money sums to zero, the pool backs what is left."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core import legs
from counterfoil.core.entry import Entry, Posting, Verb
from counterfoil.core.holdings import Holdings
from counterfoil.core.rulebook.refunds import burned
from counterfoil.core.units import MONEY
from tests.core.books import CONTRACTS, DAY, Books, check, no_debt_beside_points, refold, refused

PARTNERS = sorted(CONTRACTS)
VERBS = [
    "earn",
    "earn",
    "pend",
    "burn",
    "hold",
    "capture",
    "release",
    "refund_earn",
    "refund_burn",
    "gift",
    "due",
    "wait",
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(VERBS),
        st.booleans(),
        st.sampled_from(PARTNERS),
        st.integers(1, 120),
        st.integers(0, 40),
    ),
    min_size=1,
    max_size=40,
)
Step = tuple[str, bool, int, int, int]


def of(books: Books, who: Holdings, *verbs: Verb) -> list[Entry]:
    return [w.entry for w in books.written if w.entry.verb in verbs and w.members[0] == who.member]


def act(books: Books, step: Step) -> Callable[[], object] | None:  # noqa: PLR0911 one way out per verb
    verb, first, partner, points, days = step
    who, other = books.members if first else books.members[::-1]
    match verb:
        case "earn":
            return lambda: books.earn(who, points, partner, days or None)
        case "pend":
            return lambda: books.earn(who, points, partner, days or None, pending=1 + days // 5)
        case "burn":
            return lambda: books.burn(who, points, partner)
        case "hold":
            return lambda: books.hold(who, points, partner, 1 + days // 4)
        case "gift":
            return lambda: books.gift(who, other, points, partner)
        case "due":
            return lambda: books.due(who)
        case "wait":
            books.now += days * DAY // 3
            return None
        case "capture" | "release" if who.holds:
            held = sorted(who.holds)[days % len(who.holds)]
            if verb == "capture":
                return lambda: books.capture(who, held, points)
            return lambda: books.release(who, held)
        case "refund_earn" if earned := of(books, who, Verb.EARN):
            return lambda: books.refund_earn(who, earned[days % len(earned)], points)
        case "refund_burn" if burned := of(books, who, Verb.BURN, Verb.CAPTURE):
            return lambda: books.refund_burn(who, burned[days % len(burned)], points)
    return None


def run(steps: list[Step]) -> Books:
    books = Books()
    for step in steps:
        chosen = act(books, step)
        if chosen is not None:
            refused(chosen)
            check(books)
            no_debt_beside_points(books)
    refold(books)
    return books


@given(STEPS)
def test_any_sequence(steps: list[Step]) -> None:
    run(steps)


def history(seed: int, length: int) -> list[Step]:
    draw = random.Random(seed)
    return [
        (
            draw.choice([*VERBS, "wait"]),
            draw.random() < 0.7,
            draw.choice(PARTNERS),
            draw.randrange(1, 120),
            draw.randrange(41),
        )
        for _ in range(length)
    ]


def test_long_histories(times: Callable[[int, int], int]) -> None:
    met: set[Verb] = set()
    for seed in range(times(200, 5_000)):
        books = run(history(seed, 60))
        met |= {entry.verb for entry in books.entries}
    assert met == set(list(Verb)[:12])  # those of one member and partner


Legs = list[Posting]
PLANTED: dict[str, Callable[[Entry, Legs], Legs]] = {
    "face paid twice": lambda _, made: [*made, *(p for p in made if p.unit == MONEY)],
    "points from nowhere": lambda entry, made: made[1:] if entry.verb is Verb.EARN else made,
    "no money for expired points": lambda entry, made: [p for p in made if p.unit or entry.verb is not Verb.EXPIRE],
    "debts forgotten": lambda entry, made: made[:-1] if entry.debts else made,
}


def some_histories() -> list[Books]:
    return [run(history(seed, 60)) for seed in range(20)]


@pytest.mark.parametrize("bug", PLANTED)
def test_canaries_are_caught(monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    right = legs.postings

    def wrong(entry: Entry, terms_of: legs.TermsOf, debt_of: legs.DebtOf) -> tuple[Posting, ...]:
        return tuple(PLANTED[bug](entry, list(right(entry, terms_of, debt_of))))

    monkeypatch.setattr("counterfoil.core.journal.postings", wrong)
    with pytest.raises(AssertionError):
        some_histories()


def refunded_beyond(books: Books) -> list[Entry]:
    """Earns and burns of which more was refunded than there was."""
    found = []
    for entry in books.entries:
        points = sum(made.points for made in entry.lots) or sum(m.points for m in burned(entry.moves))
        if books.refunded.get(entry.id, 0) > points:
            found.append(entry)
    return found


def test_no_more_is_refunded_than_there_was() -> None:
    assert [entry for books in some_histories() for entry in refunded_beyond(books)] == []


def test_the_canary_of_a_refund_too_many_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfoil.core.rulebook.refunds.Original.checked", lambda _self, _points: None)
    with pytest.raises(AssertionError):  # fees are given back that were never paid
        some_histories()
