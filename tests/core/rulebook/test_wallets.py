"""Own wallets: which points leave and which come back, what runs out, who owes, and that no money moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from counterfoil.core.accounts import OPERATOR, POOL, Kind
from counterfoil.core.calendar import valid_until
from counterfoil.core.encoding import decode
from counterfoil.core.entry import Entry, Place, Verb
from counterfoil.core.holdings import Holdings, Lot
from counterfoil.core.limits import BalanceLimit, InsufficientPoints
from counterfoil.core.reserves import outstanding_change
from counterfoil.core.rulebook import disputes, erasure, refunds, wallets
from counterfoil.core.units import MAX_POINTS, NEVER
from counterfoil.core.wallet import Wallet
from tests.core.books import BIG, DAY, SMALL, START, ZONE, Books, check, no_debt_beside_points, refold

ACCOUNT = b"\xac" * 20


@dataclass(slots=True)
class Chain(Books):
    """Books beside wallets."""

    def post(self, what: Any, *args: Any) -> Entry:
        journal = self._journal()
        try:
            made: Entry = what(journal, *args)
        finally:
            self._kept(journal)
        return made

    def withdraw(self, who: Holdings, points: int) -> Entry:
        return self.post(wallets.withdraw, who, points, Wallet(ACCOUNT))

    def lent(self, who: Holdings) -> list[tuple[Holdings, Lot]]:
        found = [(one, lot) for one in self.members if one is not who for lot in one.withdrawn(1)]
        return sorted(found, key=lambda pair: pair[1].burn_key())

    def give_back(self, who: Holdings, points: int) -> Entry:
        back = wallets.Return(points, Wallet(ACCOUNT, b"e" * 32, self.groups))
        return self.post(wallets.give_back, who, self.lent(who), back, ZONE)

    def redeem(self, who: Holdings, points: int, partner: int = BIG) -> Entry:
        back = wallets.Return(points, Wallet(ACCOUNT, b"e" * 32, self.groups))
        return self.post(wallets.redeem, who, self.lent(who), back, ZONE, partner)


def moved(entry: Entry, *lots: Entry) -> list[tuple[int, Place, Place, int]]:
    """An entry's moves, each lot by its place among the entries that made them."""
    made = [one.id for one in lots]
    return [(made.index(m.entry), m.source, m.target, m.points) for m in entry.moves]


@pytest.fixture
def books() -> Chain:
    return Chain()


def whole(books: Chain) -> None:
    check(books)
    no_debt_beside_points(books)
    refold(books)


A, W, B = Place.AVAILABLE, Place.WITHDRAWN, Place.BURNED


def test_they_leave_in_burn_order_and_no_money_moves(books: Chain) -> None:
    late, soon = books.earn(books.ann, 30, days=9), books.earn(books.ann, 20, SMALL, days=3)
    money = books.money()
    left = books.withdraw(books.ann, 25)
    assert moved(left, late, soon) == [(1, A, W, 20), (0, A, W, 5)]
    assert (left.partner, left.wallet, books.ann.available) == (0, Wallet(ACCOUNT), 25)
    assert books.points()[Kind.WALLETS, 0] == 25
    assert books.money() == money
    assert decode(books.written[-1].body) == left
    whole(books)


def test_no_more_than_there_is(books: Chain) -> None:
    books.earn(books.ann, 30, days=3)
    books.hold(books.ann, 10, days=2)
    with pytest.raises(InsufficientPoints):
        books.withdraw(books.ann, 21)
    books.now += 3 * DAY
    with pytest.raises(InsufficientPoints):
        books.withdraw(books.ann, 1)


def test_they_do_not_run_out_in_wallets(books: Chain) -> None:
    books.earn(books.ann, 30, days=3)
    books.withdraw(books.ann, 30)
    books.now += 400 * DAY
    assert books.ann.next_due() is None
    assert books.due(books.ann) == []
    whole(books)


def test_the_same_member_gets_the_same_lots_back_earliest_expiry_first(books: Chain) -> None:
    late, soon = books.earn(books.ann, 30, days=9), books.earn(books.ann, 20, SMALL, days=3)
    books.withdraw(books.ann, 50)
    back = books.give_back(books.ann, 24)
    assert moved(back, late, soon) == [(1, W, A, 20), (0, W, A, 4)]
    assert back.lots == ()
    assert books.ann.available == 24
    whole(books)


def test_what_is_past_comes_back_with_grace_that_part_only(books: Chain) -> None:
    soon, late = books.earn(books.ann, 20, days=3), books.earn(books.ann, 30, days=400)
    books.withdraw(books.ann, 50)
    books.now += 3 * DAY  # at exactly its last instant it is past
    back = books.give_back(books.ann, 30)
    assert moved(back, soon, late) == [(0, W, Place.RENEWED, 20), (1, W, A, 10)]
    (graced,) = back.lots
    assert graced.terms.expires_at == valid_until(books.now, 30, ZONE) > books.now + 30 * DAY
    assert (graced.points, graced.terms.origin_entry) == (20, soon.id)
    assert books.ann.lots[late.id, 0].terms.expires_at == START + 400 * DAY
    whole(books)


def test_an_expiry_that_is_not_past_is_never_changed(books: Chain) -> None:
    """Not even to a later day: what has an hour left has an hour left."""
    books.earn(books.ann, 20, days=3)
    books.earn(books.bob, 20, days=3)
    books.withdraw(books.ann, 20)
    books.withdraw(books.bob, 20)
    books.now += 3 * DAY - 1
    back = books.give_back(books.ann, 40)
    assert [m.target for m in back.moves] == [A, Place.GIFTED]
    assert [made.terms.expires_at for made in back.lots] == [START + 3 * DAY]
    whole(books)


def test_then_what_others_withdrew_in_the_same_order(books: Chain) -> None:
    theirs = [
        books.earn(books.bob, 20, days=9),
        books.earn(books.bob, 20, SMALL, days=3),
        books.earn(books.bob, 5, days=None),
    ]
    own = books.earn(books.ann, 10, days=300)
    books.withdraw(books.bob, 45)
    books.withdraw(books.ann, 10)
    books.now += 4 * DAY
    back = books.give_back(books.ann, 53)
    given = Place.GIFTED
    assert moved(back, *theirs, own) == [(3, W, A, 10), (1, W, given, 20), (0, W, given, 20), (2, W, given, 3)]
    grace = valid_until(books.now, 30, ZONE)
    assert [(one.points, one.terms.expires_at, one.terms.issuer, one.terms.origin_entry) for one in back.lots] == [
        (20, grace, SMALL, 0), (20, START + 9 * DAY, BIG, 0), (3, NEVER, BIG, 0),
    ]  # fmt: skip
    assert len(back.members) == 1  # whose lots they were is not in the entry
    assert (books.ann.available, books.bob.available) == (53, 0)
    assert books.points()[Kind.WALLETS, 0] == 2
    whole(books)


def test_a_refund_of_an_earn_does_not_reach_into_wallets(books: Chain) -> None:
    made = books.earn(books.ann, 30)
    books.withdraw(books.ann, 30)
    found = books.refund_earn(books.ann, made, 20)
    assert (found.recovered, found.debt) == (0, 20)
    back = books.give_back(books.ann, 30)
    assert books.written[-1].entry.verb is Verb.REPAY
    assert sum(m.points for m in back.moves) == 30
    assert (books.ann.available, books.ann.debt) == (10, 0)
    whole(books)


def test_redeemed_as_a_burn_of_just_what_came_back_before_a_debt(books: Chain) -> None:
    made = books.earn(books.ann, 30, SMALL)
    books.withdraw(books.ann, 30)
    books.refund_earn(books.ann, made, 10)
    before = books.money()
    redeemed = books.redeem(books.ann, 25)
    given = books.written[-2].entry
    assert (given.verb, redeemed.verb, redeemed.refers_to) == (Verb.GIVE_BACK, Verb.REDEEM, given.id)
    assert moved(redeemed, made) == [(0, A, B, 25)]
    face = redeemed.moves and books.ann.terms_of(made.id, 0).funds.face_micros
    after = books.money()
    assert after[BIG] - before.get(BIG, 0) == 25 * face
    assert after[POOL] - before[POOL] == -25 * face
    assert (books.ann.available, books.ann.debt) == (0, 10)
    whole(books)


def test_what_others_withdrew_is_redeemed_from_the_lots_just_made(books: Chain) -> None:
    books.earn(books.bob, 20, days=3)
    own = books.earn(books.ann, 10)
    books.withdraw(books.bob, 20)
    books.withdraw(books.ann, 10)
    books.now += 5 * DAY
    redeemed = books.redeem(books.ann, 15)
    given = books.written[-2].entry
    assert moved(redeemed, own, given) == [(0, A, B, 10), (1, A, B, 5)]
    refunded = books.refund_burn(books.ann, redeemed, 15)  # as of any burn
    assert moved(refunded, own, given) == [(1, B, A, 5), (0, B, A, 10)]
    assert books.ann.available == 15
    whole(books)


def test_a_redemption_can_be_disputed(books: Chain) -> None:
    books.earn(books.ann, 10)
    books.withdraw(books.ann, 10)
    redeemed = books.redeem(books.ann, 10, SMALL)
    books.post(disputes.dispute, books.ann, redeemed)
    journal = books._journal()
    disputes.rule(journal, books.ann, redeemed, ZONE, valid=False)
    books._kept(journal)
    assert books.ann.available == 10
    assert books.money().get(SMALL, 0) == 0


def test_erasure_forfeits_nothing_in_wallets(books: Chain) -> None:
    books.earn(books.bob, 30)
    books.withdraw(books.bob, 20)
    gone = books.post(erasure.erase, books.bob)
    assert sum(move.points for move in gone.moves) == 10
    assert books.points()[Kind.WALLETS, 0] == 20
    books.give_back(books.ann, 20)  # whoever has the tokens
    assert books.ann.available == 20
    whole(books)


def test_room_for_what_comes_back(books: Chain) -> None:
    books.earn(books.ann, 10)
    books.withdraw(books.ann, 10)
    books.earn(books.ann, MAX_POINTS)
    with pytest.raises(BalanceLimit):
        books.give_back(books.ann, 10)
    assert books.points()[Kind.WALLETS, 0] == 10


def test_wallets_stay_outstanding_for_a_partner_that_left(books: Chain) -> None:
    books.earn(books.ann, 30, 19)  # owed at use
    left = books.withdraw(books.ann, 20)
    assert outstanding_change(left, 19, books.ann.terms_of) == 0
    back = books.give_back(books.ann, 5)
    assert outstanding_change(back, 19, books.ann.terms_of) == 0
    redeemed = books.redeem(books.ann, 15)
    assert outstanding_change(redeemed, 19, books.ann.terms_of) == -15
    assert books.money()[OPERATOR] > 0
    whole(books)


def bent_order(lots: Sequence[Lot]) -> list[Lot]:
    return sorted(lots, key=Lot.burn_key, reverse=True)


def test_canary_another_order_is_noticed(books: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Holdings.withdrawn
    monkeypatch.setattr(Holdings, "withdrawn", lambda self, currency: bent_order(honest(self, currency)))
    with pytest.raises(AssertionError):
        test_the_same_member_gets_the_same_lots_back_earliest_expiry_first(books)


def test_canary_a_shorter_grace_is_noticed(books: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wallets, "GRACE_DAYS", refunds.GRACE_DAYS - 1)
    with pytest.raises(AssertionError):
        test_what_is_past_comes_back_with_grace_that_part_only(books)
