"""Header and closing: the same hashes as another library's, JSON there and back, and the pure outcome."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, cast

import pytest
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.errors import Unreadable
from counterfoil.core.settlement import (
    CLOSING_TYPE,
    FIELDS,
    HEADER_TYPE,
    Header,
    Supply,
    outcome,
    pack_defaults,
    pack_supply,
    unpack_supply,
)

NUMBERS = {"number": 64, "attempt": 32, "closed_at": 64, "log_size": 64, "collateral_block": 64}
PACKED = {"gross", "supply", "positions", "defaults"}
HEADERS = st.fixed_dictionaries({
    name: st.integers(0, 2 ** NUMBERS[name] - 1) if name in NUMBERS
    else st.binary(max_size=200) if name in PACKED else st.binary(min_size=32, max_size=32)
    for name in FIELDS
}).map(lambda values: Header.from_fields(cast("dict[str, int | bytes]", values)))  # fmt: skip


def at_random(draw: random.Random) -> Header:
    def value(name: str) -> int | bytes:
        if name in NUMBERS:
            return draw.getrandbits(draw.randrange(1, NUMBERS[name] + 1))
        return draw.randbytes(draw.randrange(200) if name in PACKED else 32)

    return Header.from_fields({name: value(name) for name in FIELDS})


def members(type_text: str) -> list[dict[str, str]]:
    inside = type_text.partition("(")[2].removesuffix(")")
    return [dict(zip(("type", "name"), field.split(" "), strict=True)) for field in inside.split(",")]


def message(header: Header, type_text: str, chain_id: int, contract: str) -> SignableMessage:
    """As eth_account builds it; it knows the type's text and nothing else of ours."""
    by_name = dict(zip((one["name"] for one in members(HEADER_TYPE)), header.fields(), strict=True))
    domain = {"name": "Counterfoil", "version": "1", "chainId": chain_id, "verifyingContract": contract}
    fields = members(type_text)
    values: dict[str, Any] = {one["name"]: by_name[one["name"]] for one in fields}
    return encode_typed_data(domain, {type_text.partition("(")[0]: fields}, values)


def test_hashes_are_those_of_another_library(times: Callable[[int, int], int]) -> None:
    draw = random.Random(712)
    for _ in range(times(200, 5_000)):
        header, chain_id = at_random(draw), draw.getrandbits(60)
        contract = "0x" + draw.randbytes(20).hex()
        typed = message(header, HEADER_TYPE, chain_id, contract)
        assert header.hash() == typed.body
        assert header.closing.hash() == message(header, CLOSING_TYPE, chain_id, contract).body
        digest = keccak(b"\x19" + typed.version + typed.header + typed.body)
        assert header.digest(chain_id, contract) == digest


@given(HEADERS)
def test_json_and_fields_there_and_back(header: Header) -> None:
    assert Header.from_json(header.as_json()) == header
    assert Header.from_fields(dict(zip(FIELDS, header.fields(), strict=True))) == header
    assert list(header.as_json()) == list(FIELDS)
    assert Header.from_json({**header.as_json(), "more": 1}) == header


@given(HEADERS, st.sampled_from(FIELDS), st.data())
def test_every_field_is_hashed(header: Header, name: str, data: st.DataObject) -> None:
    json = header.as_json()
    old = json[name]
    if isinstance(old, int):
        other: object = data.draw(st.integers(0, 2 ** NUMBERS[name] - 1).filter(lambda n: n != old))
    else:
        size = st.binary(max_size=99) if name in PACKED else st.binary(min_size=32, max_size=32)
        other = "0x" + data.draw(size.filter(lambda b: "0x" + b.hex() != old)).hex()
    changed = Header.from_json({**json, name: other})
    assert changed.hash() != header.hash()
    same_closing = changed.closing == header.closing
    assert (changed.closing.hash() == header.closing.hash()) == same_closing


@given(HEADERS)
def test_the_digest_is_of_one_contract_on_one_chain(header: Header) -> None:
    one, other = "0x" + "11" * 20, "0x" + "12" * 20
    digests = {header.digest(chain, contract) for chain in (1, 2) for contract in (one, other)}
    assert len(digests) == 4
    assert header.digest(1, one) == header.digest(1, one.removeprefix("0x"))


BAD: list[tuple[str, object]] = [
    ("number", -1), ("number", 2**64), ("attempt", 2**32), ("number", 1.0), ("number", "1"), ("number", True),
    ("number", None), ("log_root", "0x00"), ("log_root", "00" * 32), ("log_root", "0x" + "0g" * 32),
    ("log_root", "0x" + "00" * 33), ("log_root", "0X" + "00" * 32), ("log_root", 5), ("log_root", "0x" + " 0" * 32),
    ("gross", "0x0"), ("gross", "gross"), ("gross", None), ("positions", "0x\u0660\u0660"), ("defaults", b""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_field_is_named(name: str, value: object) -> None:
    json = at_random(random.Random(1)).as_json()
    with pytest.raises(Unreadable) as caught:
        Header.from_json({**json, name: value})
    assert caught.value.what == name
    with pytest.raises(Unreadable):
        Header.from_json({key: one for key, one in json.items() if key != name})


@pytest.mark.parametrize("junk", [None, 1, "header", [], [1], {}])
def test_junk_is_unreadable(junk: object) -> None:
    with pytest.raises(Unreadable):
        Header.from_json(junk)


WORD = st.integers(0, 2**256 - 1)
SUPPLIES = st.lists(
    st.builds(Supply, st.integers(1, 2**64), st.binary(min_size=32, max_size=32), WORD, WORD, WORD),
    max_size=5, unique_by=lambda supply: supply.currency,
)  # fmt: skip


@given(SUPPLIES)
def test_supply_there_and_back(supplies: list[Supply]) -> None:
    packed = pack_supply(supplies)
    assert unpack_supply(packed) == sorted(supplies, key=lambda supply: supply.currency)
    assert pack_supply(unpack_supply(packed)) == packed
    assert len(packed) == 160 * len(supplies)
    for one in supplies:
        assert one.tokens == one.custodial + one.withdrawn - one.returned


@given(st.binary(max_size=330))
def test_supply_from_junk(junk: bytes) -> None:
    try:
        assert pack_supply(unpack_supply(junk)) == junk
    except Unreadable:
        assert len(junk) % 160 or len(junk) == 320


def test_currencies_increase() -> None:
    one, two = Supply(1, bytes(32), 5), Supply(2, bytes(32), 5)
    for wrong in (pack_supply([two]) + pack_supply([one]), pack_supply([one, one])):
        with pytest.raises(Unreadable, match="currencies must increase"):
            unpack_supply(wrong)


@pytest.mark.parametrize(
    ("net", "collateral", "floor", "defaults", "short"),
    [
        (-5, 10, 5, (), {}),
        (-5, 10, 6, (16,), {}),  # below its floor, not below 0
        (-5, 5, 0, (), {}),
        (-5, 5, 1, (16,), {}),
        (-5, 4, 0, (), {16: 1}),
        (-5, 4, 9, (), {16: 1}),  # it cannot settle yet: waiting, no default
        (5, 0, 9, (), {}),  # who receives does not default
        (5, 9, 100, (), {}),
    ],
)
def test_outcome(net: int, collateral: int, floor: int, defaults: tuple[int, ...], short: dict[int, int]) -> None:
    found = outcome({2: -net, 16: net}, {2: 100, 16: collateral}, {2: 0, 16: floor})
    assert (found.words, found.defaults, found.short) == ({2: -net, 16: net}, defaults, short)


def test_no_collateral_is_none() -> None:
    found = outcome({16: -1, 17: 1}, {}, {})
    assert (found.short, found.defaults) == ({16: 1}, ())


def test_defaults_are_packed_in_order() -> None:
    assert pack_defaults((300, 16)) == b"\x00\x10\x01\x2c"
    assert pack_defaults(()) == b""
