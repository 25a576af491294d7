"""The bodies of earn rules and calculations, and what is answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from counterfoil.core.calendar import parse_instant
from counterfoil.core.rulebook.earning import EarnRule
from counterfoil.gateway.baskets import Basket
from counterfoil.gateway.moves import Act
from counterfoil.gateway.names import Day, ExternalId, MemberId, PendingDays, Points, SoldAt

MOST_RATE_BP = 1_000_000  # a hundred times the amount
Word = Annotated[str, Field(max_length=64)]
Expression = Annotated[str, Field(max_length=2_000)]
Instant = Annotated[str | None, Field(examples=["2026-03-01T00:00:00+01:00"])]
Rate = Annotated[
    int, Field(strict=True, ge=1, le=MOST_RATE_BP, description="of the matched amount, a point per minor unit")
]


class NewRule(Act):
    """A rule's first version, or its next; what was published before stays as it is."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,64}$", examples=["spring"])]
    kind: Annotated[
        Literal["base", "campaign"],
        Field(description="a line counts for one base rule, the first that matches; every campaign adds a lot"),
    ]
    since: Annotated[Instant, Field(description="null: as soon as notice allows")] = None
    until: Annotated[Instant, Field(description="exclusive; a version that ends as it begins ends the rule")] = None
    partners: Annotated[tuple[int, ...], Field(max_length=1_000, description="at whose tills; none: at all")] = ()
    rank: Annotated[int, Field(strict=True, ge=-1_000, le=1_000, description="lower ones come first")] = 0
    brand: Annotated[Word, Field(description="of a line")] = ""
    category: Annotated[Word, Field(description="of a line", examples=["wine"])] = ""
    when: Annotated[
        Expression,
        Field(description="CEL, a boolean over the sale or a line", examples=["basket.amount_minor >= 5000"]),
    ] = ""
    rate_bp: Annotated[Rate | None, Field(examples=[200])] = None
    points: Annotated[
        Expression,
        Field(description="instead of a rate: CEL, an integer", examples=["200 * (matched.amount_minor / 5000)"]),
    ] = ""
    text: Annotated[Word, Field(description="what the member reads", examples=["spring bonus"])] = ""
    promotion: Annotated[Word, Field(description="who funds a campaign; none: the selling partner")] = ""
    budget: Annotated[Word, Field(description="points in all, over every version")] = ""
    per_member: Annotated[Points | None, Field(description="cap, over every version")] = None
    per_member_day: Annotated[Points | None, Field(description="cap on a local day")] = None
    per_day: Annotated[Points | None, Field(description="cap on a local day, of all members")] = None
    on_exhausted: Annotated[
        Literal["cut", "refuse"], Field(description="what a cap or budget leaves is given, or the sale is refused")
    ] = "cut"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.rate_bp is None) == (not self.points):
            raise ValueError("give either `rate_bp` or `points`")
        if self.kind == "base" and self.promotion:
            raise ValueError("a base is funded by the selling partner alone: give a campaign its promotion")
        return self

    def rule(self, salt: str) -> EarnRule:
        """As the rulebook keeps it, still without a version; raises InvalidRequest."""
        given = self.model_dump(exclude={"dry_run", "reason"})
        return EarnRule(**{
            **given, "version": 0, "since": parse_instant(self.since, "since") if self.since else 0,
            "until": parse_instant(self.until, "until") if self.until else None, "salt": salt,
            "partners": tuple(sorted(set(self.partners))), "rate_bp": self.rate_bp or 0,
        })  # fmt: skip


class RuleView(BaseModel):
    """One version of a rule. `hash` stands in the published rulebook: SHA-256 over tag, `salt` and `document`."""

    name: str
    version: int
    kind: str
    since: str
    until: str | None
    partners: list[str]
    rank: int
    brand: str
    category: str
    when: str
    rate_bp: int | None
    points: str | None
    text: str
    promotion: str
    budget: str
    per_member: int | None
    per_member_day: int | None
    per_day: int | None
    on_exhausted: str
    document: str
    salt: str
    hash: str


class Rules(BaseModel):
    """By name, then version."""

    data: list[RuleView]


class Calculation(BaseModel):
    """What an earn of a basket would give. Without a member, what it gives before the caps of members."""

    model_config = ConfigDict(extra="forbid")
    basket: Basket
    member: MemberId | None = None
    occurred_at: SoldAt = None
    external_id: Annotated[ExternalId | None, Field(description="not looked at: the body of an earn will do")] = None
    valid_to: Day | None = None
    pending_days: PendingDays = None
    partner: Annotated[int | None, Field(description="for the operator: at whose till", examples=[16])] = None


class Explained(BaseModel):
    """What one rule gave, and why; `cut`: points that a cap or budget took off."""

    model_config = ConfigDict(extra="allow")
    rule: str
    version: int
    text: Annotated[str, Field(examples=["2 % of 50.00 = 100"])]
    points: int


class Calculated(BaseModel):
    """The answer of an earn, without a movement."""

    model_config = ConfigDict(extra="allow")
    verb: str
    at: str
    points: int
    explanation: list[Explained]
    caps: Annotated[str, Field(description="`all`, or `without the member's`")]
    money: Annotated[list[dict[str, Any]], Field(description="of a calculation for a member")] = []
