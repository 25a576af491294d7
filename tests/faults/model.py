"""What RULEBOOK.md says, once more and from nothing: one history's members, lots as dicts, money by party.

Nothing of counterfoil takes part. Time is whole microseconds; what falls due happens at its instant, whether or
not a job ran. Every public method gives the facts of the answer, or raises Refused with the code.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.faults.model_words import (
    FACE,
    FEE,
    GRACE_DAYS,
    KINDS,
    NEVER,
    Dict,
    Pockets,
    Refused,
    burn_order,
    gift_order,
    local_day,
    over,
    shown,
)


@dataclass
class Model(Pockets):
    """A history's members and what may be named: sales, slips and holds."""

    taken: set[tuple[str, str, str]] = field(default_factory=set)
    earns: dict[tuple[str, str], Dict] = field(default_factory=dict)
    burns: dict[tuple[str, str], Dict] = field(default_factory=dict)
    holds: dict[str, Dict] = field(default_factory=dict)

    # --- time ------------------------------------------------------------------------------------------------

    def pass_to(self, now: int) -> None:
        self.now = now
        for who in self.members.values():
            self._due(who)

    def _due(self, who: Dict) -> None:
        while True:
            holds = [h for h in who["holds"] if h["state"] == "open" and h["until"] <= self.now]
            ends = [x["expires"] for x in who["lots"] if x["free"] and x["expires"] <= self.now]
            lapse = min(holds, key=lambda h: (h["until"], h["n"]), default=None)
            if lapse is not None and (not ends or lapse["until"] <= min(ends)):
                self._give_back(lapse, "lapsed")
                self._repay(who, lapse["until"])
            elif ends:
                for lot in who["lots"]:
                    if lot["expires"] == min(ends):
                        self._expire(lot)
            else:
                break

    def _expire(self, lot: Dict) -> None:
        points, lot["free"] = lot["free"], 0
        lot["past"] += points
        kept = FACE * points * lot["bp"] // 10_000
        self.pay("pool", "operator", kept)
        self.pay("pool", lot["issuer"], FACE * points - kept)

    def _give_back(self, hold: Dict, state: str) -> None:
        hold["state"] = state
        for lot, points in hold["parts"]:
            lot["held"] -= points
            lot["free"] += points

    def _repay(self, who: Dict, at: int) -> None:
        for debt in who["debts"]:
            for lot in self.usable(who, burn_order, at):
                points = min(lot["free"], debt["left"])
                lot["free"] -= points
                debt["left"] -= points
                self.pay("pool", debt["issuer"], FACE * points)
                self.pay("operator", debt["issuer"], FEE * points)

    def _freed(self, who: Dict) -> None:
        """Something became available: what of it is past runs out, the rest repays first."""
        self._due(who)
        self._repay(who, self.now)

    # --- the verbs -------------------------------------------------------------------------------------------

    def tried(self, verb: str, partner: str, fields: Dict) -> Dict:
        """What a dry run must say: the same, and nothing changes."""
        return copy.deepcopy(self).does(verb, partner, fields)

    def does(self, verb: str, partner: str, fields: Dict) -> Dict:
        name = (partner, KINDS.get(verb, verb), fields.get("external_id", ""))
        if name in self.taken:
            raise Refused("duplicate_external_id")
        before = dict(self.money)
        facts, extra = getattr(self, "_" + verb)(partner, dict(fields))
        if verb != "release":
            self.taken.add(name)
        if "money" not in extra:  # the verb's own entry; what it sets off stands in entries of its own
            extra["money"] = {
                party: self.money[party] - before.get(party, 0)
                for party in self.money
                if self.money[party] != before.get(party, 0)
            }
        then: Callable[[], None] | None = extra.pop("then", None)
        if then is not None:
            then()
        return {**facts, **extra, "available": self.available(facts["member"])}

    def _earn(self, partner: str, f: Dict) -> tuple[Dict, Dict]:
        who = self.who(f["member"])
        self.room(f["member"], f["points"])
        days = self.terms[partner]["valid_days"]
        end = NEVER if days is None else over(local_day(self.now) + timedelta(days=days))
        if f.get("valid_to"):
            end = over(date.fromisoformat(f["valid_to"]))
        lot = self.lot(partner, self.now, end, f["points"], self.terms[partner]["breakage_operator_bp"])
        lot["earn"] = (partner, f["external_id"])
        who["lots"].append(lot)
        self.earns[lot["earn"]] = {"member": f["member"], "points": f["points"], "refunded": 0}
        self.pay(partner, "pool", FACE * f["points"])
        self.pay(partner, "operator", FEE * f["points"])
        return {"member": f["member"], "points": f["points"]}, {"then": lambda: self._freed(who)}

    def _burn(self, partner: str, f: Dict) -> tuple[Dict, Dict]:
        used = self.drawn(self.who(f["member"]), burn_order, f["points"], "used")
        return self._burned(partner, f["member"], f["external_id"], used), {"lots": shown(used)}

    def _burned(self, partner: str, member: str, name: str, used: list[tuple[Dict, int]]) -> Dict:
        points = sum(part for _lot, part in used)
        self.burns[partner, name] = {"member": member, "used": used, "points": points, "refunded": 0}
        self.pay("pool", partner, FACE * points)
        return {"member": member, "points": points}

    def _hold(self, partner: str, f: Dict) -> tuple[Dict, Dict]:
        who = self.who(f["member"])
        parts = self.drawn(who, burn_order, f["points"], "held")
        until = self.now + f["ttl_seconds"] * 1_000_000
        self.count += 1
        hold = {"n": self.count, "partner": partner, "member": f["member"], "parts": parts, "until": until}
        who["holds"].append(hold | {"state": "open"})
        self.holds[f["external_id"]] = who["holds"][-1]
        return {"member": f["member"], "points": f["points"]}, {}

    def _capture(self, partner: str, f: Dict) -> tuple[Dict, Dict]:
        hold = self._held(partner, f["hold"])
        whole, left, used = sum(part for _lot, part in hold["parts"]), f["points"], []
        if left > whole:
            raise Refused("capture_exceeds_hold")
        self._give_back(hold, "captured")
        for lot, part in hold["parts"]:
            points = min(part, left)
            left -= points
            lot["free"] -= points
            lot["used"] += points
            if points:
                used.append((lot, points))
        facts = self._burned(partner, hold["member"], f["external_id"], used)
        who = self.members[hold["member"]]
        return facts, {"lots": shown(used), "released": whole - f["points"], "then": lambda: self._freed(who)}

    def _release(self, partner: str, f: Dict) -> tuple[Dict, Dict]:
        hold = self._held(partner, f["hold"])
        self._give_back(hold, "released")
        who, points = self.members[hold["member"]], sum(part for _lot, part in hold["parts"])
        return {"member": hold["member"], "points": points}, {"then": lambda: self._freed(who)}

    def _refund_earn(self, partner: str, f: Dict) -> tuple[Dict, Dict]:
        made = self._original(self.earns, partner, f["earn"], f["points"], "unknown_earn")
        who, left = self.members[made["member"]], f["points"]
        own = [lot for lot in who["lots"] if lot["earn"] == (partner, f["earn"])]
        mine = self.some(sorted((x for x in own if x["free"]), key=burn_order), left)
        excused = 0
        left -= mine
        for lot in own:
            points = min(lot["past"], left)
            lot["past"] -= points
            excused += points
            left -= points
        others = self.some(self.usable(who, burn_order, self.now), left)
        owed = left - others
        if owed:
            who["debts"].append({"issuer": partner, "left": owed})
        self.pay("pool", partner, FACE * (mine + others))
        self.pay("operator", partner, FEE * (mine + others))
        facts = {"member": made["member"], "points": f["points"]}
        return facts, {"recovered": mine + others, "excused": excused, "debt": owed}

    def _refund_burn(self, partner: str, f: Dict) -> tuple[Dict, Dict]:
        burn = self._original(self.burns, partner, f["burn"], f["points"], "unknown_burn", count=False)
        who, skip, left = self.members[burn["member"]], burn["refunded"], f["points"]
        self.room(burn["member"], f["points"])
        burn["refunded"] += f["points"]
        for lot, part in reversed(burn["used"]):
            points = min(part - min(skip, part), left)
            skip -= min(skip, part)
            left -= points
            lot["used"] -= points
            if lot["expires"] > self.now:
                lot["free"] += points
            elif points:
                end = over(local_day(self.now) + timedelta(days=GRACE_DAYS))
                fresh = self.lot(lot["issuer"], lot["earned"], end, points, lot["bp"])
                who["lots"].append(fresh | {"root": lot["root"], "earn": lot["earn"]})
        self.pay(partner, "pool", FACE * f["points"])
        return {"member": burn["member"], "points": f["points"]}, {"then": lambda: self._freed(who)}

    def _transfer(self, _partner: str, f: Dict) -> tuple[Dict, Dict]:
        sender, recipient = self.who(f["sender"]), self.who(f["recipient"])
        if f["points"] > self.available(f["sender"]):
            raise Refused("insufficient_points")
        self.room(f["recipient"], f["points"])
        given = self.drawn(sender, gift_order, f["points"], None)
        for lot, points in given:
            recipient["lots"].append(self.lot(lot["issuer"], lot["earned"], lot["expires"], points, lot["bp"]))
        facts = {"member": f["sender"], "points": f["points"], "recipient": f["recipient"]}
        return facts, {"lots": shown(given), "then": lambda: self._freed(recipient)}

    # --- what is named -----------------------------------------------------------------------------------------------

    def _held(self, partner: str, name: str) -> Dict:
        hold = self.holds.get(name)
        if hold is None or hold["partner"] != partner:
            raise Refused("unknown_hold")
        codes = {"captured": "already_captured", "lapsed": "hold_expired", "released": "already_released"}
        if hold["state"] in codes:
            raise Refused(codes[hold["state"]])
        return hold

    def _original(
        self, among: dict[tuple[str, str], Dict], partner: str, name: str, points: int, unknown: str, *,
        count: bool = True,
    ) -> Dict:  # fmt: skip
        made = among.get((partner, name))
        if made is None:
            raise Refused(unknown)
        if made["refunded"] + points > made["points"]:
            raise Refused("refund_exceeds_original")
        made["refunded"] += points * count
        return made
