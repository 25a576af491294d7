"""Bugs in earns by rules, as in plants.py: too many lots, a refund from the bonus first, a rule that is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from counterfoil.core.rulebook import earning, refunds
from counterfoil.core.rulebook.earning import Basket, EarnRule, Line
from counterfoil.core.units import split_largest_remainder
from counterfoil.store import rulebook
from tests.audit.coalition import GROCER, Coalition
from tests.audit.seldom import by_rules, publish

Patch = pytest.MonkeyPatch


def many_lots(patch: Patch) -> None:
    patch.setattr(earning, "MOST_LOTS", 20)


def nine_bonuses(made: Coalition) -> int:
    for place in range(9):
        publish(made, EarnRule(f"c{place}", 0, 0, "campaign", points="5", salt="5a" * 32))
    entry = made.do("earn", GROCER, made.members(1)[0], basket=Basket((Line(1_000_000),)))
    made.settle()
    return entry


def bonus_first(patch: Patch) -> None:
    """Ties go to the last bonus instead of the base."""

    def split(total: int, weights: Sequence[int]) -> tuple[int, ...]:
        return split_largest_remainder(total, weights[::-1])[::-1]

    patch.setattr(refunds, "split_largest_remainder", split)


def refunded_in_parts(made: Coalition) -> int:
    entry = by_rules(made)
    made.settle()
    return entry


def forgotten_rule(patch: Patch) -> None:
    honest = rulebook.rulebook

    def bent(programme: Any) -> dict[str, Any]:
        book = honest(programme)
        return book | {"earn_rules": book["earn_rules"][: None if programme.open_settlement < 3 else -1]}

    patch.setattr(rulebook, "rulebook", bent)


def settled_three_times(made: Coalition) -> None:
    by_rules(made)
    for _ in range(3):
        made.settle()
