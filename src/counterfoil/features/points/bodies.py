"""The bodies of the verbs as Pydantic models: the one author of their shape, for requests, batches and OpenAPI."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from counterfoil.core.units import MAX_POINTS

MAX_BATCH = 8_000
MAX_TTL_SECONDS = 366 * 86_400
_ID = r"^{}_[0-9a-f]{{16}}$"

Points = Annotated[int, Field(strict=True, ge=1, le=MAX_POINTS, description="whole points", examples=[300])]
ExternalId = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=r"^[!-~]+$", description="the caller's own name, once per kind",
          examples=["slip-1042"]),
]  # fmt: skip
MemberId = Annotated[str, Field(pattern=_ID.format("mbr"), examples=["mbr_212c39a6e24cc68e"])]
HoldId = Annotated[str, Field(pattern=_ID.format("hld"), examples=["hld_0000000000040000"])]


class Body(BaseModel):
    """Unknown fields are refused: a misspelt one must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dry_run: Annotated[bool, Field(strict=True, description="answer as the commit would, and change nothing")] = False


def _day(value: object) -> object:
    if not (isinstance(value, str) and len(value) == 10):
        raise ValueError("must be a day")
    return value


Day = Annotated[date, BeforeValidator(_day), Field(ge=date(1970, 1, 1), le=date(9998, 12, 31))]


class Earn(Body):
    """Grant points to a member."""

    external_id: ExternalId
    member: MemberId
    points: Points
    valid_to: Annotated[Day | None, Field(description="last valid day, local; default by contract")] = None


class Burn(Body):
    """Use a member's points, earliest expiry first."""

    external_id: ExternalId
    member: MemberId
    points: Points


class Hold(Body):
    """Set points aside for a time."""

    external_id: ExternalId
    member: MemberId
    points: Points
    ttl_seconds: Annotated[int, Field(strict=True, ge=1, le=MAX_TTL_SECONDS, examples=[600])]


class Capture(Body):
    """Burn up to all of a hold, once; the rest is released."""

    external_id: ExternalId
    points: Points


class Release(Body):
    """Give a hold back."""


class RefundEarn(Body):
    """Take points of an earn back; `earn` is the external id it was made with."""

    external_id: ExternalId
    earn: ExternalId
    points: Points


class RefundBurn(Body):
    """Give points of a burn (or capture) back; `burn` is the external id it was made with."""

    external_id: ExternalId
    burn: ExternalId
    points: Points


class Transfer(Body):
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


MODELS: dict[str, type[Body]] = {
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
    excused: int | None = None
    debt: int | None = None
    refers_to: str | None = None


class BatchAnswer(BaseModel):
    """The status and body each operation would have had alone."""

    status: int
    replayed: bool
    body: dict[str, Any]


class BatchAnswers(BaseModel):
    """Answers in the order of the operations."""

    answers: list[BatchAnswer]
