"""Row 1, any wrong booking: random histories through the API against an independent model, checked after every step."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from counterfoil.core import legs
from counterfoil.core.entry import Move, Place
from counterfoil.core.holdings import Lot, take
from counterfoil.core.rulebook import due, refunds, verbs
from counterfoil.store import bulk, decide
from tests.faults.histories import DAY, TERMS, History, carry_out, check, text_of
from tests.faults.ledger import Ledger
from tests.faults.model import Model
from tests.faults.model_words import EPOCH, micros
from tests.faults.till import House, open_house

SEED = 20_250_101
COHORT = 50
FIRST = micros(EPOCH.replace(year=2025))


class Run:
    """Cohorts of histories, one after the other, in one set of books."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.dice, self.now = house, random.Random(seed), FIRST
        for name, terms in TERMS.items():
            house.partner(name, terms=terms)
        house.clock(text_of(FIRST))
        self.ledger = Ledger({number: name for name, number in house.numbers.items()})
        self.models: list[Model] = []
        self.closed: dict[str, int] = {}

    def cohort(self, label: int, size: int, steps: int) -> None:
        people = self.house.members(3 * size)
        histories = []
        for at in range(size):
            history = History(
                f"h{label}-{at}", random.Random(self.dice.random()), Model(TERMS, self.now), people[3 * at : 3 * at + 3]
            )
            for member in history.members:
                history.model.add(member)
            histories.append(history)
        self.models += [history.model for history in histories]
        for _step in range(steps):
            self.between(histories)
            carry_out(self.house, [(one, one.chosen()) for one in histories], self.dice)
            self.ledger.follow(self.house.engine)
            check(histories, self.ledger, self.now)
            self.shown(self.dice.choice(histories))
        self.job()

    def between(self, histories: list[History]) -> None:
        """Time passes, a job runs, a settlement closes: or none of it."""
        chance = self.dice.random()
        if chance < 0.35:
            instants = [at for one in histories for at in one.model.instants() if at > self.now]
            ahead = [self.now + step for step in (1, 1_000_000, 3_600_000_000, DAY, 9 * DAY)]
            if instants:  # often exactly when something falls due, or just before
                at = self.dice.choice(sorted(instants)[: 2 * COHORT])
                ahead += [at, at, at - 1, at + 1]
            self.now = max(self.now, self.dice.choice(ahead))
            assert self.house.clock(text_of(self.now)).status_code == 200
            for model in self.models:
                model.pass_to(self.now)
        elif chance < 0.43:
            self.job()
        elif chance < 0.46:
            self.close()

    def job(self) -> None:
        self.house.done("POST", "/v1/jobs/expire")
        assert self.house.done("POST", "/v1/jobs/expire")["members"] == 0, "a second run found something"
        self.ledger.follow(self.house.engine)
        assert self.ledger.by_name() == self.money(), "money by party"

    def close(self) -> None:
        shown = self.house.done("POST", "/v1/settlements")
        self.ledger.follow(self.house.engine)
        money = self.money()
        change = {name: money.get(name, 0) - self.closed.get(name, 0) for name in money}
        assert {name: net for name, net in shown["exact"].items() if net} == {n: c for n, c in change.items() if c}
        supply = sum(m.available(who) + m.held(who) for m in self.models for who in m.members)
        assert shown["supply"].get("CP", 0) == supply
        self.closed = money

    def money(self) -> dict[str, int]:
        total: dict[str, int] = {}
        for model in self.models:
            for name, net in model.money.items():
                total[name] = total.get(name, 0) + net
        return {name: net for name, net in total.items() if net}

    def shown(self, history: History) -> None:
        """The API's own view of one member."""
        name, model = history.dice.choice(history.members), history.model
        available, debt = model.available(name), model.debt(name)
        told = {"available": available, "held": model.held(name), "debt": debt, "balance": available - debt}
        balance = self.house.balance(name)
        assert {fact: balance[fact] for fact in told} == told
        lots = self.house.done("GET", f"/v1/members/{name}/lots")["data"]
        assert sum(one["available"] for one in lots) == available
        assert sum(one["held"] for one in lots) == model.held(name)


def test_500_histories_of_50_steps_book_what_the_model_says(
    database_url: str, tmp_path: Path, times: Callable[[int, int], int]
) -> None:
    """250 on each database in the gate, 5,000 of 100 steps with --long."""
    with open_house(tmp_path / "home", database_url) as house:
        run = Run(house, SEED)
        for label in range(times(250, 5_000) // COHORT):
            run.cohort(label, COHORT, times(50, 100))


def wrong_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Oldest first instead of earliest expiry first."""
    monkeypatch.setattr(Lot, "burn_key", Lot.gift_key)


def fee_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refund leaves the fee with the operator."""
    plain: Any = legs._legs

    def kept(*of: Any) -> Any:
        return (leg for leg in plain(*of) if not (of[0].verb.name == "REFUND_EARN" and leg[0] == legs._OPERATOR))

    monkeypatch.setattr(legs, "_legs", kept)


def debts_never_repaid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that becomes available repays a debt."""
    monkeypatch.setattr(due, "_repay", lambda *_of: None)


def grace_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refunds, "GRACE_DAYS", 29)


def first_used_first(monkeypatch: pytest.MonkeyPatch) -> None:
    plain: Any = refunds._last_first
    monkeypatch.setattr(refunds, "_last_first", lambda used, skip, points: plain(used[::-1], skip, points))


def off_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member may use one point more than there is, out of nothing."""

    def generous(lots: list[Lot], points: int, target: Place) -> tuple[Move, ...]:
        return tuple(take(lots, min(points, sum(lot.available for lot in lots)), Place.AVAILABLE, target))

    monkeypatch.setattr(verbs, "from_lots", generous)


def sums_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Held points are forgotten in the member's stored sums."""
    plain: Any = bulk.update

    def skipping(connection: Any, table: Any, keys: Any, columns: Any, rows: Any) -> None:
        if table.name == "member":
            rows = [(row[0], row[1] + row[2], 0, *row[3:]) for row in rows]
        plain(connection, table, keys, columns, rows)

    monkeypatch.setattr(bulk, "update", skipping)


def dry_run_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run shows one point too many."""
    plain: Any = decide.decide

    def other(desk: Any, op: Any) -> Any:
        answer = plain(desk, op)
        if op.dry_run and answer.ok:
            facts = {**answer.facts, "available": answer.facts["available"] + 1}
            return replace(answer, json=json.dumps(facts).encode())
        return answer

    monkeypatch.setattr("counterfoil.store.posting.decide", other)


PLANTED = [
    wrong_order,
    fee_kept,
    debts_never_repaid,
    grace_forgotten,
    first_used_first,
    off_by_one,
    sums_not_kept,
    dry_run_differs,
]


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_canary_a_planted_rule_is_caught(
    plant: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_house(tmp_path / "home", f"sqlite:///{tmp_path / 'books.db'}") as house:
        run = Run(house, SEED)
        plant(monkeypatch)
        with pytest.raises(AssertionError):
            run.cohort(0, 10, 60)


def test_without_a_plant_the_same_run_passes(tmp_path: Path) -> None:
    with open_house(tmp_path / "home", f"sqlite:///{tmp_path / 'books.db'}") as house:
        Run(house, SEED).cohort(0, 10, 60)


def test_the_test_clock_rules_after_a_first_refusal_or_dry_run(tmp_path: Path) -> None:
    """Before the first entry the clock may be set anywhere: what was only tried before is no entry."""
    with open_house(tmp_path / "home", f"sqlite:///{tmp_path / 'books.db'}") as house:
        house.partner("A")
        earn = {"external_id": "e", "member": house.member(), "points": 5}
        assert house.send("A", "earn", {**earn, "dry_run": True}, None).status_code == 200
        assert house.clock(text_of(FIRST)).status_code == 200
        assert house.send("A", "earn", earn, "k").json()["at"] == text_of(FIRST)
