"""Baskets: what was sold, for the earn rules to say how many points that gives."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from counterfoil.core.rulebook import earning
from counterfoil.core.units import MAX_POINTS
from counterfoil.store.expressions import MOST_LINES

Word = Annotated[str, Field(max_length=64)]
AmountMicros = Annotated[int, Field(strict=True, ge=0, le=MAX_POINTS, description="micro-units", examples=[50_000_000])]


class BasketLine(BaseModel):
    """One thing sold; `amount_micros` is what was paid for all its `quantity`."""

    model_config = ConfigDict(extra="forbid")
    amount_micros: AmountMicros
    category: Annotated[Word, Field(examples=["wine"])] = ""
    brand: Word = ""
    sku: Word = ""
    quantity: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 1


class Basket(BaseModel):
    """Either lines, or one amount. It is read by the rules and kept nowhere."""

    model_config = ConfigDict(extra="forbid")
    amount_micros: AmountMicros | None = None
    lines: Annotated[list[BasketLine] | None, Field(min_length=1, max_length=MOST_LINES)] = None
    tags: Annotated[
        list[Annotated[Word, Field(min_length=1)]],
        Field(max_length=16, description="what the partner says of the sale or the customer", examples=[["app"]]),
    ] = []

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.amount_micros is None) == (self.lines is None):
            raise ValueError("give either `lines` or `amount_micros`")
        if sum(line.amount_micros for line in self.lines or ()) > MAX_POINTS:
            raise ValueError("the lines add up to more than 9007199254740991 micros")
        return self

    def sold(self) -> earning.Basket:
        """As the rulebook reads it."""
        lines = self.lines or [BasketLine(amount_micros=self.amount_micros or 0)]
        return earning.Basket(tuple(earning.Line(**line.__dict__) for line in lines), tuple(self.tags))
