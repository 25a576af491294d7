"""The exports: what the manifest names is what stands in them, and the log can be built from the tiles."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from counterfoil.chain.signer import read_checkpoint
from counterfoil.core import log
from counterfoil.core.encoding import entry_hash
from counterfoil.core.files import FileHash, manifest_hash, tile_path, unpack_bundle, unpack_entries
from counterfoil.core.settlement import Header
from tests.gateway.stand import START, Stand, stand

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """Two settlements, over three hundred entries (a whole tile and a part), one entry after."""
    folder: Path = tmp_path_factory.mktemp("export")
    with stand(folder) as one:
        one.clock(START)
        members = [one.member() for _ in range(5)]
        for part, count in enumerate((180, 140)):
            operations = [
                {
                    "verb": "earn",
                    "key": f"{part}-{p}",
                    "external_id": f"{part}-{p}",
                    "member": members[p % 5],
                    "points": p + 1,
                }
                for p in range(count)
            ]
            assert {answer["status"] for answer in one.batch("A", operations)} == {201}
            one.burn("B", members[0], 70)
            assert one.settle()["state"] == "final"
        one.earn("A", members[1], 5)
        yield one


def export(books: Stand, kind: str) -> Files:
    answer = books.get("operator" if kind == "sealed" else "", f"/v1/exports/{kind}")
    assert answer.headers["content-type"] == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        members = tar.getmembers()
        assert all(one.isfile() and not one.name.startswith(("/", "..")) for one in members)
        read: Files = {}
        for one in members:
            content = tar.extractfile(one)
            assert content is not None
            read[one.name] = content.read()
        assert len(read) == len(members)
        return read


def headers(files: Files) -> list[dict[str, Any]]:
    return [json.loads(files[name]) for name in sorted(files) if name.endswith("/header.json")]


def test_the_manifest_is_what_the_header_binds_and_the_files_are(settled: Stand) -> None:
    public, sealed = export(settled, "public"), export(settled, "sealed")
    assert len(headers(public)) == 2
    for number, one in enumerate(headers(public), 1):
        folder = f"settlements/{number:06d}"
        files = [FileHash(f["name"], f["size"], bytes.fromhex(f["sha256"][2:])) for f in one["files"]]
        header = Header.from_json(one["header"])
        assert manifest_hash(files) == header.closing.manifest
        contents = {
            "entries": sealed[f"{folder}/entries"], "liabilities": sealed[f"{folder}/liabilities"],
            "rulebook": public[f"{folder}/rulebook.json"],
        }  # fmt: skip
        assert {file.name for file in files} == set(contents)
        for file in files:
            content = contents[file.name]
            assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).digest()), file.name


def test_the_log_is_rebuilt_from_the_tiles(settled: Stand) -> None:
    public, sealed = export(settled, "public"), export(settled, "sealed")
    last = Header.from_json(headers(public)[-1]["header"]).closing
    size = last.log_size
    assert size == 322
    leaves = [
        leaf
        for number in range(-(-size // 256))
        for leaf in unpack_bundle(public[tile_path("entries", number, min(256, size - 256 * number))])
    ]
    assert len(leaves) == size
    assert log.root_of(leaves) == last.log_root
    assert public[tile_path(0, 0, 256)] == b"".join(map(log.leaf_hash, leaves[:256]))
    assert public[tile_path(1, 0, 1)] == log.root_of(leaves[:256])
    bodies = [body for n in (1, 2) for body in unpack_entries(sealed[f"settlements/{n:06d}/entries"])]
    assert [entry_hash(last.programme, body) for body in bodies] == leaves
    for name, content in public.items():  # and the tiles of the API are the same files
        if name.startswith("tile/"):
            assert settled.get("", f"/log/{name}").content == content


def test_checkpoints_verify(settled: Stand) -> None:
    public = export(settled, "public")
    key = settled.app.state.gateway.checkpoint
    sizes = []
    for name, content in public.items():
        if name.startswith("checkpoints/"):
            size, root = read_checkpoint(content.decode(), key.origin, key.public)
            assert name == f"checkpoints/{size:012d}"
            sizes.append(size)
            for one in headers(public):
                closing = Header.from_json(one["header"]).closing
                assert closing.log_size != size or closing.log_root == root
    assert {181, 322} <= set(sizes)
    assert max(sizes) == 322  # nothing beyond what is settled


def test_programme_and_signatures(settled: Stand) -> None:
    public = export(settled, "public")
    programme = json.loads(public["programme.json"])
    contract = settled.app.state.worker.cycle.contract()
    assert programme["parties"] == {"16": "A", "17": "B"}
    assert (programme["settlements"], programme["settlement"]) == (2, contract.address)
    assert programme["chain_id"] == contract.chain_id
    for one in headers(public):
        assert set(one["signatures"]) == {"16", "17"}
        assert one["tx"].startswith("0x")


def test_the_sealed_export_names_nobody(settled: Stand) -> None:
    first, second = export(settled, "sealed"), export(settled, "sealed")
    assert first.keys() == second.keys()
    assert {name.rpartition("/")[2] for name in first} == {"entries", "liabilities", "handles", "liability_handles"}
    with settled.app.state.gateway.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT id, secret FROM member").fetchall()
    whole = b"".join(first.values())
    for number, secret in rows:
        assert number.to_bytes(8, "big") not in whole
        assert bytes(secret) not in whole
    same = {name for name in first if first[name] == second[name]}
    assert {name.rpartition("/")[2] for name in same} == {"entries", "liabilities"}  # handles are random per export


def test_before_anything_is_settled(books: Stand) -> None:
    assert set(export(books, "public")) == {"programme.json"}
    assert export(books, "sealed") == {}
    books.earn("A", books.member(), 5)
    with books.app.state.worker.lock:
        books.app.state.worker.cycle.close(1_764_583_200_000_000)
        assert set(export(books, "public")) == {"programme.json"}
