"""EIP-712 hashing for the two things that are signed: a counterfoil and a settlement's header."""

from __future__ import annotations

import sha3

from counterfoil.core.encoding import word

NAME, VERSION = "Counterfoil", "1"


def keccak(data: bytes) -> bytes:
    """Keccak-256, as the EVM hashes (not FIPS 202's SHA3-256)."""
    return bytes(sha3.keccak_256(data).digest())


def struct_hash(type_text: str, *words: bytes) -> bytes:
    """HashStruct of EIP-712: `words` are the fields, 32 bytes each, `bytes` fields already hashed."""
    assert all(len(one) == 32 for one in words)
    return keccak(keccak(type_text.encode()) + b"".join(words))


def digest(domain: bytes, struct: bytes) -> bytes:
    """What is signed: keccak256(0x1901 || domain separator || struct hash)."""
    return keccak(b"\x19\x01" + domain + struct)


def programme_domain(programme: bytes) -> bytes:
    """Domain of counterfoils: bound to the programme (as salt), not to a chain, so they hold before one is chosen."""
    return struct_hash("EIP712Domain(string name,string version,bytes32 salt)", *_NAMES, programme)


def contract_domain(chain_id: int, contract: str) -> bytes:
    """Domain of headers: bound to one Settlement on one chain. `contract` is a 0x address."""
    raw = bytes.fromhex(contract.removeprefix("0x"))
    assert len(raw) == 20
    address = raw.rjust(32, b"\0")
    type_text = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    return struct_hash(type_text, *_NAMES, word(chain_id), address)


_NAMES = (keccak(NAME.encode()), keccak(VERSION.encode()))
