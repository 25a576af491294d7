"""What a basket earns, told by hand and for any rules: which line counts where, floors, caps, words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.calendar import parse_instant
from counterfoil.core.limits import BudgetExhausted, CapExhausted
from counterfoil.core.rulebook import earning
from counterfoil.core.rulebook.earning import Award, Basket, EarnRule, Facts, Limit, Line, money_text, percent_text
from counterfoil.core.rulebook.verbs import MOST_LOTS

AT = parse_instant("2026-03-01T23:30:00Z", "at")  # 00:30 of Monday in Warsaw


class Lambdas:
    """Expressions as Python functions, by name."""

    whens: ClassVar[dict[str, Callable[[Line], bool]]] = {"big": lambda line: line.amount_micros >= 10_000_000}

    def matching(self, rule: EarnRule, facts: Facts, lines: Sequence[Line]) -> Sequence[Line]:
        assert facts["base.points"] == 0 or rule.kind == "campaign"
        return [line for line in lines if self.whens[rule.when](line)]

    def points(self, rule: EarnRule, facts: Facts) -> int:
        base = facts["base.points"]
        assert isinstance(base, int)
        return base if rule.points == "base" else int(rule.points)


def base(name: str = "base", rate_bp: int = 200, **more: object) -> EarnRule:
    return EarnRule(name, 1, 0, "base", rate_bp=rate_bp, **more)  # type: ignore[arg-type]


def campaign(name: str, points: str = "200", **more: object) -> EarnRule:
    return EarnRule(name, 1, 0, "campaign", points=points, **more)  # type: ignore[arg-type]


def priced(rules: list[EarnRule], lines: list[Line], left: dict[str, list[Limit]] | None = None) -> list[Award]:
    basket = Basket(tuple(lines))
    facts = earning.sale_facts(basket, AT, "Europe/Warsaw", "A")
    applied = earning.in_force([[rule] for rule in rules], 16, AT)
    return earning.price(applied, basket, facts, Lambdas(), lambda rule: (left or {}).get(rule.name, []))


def told(awards: list[Award]) -> list[str]:
    return [one.text for one in awards]


def test_the_words_of_the_issue() -> None:
    awards = priced([campaign("spring", text="spring bonus"), base()], [Line(50_000_000)])
    assert ", ".join(told(awards)) == "2 % of 50.00 = 100, spring bonus 200"
    assert [one.points for one in awards] == [100, 200]
    cut = priced([campaign("spring", text="spring bonus")], [Line(1)], {"spring": [Limit("day", 150, "today")]})
    assert told(cut) == ["spring bonus 200 (cut to 150: 150 left today)"]


def test_a_line_counts_for_one_base_rule_the_more_specific_first() -> None:
    rules = [base(rate_bp=100), base("wine", 300, category="wine"), base("own", 500, category="wine", brand="own")]
    lines = [Line(10_000_000), Line(10_000_000, "wine"), Line(10_000_000, "wine", "own"), Line(10_000_000, "", "own")]
    assert told(priced(rules, lines)) == ["5 % of 10.00 = 50", "3 % of 10.00 = 30", "1 % of 20.00 = 20"]
    first = [*rules, base("all", 700, rank=-1)]
    assert told(priced(first, lines)) == ["7 % of 40.00 = 280"]
    alike = Line(10_000_000)
    assert told(priced([base()], [alike, alike, Line(10_000_000)])) == ["2 % of 30.00 = 60"]


def test_floored_once_per_rule_and_basket() -> None:
    assert told(priced([base(rate_bp=150)], [Line(330_000)] * 3)) == ["1.5 % of 0.99 = 1"]  # not 3 x 0
    assert told(priced([base(rate_bp=1)], [Line(999_999)])) == ["0.01 % of 0.999999 = 0"]


def test_a_condition_on_lines() -> None:
    awards = priced([base(when="big", rate_bp=1_000)], [Line(9_999_999), Line(10_000_000), Line(20_000_000)])
    assert told(awards) == ["10 % of 30.00 = 300"]
    assert priced([base(when="big")], [Line(9_999_999)]) == []


def test_a_campaign_may_double_the_base() -> None:
    awards = priced([campaign("double", "base"), base()], [Line(50_000_000)])
    assert [(one.rule.name, one.points) for one in awards] == [("base", 100), ("double", 100)]


def test_versions_and_dates() -> None:
    versions = [base(rate_bp=100), EarnRule("base", 2, AT, "base", rate_bp=200, until=AT + 10)]
    at = [earning.in_force([versions], 16, when) for when in (AT - 1, AT, AT + 9, AT + 10)]
    assert [[rule.version for rule in rules] for rules in at] == [[1], [2], [2], []]
    book = earning.RuleBook({"x": [base("x", partners=(17,))], "y": [base("y", partners=(16, 17))], "base": versions})
    for _ in range(2):  # found, then remembered
        assert [rule.name for rule in book.in_force(16, AT)] == ["base", "y"]
        assert [rule.name for rule in book.in_force(17, AT - 1)] == ["base", "x", "y"]
    moved = earning.RuleBook(
        {"y": [base("y", partners=(16,)), EarnRule("y", 2, AT, "base", rate_bp=1, partners=(17,))]}
    )
    assert [[len(moved.in_force(partner, at)) for at in (0, AT)] for partner in (16, 17)] == [[1, 0], [0, 1]]


def test_at_most_eight_lots() -> None:
    bonuses = [campaign(f"c{place}", "5") for place in range(9)]
    with_base, without = priced([base(), *bonuses], [Line(50_000_000)]), priced(bonuses, [Line(1)])
    for awards in (with_base, without):
        assert sum(bool(one.points) for one in awards) == MOST_LOTS
        assert told(awards)[-1] == "c8 5 (cut to 0: an earn makes at most 8 lots)"


def test_what_is_exhausted_may_refuse() -> None:
    rule = campaign("spring", on_exhausted="refuse", budget="b")
    with pytest.raises(CapExhausted, match="200 were asked for by the rule spring, 150 are left today"):
        priced([rule], [Line(1)], {"spring": [Limit("day", 150, "today")]})
    with pytest.raises(BudgetExhausted, match="200 were asked for, 0 are left in the budget b"):
        priced([rule], [Line(1)], {"spring": [Limit("b", -3, "in the budget", is_budget=True)]})


def test_one_budget_of_two_campaigns_in_one_sale() -> None:
    shared = Limit("b", 250, "in the budget", is_budget=True)
    awards = priced([campaign("x"), campaign("y")], [Line(1)], {"x": [shared], "y": [shared]})
    assert told(awards) == ["x 200", "y 200 (cut to 50: 50 left in the budget)"]


LIMITS = st.lists(st.tuples(st.sampled_from("pqr"), st.integers(0, 500)), max_size=3)


@given(
    st.lists(st.tuples(st.integers(0, 400), LIMITS), max_size=12),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=5),
)
def test_no_limit_is_ever_exceeded(wanted: list[tuple[int, list[tuple[str, int]]]], amounts: list[int]) -> None:
    lefts = {name: left for _points, some in wanted for name, left in some}
    rules = [campaign(f"c{place:02}", str(points)) for place, (points, _some) in enumerate(wanted)]
    limits = {
        rule.name: [Limit(name, lefts[name], "left") for name in {name for name, _left in some}]
        for rule, (_points, some) in zip(rules, wanted, strict=True)
    }
    awards = priced([base(), *rules], [Line(amount) for amount in amounts], limits)
    for name, left in lefts.items():
        held = {rule for rule, some in limits.items() if any(one.name == name for one in some)}
        assert sum(one.points for one in awards if one.rule.name in held) <= left
    assert sum(bool(one.points) for one in awards) <= MOST_LOTS
    assert earning.base_points(awards) == sum(amounts) * 200 // 10_000 // 10_000
    for one, line in zip(awards, earning.explained(awards), strict=True):
        assert one.points + int(str(line.get("cut", 0))) == one.asked
        assert ("cut" in line) == ("cut to" in one.text) == (one.points < one.asked)


@pytest.mark.parametrize(
    ("micros", "text"),
    [(0, "0.00"), (1, "0.000001"), (50_000_000, "50.00"), (1_230_000, "1.23"), (10**13, "10000000.00")],
)
def test_money_is_told_exactly(micros: int, text: str) -> None:
    assert money_text(micros) == text


@pytest.mark.parametrize(("bp", "text"), [(1, "0.01"), (10, "0.1"), (200, "2"), (250, "2.5"), (10_000, "100")])
def test_percent(bp: int, text: str) -> None:
    assert percent_text(bp) == text
