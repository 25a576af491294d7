"""The bodies of the verbs as Pydantic models: the one author of their shape, for requests, batches and OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from counterfoil.gateway.baskets import Basket
from counterfoil.gateway.moves import Move
from counterfoil.gateway.names import (
    CurrencyName,
    Day,
    ExternalId,
    HoldId,
    MemberId,
    PendingDays,
    Points,
    SoldAt,
    TtlSeconds,
)

MAX_BATCH = 8_000


class Earn(Move):
    """Grant points to a member."""

    external_id: ExternalId
    member: MemberId
    points: Points
    valid_to: Day | None = None
    occurred_at: SoldAt = None
    currency: CurrencyName = "CP"
    promotion: Annotated[
        str | None, Field(min_length=1, max_length=64, description="whose parties fund the bonus together")
    ] = None
    bonus: Annotated[Points | None, Field(description="points on top, a lot of their own")] = None
    pending_days: PendingDays = None


class BasketEarn(Move):
    """Grant what the earn rules in force at the moment of sale give for a basket."""

    external_id: ExternalId
    member: MemberId
    basket: Basket
    valid_to: Day | None = None
    occurred_at: SoldAt = None
    pending_days: PendingDays = None


class Burn(Move):
    """Use a member's points, earliest expiry first."""

    external_id: ExternalId
    member: MemberId
    points: Points
    currency: CurrencyName = "CP"


class Hold(Move):
    """Set points aside for a time."""

    external_id: ExternalId
    member: MemberId
    points: Points
    ttl_seconds: TtlSeconds
    currency: CurrencyName = "CP"


class Capture(Move):
    """Burn up to all of a hold, once; the rest is released."""

    external_id: ExternalId
    points: Points


class Release(Move):
    """Give a hold back."""


class RefundEarn(Move):
    """Take points of an earn back; `earn` is the external id it was made with."""

    external_id: ExternalId
    earn: ExternalId
    points: Points
    park: Annotated[
        bool, Field(strict=True, description="the sale may come in later: then the refund waits for it")
    ] = False


class RefundBurn(Move):
    """Give points of a burn (or capture) back; `burn` is the external id it was made with."""

    external_id: ExternalId
    burn: ExternalId
    points: Points


class Transfer(Move):
    """A gift from one member to another."""

    external_id: ExternalId
    sender: MemberId
    recipient: MemberId
    points: Points


class BatchedCapture(Capture):
    """A capture names its hold."""

    hold: HoldId


class BatchedRelease(Release):
    """A release names its hold."""

    hold: HoldId


MODELS: dict[str, type[Move]] = {
    "earn": Earn, "burn": Burn, "hold": Hold, "capture": BatchedCapture, "release": BatchedRelease,
    "refund_earn": RefundEarn, "refund_burn": RefundBurn, "transfer": Transfer,
}  # fmt: skip


class BatchOperation(BaseModel):
    """One operation of a batch: its verb, its Idempotency-Key (not for a dry run), and the fields of the verb."""

    model_config = ConfigDict(extra="allow")
    verb: Literal["earn", "burn", "hold", "capture", "release", "refund_earn", "refund_burn", "transfer"]
    key: str | None = None
    as_: Annotated[str | None, Field(alias="as", description="a name among the batch's `credentials`")] = None


class Batch(BaseModel):
    """Operations in order; each is answered as if sent alone. `credentials`: further API keys, by a name."""

    model_config = ConfigDict(extra="forbid")
    credentials: dict[str, str] = {}

    operations: Annotated[list[BatchOperation], Field(min_length=1, max_length=MAX_BATCH)]


class Money(BaseModel):
    """What a party receives (+) or pays (-)."""

    party: str
    amount_micros: int


class Proof(BaseModel):
    """The counterfoil: the signed promise that the entry will be in the log by settlement `settle_by`."""

    programme: str
    group: int
    root: str
    committed_at: str
    settle_by: int
    signature: str
    entry: str
    place: int
    count: int
    path: list[str]


class Answer(BaseModel):
    """What was done. Members a verb does not have are left out."""

    model_config = ConfigDict(extra="allow")
    verb: str
    member: str
    points: int
    at: str
    money: list[Money]
    available: Annotated[int, Field(description="the member's spendable points after this")]
    id: Annotated[str | None, Field(description="absent in a dry run")] = None
    counterfoil: Proof | None = None
    lots: list[tuple[str, int]] | None = None
    expires_at: str | None = None
    hold: Annotated[str | None, Field(description="absent in a dry run of the hold itself")] = None
    released: int | None = None
    recipient: str | None = None
    recovered: int | None = None
    cancelled: Annotated[int | None, Field(description="points taken back while they were pending")] = None
    excused: int | None = None
    cash_points: Annotated[int | None, Field(description="points not recovered, kept back in cash at the till")] = None
    cash_micros: Annotated[int | None, Field(description="their face")] = None
    status: Annotated[str | None, Field(description="`queued` or `parked`: booked later")] = None
    booked: Annotated[list[dict[str, Any]] | None, Field(description="refunds that waited for this")] = None
    dropped: Annotated[list[dict[str, Any]] | None, Field(description="and those a rule turned down")] = None
    alerts: Annotated[list[tuple[str, int]] | None, Field(description="packs that came down to their level")] = None
    currency: Annotated[str | None, Field(description="where it is not the coalition's")] = None
    debt: int | None = None
    explanation: Annotated[
        list[dict[str, Any]] | None, Field(description="of an earn by rules: what each gave, and why")
    ] = None
    refers_to: str | None = None


class BatchAnswer(BaseModel):
    """The status and body each operation would have had alone."""

    status: int
    replayed: bool
    body: dict[str, Any]


class BatchAnswers(BaseModel):
    """Answers in the order of the operations."""

    answers: list[BatchAnswer]
