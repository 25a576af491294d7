"""Amounts as a person reads them: exact, from integers, never through a float."""

from __future__ import annotations

from counterfoil.core.calendar import moment
from counterfoil.core.units import CENT_MICROS, NEVER, mul_div_down, rounded_half_even

MINUS = "\N{MINUS SIGN}"
_CENTS = 100


def money(micros: int) -> str:
    """Micro-units with two decimals, half-even, thousands grouped: 11000000 is "11.00"."""
    cents = abs(rounded_half_even(micros)) // CENT_MICROS
    whole, rest = divmod(cents, _CENTS)
    return f"{MINUS if micros < 0 and cents else ''}{whole:,}.{rest:02}"


def signed_money(micros: int) -> str:
    """The same with a plus where something comes in."""
    text = money(micros)
    return f"+{text}" if micros > 0 and text != "0.00" else text


def points(count: int) -> str:
    """Points, thousands grouped."""
    return f"{MINUS if count < 0 else ''}{abs(count):,}"


def signed_points(count: int) -> str:
    """The same with a plus where something comes in."""
    return f"+{points(count)}" if count > 0 else points(count)


def saved(gross: int, net: int) -> str | None:
    """How much less has to move after netting, percent with one decimal, rounded down; None if nothing moved."""
    if gross <= 0:
        return None
    tenths = mul_div_down(gross - net, 1_000, gross)
    return f"{tenths // 10}.{tenths % 10}"


def instant_text(at: int) -> str:
    """An instant to the minute, UTC, or the word for an expiry that does not come."""
    return "never" if at == NEVER else moment(at).strftime("%Y-%m-%d %H:%M")
