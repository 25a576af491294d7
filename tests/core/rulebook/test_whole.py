"""Random walks over the whole rulebook: whatever the mix of contracts, money sums to zero and every pot holds what it must."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from counterfoil.core.accounts import OPERATOR, POOL, PREFUNDING, REWARD_ESCROW, SUSPENSE, Kind, account, kept_for
from counterfoil.core.entry import Drawn, Entry, Paid, Verb
from counterfoil.core.holdings import Hold, Holdings, Inconsistent
from counterfoil.core.lots import LotTerms
from counterfoil.core.netting import positions
from counterfoil.core.rulebook import adjustments, disputes, erasure, merging, packs, rewards, swaps, verbs, wallets
from counterfoil.core.rulebook.contracts import alone, joint
from counterfoil.core.rulebook.packs import Pack
from counterfoil.core.rulebook.refunds import Original, refund_earn
from counterfoil.core.units import COALITION_CURRENCY, NEVER
from counterfoil.core.wallet import Wallet
from tests.core.books import BIG, CONTRACTS, DAY, SMALL, ZONE, Books, kept, refused

REWARDS = [rewards.Reward("cheap", BIG, 20, 90_000, 10), rewards.Reward("dear", 20, 30, 900_000, 2)]
OWN = {2: SMALL, 3: 18}  # brands' own currencies
ACCOUNT = b"\xac" * 20
SHARES = {BIG: 3_333, 19: 3_334, 20: 3_333}


@dataclass(slots=True)
class Whole(Books):
    """With packs of one partner, disputes, what was refunded."""

    packs: list[Pack] = field(default_factory=list)
    disputed: dict[int, str] = field(default_factory=dict)
    returned: dict[int, int] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)  # members that are another's now

    def act(self, what: Callable[..., Any], *args: Any, **more: Any) -> Any:
        journal = self._journal()
        try:
            return what(journal, *args, **more)
        finally:
            self._kept(journal)

    def together(self, who: Holdings, points: int, pending: int) -> None:
        """A base and a bonus that three parties fund."""
        grants = [verbs.Grant(points, alone(CONTRACTS[20], 20)), verbs.Grant(points // 3 + 1, joint(SHARES, CONTRACTS))]
        sale = verbs.Sale(self.now, self.now + 40 * DAY, self.now + pending * DAY if pending else 0)
        self.act(verbs.earn, who, 20, grants, sale)

    def from_pack(self, who: Holdings, points: int, pending: int) -> None:
        drawn = packs.draw(self.packs, points)
        grant = verbs.Grant(points, alone(CONTRACTS[SMALL], SMALL), packs.prepaid(drawn))
        sale = verbs.Sale(self.now, self.now + 40 * DAY, self.now + pending * DAY if pending else 0)
        self.act(verbs.earn, who, SMALL, [grant], sale, drawn)
        packs.change(self.packs, drawn, -1)

    def to_pack(self, who: Holdings, earned: Entry, points: int) -> None:
        original = Original(earned, self.refunded.get(earned.id, 0))
        self.act(refund_earn, who, original, points, *((lambda n: self.back(earned, n),) if earned.drawn else ()))
        self.refunded[earned.id] = self.refunded.get(earned.id, 0) + points

    def back(self, earned: Entry, points: int) -> tuple[Drawn, ...]:
        """Points of an earn that return to the packs it drew on."""
        blocks = packs.returned(earned.drawn, self.returned.get(earned.id, 0), points)
        packs.change(self.packs, blocks, 1)
        self.returned[earned.id] = self.returned.get(earned.id, 0) + points
        return blocks

    def entry(self, number: int) -> Entry:
        return next(one for one in self.entries if one.id == number)

    def swap(self, who: Holdings, src: int, points: int) -> None:
        dst = next(number for number in OWN if number != src)
        terms = LotTerms(dst, OWN[dst], self.now, NEVER, 0, b"")
        self.act(
            swaps.exchange, who, swaps.Swap(src, points, points, points * 2 // 3, terms, OWN[src], OWN[dst], 700, 8)
        )

    def own(self, who: Holdings, currency: int, points: int) -> None:
        sale = verbs.Sale(self.now, self.now + 30 * DAY, 0, currency)
        self.act(verbs.earn, who, OWN[currency], [verbs.Grant(points, b"")], sale)

    def come_back(self, who: Holdings, points: int, currency: int, partner: int = 0) -> None:
        """Tokens come back, as many as there are of them: whoever withdrew them, `who` has them now."""
        others = [(one, lot) for one in self.members if one is not who for lot in one.withdrawn(currency)]
        lent = sorted(others, key=lambda pair: pair[1].burn_key())
        held = sum(lot.withdrawn for lot in (*who.withdrawn(currency), *(lot for _one, lot in lent)))
        if held:
            back = wallets.Return(min(points, held), Wallet(ACCOUNT, bytes(31) + b"e", self.groups), currency)
            if partner:
                self.act(wallets.redeem, who, lent, back, ZONE, partner)
            else:
                self.act(wallets.give_back, who, lent, back, ZONE)

    def of(self, who: Holdings, *kinds: Verb) -> list[Entry]:
        return [w.entry for w in self.written if w.entry.verb in kinds and self.now_of(w.members[0]) == who.member]

    def now_of(self, member: int) -> int:
        return self.now_of(self.merged[member]) if member in self.merged else member

    def merge(self, gone: Holdings, kept: Holdings) -> None:
        """Somebody new stands where the one who is gone stood."""
        self.due(gone)
        self.due(kept)
        had = worth(gone, kept)
        self.act(merging.merge, gone, kept)
        assert (worth(kept), worth(gone)) == (had, 0)
        assert [*gone.lots, *gone.debts, *gone.holds] == []
        self.merged[gone.member] = kept.member
        fresh = Holdings(gone.member + 1_000, gone.secret)
        self.ann, self.bob = (fresh, kept) if gone is self.ann else (kept, fresh)

    def argue(self, who: Holdings, burn: Entry, *, valid: bool) -> None:
        state = self.disputed.get(burn.id)
        if state is None and not self.refunded.get(burn.id) and disputes.amount(burn):
            self.act(disputes.dispute, who, burn)
            self.disputed[burn.id] = "open"
        elif state == "open":
            self.act(disputes.rule, who, burn, ZONE, valid=valid)
            self.disputed[burn.id] = "ruled"
            if not valid:
                self.refunded[burn.id] = Original(burn, 0).points


def worth(*members: Holdings) -> int:
    """Points of all currencies, less what is owed."""
    sums = [who.sums(currency) for who in members for currency in (COALITION_CURRENCY, *OWN)]
    return sum(one.available + one.held + one.pending - one.debt for one in sums)


def pots(books: Whole) -> None:
    """Money is neither made nor lost, and what waits somewhere is what it waits for."""
    nets = books.money()
    assert sum(nets.values()) == 0
    assert positions(nets).rounding + sum(positions(nets).rounded.values()) == 0
    backing = escrow = 0
    away = books.points().get((Kind.WALLETS, 0), 0)
    assert away == sum(lot.withdrawn for who in books.members for lot in who.lots.values())
    for who in books.members:
        for lot in who.lots.values():
            assert min(kept(lot)) >= 0
            assert sum(kept(lot)) <= lot.points
            backing += (lot.available + lot.held + lot.withdrawn) * lot.terms.funds.paid_micros
        assert who.available == who.sums().available
        assert who.held == who.sums().held
        for currency in (COALITION_CURRENCY, *OWN):
            assert not (who.owed(currency) and who.usable(books.now, currency))
        vouchers = [hold for hold in who.holds.values() if hold.state == "open" and hold.cost_micros is not None]
        escrow += sum(rewards.face(who, voucher) for voucher in vouchers)
    assert nets.get(POOL, 0) == backing
    assert nets.get(REWARD_ESCROW, 0) == escrow
    waiting = {number for number, state in books.disputed.items() if state == "open"}
    burns = [entry for entry in books.entries if entry.id in waiting]
    assert nets.get(SUSPENSE, 0) == sum(disputes.amount(burn) for burn in burns)
    for entry in books.entries:
        outside = {owner for owner in books.money([entry]) if 16 <= owner < 1 << 16}
        assert outside <= {entry.partner}, "an entry moves the money of one partner at most"
    part = CONTRACTS[SMALL].part(SMALL)
    pending = sum(
        min(lot.pending, lot.terms.prepaid) for who in books.members for lot in who.lots.values() if lot.terms.prepaid
    )
    prepaid = sum(pack.left for pack in books.packs) + pending
    assert nets.get(kept_for(PREFUNDING, SMALL), 0) == prepaid * (part.paid_micros + part.fee_micros)


def step(books: Whole, dice: random.Random) -> None:  # noqa: C901, PLR0912, PLR0915 one way per verb
    who, other = dice.sample(books.members, 2)
    points, partner = dice.randint(1, 90), dice.choice(sorted(CONTRACTS))
    burns = books.of(who, Verb.BURN, Verb.CAPTURE, Verb.REDEEM)
    currency = dice.choice([COALITION_CURRENCY] * 3 + list(OWN))
    earned, vouchers = books.of(who, Verb.EARN), [h for h in who.holds.values() if h.cost_micros is not None]
    match dice.choice(["earn", "together", "pack", "own", "swap", "burn", "refund", "restore", "reward", "voucher",
                       "argue", "gift", "hold", "capture", "wait", "wait", "erase", "adjust", "merge",
                       "withdraw", "return", "redeem"]):  # fmt: skip
        case "earn":
            books.earn(who, points, partner, dice.choice([None, 3, 30]), dice.choice([0, 0, 4]))
        case "together":
            books.together(who, points, dice.choice([0, 0, 4]))
        case "pack":
            if not books.packs or dice.random() < 0.1:
                entry = books.act(packs.buy, SMALL, CONTRACTS[SMALL].part(SMALL), 100, 40)
                books.packs.append(Pack(entry.id, 100, 100, 40, 40))
            refused(lambda: books.from_pack(who, points, dice.choice([0, 0, 4])))
        case "own":
            books.own(who, dice.choice(list(OWN)), points)
        case "swap":
            refused(lambda: books.swap(who, dice.choice(list(OWN)), points))
        case "burn":
            refused(lambda: books.burn(who, points, partner))
        case "refund" if earned:
            refused(lambda: books.to_pack(who, dice.choice(earned), points))
        case "restore" if burns:
            burn = dice.choice(burns)
            if books.disputed.get(burn.id) != "open":
                refused(lambda: books.refund_burn(who, burn, points))
        case "reward":
            refused(lambda: books.act(rewards.buy, who, dice.choice(REWARDS), ZONE))
        case "voucher" if vouchers:
            voucher: Hold = dice.choice(vouchers)
            more = (ZONE,) if dice.random() < 0.5 else ()
            refused(lambda: books.act(rewards.refund if more else rewards.use, who, voucher, *more))
        case "argue" if burns:
            books.argue(who, dice.choice(burns), valid=dice.random() < 0.5)
        case "gift":
            refused(lambda: books.gift(who, other, points))
        case "hold":
            refused(lambda: books.hold(who, points, partner, dice.randint(1, 5)))
        case "capture" if [hold for hold in who.holds.values() if hold.cost_micros is None]:
            held = dice.choice([h.entry for h in who.holds.values() if h.cost_micros is None])
            refused(lambda: books.capture(who, held, points))
        case "wait":
            books.now += dice.randint(1, 9) * DAY // 2
            books.due(who)
            books.due(other)
        case "adjust" if dice.random() < 0.7:
            owner = dice.choice([OPERATOR, *sorted(CONTRACTS)])
            terms = CONTRACTS.get(owner, adjustments.OPERATOR_TERMS)
            books.act(adjustments.give, who, owner, terms, points, terms.expires_at(books.now, ZONE))
        case "adjust":
            refused(lambda: books.act(adjustments.take_back, who, dice.choice([OPERATOR, *sorted(CONTRACTS)]), points))
        case "merge" if dice.random() < 0.2:
            books.merge(who, other)
        case "withdraw":
            refused(lambda: books.act(wallets.withdraw, who, points, Wallet(ACCOUNT), currency))
        case "return":
            refused(lambda: books.come_back(who, points, currency))
        case "redeem":
            refused(lambda: books.come_back(who, points, currency, OWN.get(currency, partner)))
        case "erase" if dice.random() < 0.1:
            books.act(erasure.erase, who, lambda earn, points: books.back(books.entry(earn), points))


def walk(seed: int, steps: int) -> Whole:
    books, dice = Whole(), random.Random(seed)
    for _ in range(steps):
        step(books, dice)
        pots(books)
    return books


def walks(count: int) -> set[Verb]:
    """The verbs that occurred in as many walks."""
    return {entry.verb for seed in range(count) for entry in walk(seed, 50).entries}


def test_walks_over_the_whole_rulebook(times: Callable[[int, int], int]) -> None:
    assert walks(times(500, 10_000)) == set(Verb) - {Verb.DEFAULT, Verb.DIVIDEND, Verb.EXIT, Verb.ACT}


wallets_used = wallets.used
PLANTS = {
    "a part of a joint lot is forgotten": ("counterfoil.core.journal.others", lambda _entry, _terms_of: ()),
    "a voucher's face is paid out twice": (
        "counterfoil.core.rulebook.rewards.paid_for",
        lambda partner, face, _cost: (Paid(REWARD_ESCROW, partner, 2 * face),),
    ),
    "what is in wallets stands elsewhere": ("counterfoil.core.legs._WALLETS", account(Kind.HELD, 0)),
    "what was redeemed is used twice": (
        "counterfoil.core.rulebook.wallets.used", lambda given: wallets_used(given)[:1] + wallets_used(given)[:1],
    ),
    "a pack returns too much": (
        "counterfoil.core.rulebook.packs.returned", lambda drawn, _before, _points: drawn,
    ),
}  # fmt: skip


@pytest.mark.parametrize("plant", PLANTS)
def test_canaries_are_caught(plant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*PLANTS[plant])
    with pytest.raises((AssertionError, Inconsistent)):
        walks(500)
