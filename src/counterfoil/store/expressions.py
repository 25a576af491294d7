"""Expressions of earn rules in CEL (the Common Expression Language, cel-spec), type-checked when a rule is registered.

CEL ends always and reads nothing but what it is given; this runtime bounds loops (10,000 steps) and depth (32). `when` is a
boolean over the basket, or over each line if it asks for `line.` ...; `points` is an integer over what matched.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from msgspec import structs

from counterfoil.core.errors import InvalidRequest
from counterfoil.core.limits import RuleFailed
from counterfoil.core.rulebook.earning import Award, Basket, EarnRule, Facts, Line, line_facts, price, sale_facts
from counterfoil.core.units import MAX_POINTS

MOST_LINES = 100
TRIAL_SECONDS = 0.1  # what pricing the longest basket may take
_ORDINARY = "an ordinary basket"
_TYPES = {bool: "BOOL", int: "INT"}
_PLACE = re.compile(r"<input>:(\d+):(\d+): ([^\n]{1,300})")
_INT, _TEXT = cel.Type.INT, cel.Type.STRING
_SUMS = ("amount_micros", "amount_minor", "quantity")
_SALE = {
    "sale.at": cel.Type.TIMESTAMP, "sale.hour": _INT, "sale.weekday": _INT, "sale.day": _TEXT, "sale.partner": _TEXT,
    "basket.tags": cel.Type.List(_TEXT), **{f"basket.{one}": _INT for one in _SUMS},
}  # fmt: skip
_LINES = {"basket.lines": cel.Type.List(cel.Type.Map(_TEXT, cel.Type.DYN))}
_LINE = {f"line.{one}": _INT for one in _SUMS} | {f"line.{one}": _TEXT for one in ("category", "brand", "sku")}
_MATCHED = {f"matched.{one}": _INT for one in (*_SUMS, "lines")}
_BASE = {"base.points": _INT}  # of campaigns: base points of this sale
SCOPES: dict[str, dict[str, Any]] = {  # of a base rule
    "basket": _SALE | _LINES,
    "line": _SALE | _LINE,  # without the other lines: a loop over them for each would be the square
    "points": _SALE | _LINES | _MATCHED,
}


class Malformed(Exception):
    """An expression that does not compile: why, and where."""


@lru_cache(maxsize=8)
def _environment(scope: str, kind: str) -> Any:
    return cel.NewEnv(variables=SCOPES[scope] | (_BASE if kind == "campaign" else {}))


@lru_cache(maxsize=4096)
def _compiled(text: str, scope: str, kind: str, wanted: type) -> Any:
    """Raises Malformed."""
    try:
        expression = _environment(scope, kind).compile(text)
    except RuntimeError as error:
        place = _PLACE.search(str(error))
        raise Malformed(f"line {place[1]}, column {place[2]}: {place[3]}" if place else _bare(str(error))) from error
    found = expression.return_type().name()
    if found != _TYPES[wanted]:
        raise Malformed(f"gives {found.lower()}, not {_TYPES[wanted].lower()}")
    return expression


@lru_cache(maxsize=4096)
def _when(text: str, kind: str) -> tuple[Any, bool]:
    """A condition, and whether it is one of each line. Raises Malformed."""
    try:
        return _compiled(text, "basket", kind, bool), False
    except Malformed:
        if not re.search(r"\bline\.", text):
            raise
    return _compiled(text, "line", kind, bool), True


def _bare(message: str) -> str:
    """The runtime's words without its status: "INVALID_ARGUMENT: divide by zero [INVALID_ARGUMENT]"."""
    return re.sub(r"^[A-Z_]+: | \[[A-Z_]+\]$", "", message.partition("\n")[0])[:300]


def _evaluated(rule: EarnRule, part: str, expression: Any, facts: Facts, wanted: type) -> Any:
    try:
        value = expression.eval(data=facts).value()
    except RuntimeError as error:
        raise RuleFailed(rule.name, rule.version, part, _bare(str(error))) from error
    if type(value) is not wanted:  # an error comes as its text
        raise RuleFailed(rule.name, rule.version, part, _bare(str(value)))
    return value


class Cel:
    """See core.rulebook.earning.Judge."""

    def matching(self, rule: EarnRule, facts: Facts, lines: Sequence[Line]) -> Sequence[Line]:
        """See Judge."""
        expression, each = _ready(rule, "when")
        if not each:
            return lines if _evaluated(rule, "when", expression, facts, bool) else []
        return [one for one in lines if _evaluated(rule, "when", expression, {**facts, **line_facts(one)}, bool)]

    def points(self, rule: EarnRule, facts: Facts) -> int:
        """See Judge."""
        value: int = _evaluated(rule, "points", _ready(rule, "points")[0], facts, int)
        if not 0 <= value <= MAX_POINTS:
            raise RuleFailed(rule.name, rule.version, "points", f"gives {value} points")
        return value


def _ready(rule: EarnRule, part: str) -> tuple[Any, bool]:
    """An expression, and whether it is one of each line. Raises RuleFailed: another runtime may have taken it."""
    try:
        return (
            _when(rule.when, rule.kind) if part == "when" else (_compiled(rule.points, "points", rule.kind, int), False)
        )
    except Malformed as error:
        raise RuleFailed(rule.name, rule.version, part, str(error)) from error


def checked(rule: EarnRule) -> EarnRule:
    """A rule whose expressions compile and work on baskets small, large and long. Raises InvalidRequest naming the part."""
    for part in [name for name in ("when", "points") if getattr(rule, name)]:
        try:
            _ready(rule, part)
        except RuleFailed as error:
            raise InvalidRequest(part, error.why) from error
    for says, basket in _samples(rule):
        started = time.thread_time()
        try:
            if not _tried(rule, basket) and rule.points and says == _ORDINARY:  # what it would give where it does hold
                _tried(structs.replace(rule, when=""), basket)
        except RuleFailed as error:
            raise InvalidRequest(error.part, f"fails on {says}: {error.why}") from error
        if time.thread_time() - started > TRIAL_SECONDS:
            raise InvalidRequest("when" if rule.when else "points", f"takes too long for {says}")
    return rule


def _tried(rule: EarnRule, basket: Basket) -> list[Award]:
    return price([rule], basket, sale_facts(basket, 0, "UTC", "partner"), Cel(), lambda _rule: ())


def _samples(rule: EarnRule) -> list[tuple[str, Basket]]:
    def line(amount_micros: int, quantity: int = 1) -> Line:
        return Line(amount_micros, rule.category or "category", rule.brand or "brand", "sku", quantity)

    return [
        ("a basket of nothing", Basket((line(0),))),
        (_ORDINARY, Basket((line(50_000_000), line(1_990_000, 3)), ("tag",))),
        ("a basket of 10,000,000.00", Basket((line(10**13, 1_000_000),))),
        ("a basket of 100 lines and 16 tags", Basket((line(990_000),) * MOST_LINES, ("tag",) * 16)),
    ]
