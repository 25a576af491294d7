"""The log over HTTP: checkpoints and tiles as any tlog client reads them."""

from __future__ import annotations

import pytest

from counterfoil.chain.signer import read_checkpoint
from counterfoil.core import log
from counterfoil.core.files import unpack_bundle
from tests.gateway.stand import Stand, problem


def posted(books: Stand, count: int) -> list[bytes]:
    """So many earns, closed; their hashes by leaf."""
    m = books.member()
    operations = [
        {"verb": "earn", "key": f"{p}", "external_id": f"{p}", "member": m, "points": 1} for p in range(count)
    ]
    answers = books.batch("A", operations)
    books.close()
    return [bytes.fromhex(one["body"]["counterfoil"]["entry"][2:]) for one in answers]


def test_checkpoint_and_tiles_agree(engines: Stand) -> None:
    hashes = posted(engines, 600)
    gateway = engines.app.state.gateway
    note = engines.get("", "/log/checkpoint")
    assert note.headers["content-type"].startswith("text/plain")
    size, root = read_checkpoint(note.text, gateway.checkpoint.origin, gateway.checkpoint.public)
    assert (size, root) == (600, log.root_of(hashes))
    leaves = b"".join(
        b"".join(unpack_bundle(engines.get("", f"/log/tile/entries/{path}").content))
        for path in ("000", "001", "002.p/88")
    )
    assert leaves == b"".join(hashes)
    first = engines.get("", "/log/tile/0/000")
    assert first.content == b"".join(map(log.leaf_hash, hashes[:256]))
    assert "immutable" in first.headers["cache-control"]
    assert engines.get("", "/log/tile/0/002.p/5").content == b"".join(map(log.leaf_hash, hashes[512:517]))
    assert engines.get("", "/log/tile/1/000.p/2").content == log.root_of(hashes[:256]) + log.root_of(hashes[256:512])


@pytest.mark.parametrize(
    "path",
    [
        "0/001", "0/000.p/4", "0/000.p/0", "0/000.p/256", "0/000.p/1/x", "1/000", "1/000.p/1", "64/000", "99/000", "-1/000",
        "entries/001", "entries/000.p/9", "entries/x000/001", "0/00", "0/0000", "0/x001/000", "x/000", "0/000.p/\u0663", "",
    ],
)  # fmt: skip
def test_tiles_that_are_not_there(shared: Stand, path: str) -> None:
    if not shared.read("operator", "settlements")["data"]:
        posted(shared, 3)
    problem(shared.get("", f"/log/tile/{path}"), 404, "not_found", "path")


def test_an_empty_log(engines: Stand) -> None:
    gateway = engines.app.state.gateway
    note = engines.get("", "/log/checkpoint").text
    assert read_checkpoint(note, gateway.checkpoint.origin, gateway.checkpoint.public) == (0, log.root_of([]))
    problem(engines.get("", "/log/tile/0/000.p/1"), 404, "not_found")
