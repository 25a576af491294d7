"""Twins: Solidity, eth-account and our own core hash every header to the same bytes."""

from __future__ import annotations

import random

import pytest
from eth_account.messages import _hash_eip191_message

from counterfoil.core.settlement import CLOSING_TYPE, FIELDS, HEADER_TYPE
from counterfoil.core.settlement import Header as CoreHeader
from tests.contracts.programme import TYPES, Header, Programme


def arbitrary(seed: int) -> Header:
    """Any header: well formed or not, it has a hash. The first is all zero and empty."""
    draw = random.Random(seed)

    def field(type_: str) -> bytes | int:
        if type_.startswith("uint"):
            return draw.getrandbits(int(type_[4:])) if seed else 0
        if type_ == "bytes":
            return draw.randbytes(draw.randrange(700)) if seed else b""
        return draw.randbytes(32) if seed else bytes(32)

    return {name: field(type_) for name, type_ in TYPES["Header"].items()}


@pytest.mark.parametrize("seed", range(12))
def test_three_hash_alike(shared_programme: Programme, seed: int) -> None:
    header = arbitrary(seed)
    p = shared_programme
    values = tuple(header.values())
    core = CoreHeader.from_fields(dict(zip(FIELDS, values, strict=True)))
    message, closing = p.message(header), p.message(header, "Closing")

    assert p.read("headerHash", values) == message.body == core.hash()
    assert p.read("closingHash", values) == closing.body == core.closing.hash()
    assert p.read("digest", values) == _hash_eip191_message(message)
    assert p.read("digest", values) == core.digest(p.chain.w3.eth.chain_id, p.settlement.address)


def test_types_are_written_alike() -> None:
    def text(kind: str) -> str:
        return f"{kind}({','.join(f'{type_} {name}' for name, type_ in TYPES[kind].items())})"

    assert (text("Closing"), text("Header")) == (CLOSING_TYPE, HEADER_TYPE)


def test_the_domain_is_this_contract_on_this_chain(programme: Programme) -> None:
    _, name, version, chain_id, contract, salt, extensions = programme.read("eip712Domain")
    assert (name, version, salt, extensions) == ("Counterfoil", "1", bytes(32), [])
    assert (chain_id, contract) == (programme.chain.w3.eth.chain_id, programme.settlement.address)
