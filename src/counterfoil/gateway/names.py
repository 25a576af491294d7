"""Shapes that bodies of several features share: ids, points, currencies, days, times to live."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field

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


def _day(value: object) -> object:
    if not (isinstance(value, str) and len(value) == 10):
        raise ValueError("must be a day")
    return value


Day = Annotated[
    date,
    BeforeValidator(_day),
    Field(ge=date(1970, 1, 1), le=date(9998, 12, 31), description="last valid day, local; default by contract"),
]
SoldAt = Annotated[
    str | None,
    Field(description="instant of a sale that comes in late, RFC 3339: its terms and validity hold",
          examples=["2025-12-01T09:30:00Z"]),
]  # fmt: skip
PendingDays = Annotated[
    int | None, Field(strict=True, ge=0, le=3_650, description="days until they are available; default by contract")
]
