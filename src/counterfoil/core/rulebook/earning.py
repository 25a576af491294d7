"""What a basket earns: base rates and campaigns, capped, each award explained.

A line counts for one base rule, the first that matches; every campaign that matches adds a bonus, a lot of its own. Points
are floored once per rule and basket. What an expression says is told by a `Judge`: this module knows no language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from msgspec import Struct

from counterfoil.core.calendar import local, moment
from counterfoil.core.limits import BudgetExhausted, CapExhausted
from counterfoil.core.rulebook.verbs import MOST_LOTS
from counterfoil.core.units import BASIS_POINTS, CENT_MICROS, mul_div_down

Kind = Literal["base", "campaign"]
Facts = dict[str, object]  # what expressions may ask for, by name


class Line(Struct, frozen=True):
    """One thing sold; what is not known of it is empty."""

    amount_micros: int
    category: str = ""
    brand: str = ""
    sku: str = ""
    quantity: int = 1


class Basket(Struct, frozen=True):
    """A sale; `tags` is what the partner says of it or of the customer, such as "app" or "birthday"."""

    lines: tuple[Line, ...]
    tags: tuple[str, ...] = ()


class EarnRule(Struct, frozen=True):
    """One version of a rule, in force from `since`, up to `until` if it has an end (microseconds). Empty: no condition.

    Points are `rate_bp` of the matched amount, one point per minor unit of money, or what the expression `points` gives.
    Caps are in points. `salt` blinds the hash in the published rulebook.
    """

    name: str
    version: int
    since: int
    kind: Kind
    until: int | None = None
    partners: tuple[int, ...] = ()  # none: at every partner
    rank: int = 0
    brand: str = ""
    category: str = ""
    when: str = ""
    rate_bp: int = 0
    points: str = ""
    text: str = ""
    promotion: str = ""  # who funds it; none: the selling partner
    budget: str = ""
    per_member: int | None = None
    per_member_day: int | None = None
    per_day: int | None = None
    on_exhausted: Literal["cut", "refuse"] = "cut"
    salt: str = ""

    @property
    def order(self) -> tuple[bool, int, int, str]:
        """Base rules first; by rank, then the more specific, then by name."""
        return self.kind != "base", self.rank, -bool(self.brand) - bool(self.category), self.name


class Limit(Struct, frozen=True):
    """What a cap or budget leaves: `says` ends the sentence "150 left ..."."""

    name: str
    left: int
    says: str
    is_budget: bool = False


class Award(Struct, frozen=True):
    """What a rule gave: points after its caps, `asked` before, and why as a person reads it."""

    rule: EarnRule
    points: int
    asked: int
    text: str


class Judge(Protocol):
    """Carries out the expressions of a rule. Raises RuleFailed."""

    def matching(self, rule: EarnRule, facts: Facts, lines: Sequence[Line]) -> Sequence[Line]:
        """Of these lines, those for which `when` holds."""

    def points(self, rule: EarnRule, facts: Facts) -> int:
        """What `points` gives."""


def in_force(rules: Iterable[Sequence[EarnRule]], partner: int, at: int) -> list[EarnRule]:
    """Of each rule, whose versions are in order, the one that holds at a partner at an instant; in the order they apply."""
    held = [found for versions in rules if (found := _last(versions, at)) is not None]
    return sorted((one for one in held if not one.partners or partner in one.partners), key=lambda one: one.order)


def _last(versions: Sequence[EarnRule], at: int) -> EarnRule | None:
    begun = [one for one in versions if one.since <= at]
    return begun[-1] if begun and (begun[-1].until is None or at < begun[-1].until) else None


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Every rule's versions in order, by name; those of a partner are found once."""

    versions: Mapping[str, Sequence[EarnRule]] = field(default_factory=dict)
    _at: dict[int, list[Sequence[EarnRule]]] = field(default_factory=dict, compare=False)

    def in_force(self, partner: int, at: int) -> list[EarnRule]:
        """See the function: one coalition's rules are many, one partner's few."""
        if partner not in self._at:
            self._at[partner] = [
                some
                for some in self.versions.values()
                if any(not one.partners or partner in one.partners for one in some)
            ]
        return in_force(self._at[partner], partner, at)


def price(
    rules: Sequence[EarnRule], basket: Basket, facts: Facts, judge: Judge, limits: Callable[[EarnRule], Sequence[Limit]]
) -> list[Award]:
    """What each rule that matches gives, of rules in their order. Raises RuleFailed, CapExhausted, BudgetExhausted."""
    awards: list[Award] = []
    open_lines, taken = list(basket.lines), dict[str, int]()
    facts = {**facts, "base.points": 0}
    for rule in rules:
        candidates = [
            line
            for line in (open_lines if rule.kind == "base" else basket.lines)
            if rule.brand in {"", line.brand} and rule.category in {"", line.category}
        ]
        matched = judge.matching(rule, facts, candidates) if rule.when and candidates else candidates
        if not matched:
            continue
        if rule.kind == "base":
            counted = {id(line) for line in matched}  # two lines may be alike
            open_lines = [line for line in open_lines if id(line) not in counted]
        award = _capped(rule, *_asked(rule, facts, matched, judge), limits(rule), taken, _room(awards, rule))
        if rule.kind == "base":
            facts["base.points"] = base_points([*awards, award])
        awards.append(award)
    return awards


def base_points(awards: Sequence[Award]) -> int:
    """Points of the base lot."""
    return sum(one.points for one in awards if one.rule.kind == "base")


def _asked(rule: EarnRule, facts: Facts, matched: Sequence[Line], judge: Judge) -> tuple[int, str]:
    """Points before caps, and the words for them."""
    label = rule.text or (rule.name if rule.kind == "campaign" or rule.points else "")
    if rule.points:
        asked = judge.points(rule, {**facts, **matched_facts(matched)})
        return asked, f"{label} {asked}"
    amount_micros = sum(line.amount_micros for line in matched)
    asked = mul_div_down(amount_micros, rule.rate_bp, BASIS_POINTS * CENT_MICROS)
    rate = f"{percent_text(rule.rate_bp)} % of {money_text(amount_micros)} = {asked}"
    return asked, f"{label} {rate}" if label else rate


def _capped(rule: EarnRule, asked: int, text: str, limits: Sequence[Limit], taken: dict[str, int], room: bool) -> Award:
    """`taken` is what this sale takes of limits, by name."""
    points, why = asked, ""
    for limit in limits:
        left = max(0, limit.left - taken.get(limit.name, 0))
        if asked > left and rule.on_exhausted == "refuse":
            if limit.is_budget:
                raise BudgetExhausted(rule.budget, asked, left, "basket")
            raise CapExhausted(rule.name, limit.says, asked, left)
        if left < points:
            points, why = left, f"{left} left {limit.says}"
    if points and not room:
        points, why = 0, f"an earn makes at most {MOST_LOTS} lots"
    for limit in limits:
        taken[limit.name] = taken.get(limit.name, 0) + points
    return Award(rule, points, asked, f"{text} (cut to {points}: {why})" if why else text)


def _room(awards: Sequence[Award], rule: EarnRule) -> bool:
    """Whether one more lot may be made: all base rules share one."""
    bonuses = sum(1 for one in awards if one.points and one.rule.kind == "campaign")
    return rule.kind == "base" or bonuses + bool(base_points(awards)) < MOST_LOTS


def sale_facts(basket: Basket, at: int, zone: str, partner: str) -> Facts:
    """What every expression may ask of a sale; the hour and day are the programme's."""
    when, whole = local(at, zone), _sums("basket", basket.lines)
    return whole | {
        "sale.at": moment(at), "sale.hour": when.hour, "sale.weekday": when.isoweekday(),
        "sale.day": when.date().isoformat(), "sale.partner": partner, "basket.tags": list(basket.tags),
        "basket.lines": [
            {"amount_micros": one.amount_micros, "amount_minor": mul_div_down(one.amount_micros, 1, CENT_MICROS),
             "category": one.category, "brand": one.brand, "sku": one.sku, "quantity": one.quantity}
            for one in basket.lines
        ],
    }  # fmt: skip


def line_facts(line: Line) -> Facts:
    """What `when` may ask of a line."""
    return {
        "line.amount_micros": line.amount_micros, "line.amount_minor": mul_div_down(line.amount_micros, 1, CENT_MICROS),
        "line.category": line.category, "line.brand": line.brand, "line.sku": line.sku, "line.quantity": line.quantity,
    }  # fmt: skip


def matched_facts(lines: Sequence[Line]) -> Facts:
    """What `points` may ask of the lines that matched."""
    return {**_sums("matched", lines), "matched.lines": len(lines)}


def _sums(name: str, lines: Sequence[Line]) -> Facts:
    amount_micros = sum(line.amount_micros for line in lines)
    return {
        f"{name}.amount_micros": amount_micros,
        f"{name}.amount_minor": mul_div_down(amount_micros, 1, CENT_MICROS),
        f"{name}.quantity": sum(line.quantity for line in lines),
    }


def money_text(micros: int) -> str:
    """Exact, with at least two decimals: 50000000 is "50.00"."""
    digits = f"{micros:07d}"
    return f"{digits[:-6]}.{digits[-6:-4]}{digits[-4:].rstrip('0')}"


def percent_text(bp: int) -> str:
    """Basis points as percent: 250 is "2.5"."""
    digits = f"{bp:03d}"
    return f"{digits[:-2]}.{digits[-2:]}".rstrip("0").rstrip(".")


def explained(awards: Sequence[Award]) -> list[Mapping[str, object]]:
    """Awards as an answer tells them."""
    return [
        {"rule": one.rule.name, "version": one.rule.version, "text": one.text, "points": one.points}
        | ({"cut": one.asked - one.points} if one.asked > one.points else {})
        for one in awards
    ]
