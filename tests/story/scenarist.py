"""Scenario files out of a seed: a coalition's start and some sixty steps, with what the second rulebook expects of each."""

from __future__ import annotations

import json
import random
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.story.rulebook import Rulebook
from tests.story.rulebook_whims import Whims
from tests.story.rulebook_words import Dict, day_of, instant, midnight, spelled

ZONES = ["Europe/Warsaw", "America/New_York", "Asia/Kolkata", "UTC", "Pacific/Auckland"]
BEGIN = "2025-12-01T10:00:00Z"
TERMS: list[Dict] = [
    {},
    {"fee_refundable": False},
    {"funding": "redemption"},
    {"funding": "redemption", "fee": 500, "valid_days": 40},
    {"funding": "share", "issuance_bp": 3_000, "valid_days": 25},
    {"breakage_operator_bp": 3_333, "valid_days": 10},
    {"valid_days": None, "pending_days": 3},
    {"valid_days": 20, "pending_days": 7, "breakage_operator_bp": 5_000},
    {"valid_days": 0},
    {"face": 12_300, "fee": 800},
]
UNEVEN: list[Dict] = [{"face": 12_345, "fee": 777}, {"funding": "share", "issuance_bp": 3_333, "face": 9_999}]
WEIGHTS = {
    "earn": 22, "burn": 14, "refund_earn": 9, "refund_burn": 7, "hold": 6, "capture": 4, "release": 2, "transfer": 5,
    "expire": 1, "activate": 1, "quote": 1, "exchange": 3, "publish_rates": 1, "buy_reward": 3, "use_reward": 2,
    "refund_reward": 2, "request_erasure": 1, "erase": 1, "dispute": 2, "rule": 2, "buy_pack": 1, "suspend": 1,
    "reinstate": 2, "exit_partner": 1, "park": 1, "again": 2, "wrong": 2, "dividend": 1,
}  # fmt: skip


class Scenarist(Whims):
    """Makes one scenario: every choice is drawn from the seed, every expectation from the model."""

    def __init__(self, seed: int, steps: int = 50, closes: int = 2) -> None:
        self.dice = random.Random(seed)
        self.seed, self.length, self.closes = seed, steps, closes
        self.start = self._start()
        self.model = Rulebook(self.start, [])
        self.now = instant(BEGIN)
        self.steps: list[Dict] = []
        self.refs = 0
        self.coming: list[Dict] = []  # sales whose refund came first
        self.own = dict(self.start.get("currencies", {}))

    def _start(self) -> Dict:
        dice = self.dice
        partners, members = ["A", "B", "C", "D"], ["M", "N", "O"][: dice.randint(2, 3)]
        start: Dict = {"zone": dice.choice(ZONES), "partners": partners, "members": members}
        if dice.random() < 0.5:
            start["currencies"] = {"XX": "B", "YY": "C"}
        terms = TERMS + UNEVEN
        if dice.random() < 0.6:  # each funder's part of a point comes out even: how a rest is spread is not said
            terms = TERMS
            start["promotions"] = {
                "half": {"A": 5_000, "operator": 5_000},
                "thirds": {"A": 3_300, "B": 3_400, "C": 3_300},
            }
        start["contracts"] = {name: self._terms(terms) for name in partners if dice.random() < 0.7}
        start["rewards"] = {
            "coffee": {"points": 50, "cost_micros": 400_000, "partner": "B", "valid_days": 10},
            "dear": {"points": 30, "cost_micros": 900_007, "partner": "C", "valid_days": 3},
        }
        if dice.random() < 0.4:
            start |= {"transfer_daily_points": 150, "transfer_daily_count": 2}
        if dice.random() < 0.5:
            start |= {
                "collateral": {"A": dice.choice([0, 300_000, 2_000_000])},
                "first_loss": dice.choice([0, 700_000]),
            }
        return start

    def _terms(self, terms: list[Dict]) -> Any:
        dice = self.dice
        if dice.random() < 0.2:
            since = instant(BEGIN) + timedelta(days=dice.randint(-20, 20), seconds=dice.randint(0, 86_399))
            return [dice.choice(terms), {**dice.choice(terms), "since": spelled(since)}]
        return dice.choice(terms)

    # --- the story ------------------------------------------------------------------------------------------------

    def scenario(self) -> Dict:
        """The whole of it."""
        verbs, weights = list(WEIGHTS), list(WEIGHTS.values())
        if "currencies" in self.start:
            self._put("publish_rates", {"edges": self._edges()})
        marks = {self.length * (place + 1) // self.closes for place in range(self.closes)}
        for place in range(1, self.length + 1):
            self._wait()
            args = None
            while args is None:
                verb = self.dice.choices(verbs, weights)[0]
                args = getattr(self, f"_{verb}", self._job)()
            verb, args = args if isinstance(args, tuple) else (verb, args)
            self._put(verb, args)
            while place == self.length and self.coming:
                self._put("earn", self.coming.pop())
            if place in marks:
                self._close(last=place == self.length)
        return {"id": f"W{self.seed}", "start": self.start, "steps": self.steps}

    def _put(self, verb: str, args: Dict) -> None:
        step: Dict = {"do": verb, "at": spelled(self.now), "args": args}
        if verb == "earn":
            self.model.later.setdefault(args["ref"], args["partner"])
        self.steps.append({**step, **self.model.step(step)})

    def _close(self, *, last: bool) -> None:
        """Who owes more than its collateral has failed: the chain would not take its word. So may another."""
        self.model.now = self.now
        self.model.fall_due()
        owing = {p: -self.model.money.get(p, 0) for p in self.start["partners"] if self.model.money.get(p, 0) < 0}
        broke = [p for p, micros in owing.items() if micros > self.model.collateral.get(p, micros)]
        if not broke and not last and self.dice.random() < 0.2:
            broke = [p for p in owing if p not in self.model.standing][:1]
        self._put("close", {"failed": broke[0]} if broke else {})

    def _wait(self) -> None:
        dice = self.dice
        kind = dice.random()
        if kind < 0.45:
            return
        if kind < 0.65:
            self.now += timedelta(seconds=dice.randint(1, 5_000))
        elif kind < 0.8:
            self.now += timedelta(days=dice.randint(1, 4), seconds=dice.randint(0, 86_399))
        elif kind < 0.86:
            self.now += timedelta(days=dice.randint(5, 25))
        elif kind < 0.92:
            self.now = midnight(day_of(self.now, self.model.zone) + timedelta(days=dice.randint(1, 3)), self.model.zone)
        else:
            whens = [hold.until for hold in self.model.holds.values() if hold.state == "open"]
            whens += [lot.expires for who in self.model.members.values() for lot in who.lots if lot.free]
            soon = min((when for when in whens if when > self.now), default=self.now)
            if soon < self.now + timedelta(days=60):
                self.now = max(self.now, soon - timedelta(seconds=dice.randint(0, 1)))


def written(folder: Path, seed: int, steps: int = 50, closes: int = 2) -> Path:
    """A scenario as a file."""
    path = folder / f"{seed}.json"
    path.write_text(json.dumps({"scenarios": [Scenarist(seed, steps, closes).scenario()]}), encoding="utf-8")
    return path


if __name__ == "__main__":  # FOLDER FIRST [LAST]
    for number in range(int(sys.argv[2]), int(sys.argv[-1]) + 1):
        print(written(Path(sys.argv[1]), number))
