"""Deferred revenue by the proportional method, with the catch-up when the estimate of breakage changes.

IFRS 15, B44 to B47: consideration for points is a contract liability until they are used; breakage is recognised in
proportion to the points used, or when use of the rest has become remote. A change of the estimate is made good at once, for
all points so far. Recognised to date = deferred x burned / (issued x (1 - breakage)), rounded down, at most all of it. An
estimate below what has run out already cannot be right, so it counts as that: with the last point all is recognised.
"""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.core.units import BASIS_POINTS, mul_div_down


@dataclass(frozen=True, slots=True)
class Rights:
    """Points of one issuer to date: `issued` less those taken back; `deferred_micros` is their face."""

    deferred_micros: int = 0
    issued: int = 0
    burned: int = 0
    expired: int = 0

    def recognised_micros(self, breakage_bp: int) -> int:
        """Revenue to date under an estimate, micros, rounded down."""
        if self.burned + self.expired == self.issued:  # no right is left
            return self.deferred_micros
        expected = min(self.issued * (BASIS_POINTS - breakage_bp), (self.issued - self.expired) * BASIS_POINTS)
        if self.burned * BASIS_POINTS >= expected:  # as many were used as ever should be
            return self.deferred_micros if self.burned else 0
        return mul_div_down(self.deferred_micros, self.burned * BASIS_POINTS, expected)


@dataclass(frozen=True, slots=True)
class Movement:
    """A settlement's deferred revenue, micros: opening + added - recognised - catch_up = closing.

    `catch_up_micros` is what the change of the estimate since the settlement before makes of the points so far. Below zero
    `added` is more taken back than issued, `recognised` more given back than used.
    """

    opening_micros: int = 0
    added_micros: int = 0
    recognised_micros: int = 0
    catch_up_micros: int = 0
    closing_micros: int = 0
    deferred_to_date_micros: int = 0
    recognised_to_date_micros: int = 0


def movement(before: Rights, before_bp: int, now: Rights, now_bp: int) -> Movement:
    """From the close of one settlement, with its estimate, to that of the next, with its own."""
    known = before.recognised_micros(before_bp)
    as_before, as_now = now.recognised_micros(before_bp), now.recognised_micros(now_bp)
    return Movement(
        before.deferred_micros - known, now.deferred_micros - before.deferred_micros, as_before - known,
        as_now - as_before, now.deferred_micros - as_now, now.deferred_micros, as_now,
    )  # fmt: skip
