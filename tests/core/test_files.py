"""Export files: packed and read back; anything else raises Unreadable and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core import files
from counterfoil.core.errors import Unreadable
from counterfoil.core.files import FileHash, Hasher, hashed, manifest_hash, tile_path
from counterfoil.core.sum_tree import Liability
from tests.core import naive

BODIES = st.lists(st.binary(max_size=60), max_size=8)
U64 = st.integers(0, 2**64 - 1)
READERS: list[Callable[[bytes], object]] = [
    lambda content: list(files.unpack_entries(content)), files.unpack_liabilities, files.unpack_handles,
    files.unpack_leaf_handles, files.unpack_bundle,
]  # fmt: skip


def leaves_in(depth: int) -> st.SearchStrategy[list[Liability]]:
    one = st.builds(
        Liability, st.integers(0, (1 << depth) - 1), st.integers(1, 2**128 - 1), st.binary(min_size=32, max_size=32)
    )  # fmt: skip
    found = st.lists(one, max_size=6, unique_by=lambda leaf: leaf.place)
    return found.map(lambda leaves: sorted(leaves, key=lambda leaf: leaf.place))


TREES = st.integers(0, 48).flatmap(lambda depth: st.tuples(st.just(depth), leaves_in(depth)))


@given(BODIES)
def test_entries_there_and_back(bodies: list[bytes]) -> None:
    content = b"".join(map(files.pack_entry, bodies))
    assert list(files.unpack_entries(content)) == bodies


@given(BODIES.filter(bool), st.integers(0, 10_000))
def test_cut_entries(bodies: list[bytes], at: int) -> None:
    content = b"".join(map(files.pack_entry, bodies))
    cut = content[: at % len(content)]
    try:
        found = list(files.unpack_entries(cut))
    except Unreadable:
        return
    assert found == bodies[: len(found)]
    assert len(found) < len(bodies)


@given(st.dictionaries(U64, TREES, max_size=3))
def test_liabilities_there_and_back(trees: dict[int, tuple[int, list[Liability]]]) -> None:
    content = b"".join(files.pack_liabilities(currency, *tree) for currency, tree in trees.items())
    assert files.unpack_liabilities(content) == trees


@given(U64, TREES, st.integers(1, 10_000))
def test_cut_or_doubled_liabilities(currency: int, tree: tuple[int, list[Liability]], at: int) -> None:
    content = files.pack_liabilities(currency, *tree)
    with pytest.raises(Unreadable):
        files.unpack_liabilities(content[: at % len(content) or 1])
    with pytest.raises(Unreadable):
        files.unpack_liabilities(content + content)


LEAF = Liability(1, 5, bytes(32))


@pytest.mark.parametrize(
    "content",
    [
        files.pack_liabilities(1, 49, []), files.pack_liabilities(1, 0, [LEAF]), files.pack_liabilities(1, 1, [LEAF, LEAF]),
        files.pack_liabilities(1, 1, [LEAF, Liability(0, 5, bytes(32))]),
        files.pack_liabilities(1, 1, [Liability(2, 5, bytes(32))]),
        files.pack_liabilities(1, 1, [Liability(1, 0, bytes(32))]),
        (1).to_bytes(8, "big") * 2 + b"\xff" * 8,
    ],
)  # fmt: skip
def test_liabilities_out_of_order_or_range(content: bytes) -> None:
    with pytest.raises(Unreadable):
        files.unpack_liabilities(content)


@given(st.lists(st.tuples(U64, U64), max_size=9), st.lists(U64, max_size=9))
def test_handles_there_and_back(pairs: list[tuple[int, int]], handles: list[int]) -> None:
    entries, leaves = files.pack_handles(pairs, handles)
    assert files.unpack_handles(entries) == pairs
    assert files.unpack_leaf_handles(leaves) == handles


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=9))
def test_bundles_there_and_back(leaves: list[bytes]) -> None:
    content = files.pack_bundle(leaves)
    assert files.unpack_bundle(content) == leaves
    for odd in (content + b"\0", content + files.pack_bundle([b"x" * 31]), content[:-1] or b"\0"):
        with pytest.raises(Unreadable):
            files.unpack_bundle(odd)


@given(st.binary(max_size=300), st.sampled_from(range(len(READERS))))
def test_junk_raises_unreadable_only(junk: bytes, reader: int) -> None:
    try:
        READERS[reader](junk)
    except Unreadable:
        return


@given(st.binary(max_size=300), st.lists(st.integers(0, 99), max_size=4))
def test_a_file_is_hashed_as_it_is_written(content: bytes, cuts: list[int]) -> None:
    hasher, at = Hasher("entries"), 0
    for cut in (*sorted(cuts), len(content)):
        hasher.add(content[at:cut])
        at = max(at, min(cut, len(content)))
    assert hasher.done() == hashed("entries", content)
    assert hasher.done() == FileHash("entries", len(content), hashlib.sha256(content).digest())


FILES = [hashed(name, name.encode() * 9) for name in (files.ENTRIES, files.LIABILITIES, files.RULEBOOK)]


def test_the_manifest_follows_the_specification() -> None:
    parts = [
        naive.sha256(name) + naive.word(len(name) * 9) + naive.sha256(name * 9)
        for name in (b"entries", b"liabilities", b"rulebook")
    ]
    assert manifest_hash(FILES) == naive.sha256(naive.tag("counterfoil.manifest.v1"), *parts)
    assert manifest_hash(reversed(FILES)) == manifest_hash(FILES)


def test_everything_of_a_manifest_counts() -> None:
    one = FILES[0]
    others = [
        FileHash("Entries", one.size, one.sha256), FileHash(one.name, one.size + 1, one.sha256),
        FileHash(one.name, one.size, bytes(32)),
    ]  # fmt: skip
    hashes = {manifest_hash([other, *FILES[1:]]) for other in others}
    hashes |= {manifest_hash(FILES), manifest_hash(FILES[1:]), manifest_hash([])}
    assert len(hashes) == 6
    assert one.as_json() == {"name": "entries", "size": one.size, "sha256": "0x" + one.sha256.hex()}


@pytest.mark.parametrize(
    ("level", "number", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"), (0, 0, 1, "tile/0/000.p/1"), ("entries", 999, 256, "tile/entries/999"),
        (1, 1_000, 256, "tile/1/x001/000"), (63, 1_234_067, 7, "tile/63/x001/x234/067.p/7"),
        ("entries", 1_000_000, 255, "tile/entries/x001/x000/000.p/255"),
    ],
)  # fmt: skip
def test_paths_of_tiles_are_those_of_c2sp(level: int | str, number: int, width: int, path: str) -> None:
    assert tile_path(level, number, width) == path
