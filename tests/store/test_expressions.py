"""CEL as earn rules may use it: checked with its place, bounded, integers only, and nothing but the sale to look at."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.core.errors import InvalidRequest
from counterfoil.core.limits import RuleFailed
from counterfoil.core.rulebook import earning
from counterfoil.core.rulebook.earning import Basket, EarnRule, Line
from counterfoil.store import expressions
from counterfoil.store.expressions import SCOPES, Cel, checked

BASKET = Basket((Line(50_000_000, "wine", "own", "s1", 2), Line(1_990_000, "bread")), ("app",))
FACTS = {**earning.sale_facts(BASKET, 1_772_407_800_000_000, "Europe/Warsaw", "A"), "base.points": 7}


def rule(when: str = "", points: str = "1", kind: Any = "base", **more: Any) -> EarnRule:
    return EarnRule("r", 3, 0, kind, when=when, points=points, **more)


def given(points: str, kind: str = "campaign") -> int:
    facts = {**FACTS, **earning.matched_facts(BASKET.lines[:1])}
    return Cel().points(checked(rule(points=points, kind=kind)), facts)


def holds(when: str) -> int:
    return len(Cel().matching(checked(rule(when)), FACTS, BASKET.lines))


@pytest.mark.parametrize(
    ("points", "value"),
    [
        ("matched.amount_minor * 2 / 100", 100), ("matched.amount_micros / 10000", 5_000), ("matched.quantity * 50", 100),
        ("matched.lines", 1), ("basket.amount_minor / 100", 51), ("basket.quantity", 3), ("base.points * 2", 14),
        ("'app' in basket.tags ? 30 : 10", 30), ("basket.lines.filter(l, l.category == 'wine').size()", 1),
        ("sale.hour", 0), ("sale.weekday", 1), ("sale.day == '2026-03-02' ? 5 : 6", 5),
        ("sale.at < timestamp('2026-03-02T00:00:00Z') ? 1 : 2", 1), ("sale.partner == 'A' ? 1 : 0", 1),
    ],
)  # fmt: skip
def test_what_points_may_say(points: str, value: int) -> None:
    assert given(points) == value


@pytest.mark.parametrize(
    ("when", "lines"),
    [
        ("line.category == 'wine'", 1), ("line.brand == 'own' && line.sku.startsWith('s')", 1),
        ("line.amount_minor > 100", 2), ("line.amount_micros == 1990000", 1), ("line.quantity > 1", 1),
        ("basket.amount_minor >= 5199", 2), ("basket.amount_minor > 5199", 0),
        ("basket.lines.exists(line, line.category == 'bread')", 2), ("line.category.matches('^(wine|beer)$')", 1),
    ],
)  # fmt: skip
def test_what_when_may_say(when: str, lines: int) -> None:
    assert holds(when) == lines


@pytest.mark.parametrize(
    ("part", "text", "says"),
    [
        ("points", "matched.amount_minor +", "line 1, column 23: Syntax error"),
        ("points", "1 +\n'a'", "line 1, column 3: found no matching overload"),
        ("points", "1.5", "gives double, not int"), ("points", "1 < 2", "gives bool, not int"),
        ("points", "dyn(1)", "gives dyn, not int"), ("when", "1", "gives int, not bool"),
        ("points", "base.points", "undeclared reference"),  # of a base rule
        ("points", "line.quantity", "undeclared reference"), ("when", "member.name == 'x'", "undeclared reference"),
        ("when", "line.colour == 'red'", "line 1, column 5: undeclared reference to 'line.colour'"),
        ("when", "line.quantity > 0 && basket.lines.size() > 0", "undeclared reference to 'basket.lines'"),
        ("points", "open('/etc/passwd')", "undeclared reference"), ("points", "now()", "undeclared reference"),
        ("points", "(" * 99 + "1" + ")" * 99, "recursion"), ("points", "1" + "+1" * 500, "recursion"),
        ("points", "100 / matched.amount_minor", "fails on a basket of nothing: divide by zero"),
        ("points", "0 - 1", "fails on a basket of nothing: gives -1 points"),
        ("points", "matched.amount_micros * 1000000", "fails on a basket of 10,000,000.00: integer overflow"),
        ("points", "basket.lines[0].colour", "gives dyn"),
        ("points", "int(basket.lines[0].colour)", "Key not found in map"),
        ("points", "basket.lines.filter(a, basket.lines.exists(b, basket.lines.exists(c, a != b && b != c))).size()",
         "fails on a basket of 100 lines and 16 tags: Iteration budget exceeded"),
    ],
)  # fmt: skip
def test_what_is_refused_at_registration(part: str, text: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        checked(rule(**{part: text}))
    assert refused.value.field == part
    assert says in refused.value.why
    assert len(refused.value.why) < 400


def test_points_are_tried_where_the_condition_holds() -> None:
    guarded = rule("basket.amount_minor > 0", "100 / basket.amount_minor")
    assert checked(guarded) == guarded
    with pytest.raises(InvalidRequest, match="divide by zero"):
        checked(rule("line.sku == 'none of the samples'", "1 / (basket.quantity - basket.quantity)"))


def test_too_slow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "TRIAL_SECONDS", -1)
    with pytest.raises(InvalidRequest, match="takes too long"):
        checked(rule())


def test_what_fails_at_the_sale_names_the_rule() -> None:
    facts = {**FACTS, **earning.matched_facts(BASKET.lines)}
    with pytest.raises(RuleFailed) as failed:
        Cel().points(rule(points="1 / (matched.lines - 2)"), facts)
    assert failed.value.facts() == {
        "rule": "r", "version": 3, "part": "points", "why": "divide by zero", "field": "basket",
    }  # fmt: skip
    with pytest.raises(RuleFailed, match="undeclared"):  # another runtime took it once
        Cel().points(rule(points="nothing"), facts)
    with pytest.raises(RuleFailed, match="gives"):
        Cel().points(rule(points="9007199254740992"), facts)


def test_every_fact_is_declared_and_every_declared_name_is_a_fact() -> None:
    plain, line = {**FACTS}, earning.line_facts(BASKET.lines[0])
    del plain["base.points"]
    matched = earning.matched_facts(BASKET.lines)
    assert set(SCOPES["basket"]) == set(plain)
    assert set(SCOPES["line"]) == set(plain) - {"basket.lines"} | set(line)
    assert set(SCOPES["points"]) == set(plain) | set(matched)
