"""Refusals of the rulebook that are limits: they answer last, after those of core/refusals.py."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.core.errors import Refusal


@dataclass(eq=False)
class OccurredTooLongAgo(Refusal):
    code = "occurred_too_long_ago"
    says = "{field}: a sale comes in at most {days} days late"
    days: int
    field: str = "occurred_at"


@dataclass(eq=False)
class InsufficientPoints(Refusal):
    code = "insufficient_points"
    says = "{field}: {requested} were asked for, {available} are available"
    requested: int
    available: int
    field: str = "points"


@dataclass(eq=False)
class CaptureExceedsHold(Refusal):
    code = "capture_exceeds_hold"
    says = "{field}: {requested} were asked for, {held} are held"
    requested: int
    held: int
    field: str = "points"


@dataclass(eq=False)
class RefundExceedsOriginal(Refusal):
    code = "refund_exceeds_original"
    says = "{field}: {requested} were asked for, {left} of {original} are left to refund"
    requested: int
    left: int
    original: int
    field: str = "points"


@dataclass(eq=False)
class BalanceLimit(Refusal):
    code = "balance_limit"
    says = "{field}: a member's points stay below 2^53; {outstanding} are outstanding"
    outstanding: int
    field: str = "points"


@dataclass(eq=False)
class IncrementViolation(Refusal):
    code = "increment_violation"
    says = "{field}: {requested} points are less than the smallest amount this rate takes"
    requested: int
    field: str = "points"


@dataclass(eq=False)
class PrefundingExhausted(Refusal):
    code = "prefunding_exhausted"
    says = "{field}: {requested} were asked for, {left} are left in packs and reserves"
    requested: int
    left: int
    field: str = "points"


@dataclass(eq=False)
class VelocityLimit(Refusal):
    code = "velocity_limit"
    says = "{field}: {what} a day are {limit}; {used} are used"
    what: str
    limit: int
    used: int
    field: str = "points"


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


@dataclass(eq=False)
class CreditExhausted(Refusal):
    code = "credit_exhausted"
    says = "{field}: this costs {requested_micros} micros; {left_micros} of the credit of {limit_micros} are left"
    requested_micros: int
    left_micros: int
    limit_micros: int
    field: str = "points"
