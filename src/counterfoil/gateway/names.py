"""Shapes that bodies of several features share: ids, points, currencies, times to live."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from counterfoil.core.units import MAX_POINTS

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

CurrencyName = Annotated[
    str, Field(min_length=1, max_length=32, pattern=r"^[!-~]+$", description="the coalition's, or the brand's own")
]
EntryId = Annotated[str, Field(pattern=_ID.format("ent"), examples=["ent_0000000000010000"])]
TtlSeconds = Annotated[int, Field(strict=True, ge=1, le=MAX_TTL_SECONDS, examples=[600])]
