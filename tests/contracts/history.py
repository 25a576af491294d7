"""One random step after another on a programme, each foretold by a model; `look` holds every invariant."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

from eth_tester.exceptions import TransactionFailed

from tests.contracts.claims import REF, Tree, Wallets, member
from tests.contracts.model import Model
from tests.contracts.programme import (
    ANSWER,
    BOND,
    FLOOR,
    OPERATOR_ID,
    PARTNERS,
    WINDOW,
    Header,
    Programme,
    ids,
    supply,
    words,
)
from tests.contracts.test_challenge import challenging, confirming
from tests.contracts.test_collateral import NONE, requesting

MEMBERS_OUT = 3
TO = "0x" + "88" * 20


@dataclass
class History:
    """`step` does one thing that the model says is possible, or sees it refused where it is not."""

    programme: Programme
    draw: random.Random
    model: Model
    done: set[str] = field(default_factory=set)
    header: Header | None = None  # that stands
    next: dict[str, Any] = field(default_factory=dict)  # what it brings
    tree: Tree | None = None  # of the last final header
    tree_next: Tree | None = None

    STEPS: ClassVar[tuple[str, ...]] = (
        "propose", "finalize", "deposit", "challenge", "confirm", "void", "request", "withdraw", "claim", "give_back",
        "redeem", "pause",
    )  # fmt: skip
    CALLS: ClassVar[tuple[str, ...]] = (
        "propose", "finalize", "depositCollateral", "challenge", "confirm", "uphold", "requestCollateral",
        "withdrawCollateral", "claimMany", "giveBack", "redeem", "pause",
    )  # fmt: skip
    WEIGHTS: ClassVar[tuple[int, ...]] = (8, 12, 1, 3, 3, 2, 3, 4, 6, 4, 2, 1)

    def step(self) -> None:
        kind = self.draw.choices(self.STEPS, self.WEIGHTS)[0]
        act: Callable[[], bool] = getattr(self, kind)
        if act():
            self.done.add(kind)
            self.model.noted(kind)

    def insist(self, kind: str) -> None:
        """The same step until it is one that the model calls possible: who and how much are drawn each time."""
        for _ in range(20):
            if getattr(self, kind)():
                self.done.add(kind)
                self.model.noted(kind)
                return
        raise LookupError(kind)

    def send(self, call: Any, by: str | None = None) -> None:
        try:
            self.programme.chain.send(call, by or self.programme.anyone)
        except TransactionFailed as error:
            raise AssertionError(f"refused: {error}") from error

    def refuses(self, call: Any, by: str | None = None) -> bool:
        with suppress(TransactionFailed):
            self.programme.chain.send(call, by or self.programme.anyone)
            raise AssertionError("taken, though the model says it cannot be")
        return False

    def active(self) -> list[int]:
        return [n for n in PARTNERS if n not in self.model.suspended]

    def signers(self) -> list[int]:
        able = self.active()
        return sorted(self.draw.sample(able, -(-2 * len(able) // 3)))

    def propose(self) -> bool:
        m, p = self.model, self.programme
        if self.header is not None or not self.active():
            return self.refuses(p.proposing(p.header(), b""), p.operator)
        payer = self.draw.choice([n for n in m.collateral if m.collateral[n]])
        payee = self.draw.choice([n for n in m.collateral if n != payer])
        amount = self.draw.randint(1, min(m.collateral[payer], self.draw.choice((50, 3_000, 10_000))))
        nets = dict(sorted({payer: -amount, payee: amount}.items()))
        low = [payer] if payer in PARTNERS and m.collateral[payer] - amount < FLOOR else []
        more = {who: m.cumulative.get(who, 0) + self.draw.randint(0, 90) for who in range(MEMBERS_OUT)}
        grown = {who: amount for who, amount in more.items() if amount}
        tree = Tree([(member(who), 1, amount) for who, amount in grown.items()]) if grown else None
        returned = self.draw.randint(m.returned, m.given_back[1])
        w, c = sum(grown.values()), self.draw.randrange(10**6)
        header = p.header(
            gross=words(nets), positions=words(nets), defaults=ids(*low), logSize=p.read("logSize") + self.draw.randrange(3),
            claimRoot=tree.root if tree else bytes(32), supply=supply((1, c, w, returned), (7, c)),
        )  # fmt: skip
        assert (header["number"], header["attempt"]) == (m.number + 1, m.attempt)
        self.send(p.proposing(header, p.sign(header, *self.signers())), p.operator)
        self.header, self.tree_next = header, tree
        self.next = {"low": low, "cumulative": grown, "custody": c, "withdrawn": w, "returned": returned}
        m.nets = nets
        return True

    def finalize(self) -> bool:
        m, p = self.model, self.programme
        call = p.settlement.functions.finalize(tuple((self.header or p.header()).values()))
        if self.header is None or m.challenger:
            return self.refuses(call)
        if p.chain.now() < p.read("proposal")[2] + WINDOW:
            self.refuses(call)
            p.chain.wait(WINDOW)
        if p.chain.now() < p.read("pausedUntil"):
            self.refuses(call)
            p.chain.tester.time_travel(p.read("pausedUntil"))
        self.send(call)
        for party, net in m.nets.items():
            m.collateral[party] += net
        m.suspended |= {n for n in self.next["low"] if m.collateral[n] < FLOOR}
        m.number, m.attempt = m.number + 1, 1
        m.cumulative, m.custody = self.next["cumulative"], self.next["custody"]
        m.withdrawn, m.returned = self.next["withdrawn"], self.next["returned"]
        self.header, self.tree = None, self.tree_next
        self.model.noted("applied")
        m.nets = {}
        return True

    def deposit(self) -> bool:
        party, amount = self.draw.choice((OPERATOR_ID, *PARTNERS)), self.draw.randint(1, 2 * FLOOR)
        self.programme.deposit(party, amount)
        self.model.collateral[party] += amount
        return True

    def challenge(self) -> bool:
        m, p, who = self.model, self.programme, self.draw.choice(PARTNERS)
        by = p.signer(who)
        call = challenging(p, self.header or p.header(), who)
        once = (m.number, m.attempt, who)
        late = self.header is None or p.chain.now() + 1 >= p.read("proposal")[2] + WINDOW
        if self.header is None or m.challenger or late or once in m.challenged or m.free(who) < BOND:
            return self.refuses(call, by)
        self.send(call, by)
        m.challenged.add(once)
        m.challenger, m.bond = who, BOND
        m.collateral[who] -= BOND
        return True

    def confirm(self) -> bool:
        m, p = self.model, self.programme
        call = confirming(p, self.header or p.header(), m.challenger, *self.signers() or PARTNERS)
        if not m.challenger or p.chain.now() + 1 >= p.read("challenger")[1]:
            return self.refuses(call)
        self.send(call)
        m.challenger, m.bond = 0, 0
        m.collateral[OPERATOR_ID] += BOND
        return True

    def void(self) -> bool:
        m, p = self.model, self.programme
        upholding = p.settlement.functions.uphold()
        if not m.challenger:
            return self.refuses(upholding)
        if self.draw.random() < 0.5:
            self.send(p.settlement.functions.concede(), p.operator)
        else:
            p.chain.wait(ANSWER)
            self.send(upholding)
        m.collateral[m.challenger] += m.bond
        m.challenger, m.bond, m.attempt = 0, 0, m.attempt + 1
        self.header, m.nets = None, {}
        return True

    def request(self) -> bool:
        m, p, who = self.model, self.programme, self.draw.choice(PARTNERS)
        amount = self.draw.randint(1, 6_000)
        self.send(requesting(p, who, amount, TO), p.signer(who))
        m.requests[who] = (amount, m.number + 1)
        return True

    def withdraw(self) -> bool:
        m, p = self.model, self.programme
        who = self.draw.choice(list(m.requests) or list(PARTNERS))
        call = p.settlement.functions.withdrawCollateral(who, tuple((self.header or NONE).values()))
        amount, number = m.requests.get(who, (0, 0))
        amount = min(amount, m.free(who))
        if not amount or m.number < number:
            return self.refuses(call)
        self.send(call)
        m.requests[who] = (m.requests[who][0] - amount, number)
        m.collateral[who] -= amount
        m.paid_out += amount
        return True

    def claim(self) -> bool:
        m, p = self.model, self.programme
        who = self.draw.randrange(MEMBERS_OUT)
        if who not in m.cumulative or self.tree is None:
            return self.refuses(p.settlement.functions.claimMany([(member(who), 1, 5, [])]))
        leaf = (member(who), 1, m.cumulative[who])
        new = m.cumulative[who] - m.claimed.get(who, 0)
        self.send(Wallets(p, self.tree).claiming(leaf))  # again and again: it pays once
        m.held[who] = m.held.get(who, 0) + new
        m.claimed[who] = m.cumulative[who]
        return new > 0

    def give_back(self) -> bool:
        return self._back(lambda amount: self.programme.settlement.functions.giveBack(1, amount, REF))

    def redeem(self) -> bool:
        partner = self.draw.choice(self.active() or PARTNERS)
        call = self.programme.settlement.functions.redeem
        return self._back(lambda amount: call(1, partner, amount, REF)) if self.active() else False

    def _back(self, call: Callable[[int], Any]) -> bool:
        m, who = self.model, self.draw.randrange(MEMBERS_OUT)
        Wallets(self.programme, Tree([(member(who), 1, 1)])).fund(who)
        held = m.held.get(who, 0)
        if not held:
            return self.refuses(call(1), member(who))
        self.refuses(call(held + 1), member(who))
        amount = self.draw.randint(1, held)
        self.send(call(amount), member(who))
        m.held[who] -= amount
        m.given_back[1] += amount
        return True

    def pause(self) -> bool:
        p, last = self.programme, self.programme.read("pausedUntil")
        call = p.settlement.functions.pause()
        if last and p.chain.now() + 1 < last + 7 * 86_400:
            return self.refuses(call, p.read("guardian"))
        self.send(call, p.read("guardian"))
        if self.header is None:
            self.refuses(p.proposing(p.header(), b""), p.operator)
        p.chain.tester.time_travel(p.read("pausedUntil"))
        return True

    def look(self) -> None:
        """The contract against the model, and the invariants against the contract alone."""
        m, p = self.model, self.programme
        assert {party: p.read("collateral", party) for party in m.collateral} == m.collateral
        assert {n for n in PARTNERS if p.read("suspended", n)} == m.suspended
        total = p.read("totalCollateral")
        assert sum(m.collateral.values()) + m.bond == total <= p.money.functions.balanceOf(p.settlement.address).call()
        assert p.money.functions.balanceOf(TO).call() == m.paid_out
        assert (p.read("lastNumber"), p.read("nextAttempt"), p.read("challenger")[0]) == (
            m.number,
            m.attempt,
            m.challenger,
        )
        points = p.points().functions
        assert p.read("totals", 1) == [m.withdrawn, m.returned, m.given_back[1]]
        assert points.totalSupply().call() == m.custody + m.withdrawn - m.returned
        assert points.balanceOf(points.address).call() == m.custody + m.given_back[1] - m.returned
        assert points.balanceOf(p.settlement.address).call() == m.withdrawn - sum(m.claimed.values())
        for who in range(MEMBERS_OUT):
            assert p.read("claimed", member(who), 1) == m.claimed.get(who, 0)
            assert points.balanceOf(member(who)).call() == m.held.get(who, 0)
