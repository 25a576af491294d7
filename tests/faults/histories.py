"""Random histories in step: each has members of its own and a model; all share the clock, and one batch a step."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.faults.ledger import Ledger
from tests.faults.model import Model
from tests.faults.model_words import EPOCH, MOST, Dict, Refused, local_day
from tests.faults.till import House, place

DAY = 86_400 * 1_000_000
TERMS: dict[str, Dict] = {
    "A": {"valid_days": 30, "breakage_operator_bp": 0},
    "B": {"valid_days": 365, "breakage_operator_bp": 2_500},
    "C": {"valid_days": None, "breakage_operator_bp": 3_333},
}
_VERBS = {
    "earn": 6, "burn": 4, "hold": 4, "capture": 3, "release": 2, "refund_earn": 4, "refund_burn": 3,
    "transfer": 3, "replay": 2, "reuse": 1,
}  # fmt: skip


@dataclass
class Sent:
    """An operation that went out, and what must come back."""

    verb: str
    partner: str
    fields: Dict
    key: str | None
    expected: Dict | str  # facts, or the code of a refusal
    replayed: bool = False
    body: Dict = field(default_factory=dict)

    def operation(self) -> Dict:
        named = {"verb": self.verb, "as": self.partner, **self.fields}
        return named if self.key is None else {**named, "key": self.key}


@dataclass
class History:
    """One history: what it may name next, and every operation so far."""

    name: str
    dice: random.Random
    model: Model
    members: list[str]
    sent: list[Sent] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)  # a hold's public id by external id
    counter: Iterator[int] = field(default_factory=itertools.count)

    def chosen(self) -> list[Sent]:
        """The next operation with its expectation; now and then with a dry run of the same before it."""
        verb = self.dice.choices(list(_VERBS), list(_VERBS.values()))[0]
        if verb in {"replay", "reuse"}:
            keyed = [one for one in self.sent if one.key is not None]
            if keyed:
                return [self._again(self.dice.choice(keyed), other=verb == "reuse")]
            verb = "earn"
        partner = self.dice.choice(list(TERMS))
        fields = self._fields(verb, partner)
        partner = fields.pop("partner", partner)
        tried = []
        if self.dice.random() < 0.15:
            expected = self._asked(self.model.tried, verb, partner, fields)
            tried = [Sent(verb, partner, {**fields, "dry_run": True}, None, expected)]
        key = f"{self.name}-{next(self.counter)}"
        return [*tried, Sent(verb, partner, fields, key, self._asked(self.model.does, verb, partner, fields))]

    def _asked(self, ask: Any, verb: str, partner: str, fields: Dict) -> Dict | str:
        named = dict(fields)
        if "hold" in named:  # the model knows a hold by its external id
            known = {public: name for name, public in self.ids.items()}
            named["hold"] = known.get(named["hold"], "")
        try:
            facts: Dict = ask(verb, partner, named)
        except Refused as refused:
            return str(refused)
        return facts

    def _again(self, one: Sent, *, other: bool) -> Sent:
        if not other:
            return Sent(one.verb, one.partner, one.fields, one.key, one.expected, replayed=True, body=one.body)
        fields = dict(one.fields)
        if "points" in fields:
            fields["points"] += -1 if fields["points"] > 1 else 1
        else:
            fields["hold"] = f"hld_{self.dice.randrange(2**62):016x}"
        return Sent(one.verb, one.partner, fields, one.key, "idempotency_key_reused")

    def _fields(self, verb: str, partner: str) -> Dict:
        dice, model = self.dice, self.model
        fields: Dict = {"external_id": self._external(partner, verb)}
        if verb in {"earn", "burn", "hold"}:
            fields["member"] = self._member()
        if verb == "earn":
            fields["points"] = self._points(1_000)
            if dice.random() < 0.35:
                days = dice.choice([-400, -1, 0, 0, 1, 2, 7])
                fields["valid_to"] = str(local_day(model.now) + timedelta(days=days))
        elif verb in {"burn", "hold"}:
            fields["points"] = (
                self._points(model.available(fields["member"])) if fields["member"] in model.members else 5
            )
            if verb == "hold":
                fields["ttl_seconds"] = dice.choice([1, 60, 3_600, 86_400, 40 * 86_400])
        elif verb in {"capture", "release"}:
            name = dice.choice(list(self.ids) or [""])
            hold = model.holds.get(name)
            fields["hold"] = self.ids.get(name, f"hld_{dice.randrange(2**62):016x}")
            if hold is not None and dice.random() < 0.9:
                fields["partner"] = hold["partner"]
            fields["points"] = self._points(sum(part for _lot, part in hold["parts"]) if hold else 10)
            if verb == "release":
                fields = {key: fields[key] for key in ("hold", "partner") if key in fields}
        elif verb in {"refund_earn", "refund_burn"}:
            among = model.earns if verb == "refund_earn" else model.burns
            owner, name = dice.choice([*among, *list(among)[-3:]] or [(partner, "nothing")])
            if dice.random() < 0.95:
                fields["partner"] = owner
                fields["external_id"] = self._external(owner, verb)
            made = among.get((owner, name))
            fields[verb.removeprefix("refund_")] = name
            fields["points"] = self._points(made["points"] - made["refunded"] if made else 10)
        elif verb == "transfer":
            fields["sender"], fields["recipient"] = self._member(), self._member()
            while fields["sender"] == fields["recipient"]:
                fields["recipient"] = self._member()
            given = fields["sender"] in model.members
            fields["points"] = self._points(model.available(fields["sender"]) if given else 5)
        return fields

    def _external(self, partner: str, verb: str) -> str:
        """A name of its own; now and then one that may be taken."""
        kind = {"capture": "burn"}.get(verb, verb)
        taken = [name for owner, what, name in sorted(self.model.taken) if (owner, what) == (partner, kind)]
        if taken and self.dice.random() < 0.03:
            return self.dice.choice(taken)
        return f"{self.name}:{verb}:{next(self.counter)}"

    def _member(self) -> str:
        return f"mbr_{1:016x}" if self.dice.random() < 0.02 else self.dice.choice(self.members)

    def _points(self, most: int) -> int:
        """Often all or a part, sometimes one too many, seldom the most there can be."""
        ways = [max(1, most), self.dice.randint(1, max(1, most)), self.dice.randint(1, max(1, most)), 1]
        chance = self.dice.random()
        if chance < 0.08:
            return min(most + 1, MOST)
        return MOST if chance < 0.10 else self.dice.choice(ways)


def compare(history: History, sent: Sent, status: int, body: Dict, *, replayed: bool) -> None:
    """An answer against the model's."""
    said = f"{history.name}: {sent} answered {status} {body}"
    assert replayed == sent.replayed, said
    if sent.replayed:
        assert without(body, "request_id") == without(sent.body, "request_id"), said
        return
    if isinstance(sent.expected, str):
        assert body.get("code") == sent.expected, said
        assert body["status"] == status, said
        assert body["request_id"], said
    else:
        assert status == (200 if sent.key is None else 201), said
        money = {one["party"]: one["amount_micros"] for one in body["money"] if one["amount_micros"]}
        assert money == {party: net for party, net in sent.expected["money"].items() if net}, said
        for fact, value in sent.expected.items():
            assert fact == "money" or body[fact] == value, f"{fact} is not {value}: {said}"
        if sent.verb == "hold" and sent.key is not None:
            history.ids[sent.fields["external_id"]] = body["hold"]
    if sent.key is not None and sent.expected != "idempotency_key_reused":
        sent.body = body
        history.sent.append(sent)


def without(body: Dict, *names: str) -> Dict:
    return {key: value for key, value in body.items() if key not in names}


def carry_out(house: House, turns: list[tuple[History, list[Sent]]], dice: random.Random) -> None:
    """Some histories' operations at their own routes, the others in one batch; every answer against the model."""
    alone = dice.sample(range(len(turns)), 1)
    for at in alone:
        history, operations = turns[at]
        tried: list[Dict] = []
        for one in operations:
            key = one.key if one.key is not None else f"unused-{history.name}"
            answer = house.send(one.partner, one.verb, one.fields, key)
            replayed = answer.headers.get("Idempotent-Replayed") == "true"
            compare(history, one, answer.status_code, answer.json(), replayed=replayed)
            tried.append(answer.json())
        same(tried)
    rest = [(history, one) for at, (history, ops) in enumerate(turns) if at not in alone for one in ops]
    answers = house.batch([one.operation() for _history, one in rest])
    previous: Dict | None = None
    for (history, one), told in zip(rest, answers, strict=True):
        compare(history, one, told["status"], told["body"], replayed=told["replayed"])
        if previous is not None:
            same([previous, told["body"]])
        previous = told["body"] if one.key is None else None


def same(bodies: list[Dict]) -> None:
    """A dry run says what the commit behind it says, but for what only a commit has."""
    names = ["id", "counterfoil", "request_id"] + ["hold"] * (bodies[0].get("verb") == "hold")
    plain = [without(body, *names) for body in bodies]
    assert all(one == plain[0] for one in plain), plain


def check(histories: list[History], ledger: Ledger, now: int) -> None:
    """Every member as the books show it at this instant, against its model."""
    for history in histories:
        for name in history.members:
            who = ledger.view(int(name[4:], 16), now)
            model = history.model
            shown = (who.available, who.held, who.debt, ledger.open_lots(who))
            told = (model.available(name), model.held(name), model.debt(name), model.open_lots(name))
            assert shown == told, f"{history.name}: {name} has {shown}, the model {told}"


def text_of(at: int) -> str:
    return (EPOCH + timedelta(microseconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


__all__ = ["DAY", "TERMS", "History", "Sent", "carry_out", "check", "compare", "place", "text_of"]
