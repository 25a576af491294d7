"""The fold over exported settlements: an example by hand, random walks over the whole rulebook, and files that lie."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from msgspec import structs

from counterfoil.core.accounts import Kind
from counterfoil.core.encoding import decode, encode
from counterfoil.core.entry import Entry, Place, Verb
from counterfoil.core.errors import Unreadable
from counterfoil.core.settlement import Supply, pack_supply, unpack_supply
from counterfoil.insights import fold
from counterfoil.insights.breakage import Assumptions, Given
from counterfoil.insights.ledger import Exported, read
from counterfoil.insights.liability import Figures, report
from counterfoil.insights.stock import Band
from tests.core.books import BIG, DAY, SMALL, Books
from tests.core.rulebook.test_whole import Whole, step
from tests.insights.exported import Closer, row

LATER = 19  # its points cost nothing until they are used, then 9,000 micros


def example() -> Closer:
    """Two settlements: on day 10 and on day 100."""
    books = Books()
    start, made = books.now, Closer(books)
    books.earn(books.ann, 1_000, BIG, 365)  # face 10,000 micros, paid into the pool
    books.earn(books.ann, 500, LATER, 20)
    books.now = start + 10 * DAY
    books.burn(books.ann, 300, SMALL)  # of what runs out first
    bobs = books.earn(books.bob, 200, BIG, None)
    made.close()
    books.gift(books.ann, books.bob, 100)  # again of what runs out first
    books.now = start + 45 * DAY
    for who in books.members:  # 200 of the 500 run out, 100 with each
        books.due(who)
    books.refund_earn(books.bob, bobs, 50)
    books.burn(books.bob, 30, BIG)
    books.now = start + 100 * DAY
    made.close()
    return made


def points_in(bands: tuple[Band, ...]) -> dict[str, int]:
    return {one.band: one.points for one in bands if one.points}


def test_by_hand() -> None:
    shown = example().report()
    big, later, small, everyone = (row(shown, who) for who in (BIG, LATER, SMALL, None))

    assert (big.to_date.issued, big.to_date.taken_back, big.to_date.burned, big.to_date.expired) == (1_200, 50, 30, 0)
    assert (big.outstanding, big.funded_micros, big.unfunded_micros) == (1_120, 11_200_000, 0)
    assert points_in(big.ages) == {"91-180": 1_000, "31-90": 120}
    assert points_in(big.runs_out) == {"181-365": 1_000, "never": 120}
    assert (big.to_date.burned_here, big.to_date.burned_elsewhere, big.days_to_first_burn) == (30, 0, 35)
    assert big.deferred_revenue.deferred_to_date_micros == 11_500_000  # 1,150 x 10,000
    assert big.deferred_revenue.recognised_to_date_micros == 300_000  # x 30 / 1,150
    assert (big.share_bp, big.redemption_rate_bp, big.cross_brand_share_bp) == (10_000, 250, 0)

    assert (later.to_date.issued, later.to_date.burned, later.to_date.burned_elsewhere) == (500, 300, 300)
    assert (later.to_date.expired, later.outstanding, later.in_settlement.issued) == (200, 0, 0)
    assert later.breakage is not None
    assert (later.breakage.basis, later.breakage.estimate_bp) == ("matured", 4_000)  # 200 / 500
    assert later.deferred_revenue.recognised_to_date_micros == 4_500_000  # no right is left
    assert (later.deferred_revenue.opening_micros, later.deferred_revenue.closing_micros) == (1_800_000, 0)
    assert (later.days_to_first_burn, later.members_who_burned) == (10, 1)
    assert small.to_date.burned_here == 300

    assert (everyone.outstanding, everyone.days_to_first_burn, everyone.members_who_burned) == (1_120, 10, 2)
    assert (shown.coverage.pool_micros, shown.coverage.coverage_bp) == (11_200_000, 10_000)
    found = shown.currencies[0].concentration
    assert found is not None
    assert (found.largest_issuer, found.largest_share_bp, found.herfindahl_bp) == (BIG, 10_000, 10_000)


def test_the_first_settlement_of_the_example() -> None:
    shown = example().report(1)
    big, later = row(shown, BIG), row(shown, LATER)
    assert (big.outstanding, later.outstanding, later.funded_micros, later.unfunded_micros) == (
        1_200,
        200,
        0,
        1_800_000,
    )
    assert points_in(later.ages) == {"0-30": 200}
    assert (shown.coverage.coverage_bp, shown.coverage.face_coverage_bp) == (10_000, 8_696)  # 12.0 / 13.8
    found = shown.currencies[0].concentration
    assert found is not None
    # (1,200^2 + 200^2) / 1,400^2 = 0.75510
    assert (found.largest_share_bp, found.herfindahl_bp) == (8_571, 7_551)
    assert later.breakage is not None
    assert later.breakage.basis == "default"
    assert later.deferred_revenue.recognised_micros == 2_700_000  # 4,500,000 x 300 / 500


def test_an_accountants_estimate_and_its_catch_up() -> None:
    made = example()
    moved = row(made.report(2, Assumptions(0, (Given(BIG, 5_000, 2),))), BIG).deferred_revenue
    assert (moved.recognised_micros, moved.catch_up_micros) == (300_000, 300_000)  # 30 / 1,150, then 30 / 575
    always = row(made.report(2, Assumptions(0, (Given(BIG, 5_000),))), BIG)
    assert (always.deferred_revenue.recognised_micros, always.deferred_revenue.catch_up_micros) == (600_000, 0)
    assert row(made.report(2, Assumptions(5_000)), BIG).deferred_revenue == always.deferred_revenue


def as_books(books: Whole, made: Closer) -> None:
    """The figures are those of the members' lots, and of the accounts that the entries' postings move."""
    ledger = made.ledger()
    shown, balances = report(ledger, Assumptions()), books.points()
    stands: Counter[tuple[int, int, str]] = Counter()
    for who in books.members:
        for lot in who.lots.values():
            for name in ("available", "held", "pending", "withdrawn"):
                stands[lot.terms.currency, lot.terms.issuer, name] += getattr(lot, name)
        for debt in who.debts.values():
            stands[debt.made.currency, debt.made.issuer, "debt"] += debt.left
    used, expired = 0, Counter[int]()
    for currency in shown.currencies:
        assert currency.total is not None
        for one in currency.parties:
            assert one.party is not None
            for name in ("available", "held", "pending", "withdrawn", "debt"):
                assert getattr(one, name) == stands.pop((currency.currency, one.party, name), 0)
            flows = one.to_date
            assert flows.issued - flows.taken_back - flows.burned - flows.expired == one.outstanding
            assert 0 <= flows.burned_elsewhere <= flows.burned
            assert sum(band.points for band in one.ages) == sum(band.points for band in one.runs_out) == one.outstanding
            assert sum(band.funded_micros for band in one.ages) == one.funded_micros
            moved = one.deferred_revenue
            assert moved.closing_micros >= 0
            assert moved.opening_micros + moved.added_micros - moved.recognised_micros - moved.catch_up_micros == (
                moved.closing_micros
            )
            expired[one.party] += flows.expired
        assert currency.total.to_date.burned == currency.total.to_date.burned_here
        used += currency.total.to_date.burned - currency.total.to_date.repaid
    assert not +stands
    assert expired == Counter({owner: points for (kind, owner), points in balances.items() if kind is Kind.EXPIRED})
    assert used == sum(points for (kind, _owner), points in balances.items() if kind is Kind.BURNED)
    assert shown.coverage.pool_micros == shown.coverage.funded_micros == books.money().get(1, 0)


def walked(seed: int, close_every: int = 50) -> tuple[Whole, Closer]:
    """A walk of 50 steps, closed after every so many."""
    books, dice = Whole(), random.Random(seed)
    made = Closer(books)
    for done in range(1, 51):
        step(books, dice)
        if not done % close_every:
            made.close()
    return books, made


def walks(count: int) -> None:
    for seed in range(count):
        as_books(*walked(seed, 25))


def test_walks_over_the_whole_rulebook(times: Callable[[int, int], int]) -> None:
    walks(times(120, 3_000))


def test_many_settlements_are_one(times: Callable[[int, int], int]) -> None:
    """How often the books were closed changes what moved in the last settlement, and nothing else."""
    some = Assumptions(1_500)
    for seed in range(times(60, 1_000)):
        one, many = (walked(seed, every)[1].report(None, some) for every in (50, 5))
        assert (one.coverage, [c.concentration for c in one.currencies]) == (
            many.coverage, [c.concentration for c in many.currencies],
        )  # fmt: skip
        for mine, theirs in zip(one.currencies, many.currencies, strict=True):
            assert [stands(row) for row in mine.parties] == [stands(row) for row in theirs.parties]


def stands(one: Figures) -> dict[str, Any]:
    """The figures as of the close, without those of the settlement alone."""
    moved, known = one.deferred_revenue, one.breakage
    assert known is not None
    return {
        **asdict(one), "in_settlement": None, "breakage": replace(known, before_bp=0),
        "deferred_revenue": (moved.deferred_to_date_micros, moved.recognised_to_date_micros, moved.closing_micros),
    }  # fmt: skip


PLANTS: dict[str, tuple[str, Any]] = {
    "a gift counts as issued": ("ISSUING", {Verb.EARN, Verb.EXCHANGE, Verb.TRANSFER}),
    "held points are forgotten": ("_KEPT", {Place.AVAILABLE: "available", Place.PENDING: "pending"}),
    "points in wallets are forgotten": (
        "_KEPT",
        {Place.AVAILABLE: "available", Place.PENDING: "pending", Place.HELD: "held"},
    ),
    "the last earn counts alone": ("_issue", lambda lot, points: lot.tally.flows.__setattr__("issued", points)),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_canary_a_wrong_figure_is_caught(plant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold, *PLANTS[plant])
    with pytest.raises((AssertionError, Unreadable)):
        walks(20)


def lied(change: Callable[[Exported], Exported], number: int = 2) -> str:
    """What is said of an export in which one settlement is not as it was."""
    settlements = example().exported()
    settlements[number - 1] = change(settlements[number - 1])
    with pytest.raises(Unreadable) as caught:
        read(settlements, lambda _what, _done, _total: None)
    return str(caught.value)


def altered(one: Exported, change: Callable[[Entry], Entry]) -> Exported:
    records = list(one.records)
    body, first, second = records[-1]
    return replace(one, records=iter([*records[:-1], (encode(change(decode(body))), first, second)]))


def with_closing(one: Exported, **facts: Any) -> Exported:
    return replace(one, header=replace(one.header, closing=replace(one.header.closing, **facts)))


def test_files_that_are_not_the_manifests_are_named() -> None:
    entries, rulebook = "settlements/000002/entries", "settlements/000002/rulebook.json"
    assert lied(lambda one: replace(one, records=iter(list(one.records)[:-1]))).startswith(entries)
    moved = lied(lambda one: altered(one, lambda entry: structs.replace(entry, at=entry.at + 1)))
    assert moved == f"{entries}: is not the file of its header's manifest"
    assert lied(lambda one: replace(one, records=iter([(b"junk", 0, 0)]))).startswith(f"{entries}: leaf 5")
    assert lied(lambda one: replace(one, rulebook=one.rulebook + b" ")).startswith(rulebook)
    assert "manifest" in lied(lambda one: replace(one, files=one.files[:2]))
    assert "manifest" in lied(lambda one: with_closing(one, manifest=bytes(32)))


def test_a_header_that_does_not_tally_is_named() -> None:
    assert "log" in lied(lambda one: with_closing(one, log_size=one.header.closing.log_size + 1))
    assert "settlement 7" in lied(lambda one: with_closing(one, number=7))
    assert "pool" in lied(lambda one: with_closing(one, gross=b""))

    def richer(one: Exported) -> Exported:
        first, *rest = unpack_supply(one.header.closing.supply)
        more = Supply(first.currency, first.root, first.custodial + 1)
        return with_closing(one, supply=pack_supply([more, *rest]))

    assert "outstanding" in lied(richer)

    def away(one: Exported) -> Exported:
        first, *rest = unpack_supply(one.header.closing.supply)
        more = Supply(first.currency, first.root, first.custodial, first.withdrawn + 1, first.returned)
        return with_closing(one, supply=pack_supply([more, *rest]))

    assert "W - R" in lied(away)


def test_no_settlement_no_report() -> None:
    with pytest.raises(Unreadable, match="none in the export"):
        read([], lambda _what, _done, _total: None)
