"""What a scenario's next step may ask for: arguments drawn by dice, plausible as the model stands. See scenarist.py."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from tests.story.rulebook import Rulebook
from tests.story.rulebook_words import COALITION, Dict, day_of, instant, spelled


class Whims:
    """One method per verb: its arguments, or None where nothing can be named yet."""

    dice: random.Random
    start: Dict
    model: Rulebook
    now: datetime
    steps: list[Dict]
    coming: list[Dict]
    own: dict[str, str]
    refs: int

    # --- what may be named ----------------------------------------------------------------------------------------

    def _ref(self, letter: str) -> str:
        self.refs += 1
        return f"{letter}{self.refs}"

    def _partner(self) -> str:
        return str(self.dice.choice(self.start["partners"]))

    def _member(self) -> str:
        alive = [name for name, who in self.model.members.items() if not who.erased]
        return str(self.dice.choice(alive if alive and self.dice.random() < 0.95 else self.start["members"]))

    def _one(self, among: Any) -> Any:
        """Rather one of the last."""
        listed = list(among)
        if not listed:
            return None
        return self.dice.choice(listed[-6:] if self.dice.random() < 0.7 else listed)

    def _points(self, most: int = 100) -> int:
        return self.dice.choice([1, 7, most, most, self.dice.randint(1, 200), self.dice.randint(1, max(1, most))]) or 1

    # --- the verbs ------------------------------------------------------------------------------------------------

    def _job(self) -> Dict:
        return {}

    def _earn(self) -> Dict:
        dice = self.dice
        if self.coming and dice.random() < 0.3:
            return self.coming.pop(0)
        args: Dict = {"ref": self._ref("e"), "partner": self._partner(), "member": self._member()}
        args["points"] = dice.choice([100, dice.randint(1, 300), dice.randint(1, 300)])
        sold = self.now
        if dice.random() < 0.2:
            sold = max(self.now - timedelta(seconds=dice.randint(0, 40 * 86_400)), instant("2025-10-20T00:00:00Z"))
            sold = self.now + timedelta(seconds=1) if dice.random() < 0.05 else sold
            args["occurred_at"] = spelled(sold)
        if dice.random() < 0.25:
            args["valid_to"] = str(day_of(sold, self.model.zone) + timedelta(days=dice.choice([0, 1, 5, 15, 30, 90])))
        if dice.random() < 0.15:
            args["pending_days"] = dice.choice([0, 1, 5, 14])
        if self.own and dice.random() < 0.3:
            args["currency"] = dice.choice(list(self.own))
            if dice.random() < 0.9:
                args["partner"] = self.own[args["currency"]]
        elif "promotions" in self.start and dice.random() < 0.3:
            args["promotion"] = dice.choice(list(self.start["promotions"]))
            args["bonus"] = dice.choice([1, 10, dice.randint(1, 100)])
        return args

    def _park(self) -> Any:
        made = self._earn()
        if made["ref"] in self.model.later:
            return ("earn", made)
        self.coming.append(made)
        self.model.later[made["ref"]] = made["partner"]
        points = self.dice.choice([made["points"], self.dice.randint(1, made["points"]), made["points"] + 200])
        return ("refund_earn", {"ref": self._ref("r"), "earn": made["ref"], "points": points})

    def _refund_earn(self) -> Any:
        sale = self._one(self.model.sales)
        if sale is None:
            return None
        made = self.model.sales[sale]
        points = self._points(made["points"] - made["refunded"])
        return {"ref": self._ref("r"), "earn": sale, "points": points}

    def _burn(self) -> Dict:
        member = self._member()
        args = {"ref": self._ref("b"), "partner": self._partner(), "member": member}
        if self.own and self.dice.random() < 0.2:
            args["currency"] = self.dice.choice(list(self.own))
            args["partner"] = self.own[args["currency"]] if self.dice.random() < 0.9 else args["partner"]
        return {**args, "points": self._points(self.model.free(member, args.get("currency", COALITION)))}

    def _refund_burn(self) -> Any:
        burn = self._one(self.model.burns)
        if burn is None:
            return None
        made = self.model.burns[burn]
        return {"ref": self._ref("r"), "burn": burn, "points": self._points(made.points - made.refunded)}

    def _hold(self) -> Dict:
        member = self._member()
        return {
            "ref": self._ref("h"), "partner": self._partner(), "member": member,
            "points": self._points(self.model.free(member, COALITION)),
            "ttl_seconds": self.dice.choice([60, 3_600, 86_400, 20 * 86_400]),
        }  # fmt: skip

    def _capture(self) -> Any:
        hold = self._one(self.model.holds)
        if hold is None:
            return None
        whole = sum(part for _lot, part in self.model.holds[hold].parts)
        return {"ref": self._ref("c"), "hold": hold, "points": self._points(whole)}

    def _release(self) -> Any:
        hold = self._one(self.model.holds)
        return hold and {"hold": hold}

    def _transfer(self) -> Dict:
        sender, recipient = self._member(), self._member()
        points = self._points(self.model.free(sender, COALITION))
        return {"ref": self._ref("t"), "sender": sender, "recipient": recipient, "points": points}

    def _edges(self) -> list[Dict]:
        dice = self.dice
        edges = [
            {"src": "XX", "dst": "YY", "in": 5, "out": 4, "increment": 5, "price_micros": 9_501, "fee_bp": 101},
            {"src": "YY", "dst": "XX", "in": 1, "out": dice.choice([1, 1, 1, 2]), "increment": dice.choice([1, 3]),
             "price_micros": 8_000, "fee_bp": 0},
            {"src": "XX", "dst": COALITION, "in": 2, "out": 1, "increment": 2, "price_micros": 0, "fee_bp": 0},
            {"src": COALITION, "dst": "YY", "in": 3, "out": 2, "increment": 3, "price_micros": 0, "fee_bp": 0},
        ]  # fmt: skip
        return edges if dice.random() < 0.8 else edges[:2]

    def _publish_rates(self) -> Any:
        return {"edges": self._edges()} if self.own else None

    def _swap(self) -> Dict:
        src, dst = self.dice.choice(
            [("XX", "YY"), ("YY", "XX"), ("XX", COALITION), (COALITION, "YY"), ("YY", COALITION)]
        )
        member = self._member()
        return {"member": member, "src": src, "dst": dst, "points": self._points(self.model.free(member, src))}

    def _quote(self) -> Any:
        return (
            {"ref": self._ref("q"), **self._swap(), "ttl_seconds": self.dice.choice([1, 300, 90_000])}
            if self.own
            else None
        )

    def _exchange(self) -> Any:
        if not self.own:
            return None
        quote = self._one(self.model.quotes)
        if quote and self.dice.random() < 0.5:
            return {"ref": self._ref("x"), "quote": quote}
        return {"ref": self._ref("x"), **self._swap()}

    def _buy_reward(self) -> Dict:
        return {
            "ref": self._ref("v"),
            "member": self._member(),
            "reward": self.dice.choice(list(self.start["rewards"])),
        }

    def _use_reward(self) -> Any:
        voucher = self._one(self.model.vouchers)
        if voucher is None:
            return None
        partner = self.model.vouchers[voucher].partner if self.dice.random() < 0.85 else self._partner()
        return {"voucher": voucher, "partner": partner}

    def _refund_reward(self) -> Any:
        voucher = self._one(self.model.vouchers)
        return voucher and {"ref": self._ref("r"), "voucher": voucher}

    def _request_erasure(self) -> Any:
        alive = [name for name, who in self.model.members.items() if not who.erased and not who.asked]
        return {"member": self.dice.choice(alive)} if len(alive) > 1 else None

    def _erase(self) -> Any:
        asked = [name for name, who in self.model.members.items() if who.asked and not who.erased]
        if not asked:
            return None
        if self.dice.random() < 0.7:
            self.now += timedelta(days=30)
        return {"member": self.dice.choice(asked)}

    def _dispute(self) -> Any:
        burn = self._one(self.model.burns)
        return burn and {"burn": burn}

    def _rule(self) -> Any:
        burn = self._one([name for name, use in self.model.burns.items() if use.state or self.dice.random() < 0.05])
        return burn and {"burn": burn, "valid": self.dice.random() < 0.4}

    def _buy_pack(self) -> Any:
        partner = self._partner()
        plain = [one.issuance_bp == 10_000 for one in self.model.contracts[partner]]
        if not all(plain) or partner in self.model.standing:
            return None
        return {"partner": partner, "points": self.dice.randint(50, 400), "alert_at": self.dice.choice([20, 100]),
                "reserve": self.dice.choice([0, 60])}  # fmt: skip

    def _suspend(self) -> Any:
        partner = self._partner()
        return None if partner in self.model.standing else {"partner": partner}

    def _reinstate(self) -> Any:
        out = [name for name, state in self.model.standing.items() if state == "suspended"]
        return {"partner": self.dice.choice(out)} if out else None

    def _exit_partner(self) -> Any:
        partner = self._partner()
        if partner in self.model.standing or self.dice.random() < 0.5:
            return None
        return {"partner": partner, "breakage_bp": self.dice.choice([0, 1_000, 3_333])}

    def _dividend(self) -> Any:
        for name, estate in self.model.estates.items():
            if estate.claim and name in self.model.standing:
                return {"partner": name, "bp": self.dice.choice([1_000, 4_000])}
        return None

    def _again(self) -> Any:
        """The same sale number once more, under a key of its own."""
        done = [one for one in self.steps if one["do"] in {"earn", "burn", "refund_earn", "refund_burn", "transfer"}]
        found = self._one(done)
        return found and (found["do"], found["args"])

    def _wrong(self) -> Any:
        member = self._member()
        return self.dice.choice([
            ("burn", {"ref": self._ref("b"), "partner": "A", "member": member, "points": 0}),
            ("earn", {"ref": self._ref("e"), "partner": "A", "member": "nobody", "points": 1}),
            ("refund_earn", {"ref": self._ref("r"), "earn": "none", "points": 1}),
            ("refund_burn", {"ref": self._ref("r"), "burn": "none", "points": 1}),
            ("release", {"hold": "none"}),
            ("transfer", {"ref": self._ref("t"), "sender": member, "recipient": member, "points": 1}),
        ])  # fmt: skip
