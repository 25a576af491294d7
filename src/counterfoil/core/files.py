"""The files of a settlement's exports, byte by byte, and the manifest that a closing binds them with.

Manifest hash: SHA-256(tag, then for each file by name: SHA-256(name), word(size), SHA-256(content)).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from counterfoil.core.encoding import tag, word
from counterfoil.core.errors import Unreadable
from counterfoil.core.sum_tree import Liability

ENTRIES, LIABILITIES, RULEBOOK = "entries", "liabilities", "rulebook"
CLAIMS = "claims.json"  # of the public export: bound by the closing's claim root, so the manifest does not list it
_MANIFEST = tag("counterfoil.manifest.v1")
_HEAD = struct.Struct(">QQQ")
_LEAF = struct.Struct(">Q16s32s")
_LENGTH = struct.Struct(">I")
_HANDLES = struct.Struct(">QQ")


@dataclass(frozen=True, slots=True)
class FileHash:
    """A file as the manifest names it."""

    name: str
    size: int
    sha256: bytes

    def as_json(self) -> dict[str, object]:
        """Name, size in bytes, 0x-hash."""
        return {"name": self.name, "size": self.size, "sha256": "0x" + self.sha256.hex()}


class Hasher:
    """Hashes a file as it is written."""

    def __init__(self, name: str) -> None:
        self._name, self._size, self._hash = name, 0, hashlib.sha256()

    def add(self, part: bytes) -> None:
        """The next bytes."""
        self._size += len(part)
        self._hash.update(part)

    def done(self) -> FileHash:
        """The file so far."""
        return FileHash(self._name, self._size, self._hash.digest())


def hashed(name: str, content: bytes) -> FileHash:
    """A whole file."""
    return FileHash(name, len(content), hashlib.sha256(content).digest())


def manifest_hash(files: Iterable[FileHash]) -> bytes:
    """What the closing carries."""
    parts = [
        hashlib.sha256(file.name.encode()).digest() + word(file.size) + file.sha256
        for file in sorted(files, key=lambda file: file.name)
    ]
    return hashlib.sha256(_MANIFEST + b"".join(parts)).digest()


def pack_entry(body: bytes) -> bytes:
    """A record of the entries file: uint32 length, body."""
    return _LENGTH.pack(len(body)) + body


def unpack_entries(content: bytes) -> Iterator[bytes]:
    """The bodies of an entries file; raises Unreadable where it is cut."""
    at = 0
    while at < len(content):
        start = at + _LENGTH.size
        if start > len(content):
            raise Unreadable("entries", f"cut at byte {at}")
        at = start + _LENGTH.unpack_from(content, at)[0]
        if at > len(content):
            raise Unreadable("entries", f"a record runs past the end at byte {start}")
        yield content[start:at]


def pack_liabilities(currency: int, depth: int, leaves: list[Liability]) -> bytes:
    """A currency of the liabilities file: currency, depth, count; then place, balance (128 bits), commitment each."""
    records = [_LEAF.pack(one.place, one.balance.to_bytes(16, "big"), one.commitment) for one in leaves]
    return _HEAD.pack(currency, depth, len(leaves)) + b"".join(records)


def unpack_liabilities(content: bytes) -> dict[int, tuple[int, list[Liability]]]:
    """Depth and leaves by currency; raises Unreadable for anything but places increasing within the depth."""
    found: dict[int, tuple[int, list[Liability]]] = {}
    at = 0
    while at < len(content):
        if at + _HEAD.size > len(content):
            raise Unreadable("liabilities", f"cut at byte {at}")
        currency, depth, count = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        if at + count * _LEAF.size > len(content) or currency in found or depth > 48:
            raise Unreadable("liabilities", f"currency {currency} is cut, twice there, or too deep")
        leaves, last = [], -1
        for _ in range(count):
            place, balance, commitment = _LEAF.unpack_from(content, at)
            at += _LEAF.size
            one = Liability(place, int.from_bytes(balance, "big"), commitment)
            if not last < place < 1 << depth or not one.balance:
                raise Unreadable("liabilities", f"place {place} is out of order or range, or empty")
            leaves.append(one)
            last = place
        found[currency] = (depth, leaves)
    return found


def pack_handles(entries: Iterable[tuple[int, int]], leaves: Iterable[int]) -> tuple[bytes, bytes]:
    """Handles of a sealed export: two words per entry (0: no second member), one per liability leaf."""
    return b"".join(_HANDLES.pack(*pair) for pair in entries), b"".join(h.to_bytes(8, "big") for h in leaves)


def unpack_handles(content: bytes) -> list[tuple[int, int]]:
    """The handle pairs of entries; raises Unreadable."""
    if len(content) % _HANDLES.size:
        raise Unreadable("handles", "not whole records")
    return list(_HANDLES.iter_unpack(content))


def unpack_leaf_handles(content: bytes) -> list[int]:
    """The handles of liability leaves; raises Unreadable."""
    if len(content) % 8:
        raise Unreadable("handles", "not whole records")
    return [one for (one,) in struct.iter_unpack(">Q", content)]


TILE = 256  # hashes in a full tile, c2sp.org/tlog-tiles


def tile_path(level: int | str, number: int, width: int) -> str:
    """The path of a tile; `level` is "entries" for bundles of leaf data, `width` below 256 for a partial one."""
    parts = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        parts.append(f"x{number % 1000:03d}")
    name = "/".join(reversed(parts))
    return f"tile/{level}/{name}" if width == TILE else f"tile/{level}/{name}.p/{width}"


def pack_bundle(leaves: Iterable[bytes]) -> bytes:
    """An entries bundle: uint16 length and data of each leaf."""
    return b"".join(len(data).to_bytes(2, "big") + data for data in leaves)


def unpack_bundle(content: bytes) -> list[bytes]:
    """The leaf data of a bundle, 32 bytes each; raises Unreadable."""
    if len(content) % 34 or any(content[at : at + 2] != b"\x00\x20" for at in range(0, len(content), 34)):
        raise Unreadable("tile/entries", "a bundle holds records of 32 bytes")
    return [content[at + 2 : at + 34] for at in range(0, len(content), 34)]
