"""The counterfoil as JSON and as a signed promise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core import log
from counterfoil.core.calendar import text_instant
from counterfoil.core.counterfoil import TYPE, Counterfoil, Promise, hex_field
from counterfoil.core.errors import Unreadable

HASHES = st.binary(min_size=32, max_size=32)
U64 = st.integers(0, 2**64 - 1)
PROMISES = st.builds(Promise, HASHES, U64, HASHES, st.integers(0, 2**57), U64)
COUNTERFOILS = st.builds(
    Counterfoil, PROMISES, st.binary(min_size=65, max_size=65), HASHES, U64, U64,
    st.lists(HASHES, max_size=9).map(tuple),
)  # fmt: skip
TREE = log.Tree(bytes([i]) * 32 for i in range(5))
ONE = Counterfoil(
    Promise(b"p" * 32, 9, TREE.root(), 1_000_000, 3), b"s" * 65, b"\3" * 32, 3, 5, tuple(TREE.inclusion(3))
)


@given(PROMISES)
def test_the_digest_is_that_of_another_library(promise: Promise) -> None:
    names = ("programme", "group", "root", "committedAt", "settleBy")
    kinds = ("bytes32", "uint64", "bytes32", "uint64", "uint64")
    values = (
        promise.programme, promise.group, promise.root, promise.committed_at, promise.settle_by,
    )  # fmt: skip
    typed = encode_typed_data(
        {"name": "Counterfoil", "version": "1", "salt": promise.programme},
        {"Counterfoil": [{"name": n, "type": k} for n, k in zip(names, kinds, strict=True)]},
        dict(zip(names, values, strict=True)),
    )
    assert promise.digest() == keccak(b"\x19" + typed.version + typed.header + typed.body)
    assert f"Counterfoil({','.join(f'{k} {n}' for n, k in zip(names, kinds, strict=True))})" == TYPE


@given(COUNTERFOILS)
def test_json_there_and_back(one: Counterfoil) -> None:
    json = one.as_json()
    assert Counterfoil.from_json(json) == one
    assert json["committed_at"] == text_instant(one.promise.committed_at)


def test_included_means_under_the_signed_root() -> None:
    assert ONE.included()
    assert not replace(ONE, entry=b"\4" * 32).included()
    assert not replace(ONE, place=2).included()
    assert not replace(ONE, path=ONE.path[:-1]).included()
    assert not replace(ONE, promise=replace(ONE.promise, root=bytes(32))).included()
    assert not replace(ONE, place=5).included()
    assert not replace(ONE, count=0).included()


@pytest.mark.parametrize("name", ["programme", "group", "root", "committed_at", "settle_by"])
def test_every_field_is_signed(name: str) -> None:
    value = getattr(ONE.promise, name)
    other = b"\xff" * 32 if isinstance(value, bytes) else value + 1
    assert replace(ONE.promise, **cast("dict[str, Any]", {name: other})).digest() != ONE.promise.digest()


BAD: list[tuple[str, object]] = [
    ("programme", "0x00"), ("programme", None), ("group", -1), ("group", 2**64), ("group", 1.0), ("group", "1"),
    ("group", True), ("root", "00" * 32), ("committed_at", "yesterday"), ("committed_at", 5), ("settle_by", None),
    ("signature", "0x" + "00" * 64), ("signature", "0x" + "00" * 66), ("signature", "0x" + "zz" * 65),
    ("entry", 7), ("place", -1), ("count", 2**64), ("path", None), ("path", "0x"), ("path", {}),
    ("path", ["0x" + "00" * 31]), ("path", [5]), ("path", [None]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_field_is_unreadable(name: str, value: object) -> None:
    with pytest.raises(Unreadable):
        Counterfoil.from_json({**ONE.as_json(), name: value})
    missing = {key: one for key, one in ONE.as_json().items() if key != name}
    with pytest.raises(Unreadable):
        Counterfoil.from_json(missing)


@pytest.mark.parametrize("junk", [None, 1, "x", [], {}])
def test_junk_is_unreadable(junk: object) -> None:
    with pytest.raises(Unreadable):
        Counterfoil.from_json(junk)


def test_an_instant_before_the_epoch_is_unreadable() -> None:
    odd = {**ONE.as_json(), "committed_at": "1970-01-01T00:00:00+14:00"}
    with pytest.raises(Unreadable):
        Counterfoil.from_json(odd).promise.digest()  # OverflowError: nobody expects it


@pytest.mark.parametrize("text", ["0x", "0xab", "0xABcd"])
def test_hex(text: str) -> None:
    assert hex_field({"f": text}, "f") == bytes.fromhex(text[2:])


@pytest.mark.parametrize("text", ["", "ab", "0xa", "0x a", "0xab ", "0x\nab", "0xag", None, 171, b"0xab"])
def test_no_hex(text: object) -> None:
    with pytest.raises(Unreadable):
        hex_field({"f": text}, "f")
