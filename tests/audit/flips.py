"""Single-field flips of a copied ledger: each knows which record it hit and what a finding must name."""

from __future__ import annotations

import base64
import json
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterfoil.audit.onchain import Chain
from counterfoil.audit.report import Finding
from counterfoil.core.errors import Unreadable
from counterfoil.core.files import unpack_liabilities
from tests.audit.coalition import audited

Named = Callable[[Finding], bool]


@dataclass(frozen=True)
class Flip:
    """`content` replaces the file `path`; `named` tells a finding that names the record."""

    kind: str
    path: str
    what: str
    content: bytes
    named: Named


def unnamed(flip: Flip, ledger: Path, copy: Path, chain: Chain) -> str | None:
    """What the auditor said instead of naming the flip; None if it named it. The copy is put right again."""
    target = copy / flip.path
    target.write_bytes(flip.content)
    try:
        report = audited(copy, chain)
    except Unreadable as error:
        said = str(error)
        return None if flip.path.partition("/")[2] in said or flip.path in said else f"{flip}: {said}"
    finally:
        shutil.copyfile(ledger / flip.path, target)
    if any(flip.named(one) for one in report.findings):
        return None
    return f"{flip.kind} {flip.path} {flip.what}: {[str(one) for one in report.findings]}"


class Flips:
    """Draws flips of a ledger's files from a seed."""

    def __init__(self, ledger: Path, seed: int) -> None:
        self.ledger, self.random = ledger, random.Random(seed)
        headers = sorted((ledger / "public/settlements").iterdir())
        self.numbers = [int(one.name) for one in headers]
        sizes = [json.loads((one / "header.json").read_bytes())["header"]["log_size"] for one in headers]
        self.first = dict(zip(self.numbers, [0, *sizes], strict=False))
        self.kinds: dict[str, Callable[[], Flip]] = {
            "entry": self.entry, "length": self.length, "liability": self.liability, "handle": self.handle,
            "swapped": self.swapped, "liability_handle": self.liability_handle, "header": self.header,
            "rulebook": self.rulebook, "programme": self.programme, "checkpoint": self.checkpoint,
            "leaf": self.leaf, "tile": self.tile, "counterfoil": self.counterfoil, "claim": self.claim,
        }  # fmt: skip

    def draw(self, count: int, *kinds: str) -> Iterator[Flip]:
        names = list(kinds or self.kinds)
        for i in range(count):
            yield self.kinds[names[i % len(names)]]()

    def bit(self, content: bytes, start: int, length: int) -> bytes:
        at = start + self.random.randrange(length)
        return content[:at] + bytes([content[at] ^ 1 << self.random.randrange(8)]) + content[at + 1 :]

    def records(self, number: int) -> tuple[str, bytes, list[tuple[int, int]]]:
        """Path, content, and start and length of each body."""
        path = f"sealed/settlements/{number:06d}/entries"
        content, spans, at = (self.ledger / path).read_bytes(), [], 0
        while at < len(content):
            (length,) = struct.unpack_from(">I", content, at)
            spans.append((at + 4, length))
            at += 4 + length
        return path, content, spans

    def entry(self) -> Flip:
        number = self.random.choice(self.numbers)
        path, content, spans = self.records(number)
        place = self.random.randrange(len(spans))
        start, length = spans[place]
        word = self.random.randrange(length // 8)
        (entry,) = struct.unpack_from(">Q", content, start + 8)
        leaf = self.first[number] + place

        def named(one: Finding) -> bool:
            right = one.entry == entry or word == 1  # its own name may be what was flipped
            return one.check == "inclusion" and one.settlement == number and one.leaf == leaf and right

        return Flip("entry", path, f"word {word} of {place}", self.bit(content, start + 8 * word, 8), named)

    def length(self) -> Flip:
        number = self.random.choice(self.numbers)
        path, content, spans = self.records(number)
        place = self.random.randrange(len(spans))
        leaf = self.first[number] + place
        flipped = self.bit(content, spans[place][0] - 4, 4)
        return Flip("length", path, f"record {place}", flipped, lambda one: one.leaf == leaf)

    def liability(self) -> Flip:
        number = self.random.choice(self.numbers)
        path = f"sealed/settlements/{number:06d}/liabilities"
        content = (self.ledger / path).read_bytes()
        leaves = unpack_liabilities(content)[1][1]
        if not self.random.randrange(5):
            flipped = self.bit(content, 0, 24)
            return Flip("liability", path, "head", flipped, lambda one: one.settlement == number)
        which = self.random.randrange(len(leaves))
        start, length, field = self.random.choice([(0, 8, "place"), (8, 16, "balance"), (24, 32, "commitment")])
        flipped = self.bit(content, 24 + 56 * which + start, length)
        place = f"place {leaves[which].place} "

        def named(one: Finding) -> bool:
            # who a salt belongs to nobody can tell: then the file and its settlement are all there is to name
            exact = field != "balance" or place in one.message + " "
            return one.settlement == number and one.check in {"liabilities", "balances"} and exact

        return Flip("liability", path, f"{field} of {place}", flipped, named)

    def handle(self) -> Flip:
        number = self.random.choice(self.numbers)
        path = f"sealed/settlements/{number:06d}/handles"
        content = (self.ledger / path).read_bytes()
        place = self.random.randrange(len(content) // 16)
        leaf = self.first[number] + place
        flipped = self.bit(content, 16 * place + 8 * self.random.randrange(2), 8)
        entry = self.entry_at(number, place)
        # of an entry and the one that uses its lot nobody can tell which is under the wrong handle: both are named
        return Flip("handle", path, f"record {place}", flipped, lambda one: one.leaf == leaf or entry in str(one))

    def entry_at(self, number: int, place: int) -> str:
        """The public id of an entry."""
        _path, bodies, spans = self.records(number)
        (entry,) = struct.unpack_from(">Q", bodies, spans[place][0] + 8)
        return f"ent_{entry:016x}"

    def swapped(self) -> Flip:
        """Another member's handle: the wrong member credited or debited."""
        number = self.random.choice(self.numbers)
        path = f"sealed/settlements/{number:06d}/handles"
        content = (self.ledger / path).read_bytes()
        pairs = list(struct.iter_unpack(">QQ", content))
        place = self.random.randrange(len(pairs))
        others = [one for one in dict.fromkeys(first for first, _second in pairs) if one not in pairs[place]]
        pairs[place] = (self.random.choice(others), pairs[place][1])
        flipped = b"".join(struct.pack(">QQ", *pair) for pair in pairs)
        entry = self.entry_at(number, place)
        # or the entry that uses its lot: then the message names the one that made it
        return Flip("swapped", path, f"record {place}", flipped, lambda one: entry in str(one))

    def liability_handle(self) -> Flip:
        number = self.random.choice(self.numbers)
        path = f"sealed/settlements/{number:06d}/liability_handles"
        content = (self.ledger / path).read_bytes()
        place = self.random.randrange(len(content) // 8)
        flipped = self.bit(content, 8 * place, 8)
        return Flip(
            "liability_handle", path, f"record {place}", flipped,
            lambda one: one.settlement == number and f"record {place} " in one.message,
        )  # fmt: skip

    def header(self) -> Flip:
        number = self.random.choice(self.numbers)
        path = f"public/settlements/{number:06d}/header.json"
        where, content = self.json_field(path)
        return Flip("header", path, where, content, lambda one: one.settlement == number and one.header is not None)

    def rulebook(self) -> Flip:
        number = self.random.choice(self.numbers)
        path = f"public/settlements/{number:06d}/rulebook.json"
        where, content = self.json_field(path)
        return Flip("rulebook", path, where, content, lambda one: one.settlement == number)

    def claim(self) -> Flip:
        number = self.random.choice(self.numbers)
        path = f"public/settlements/{number:06d}/claims.json"
        where, content = self.json_field(path)
        return Flip("claim", path, where, content, lambda one: one.settlement == number)

    def programme(self) -> Flip:
        where, content = self.json_field("public/programme.json")
        return Flip("programme", "public/programme.json", where, content, lambda one: "programme.json" in one.message)

    def checkpoint(self) -> Flip:
        path = self.random.choice(sorted((self.ledger / "public/checkpoints").iterdir()))
        name = str(path.relative_to(self.ledger))
        lines = path.read_text().split("\n")
        which = self.random.choice([0, 1, 2, 4])
        if which == 2:
            lines[2] = base64.b64encode(self.bit(base64.b64decode(lines[2]), 0, 32)).decode()
        elif which == 4:
            dash, origin, signed = lines[4].split(" ")
            lines[4] = f"{dash} {origin} {base64.b64encode(self.bit(base64.b64decode(signed), 0, 68)).decode()}"
        else:
            lines[which] = self.text(lines[which])
        return Flip(
            "checkpoint", name, f"line {which}", "\n".join(lines).encode(), lambda one: path.name in one.message
        )

    def leaf(self) -> Flip:
        path = self.random.choice(sorted((self.ledger / "public/tile/entries").rglob("*/[0-9]*")))
        content = path.read_bytes()
        place = self.random.randrange(len(content) // 34)
        flipped = self.bit(content, 34 * place, 34)
        name = str(path.relative_to(self.ledger))
        return Flip("leaf", name, f"leaf {place}", flipped, lambda one: one.check == "log" and one.leaf == place)

    def tile(self) -> Flip:
        path = self.random.choice(sorted((self.ledger / "public/tile/0").rglob("*/[0-9]*")))
        content = path.read_bytes()
        place = self.random.randrange(len(content) // 32)
        flipped = self.bit(content, 32 * place, 32)
        name = str(path.relative_to(self.ledger))
        return Flip("tile", name, f"hash {place}", flipped, lambda one: one.check == "log" and one.leaf == place)

    def counterfoil(self) -> Flip:
        name = "counterfoils.jsonl"
        lines = (self.ledger / name).read_text().splitlines()
        which = self.random.randrange(len(lines))
        data = json.loads(lines[which])
        proof = data.get("counterfoil", data)
        field = self.random.choice(sorted(proof))
        proof[field] = self.changed(proof[field])
        lines[which] = json.dumps(data)
        said = f"line {which + 1}:"
        return Flip("counterfoil", name, field, "\n".join(lines).encode(), lambda one: one.message.startswith(said))

    def json_field(self, path: str) -> tuple[str, bytes]:
        """One random value of a JSON file, changed."""
        data = json.loads((self.ledger / path).read_bytes())
        places: list[tuple[Any, Any, str]] = []

        def walk(node: Any, name: str) -> None:
            items = node.items() if isinstance(node, dict) else enumerate(node)
            for key, value in items:
                if isinstance(value, dict | list):
                    walk(value, f"{name}.{key}")
                else:
                    places.append((node, key, f"{name}.{key}"))

        walk(data, "")
        node, key, name = self.random.choice(places)
        node[key] = self.changed(node[key])
        return name, json.dumps(data).encode()

    def changed(self, value: Any) -> Any:
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return value ^ 1 << self.random.randrange(6)
        if isinstance(value, list):
            which = self.random.randrange(len(value)) if value else -1
            changed = [self.changed(one) if i == which else one for i, one in enumerate(value)]
            return changed or ["0x" + self.random.randbytes(32).hex()]
        if value in {"", "0x"}:
            return "0x" + self.random.randbytes(2).hex()
        return 1 if value is None else self.text(value)

    def text(self, value: str) -> str:
        at = self.random.randrange(2 if value.startswith("0x") else 0, len(value))
        letters = "0123456789abcdef" if value[at] in "0123456789abcdefABCDEF" else "ghijklmnop"
        letters = "0123456789" if value[at].isdigit() and not value.startswith("0x") else letters
        other = self.random.choice([one for one in letters if one != value[at].lower()])
        return value[:at] + other + value[at + 1 :]
