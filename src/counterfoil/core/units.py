"""Points, micro-units and instants: integers with names. All division of the product lives here.

Points are whole; money is micro-units (1e-6) of one settlement currency; an instant is whole
microseconds since the Unix epoch, UTC. Each division says its direction in its name.
"""

from __future__ import annotations

from collections.abc import Sequence

from counterfoil.core.errors import InvalidAmount

MAX_POINTS = 2**53 - 1  # what JSON carries exactly everywhere (RFC 8259, section 6)
NEVER = 2**63 - 1  # an expiry that does not come: the largest instant a database column holds
MONEY = 0  # the unit of money; a currency's number is its own unit
COALITION_CURRENCY = 1
CENT_MICROS = 10_000
BASIS_POINTS = 10_000


def checked_points(value: object, field: str = "points") -> int:
    """`value` if it is a JSON integer from 1 to 2^53 - 1 (1.0, true and "1" are not); raises InvalidAmount."""
    if type(value) is not int:
        raise InvalidAmount(field, "must be a JSON integer")
    if not 1 <= value <= MAX_POINTS:
        raise InvalidAmount(field, "must be from 1 to 9007199254740991")
    return value


def mul_div_down(a: int, b: int, divisor: int) -> int:
    """floor(a x b / divisor)."""
    return a * b // divisor


def mul_div_up(a: int, b: int, divisor: int) -> int:
    """ceil(a x b / divisor)."""
    return -(-a * b // divisor)


def mul_div_half_even(a: int, b: int, divisor: int) -> int:
    """A x b / divisor to the nearest whole, ties to even; symmetric around zero."""
    quotient, rest = divmod(abs(a * b), divisor)
    up = rest * 2 > divisor or (rest * 2 == divisor and quotient & 1)
    return (quotient + up) * (-1 if a * b < 0 else 1)


def rounded_half_even(micros: int, step_micros: int = CENT_MICROS) -> int:
    """`micros` to a multiple of `step_micros`, half-even (the rulebook's rounding of a position)."""
    return mul_div_half_even(micros, 1, step_micros) * step_micros


def split_largest_remainder(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Shares of `total` by weight: floors, then one unit each by largest remainder, ties to the earlier."""
    whole = sum(weights)
    shares = [mul_div_down(total, weight, whole) for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in order[: total - sum(shares)]:
        shares[i] += 1
    return tuple(shares)


def refunded_points(points: int, refunded_micros: int, sale_micros: int) -> int:
    """Points taken back once `refunded_micros` of a sale of `sale_micros` that earned `points` are refunded.

    Each refund takes the difference to what was taken before, so the one that completes the sale takes the rest.
    """
    return mul_div_down(points, refunded_micros, sale_micros)
