"""Closing and header: what a settlement fixes, and what the partners sign. Twin of contracts/libraries/Headers.sol.

The closing is fixed at close. The header is the closing, the collateral at a named final block and the attempt; its
outcome (net words, defaults) is a pure function of these. Field names and order are final.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from counterfoil.core.counterfoil import hex_field
from counterfoil.core.encoding import word
from counterfoil.core.errors import Unreadable
from counterfoil.core.typed_data import contract_domain, digest, keccak, struct_hash

_CLOSING_FIELDS = (
    "bytes32 programme,uint64 number,{}bytes32 previousClosing,uint64 closedAt,uint64 logSize,bytes32 logRoot,"
    "bytes32 claimRoot,bytes32 manifest,bytes gross,bytes supply"
)
CLOSING_TYPE = f"Closing({_CLOSING_FIELDS.format('')})"
HEADER_TYPE = (
    f"Header({_CLOSING_FIELDS.format('uint32 attempt,bytes32 previousHeader,')}"
    ",uint64 collateralBlock,bytes32 collateralBlockHash,bytes positions,bytes defaults)"
)
NOTHING = bytes(32)


@dataclass(frozen=True, slots=True)
class Supply:
    """One currency's totals in points: the liability root and its sum C; W withdrawn and R returned, ever."""

    currency: int
    root: bytes
    custodial: int
    withdrawn: int = 0
    returned: int = 0

    @property
    def tokens(self) -> int:
        """The token supply after this settlement: C + W - R."""
        return self.custodial + self.withdrawn - self.returned


@dataclass(frozen=True, slots=True)
class Closing:
    """Settlement n as closed: the log leaves [size(n-1), log_size), roots, gross words, supply, the files' manifest."""

    programme: bytes
    number: int
    previous_closing: bytes
    closed_at: int
    log_size: int
    log_root: bytes
    claim_root: bytes
    manifest: bytes
    gross: bytes
    supply: bytes

    def hash(self) -> bytes:
        """The EIP-712 struct hash."""
        return struct_hash(
            CLOSING_TYPE, self.programme, word(self.number), self.previous_closing, word(self.closed_at),
            word(self.log_size), self.log_root, self.claim_root, self.manifest, keccak(self.gross),
            keccak(self.supply),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """What partners sign and the contract settles; `previous_header` is the struct hash of the one before."""

    closing: Closing
    attempt: int
    previous_header: bytes
    collateral_block: int
    collateral_block_hash: bytes
    positions: bytes
    defaults: bytes

    def hash(self) -> bytes:
        """The EIP-712 struct hash."""
        c = self.closing
        return struct_hash(
            HEADER_TYPE, c.programme, word(c.number), word(self.attempt), self.previous_header,
            c.previous_closing, word(c.closed_at), word(c.log_size), c.log_root, c.claim_root, c.manifest,
            keccak(c.gross), keccak(c.supply), word(self.collateral_block), self.collateral_block_hash,
            keccak(self.positions), keccak(self.defaults),
        )  # fmt: skip

    def digest(self, chain_id: int, contract: str) -> bytes:
        """What a partner signs for one Settlement on one chain."""
        return digest(contract_domain(chain_id, contract), self.hash())

    def fields(self) -> tuple[int | bytes, ...]:
        """The fields in the order of the type, as the contract's ABI takes them."""
        c = self.closing
        return (
            c.programme, c.number, self.attempt, self.previous_header, c.previous_closing, c.closed_at, c.log_size,
            c.log_root, c.claim_root, c.manifest, c.gross, c.supply, self.collateral_block,
            self.collateral_block_hash, self.positions, self.defaults,
        )  # fmt: skip

    def as_json(self) -> dict[str, object]:
        """Names in snake case, bytes as 0x-hex, integers as they are."""
        return {
            name: "0x" + value.hex() if isinstance(value, bytes) else value
            for name, value in zip(FIELDS, self.fields(), strict=True)
        }

    @classmethod
    def from_fields(cls, values: Mapping[str, int | bytes]) -> Header:
        """The header of values by their names in FIELDS."""
        v: dict[str, int | bytes] = {name: values[name] for name in FIELDS}
        closing = Closing(**{name: v[name] for name in Closing.__dataclass_fields__})  # type: ignore[arg-type]
        rest = {name: v[name] for name in cls.__dataclass_fields__ if name != "closing"}
        return cls(closing, **rest)  # type: ignore[arg-type]

    @classmethod
    def from_json(cls, data: object) -> Header:
        """Read `as_json`'s shape; raises Unreadable naming the field."""
        if not isinstance(data, Mapping):
            raise Unreadable("header", "must be an object")
        values: dict[str, int | bytes] = {}
        for name in FIELDS:
            if name in _NUMBERS:
                number = data.get(name)
                if type(number) is not int or not 0 <= number < 2 ** _NUMBERS[name]:
                    raise Unreadable(name, f"must be an integer of {_NUMBERS[name]} bits")
                values[name] = number
            else:
                values[name] = hex_field(data, name, None if name in _PACKED else 32)
        return cls.from_fields(values)


FIELDS = (
    "programme", "number", "attempt", "previous_header", "previous_closing", "closed_at", "log_size", "log_root",
    "claim_root", "manifest", "gross", "supply", "collateral_block", "collateral_block_hash", "positions", "defaults",
)  # fmt: skip
_NUMBERS = {"number": 64, "attempt": 32, "closed_at": 64, "log_size": 64, "collateral_block": 64}
_PACKED = {"gross", "supply", "positions", "defaults"}
_SUPPLY = 160  # bytes of a packed currency: five words


def pack_supply(supplies: list[Supply]) -> bytes:
    """Five words per currency, currencies increasing: currency, root, C, W, R."""
    return b"".join(
        word(s.currency) + s.root + word(s.custodial) + word(s.withdrawn) + word(s.returned)
        for s in sorted(supplies, key=lambda s: s.currency)
    )


def unpack_supply(packed: bytes) -> list[Supply]:
    """The currencies of a packed field; raises Unreadable."""
    if len(packed) % _SUPPLY:
        raise Unreadable("supply", f"{len(packed)} bytes are not whole records")
    records = [packed[at : at + _SUPPLY] for at in range(0, len(packed), _SUPPLY)]

    def number(record: bytes, place: int) -> int:
        return int.from_bytes(record[place * 32 : place * 32 + 32], "big")

    supplies = [Supply(number(r, 0), r[32:64], number(r, 2), number(r, 3), number(r, 4)) for r in records]
    if any(b.currency <= a.currency for a, b in pairwise(supplies)):
        raise Unreadable("supply", "currencies must increase")
    return supplies


@dataclass(frozen=True, slots=True)
class Outcome:
    """Net words and who falls below its floor; `short` (party: micros missing) means it cannot settle yet."""

    words: dict[int, int]
    defaults: tuple[int, ...]
    short: dict[int, int]


def outcome(gross: Mapping[int, int], collateral: Mapping[int, int], floors: Mapping[int, int]) -> Outcome:
    """The outcome of gross words on the collateral of a final block: collateral never falls below 0, and below its
    floor only for a party named in `defaults`.
    """
    after = {number: collateral.get(number, 0) + net for number, net in gross.items()}
    short = {number: -left for number, left in after.items() if left < 0}
    defaults = tuple(sorted(n for n, left in after.items() if gross[n] < 0 <= left < floors.get(n, 0)))
    return Outcome(dict(gross), defaults, short)


def pack_defaults(ids: tuple[int, ...]) -> bytes:
    """Packed uint16 ids, increasing."""
    return b"".join(number.to_bytes(2, "big") for number in sorted(ids))
