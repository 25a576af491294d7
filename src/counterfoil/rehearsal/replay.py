"""What members and partners of the journey do: which points are granted and used for each basket. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from counterfoil.rehearsal.history import PARTNERS, Basket

BURN_FROM, BURN_STEP = 500, 100


@dataclass(slots=True)
class Purse:
    """A member as the replay knows it: balance, and points earned so far by partner."""

    balance: int = 0
    earned: list[int] = field(default_factory=lambda: [0] * len(PARTNERS))


@dataclass(slots=True)
class Tally:
    """Counts of what was posted."""

    baskets: int = 0
    earns: int = 0
    burns: int = 0
    issued: int = 0
    burned: int = 0
    purses: dict[int, Purse] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Movement:
    """An earn or a burn of points of a household at a partner (its place in PARTNERS), for one basket."""

    verb: str
    partner: int
    household: int
    points: int
    basket: int

    def operation(self, member: str) -> dict[str, Any]:
        """As the batch endpoint takes it; its name is its key, so sending it again does nothing."""
        name = f"{self.basket}-{self.verb}-{self.partner}"
        return {"verb": self.verb, "key": name, "as": PARTNERS[self.partner][0], "external_id": name,
                "member": member, "points": self.points}  # fmt: skip


def movements(basket: Basket, tally: Tally) -> Iterator[Movement]:
    """What a basket sets off, in order: perhaps a burn where most was bought, then each partner's grant."""
    purse = tally.purses.setdefault(basket.household, Purse())
    tally.baskets += 1
    largest, cents = max(basket.sales, key=lambda sale: (sale[1], -sale[0]))
    favourite = max(range(len(PARTNERS)), key=lambda place: (purse.earned[place], -place))
    if purse.balance >= BURN_FROM and largest != favourite:
        points = min(purse.balance, cents) // BURN_STEP * BURN_STEP
        if points:
            purse.balance -= points
            tally.burns += 1
            tally.burned += points
            yield Movement("burn", largest, basket.household, points, basket.id)
    for place, sold in basket.sales:
        points = sold * PARTNERS[place][1] // 10_000
        if points:
            purse.balance += points
            purse.earned[place] += points
            tally.earns += 1
            tally.issued += points
            yield Movement("earn", place, basket.household, points, basket.id)


def days(baskets: Iterable[Basket]) -> Iterator[tuple[tuple[int, int], list[Basket]]]:
    """Baskets by day, each with its calendar month (year, month): a batch never crosses either."""
    for day, some in groupby(baskets, key=lambda basket: basket.day):
        yield (day.year, day.month), list(some)
