"""Earn rules: published by the operator, applied to baskets under the fence, so that caps and budgets are exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from msgspec import structs

from counterfoil.core.calendar import local_day, text_instant
from counterfoil.core.encoding import earn_rule_hash
from counterfoil.core.errors import InvalidRequest, UnknownBudget, UnknownEarnRule, UnknownPartner, UnknownPromotion
from counterfoil.core.operation import Operation
from counterfoil.core.rulebook import earning
from counterfoil.core.rulebook.earning import Award, EarnRule, Limit, RuleBook
from counterfoil.store.budgets import budget, draw
from counterfoil.store.desk import Desk
from counterfoil.store.expressions import Cel
from counterfoil.store.kinds import Budget, EarnRules, Usage
from counterfoil.store.registry import Programme
from counterfoil.store.terms import require_announced

Facts = dict[str, object]


def publish_earn_rule(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """The first version of a rule, or its next. Nothing that was published changes; a live programme needs notice."""
    rule: EarnRule = op.asked["rule"]
    versions = desk.programme.earn_rules.versions.get(rule.name, [])
    earliest = desk.journal.now + desk.programme.notice_micros
    made = structs.replace(rule, version=len(versions) + 1, since=rule.since or earliest)
    require_announced(desk, made.since, versions[-1] if versions else None)
    if versions and made.kind != versions[-1].kind:
        raise InvalidRequest("kind", f"is {versions[-1].kind} in the versions before")
    if made.until is not None and made.until < made.since:
        raise InvalidRequest("until", f"is before {text_instant(made.since)}, when it begins")
    for number in made.partners:
        if number not in desk.programme.parties:
            raise UnknownPartner(str(number), "partners")
    if made.promotion and made.promotion not in desk.programme.promotions:
        raise UnknownPromotion(made.promotion)
    if made.budget and desk.records.find(Budget, made.budget) is None:
        raise UnknownBudget(made.budget)
    all_versions = [*versions, made]
    desk.records.keep(made.name, EarnRules(all_versions))
    desk.revise(earn_rules=RuleBook({**desk.programme.earn_rules.versions, made.name: all_versions}))
    return None, shown(desk.programme, made)


def shown(programme: Programme, rule: EarnRule) -> Facts:
    """A rule as it is told."""
    told = structs.asdict(rule)
    del told["salt"]
    return told | {
        "since": text_instant(rule.since), "until": None if rule.until is None else text_instant(rule.until),
        "partners": [programme.name_of(number) for number in rule.partners],
        "rate_bp": rule.rate_bp or None, "points": rule.points or None,
    }  # fmt: skip


def document(rule: EarnRule) -> str:
    """A version as it is hashed: canonical JSON, keys in order, of what it says and where; without its salt."""
    told = structs.asdict(rule)
    del told["salt"]
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()


def rule_hash(rule: EarnRule) -> bytes:
    """What the published rulebook has of a version: it binds, and tells nobody else's campaigns."""
    return earn_rule_hash(bytes.fromhex(rule.salt), document(rule).encode())


@dataclass(frozen=True, slots=True)
class Priced:
    """What a sale earns, and what that takes of caps and budgets: kept once the earn is made, so a refusal takes nothing."""

    desk: Desk
    awards: Sequence[Award]
    partner: int
    member: int
    day: str

    @property
    def points(self) -> int:
        """Of all lots together."""
        return sum(one.points for one in self.awards)

    def keep(self) -> None:
        """Count the points given against every cap and budget of their rules."""
        for one in self.awards:
            for name in _caps(one.rule, self.member, self.day, "") if one.points else ():
                self.desk.records.keep(name, Usage(_used(self.desk, name) + one.points))
            if one.rule.budget and one.points:
                draw(self.desk, one.rule.budget, one.points)


def priced(desk: Desk, op: Operation, at: int) -> Priced:
    """Apply the rules in force at the moment of sale. Raises UnknownEarnRule, RuleFailed, CapExhausted, BudgetExhausted.

    Without a member the caps of members are left out.
    """
    assert op.basket is not None
    programme, name = desk.programme, desk.programme.parties[op.partner].name
    rules = programme.earn_rules.in_force(op.partner, at)
    if not rules:
        raise UnknownEarnRule(f"{name} at {text_instant(at)}")
    day = local_day(at, programme.zone).isoformat()
    facts = earning.sale_facts(op.basket, at, programme.zone, name)

    today = local_day(desk.journal.now, programme.zone).isoformat()

    def limits(rule: EarnRule) -> list[Limit]:
        caps = _caps(rule, op.member, day, "today" if day == today else f"on {day}")
        found = [Limit(name, most - _used(desk, name), says) for name, (most, says) in caps.items()]
        if rule.budget:
            held = budget(desk, rule.budget)
            found.append(Limit(f"budget {rule.budget}", held.points - held.spent, "in the budget", is_budget=True))
        return found

    return Priced(desk, earning.price(rules, op.basket, facts, Cel(), limits), op.partner, op.member, day)


def _caps(rule: EarnRule, member: int, day: str, then: str) -> dict[str, tuple[int, str]]:
    """The caps of a rule, by the name of the record that counts: how many points, and for whom."""
    caps = {
        f"{member}:{rule.name}": (rule.per_member, "for this member"),
        f"{member}:{rule.name}:{day}": (rule.per_member_day, f"for this member {then}"),
        f":{rule.name}:{day}": (rule.per_day, then),
    }
    return {
        name: (most, says)
        for name, (most, says) in caps.items()
        if most is not None and (member or name.startswith(":"))
    }


def _used(desk: Desk, name: str) -> int:
    held = desk.records.find(Usage, name)
    return held.points if held is not None else 0
