"""Lots and who pays for them: the terms that a lot is made with and keeps, whatever its contract says later.

A lot's funding is a list of parts, one per funder, as bytes: what an entry carries, what a row keeps, and what most lots
of a partner share. Per point of the lot each part pays `paid` into the pool when the points become available and `owed`
when they are used; the sum over the parts is the lot's face. Every amount is linear in points, so any order of partial
movements adds up to the whole, to the micro-unit.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from msgspec import Struct, structs

PART_WORDS = 5
_PART = struct.Struct(f">{PART_WORDS}Q")
_SHORT = 16  # bits: party, contract, operator's basis points, whether the fee is refundable


class Funding(Struct, frozen=True, gc=False):
    """One funder's part, micros per point: by which version of its contract, and how its breakage is shared."""

    party: int
    contract: int
    paid_micros: int
    owed_micros: int = 0
    fee_micros: int = 0  # to the operator when the points become available
    use_fee_micros: int = 0  # to the operator when they are used
    fee_refundable: bool = True
    breakage_operator_bp: int = 0


@dataclass(frozen=True, slots=True)
class Funds:
    """A lot's parts and their sums, micros per point.

    `sole` is the only funder, -1 if there are several or none; `owes`: something is due at use.
    """

    parts: tuple[Funding, ...]
    paid_micros: int
    face_micros: int
    sole: int
    owes: bool

    def part(self, party: int) -> Funding | None:
        """A party's part."""
        return next((one for one in self.parts if one.party == party), None)


def pack_funding(parts: Iterable[Funding]) -> bytes:
    """Five w64 words a part: party, contract, basis points, refundable (16 bits each); paid, owed, fee, fee at use."""
    words = []
    for one in parts:
        assert max(one.party, one.contract, one.breakage_operator_bp) < 1 << _SHORT
        first = ((one.party << _SHORT | one.contract) << _SHORT | one.breakage_operator_bp) << _SHORT
        amounts = (one.paid_micros, one.owed_micros, one.fee_micros, one.use_fee_micros)
        words.append(_PART.pack(first | one.fee_refundable, *amounts))
    return b"".join(words)


@lru_cache(maxsize=4096)
def funds(packed: bytes) -> Funds:
    """The parts that `pack_funding` packed. ValueError for what it does not write."""
    parts = []
    for first, paid, owed, fee, use_fee in _PART.iter_unpack(packed):
        short = (1 << _SHORT) - 1
        refundable = first & short
        if refundable > 1:
            raise ValueError(f"{refundable} does not say whether a fee is refundable")
        numbers = (first >> 3 * _SHORT, first >> 2 * _SHORT & short)
        parts.append(Funding(*numbers, paid, owed, fee, use_fee, bool(refundable), first >> _SHORT & short))
    paid = sum(one.paid_micros for one in parts)
    owed = sum(one.owed_micros for one in parts)
    owes = any(one.owed_micros or one.use_fee_micros for one in parts)
    return Funds(tuple(parts), paid, paid + owed, parts[0].party if len(parts) == 1 else -1, owes)


class LotTerms(Struct, frozen=True, gc=False):
    """What a lot was made with and keeps; instants in microseconds. The issuer is whose points they are."""

    currency: int
    issuer: int
    earned_at: int
    expires_at: int  # first instant no longer valid; NEVER if none
    available_at: int  # 0: at once; else pending until that instant
    funding: bytes
    origin_entry: int = 0  # 0: itself; of a lot with grace: the lot it continues
    origin_index: int = 0
    prepaid: int = 0  # of its first points, how many were paid for in advance

    @property
    def funds(self) -> Funds:
        """Who pays for it."""
        return funds(self.funding)

    def given(self) -> LotTerms:
        """Of the lot a gift makes: it counts as made by the gift."""
        return structs.replace(self, available_at=0, origin_entry=0, origin_index=0, prepaid=0)

    def renewed(self, expires_at: int, origin: tuple[int, int]) -> LotTerms:
        """Of the lot with grace that continues `origin`."""
        return structs.replace(
            self, expires_at=expires_at, available_at=0, origin_entry=origin[0], origin_index=origin[1], prepaid=0
        )
