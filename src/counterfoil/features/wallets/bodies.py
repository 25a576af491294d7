"""What is asked for and answered, as Pydantic models."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from counterfoil.gateway.moves import Act, Move
from counterfoil.gateway.names import CurrencyName, ExternalId, MemberId, Points

ADDRESS = r"^0x[0-9a-fA-F]{40}$"
EXAMPLE = "0x8ba1f109551bd432803012645ac136ddd64dba72"
Address = Annotated[str, Field(pattern=ADDRESS, examples=[EXAMPLE])]


class NewNonce(BaseModel):
    """For which account, if it is known: then the answer has the whole message to sign."""

    model_config = ConfigDict(extra="forbid")
    account: Address | None = None


class Nonce(BaseModel):
    """What the message must say: EIP-4361, version 1. The nonce works once, until `expires_at`."""

    nonce: str
    domain: str
    uri: str
    chain_id: int
    statement: str
    issued_at: str
    expires_at: str
    message: str | None


class Link(BaseModel):
    """An EIP-4361 message as it was signed, and the signature: r, s, v, with a low s."""

    model_config = ConfigDict(extra="forbid")
    message: Annotated[str, Field(max_length=4_096)]
    signature: Annotated[str, Field(pattern=r"^0x[0-9a-f]{130}$")]


class Linked(BaseModel):
    """The account linked now, if one is, and all that ever were."""

    member: str
    account: str | None
    since: str | None
    history: list[dict[str, Any]]


class NewWithdrawal(Move):
    """Points of a member go to its linked account."""

    external_id: ExternalId
    member: MemberId
    points: Points
    currency: CurrencyName = "CP"


class NewReturn(Move):
    """Points that came back on chain, by an event that is final; with a `partner`: redeemed there."""

    account: Address
    block: Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$", description="the hash of the event's block")]
    index: Annotated[int, Field(strict=True, ge=0, le=2**63 - 1, description="the event's index in the block")]
    points: Points
    currency: CurrencyName = "CP"
    partner: Annotated[int | None, Field(strict=True, ge=0, le=2**16 - 1)] = None


class Assignment(Act):
    """Whose the points are."""

    member: MemberId


class Returns(BaseModel):
    """Returns that could not be booked at once, by reference."""

    data: list[dict[str, Any]]
