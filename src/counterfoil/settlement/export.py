"""The two exports: public (for ever, for anyone) and sealed (for an appointed auditor), as files in a folder or a tar."""

from __future__ import annotations

import secrets
import tarfile
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from counterfoil.chain.signer import CheckpointSigner
from counterfoil.core import log
from counterfoil.core.claim_tree import leaves_json
from counterfoil.core.files import CLAIMS, TILE, pack_bundle, pack_entry, pack_handles, pack_liabilities, tile_path
from counterfoil.settlement.cycle import header_of
from counterfoil.store import books, json_text, registry, sequencer, settlements
from counterfoil.store.engine import Engine

File = tuple[str, bytes]


def public(engine: Engine, checkpoint: CheckpointSigner, contract: tuple[int, str] | None) -> Iterator[File]:
    """Programme, headers with signatures, claim leaves, checkpoints, tiles, rulebooks. `contract`: chain id, address."""
    with engine.connect() as connection:
        programme = registry.load(connection)
    rows: list[Any] = [row for row in settlements.every(engine) if row.header is not None]
    yield (
        "programme.json",
        _json(
            {
                "version": 1,
                "programme": "0x" + programme.programme.hex(),
                "zone": programme.zone,
                "parties": {str(one.number): one.name for one in programme.partners()},
                "chain_id": contract[0] if contract else None,
                "settlement": contract[1] if contract else None,
                "settlements": len(rows),
            }
        ),
    )
    for row in rows:
        header, manifest = header_of(row), json_text.loads(row.manifest)
        signed = settlements.signatures(engine, row.number, header.hash())
        folder = f"settlements/{row.number:06d}"
        yield (
            f"{folder}/header.json",
            _json(
                {
                    "header": header.as_json(),
                    "signatures": {str(number): "0x" + value.hex() for number, value in signed.items()},
                    "files": manifest["files"],
                    "tx": row.tx,
                }
            ),
        )
        yield f"{folder}/rulebook.json", manifest["rulebook"].encode()
        yield f"{folder}/{CLAIMS}", _claims(engine, row.number)
    last = max((row.log_size for row in rows), default=0)
    tree = log.Tree(books.leaf_hashes(engine, 0, last)) if last else log.Tree()
    for size, _root in sequencer.checkpoints(engine):
        if size <= last:
            yield f"checkpoints/{size:012d}", checkpoint.note(size, _root).encode()
    yield from tiles(tree, books.leaf_hashes(engine, 0, last) if last else [])


def tiles(tree: log.Tree, leaves: list[bytes]) -> Iterator[File]:
    """Every tile of a tree, c2sp.org/tlog-tiles: bundles of leaf data, then hash tiles level by level."""
    for number in range(0, len(leaves), TILE):
        part = leaves[number : number + TILE]
        yield tile_path("entries", number // TILE, len(part)), pack_bundle(part)
    level = 0
    while hashes := tree.level(8 * level):
        for number in range(0, len(hashes), TILE):
            part = hashes[number : number + TILE]
            yield tile_path(level, number // TILE, len(part)), b"".join(part)
        level += 1


def sealed(engine: Engine) -> Iterator[File]:
    """Per settlement: entries' bodies, liability leaves, and handles random per export; no ids, salts or secrets."""
    handles: dict[int | None, int] = {None: 0, 0: 0}

    def handle(member: int | None) -> int:
        if member not in handles:
            handles[member] = secrets.randbits(63) + 1
        return handles[member]

    rows: list[Any] = [row for row in settlements.every(engine) if row.header is not None]
    for row in rows:
        folder = f"settlements/{row.number:06d}"
        bodies, pairs = [], []
        for body, first, second in records(engine, row, handle):
            bodies.append(pack_entry(body))
            pairs.append((first, second))
        packed, owners = b"", []
        with engine.connect() as connection:
            for currency, totals in sorted(
                json_text.loads(row.totals)["currencies"].items(), key=lambda one: int(one[0])
            ):
                leaves = settlements.liabilities(connection, row.number, int(currency))
                packed += pack_liabilities(int(currency), totals["depth"], [leaf for _m, leaf in leaves])
                owners += [handle(member) for member, _leaf in leaves]
        yield f"{folder}/entries", b"".join(bodies)
        yield f"{folder}/liabilities", packed
        entries, places = pack_handles(pairs, owners)
        yield f"{folder}/handles", entries
        yield f"{folder}/liability_handles", places


def records(engine: Engine, row: Any, handle: Callable[[int | None], int]) -> Iterator[tuple[bytes, int, int]]:
    """A settlement's entries as the sealed export has them: body, and the two members' handles. Streams."""
    for one in books.leaves(engine, row.first_leaf, row.log_size):
        yield one.body, handle(one.member), handle(one.other)


def tar(files: Iterator[File]) -> Iterator[bytes]:
    """The files as a POSIX tar, piece by piece."""
    for name, content in files:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        yield info.tobuf(tarfile.PAX_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _claims(engine: Engine, number: int) -> bytes:
    with engine.connect() as connection:
        leaves = settlements.claims(connection, number)
    return _json({"version": 1, "claims": leaves_json(leaves)})


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n"
