"""False counterfoils and headers: altered, of another programme, chain or contract, and signatures of wrong form."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from counterfoil.chain.signer import Signer
from counterfoil.core.calendar import text_instant
from counterfoil.core.counterfoil import Counterfoil, Promise
from counterfoil.core.settlement import FIELDS, Header
from tests.core import naive
from tests.core.forged_log import Log, flipped, lengthened, path_in, swapped
from tests.core.verdicts import Claim, hexed

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FIELD = 2**256 - 2**32 - 977
NUMBERS = {"number": 53, "attempt": 32, "closed_at": 53, "log_size": 53, "collateral_block": 53}
PACKED = {"gross", "supply", "positions", "defaults"}
SIGNATURES = (
    "flipped",
    "high s",
    "v",
    "zero r",
    "zero s",
    "r of the order",
    "no point",
    "cut",
    "long",
    "compact",
    "random",
)


def bad_signature(draw: random.Random, kind: str, good: bytes) -> bytes:  # noqa: PLR0911
    """A signature that is not one, made from one that is."""
    r, s, v = good[:32], int.from_bytes(good[32:64], "big"), good[64]
    match kind:
        case "flipped":
            return flipped(draw, good)
        case "high s":
            return r + (ORDER - s).to_bytes(32, "big") + bytes([55 - v])
        case "v":
            return good[:64] + bytes([draw.choice([0, 1, 2, 3, 26, 29, 35, 54, 55 - v, 255])])
        case "zero r":
            return bytes(32) + good[32:]
        case "zero s":
            return r + bytes(32) + good[64:]
        case "r of the order":
            return draw.choice([ORDER, ORDER + 1, 2**256 - 1, FIELD]).to_bytes(32, "big") + good[32:]
        case "no point":
            return (5).to_bytes(32, "big") + good[32:]  # 5^3 + 7 is no square
        case "cut":
            return good[: draw.choice([0, 32, 63, 64])]
        case "long":
            return good + draw.choice([b"\0", b"\x1b", good[:32]])
        case "compact":  # EIP-2098
            return r + (s | (v - 27) << 255).to_bytes(32, "big")
        case _:
            return draw.randbytes(64) + bytes([draw.choice([27, 28])])


@dataclass(slots=True)
class Group:
    """The entries of a commit with the promise about them, signed; and another programme's promise by another key."""

    log: Log
    promise: Promise
    signature: bytes
    key: Signer
    stranger: Signer

    @classmethod
    def at_random(cls, draw: random.Random, size: int, key: Signer, stranger: Signer) -> Group:
        entries = Log.at_random(draw, size)
        promise = Promise(
            draw.randbytes(32), draw.randrange(2**47), entries.tree.root(), draw.randrange(2**50), draw.randrange(2**40)
        )
        return cls(entries, promise, key.sign(promise.digest()), key, stranger)

    def counterfoil(self, place: int) -> Counterfoil:
        path = tuple(self.log.tree.inclusion(place))
        return Counterfoil(self.promise, self.signature, self.log.leaves[place], place, self.log.size, path)

    def claim(self, kind: str, one: dict[str, object]) -> Claim:
        expected = {"signer": self.key.address.lower(), "programme": hexed(self.promise.programme)}
        return Claim(kind, "counterfoil", {"counterfoil": one, **expected})

    def true(self, place: int) -> Claim:
        return self.claim("true", self.counterfoil(place).as_json())


FOILS = (
    "programme", "group", "root", "committed_at", "settle_by", "entry", "flipped", "node as entry", "64-byte entry",
    "cut path", "extended path", "swapped siblings", "other place", "other count", "stranger", "other programme",
    "other group", *(f"signature: {kind}" for kind in SIGNATURES),
)  # fmt: skip


def forged_foil(draw: random.Random, kind: str, it: Group, other: Group) -> Claim:  # noqa: C901, PLR0911, PLR0912
    place = draw.randrange(it.log.size)
    good = it.counterfoil(place)
    json = good.as_json()

    def foil(**changes: Any) -> Claim:
        return it.claim(kind, replace(good, **changes).as_json())

    path = list(good.path)
    match kind:
        case "programme" | "root" | "entry":
            old = getattr(it.promise, kind) if kind != "entry" else good.entry
            new = draw.choice([flipped(draw, old), draw.randbytes(32), bytes(32)])
            return it.claim(kind, {**json, kind: hexed(new)})
        case "group" | "settle_by":
            old_number = getattr(it.promise, kind)
            return it.claim(kind, {**json, kind: draw.choice([old_number + 1, old_number ^ 1, draw.randrange(2**52)])})
        case "committed_at":
            at = it.promise.committed_at + draw.choice([1, -1, 3_600_000_000])
            return it.claim(kind, {**json, kind: text_instant(max(0, at) if at != it.promise.committed_at else 7)})
        case "flipped":
            bent = [flipped(draw, node) for node in path[:1]] + path[1:]
            return foil(path=tuple(bent)) if bent and draw.random() < 0.5 else foil(entry=flipped(draw, good.entry))
        case "node as entry" | "64-byte entry":
            height = draw.randrange(1, len(it.log.levels))
            level, below = it.log.levels[height], it.log.levels[height - 1]
            at = draw.randrange(len(below) // 2)
            data = level[at] if kind == "node as entry" else below[2 * at] + below[2 * at + 1]
            return foil(entry=data, place=at, count=len(level), path=tuple(path_in(it.log.levels[height:], at)))
        case "cut path":
            at = draw.randrange(len(path))
            return foil(path=tuple(path[:at] + path[at + 1 :]))
        case "extended path":
            return foil(path=tuple(lengthened(draw, path, it.promise.root)))
        case "swapped siblings":
            return foil(path=tuple(swapped(draw, path)))
        case "other place" | "other count":  # place and count are not signed: only what is walked otherwise is false
            while True:
                count = it.log.size if kind == "other place" else draw.randrange(1, 3 * it.log.size)
                at = draw.randrange(count)
                if naive.sides(at, count) != naive.sides(place, it.log.size):
                    return foil(place=at, count=count)
        case "stranger":
            return foil(signature=it.stranger.sign(it.promise.digest()))
        case "other programme":  # genuine there, and by the same key
            elsewhere = replace(it.promise, programme=other.promise.programme)
            return foil(promise=elsewhere, signature=it.key.sign(elsewhere.digest()))
        case "other group":
            if draw.random() < 0.5:
                return foil(signature=other.signature)
            return foil(promise=replace(other.promise, programme=it.promise.programme), signature=other.signature)
        case _:
            pass
    bad = bad_signature(draw, kind.removeprefix("signature: "), good.signature)
    return foil(signature=bad) if len(bad) == 65 else it.claim(kind, {**json, "signature": hexed(bad)})


@dataclass(slots=True)
class Signed:
    """A header that a partner signed for one contract on one chain."""

    header: Header
    chain_id: int
    address: str
    signature: bytes
    key: Signer

    @classmethod
    def at_random(cls, draw: random.Random, key: Signer) -> Signed:
        values: dict[str, int | bytes] = {
            name: draw.randrange(2 ** NUMBERS[name]) if name in NUMBERS
            else draw.randbytes(16 * draw.randrange(9) if name in PACKED else 32)
            for name in FIELDS
        }  # fmt: skip
        header, chain_id, address = Header.from_fields(values), draw.randrange(1, 2**50), hexed(draw.randbytes(20))
        return cls(header, chain_id, address, key.sign(header.digest(chain_id, address)), key)

    def claim(self, kind: str, **changes: object) -> Claim:
        return Claim(kind, "header", {
            "header": self.header.as_json(), "chain_id": self.chain_id, "address": self.address,
            "signature": hexed(self.signature), "signer": self.key.address.lower(), **changes,
        })  # fmt: skip


HEADERS = (
    *(f"other {name}" for name in FIELDS), "other chain", "other contract", "closing for header", "struct for digest",
    *(f"signature: {kind}" for kind in SIGNATURES),
)  # fmt: skip


def forged_header(draw: random.Random, kind: str, it: Signed, other: Signed) -> Claim:
    json = it.header.as_json()
    match kind:
        case "other chain":
            return it.claim(kind, chain_id=draw.choice([it.chain_id + 1, other.chain_id, 0]))
        case "other contract":
            return it.claim(kind, address=draw.choice([other.address, hexed(bytes(20))]))
        case "closing for header":
            return it.claim(kind, signature=hexed(it.key.sign(it.header.closing.hash())))
        case "struct for digest":
            return it.claim(kind, signature=hexed(it.key.sign(it.header.hash())))
        case _:
            pass
    if kind.startswith("signature: "):
        bad = bad_signature(draw, kind.removeprefix("signature: "), it.signature)
        return it.claim(kind, signature=hexed(bad))
    name = kind.removeprefix("other ")
    old = json[name]
    if isinstance(old, int):
        new: object = draw.choice([old ^ 1, old // 2 + 1 if old > 2 else 9, old ^ 2])
    else:
        width = len(str(old)) // 2 - 1
        longer = [hexed(bytes(width + 1))] if name in PACKED else []
        new = draw.choice([*longer, hexed(flipped(draw, bytes.fromhex(str(old)[2:])) if width else b"\1")])
    return it.claim(kind, header={**json, name: new})
