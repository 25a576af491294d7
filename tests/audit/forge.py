"""What a lying operator can do to its exports afterwards: everything but the partners' signatures and the chain."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from counterfoil.core import log
from counterfoil.core.encoding import decode, encode, entry_hash
from counterfoil.core.entry import Entry
from counterfoil.core.files import (
    ENTRIES,
    LIABILITIES,
    RULEBOOK,
    hashed,
    manifest_hash,
    pack_entry,
    pack_handles,
    pack_liabilities,
    unpack_entries,
    unpack_handles,
    unpack_leaf_handles,
    unpack_liabilities,
)
from counterfoil.core.settlement import Header, Supply, pack_supply, unpack_supply
from counterfoil.core.sum_tree import Liability, SumTree
from counterfoil.settlement.export import tiles
from tests.audit.coalition import Coalition

Pair = tuple[int, int]


class Forged:
    """A copy of an export under forgery; `write` makes all of it consistent again, headers too if `headers`."""

    def __init__(self, made: Coalition, copy: Path) -> None:
        self.made, self.copy = made, copy
        self.numbers = sorted(int(one.name) for one in (copy / "public/settlements").iterdir())
        self.bodies = {n: list(unpack_entries(self.sealed(n, "entries").read_bytes())) for n in self.numbers}
        self.pairs = {n: unpack_handles(self.sealed(n, "handles").read_bytes()) for n in self.numbers}
        self.owners = {n: unpack_leaf_handles(self.sealed(n, "liability_handles").read_bytes()) for n in self.numbers}
        self.trees = {n: unpack_liabilities(self.sealed(n, LIABILITIES).read_bytes())[1] for n in self.numbers}

    def sealed(self, number: int, name: str) -> Path:
        return self.copy / f"sealed/settlements/{number:06d}/{name}"

    def public(self, number: int, name: str) -> Path:
        return self.copy / f"public/settlements/{number:06d}/{name}"

    def change(self, number: int, place: int, how: Callable[[Entry], Entry]) -> Entry:
        """Another entry where one was; the old one."""
        old = decode(self.bodies[number][place])
        self.bodies[number][place] = encode(how(old))
        return old

    def drop_from(self, number: int) -> None:
        """Roll back: settlements from `number` on never were."""
        for gone in [n for n in self.numbers if n >= number]:
            shutil.rmtree(self.public(gone, ""))
            shutil.rmtree(self.sealed(gone, ""))
            del self.bodies[gone]
        self.numbers = [n for n in self.numbers if n < number]

    def write(self, *, headers: bool = False) -> None:
        programme, leaves, sizes = self.made.programme.programme, list[bytes](), [0]
        for n in self.numbers:
            leaves += [entry_hash(programme, body) for body in self.bodies[n]]
            sizes.append(len(leaves))
        self._log(leaves, sizes[1:])
        header_before = closing_before = bytes(32)
        for n, size in zip(self.numbers, sizes[1:], strict=True):
            content = b"".join(pack_entry(body) for body in self.bodies[n])
            depth, kept = self.trees[n]
            liabilities = pack_liabilities(1, depth, kept)
            pairs, owners = pack_handles(self.pairs[n], self.owners[n])
            for name, data in (("entries", content), ("liabilities", liabilities), ("handles", pairs),
                               ("liability_handles", owners)):  # fmt: skip
                self.sealed(n, name).write_bytes(data)
            data = json.loads(self.public(n, "header.json").read_bytes())
            book = self.public(n, "rulebook.json").read_bytes()
            files = [hashed(ENTRIES, content), hashed(LIABILITIES, liabilities), hashed(RULEBOOK, book)]
            if headers:
                data["files"] = [one.as_json() for one in files]
                root = SumTree(1, depth, kept).root
                (supply,) = unpack_supply(bytes.fromhex(data["header"]["supply"][2:]))
                words = pack_supply([Supply(1, root.hash, root.sum, supply.withdrawn, supply.returned)])
                changes: dict[str, Any] = {
                    "log_size": size, "log_root": log.root_of(leaves[:size]), "manifest": manifest_hash(files),
                    "supply": words, "previous_header": header_before, "previous_closing": closing_before,
                }  # fmt: skip
                data["header"] |= {k: "0x" + v.hex() if isinstance(v, bytes) else v for k, v in changes.items()}
                self.public(n, "header.json").write_text(json.dumps(data))
            header = Header.from_json(data["header"])
            header_before, closing_before = header.hash(), header.closing.hash()
        path = self.copy / "public/programme.json"
        path.write_text(json.dumps(json.loads(path.read_bytes()) | {"settlements": len(self.numbers)}))

    def _log(self, leaves: list[bytes], sizes: list[int]) -> None:
        """New tiles, and checkpoints signed with the operator's key."""
        tree = log.Tree(leaves)
        shutil.rmtree(self.copy / "public/tile")
        shutil.rmtree(self.copy / "public/checkpoints")
        (self.copy / "public/checkpoints").mkdir()
        for name, content in tiles(tree, leaves):
            path = self.copy / "public" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for size in sizes:
            self.checkpoint(f"{size:012d}", size, tree.root(size))

    def checkpoint(self, name: str, size: int, root: bytes) -> None:
        path = self.copy / "public/checkpoints" / name
        path.write_text(self.made.checkpoint.note(size, root), encoding="utf-8")

    def without_leaf(self, number: int, which: int) -> Liability:
        """Take a liability out of a settlement's file; the leaf."""
        depth, kept = self.trees[number]
        gone = kept.pop(which)
        self.owners[number].pop(which)
        self.trees[number] = depth, kept
        return gone
