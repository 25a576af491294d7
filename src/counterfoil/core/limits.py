"""Refusals of what was set aside for points and is used up, and of earn rules that fail: limits, as in core/refusals.py."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.core.errors import Refusal


@dataclass(eq=False)
class BudgetExhausted(Refusal):
    code = "budget_exhausted"
    says = "{field}: {requested} were asked for, {left} are left in the budget {budget}"
    budget: str
    requested: int
    left: int
    field: str = "points"


@dataclass(eq=False)
class CapExhausted(Refusal):
    code = "cap_exhausted"
    says = "{field}: {requested} were asked for by the rule {rule}, {left} are left {cap}"
    rule: str
    cap: str
    requested: int
    left: int
    field: str = "basket"


@dataclass(eq=False)
class RuleFailed(Refusal):
    code = "rule_failed"
    says = "{field}: {part} of version {version} of the rule {rule} fails on this sale: {why}"
    rule: str
    version: int
    part: str
    why: str
    field: str = "basket"
