"""The counterfoil: the signed promise that a group of entries will be in the log by a named settlement.

A broken promise is provable: the counterfoil, a final header with number >= `settle_by`, and the log without the leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from counterfoil.core import log
from counterfoil.core.calendar import parse_instant, text_instant
from counterfoil.core.encoding import word
from counterfoil.core.errors import CounterfoilError, Unreadable
from counterfoil.core.typed_data import digest, programme_domain, struct_hash

TYPE = "Counterfoil(bytes32 programme,uint64 group,bytes32 root,uint64 committedAt,uint64 settleBy)"


@dataclass(frozen=True, slots=True)
class Promise:
    """What is signed, once per group. `committed_at` in microseconds; `settle_by` is a settlement's number."""

    programme: bytes
    group: int
    root: bytes
    committed_at: int
    settle_by: int

    def digest(self) -> bytes:
        """The EIP-712 digest."""
        struct = struct_hash(
            TYPE, self.programme, word(self.group), self.root, word(self.committed_at), word(self.settle_by)
        )
        return digest(programme_domain(self.programme), struct)


@dataclass(frozen=True, slots=True)
class Counterfoil:
    """A promise, its signature (r, s, v: 65 bytes), and one entry's place under its root."""

    promise: Promise
    signature: bytes
    entry: bytes
    place: int
    count: int
    path: tuple[bytes, ...]

    def included(self) -> bool:
        """Whether the path leads from the entry to the signed root."""
        return log.verify_inclusion(self.place, self.count, self.entry, self.path, self.promise.root)

    def as_json(self) -> dict[str, object]:
        """The shape of the API's answers."""
        path = ["0x" + node.hex() for node in self.path]
        shared = promise_json(self.promise, self.signature)
        return {
            **shared,
            "entry": "0x" + self.entry.hex(),
            "place": self.place,
            "count": self.count,
            "path": path,
        }

    @classmethod
    def from_json(cls, data: object) -> Counterfoil:
        """Read the API's shape; raises Unreadable naming the field."""
        if not isinstance(data, Mapping):
            raise Unreadable("counterfoil", "must be an object")
        try:
            committed_at = parse_instant(data.get("committed_at"), "committed_at")
        except CounterfoilError as error:
            raise Unreadable("counterfoil", str(error)) from error
        path = data.get("path")
        if not isinstance(path, list):
            raise Unreadable("counterfoil", "path: must be a list")
        promise = Promise(
            hex_field(data, "programme", 32), _number(data, "group"), hex_field(data, "root", 32),
            committed_at, _number(data, "settle_by"),
        )  # fmt: skip
        nodes = tuple(hex_field({"path": node}, "path", 32) for node in path)
        return cls(
            promise, hex_field(data, "signature", 65), hex_field(data, "entry", 32),
            _number(data, "place"), _number(data, "count"), nodes,
        )  # fmt: skip


def promise_json(promise: Promise, signature: bytes) -> dict[str, object]:
    """The members of a counterfoil that all entries of a group share."""
    return {
        "programme": "0x" + promise.programme.hex(),
        "group": promise.group,
        "root": "0x" + promise.root.hex(),
        "committed_at": text_instant(promise.committed_at),
        "settle_by": promise.settle_by,
        "signature": "0x" + signature.hex(),
    }


def hex_field(data: Mapping[str, object], field: str, width: int | None = None) -> bytes:
    """Bytes of a 0x-hex field of `width` bytes (None: any); raises Unreadable naming it."""
    text = data.get(field)
    try:
        if not isinstance(text, str) or not text.startswith("0x") or not text.isascii():
            raise ValueError
        value = bytes.fromhex(text[2:])
        if (width is not None and len(value) != width) or len(text) != 2 + 2 * len(value):
            raise ValueError
    except ValueError:
        size = "" if width is None else f"{width} bytes of "
        raise Unreadable(field, f"must be {size}0x-hex") from None
    return value


def _number(data: Mapping[str, object], field: str) -> int:
    value = data.get(field)
    if type(value) is not int or not 0 <= value < 2**64:
        raise Unreadable(field, "must be an integer from 0 to 2^64 - 1")
    return value
