"""The second rulebook's books: members' lots in time, what falls due, and the closes. See rulebook.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from tests.story.rulebook_money import Money
from tests.story.rulebook_words import (
    COALITION,
    Dict,
    Hold,
    Lot,
    Part,
    Refused,
    Stake,
    Use,
    burn_order,
    check,
    day_of,
    over,
    spelled,
)

MOST = 2**53 - 1
CENT = 10_000
GRACE_DAYS = 30


Due = tuple[datetime, int, int, Callable[[datetime], None]]


class Books(Money):
    """What a scenario's refs stand for, members' lots, and what time does to them."""

    def __init__(self, start: Dict, steps: list[Dict]) -> None:
        super().__init__(start)
        self.rewards: dict[str, Dict] = dict(start.get("rewards", {}))
        self.limits = (start.get("transfer_daily_points"), start.get("transfer_daily_count"))
        self.later = {  # the sales that are still to come in: a till knows them
            one["args"]["ref"]: one["args"]["partner"] for one in reversed(steps) if one["do"] == "earn"
        }
        self.count = 0
        self.number = 1
        self.closed: dict[int, datetime] = {}
        self.last_supply: dict[str, int] = {}
        self.referred: set[int] = set()
        self.answers: dict[Any, tuple[str, Dict, Dict]] = {}
        self.taken: set[tuple[str, str, str]] = set()
        self.sales: dict[str, Dict] = {}
        self.parked: dict[str, list[tuple[str, int]]] = {}
        self.burns: dict[str, Use] = {}
        self.holds: dict[str, Hold] = {}
        self.vouchers: dict[str, Use] = {}
        self.quotes: dict[str, Dict] = {}
        self.rates: dict[tuple[str, str], Dict] = {}
        self.standing: dict[str, str] = {}
        self.queue: dict[str, list[tuple[str, Callable[[], object]]]] = {}

    # --- what every verb asks --------------------------------------------------------------------------------------

    @staticmethod
    def whole(*amounts: object) -> None:
        for amount in amounts:
            check(
                "invalid_amount", that=isinstance(amount, int) and not isinstance(amount, bool) and 1 <= amount <= MOST
            )

    def unused(self, verb: str, partner: str, ref: str) -> None:
        check("duplicate_external_id", that=(verb, partner, ref) not in self.taken)

    def take(self, verb: str, partner: str, ref: str) -> None:
        """A name is taken by an effect only."""
        self.taken.add((verb, partner, ref))

    def person(self, name: str) -> None:
        check("unknown_member", that=name in self.members)
        self.alive(name)

    def alive(self, name: str) -> None:
        check("member_erased", that=not self.members[name].erased)

    def active(self, partner: str, currency: str = COALITION) -> None:
        if partner in self.standing:
            raise Refused(f"partner_{self.standing[partner]}")
        check("currency_not_accepted", that=self.issuers.get(currency, partner) == partner)

    def within_limits(self, sender: str, points: int) -> None:
        who, today = self.members[sender], day_of(self.now, self.zone)
        gifts = [given for day, given in who.gifts if day == today]
        most, often = self.limits
        check("velocity_limit", that=most is None or sum(gifts) + points <= most)
        check("velocity_limit", that=often is None or len(gifts) < often)
        who.gifts.append((today, points))

    def next_number(self) -> int:
        self.count += 1
        return self.count

    def lot(
        self, currency: str, issuer: str, earned: datetime, expires: datetime, stakes: tuple[Stake, ...],
        *, bonus: bool = False,
    ) -> Lot:  # fmt: skip
        n = self.next_number()
        return Lot(n, n, currency, issuer, earned, expires, stakes, bonus)

    def count_issued(self, lot: Lot, points: int) -> None:
        """By gross points issued the others bear what a failed partner leaves."""
        if lot.currency == COALITION:
            self.issued[lot.issuer] = self.issued.get(lot.issuer, 0) + points

    def usable(self, member: str, currency: str, order: Callable[[Lot], tuple[Any, ...]]) -> Iterator[Lot]:
        lots = self.members[member].lots
        return iter(sorted((one for one in lots if one.free and one.currency == currency), key=order))

    def free(self, member: str, currency: str) -> int:
        return sum(lot.free for lot in self.usable(member, currency, burn_order))

    def refer(self, number: int) -> None:
        self.referred.add(number)

    def drawn(self, member: str, currency: str, points: int, order: Callable[[Lot], tuple[Any, ...]]) -> list[Part]:
        """Points out of a member's lots in an order."""
        check("insufficient_points", that=self.free(member, currency) >= points)
        parts = []
        for lot in self.usable(member, currency, order):
            part = min(lot.free, points)
            points -= part
            if part:
                lot.free -= part
                parts.append((lot, part))
        return parts

    def restore(self, use: Use, points: int, payer: str) -> None:
        """The same lots, the last used first; a part that is past its day is valid for the days of grace."""
        skip, left = use.refunded, points
        use.refunded += points
        for lot, part in reversed(use.parts):
            here = min(part - min(skip, part), left)
            skip -= min(skip, part)
            left -= here
            if not here:
                continue
            self.unuse(lot, here, payer)
            if lot.expires > self.now:
                lot.free += here
            else:
                end = over(day_of(self.now, self.zone) + timedelta(days=GRACE_DAYS), self.zone)
                graced = lot.fresh(self.next_number(), expires=end)
                graced.free = here
                self.members[use.member].lots.append(graced)
        self._freed(use.member, self.now)

    # --- time -----------------------------------------------------------------------------------------------------

    def fall_due(self) -> None:
        while due := self._next_due():
            when, _kind, _n, act = due
            act(when)
            self.release_reserves()

    def _next_due(self) -> Due | None:
        """At one instant: activations, holds, rewards, lots."""
        found: list[Due] = []
        for name, who in self.members.items():
            for lot in who.lots:
                if lot.pending and lot.until <= self.now:
                    found.append((lot.until, 0, lot.n, partial(self._activate_lot, name, lot)))
                if lot.free and lot.expires <= self.now:
                    found.append((lot.expires, 3, lot.n, partial(self._expire_lot, lot)))
        lapsed = [hold for hold in self.holds.values() if hold.state == "open" and hold.until <= self.now]
        found += [(hold.until, 1, hold.n, partial(self._let_go, hold, "lapsed")) for hold in lapsed]
        over = [use for use in self.vouchers.values() if not use.state and use.until <= self.now]
        found += [(use.until, 2, use.n, partial(self._expire_voucher, use)) for use in over]
        return min(found, key=lambda one: one[:3], default=None)

    def _activate_lot(self, name: str, lot: Lot, at: datetime) -> None:
        lot.free, lot.pending = lot.pending, 0
        self.issue(lot, lot.free)
        self._freed(name, at)

    def _expire_lot(self, lot: Lot, _at: datetime) -> None:
        points, lot.free = lot.free, 0
        lot.past += points
        self.breakage(lot, points)

    def _expire_voucher(self, use: Use, _at: datetime) -> None:
        use.state = "expired"
        for lot, part in use.parts:
            self.breakage(lot, part, "reward_escrow")
            lot.past += part

    def _let_go(self, hold: Hold, state: str, at: datetime) -> None:
        hold.state = state
        for lot, points in hold.parts:
            lot.held -= points
            lot.free += points
        self._freed(hold.member, at)

    def _freed(self, name: str, at: datetime) -> None:
        """Something became available: what is past its last day is over, the rest repays debt, the oldest first."""
        who = self.members[name]
        for lot in who.lots:
            if lot.free and lot.expires <= at:
                self._expire_lot(lot, at)
        for debt in who.debts:
            for lot in self.usable(name, debt.currency, burn_order):
                points = min(lot.free, debt.left)
                debt.left -= points
                self._recover(lot, points, debt.issuer, debt.fees)
        who.debts = [debt for debt in who.debts if debt.left]

    def _recover(self, lot: Lot, points: int, issuer: str, fees: list[tuple[str, int]]) -> None:
        """Points are taken for a refunded issuer as if it had burned them; the fee comes back too."""
        lot.free -= points
        self.use(lot, points, issuer)
        for party, fee in fees:
            self.fee(party, -fee * points)

    # --- closes ----------------------------------------------------------------------------------------------------

    def supply(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for who in self.members.values():
            for lot in who.lots:
                found[lot.currency] = found.get(lot.currency, 0) + lot.open
        return {currency: points for currency, points in found.items() if points}

    def _close(self, failed: str | None = None) -> Dict:
        facts: Dict = {"number": self.number}
        if failed is not None:
            facts["waterfall"] = self.waterfall(failed)
            if self.standing.get(failed) != "exited":  # who has left has left
                self.standing[failed] = "suspended"
        facts["exact"] = {party: micros for party, micros in self.money.items() if micros}
        rounded = {party: half_even(micros) for party, micros in self.money.items()}
        rounded["rounding"] = -sum(rounded.values())
        facts["rounded"] = {party: micros for party, micros in rounded.items() if micros}
        for party in self.collateral:  # what a close paid stays where the next one takes from
            self.collateral[party] += rounded.get(party, 0)
        now, before = self.supply(), self.last_supply
        facts["supply"] = now
        change = {name: now.get(name, 0) - before.get(name, 0) for name in {**now, **before}}
        facts["change"] = {name: points for name, points in change.items() if points}
        facts["refers_to"] = sorted(self.referred - {self.number})
        self.last_supply, self.closed[self.number] = now, self.now
        self.number += 1
        self.money, self.fees, self.credits, self.issued, self.referred = {}, {}, {}, {}, set()
        return facts

    def state(self) -> Dict:
        """All balances, the open lots as the grammar groups them, the supply."""
        lots: dict[str, list[Dict]] = {}
        for name, who in self.members.items():
            groups: dict[tuple[str, str, str, str], Dict] = {}
            for lot in who.lots:
                if lot.open or lot.pending:
                    earned, expires = spelled(lot.earned) or "", spelled(lot.expires)
                    one = groups.setdefault(
                        (lot.currency, lot.issuer, earned, expires or ""),
                        {"currency": lot.currency, "issuer": lot.issuer, "earned_at": earned, "expires_at": expires,
                         "available": 0, "held": 0, "pending": 0},
                    )  # fmt: skip
                    one["available"] += lot.free
                    one["held"] += lot.held
                    one["pending"] += lot.pending
            lots[name] = [groups[key] for key in sorted(groups)]
        balances = {name: who.sums() for name, who in self.members.items()}
        return {"balances": balances, "lots": lots, "supply": self.last_supply}


def half_even(micros: int) -> int:
    """To the minor unit."""
    cents, rest = divmod(micros, CENT)
    return (cents + (2 * rest > CENT or (2 * rest == CENT and cents % 2 == 1))) * CENT
