"""Keys: secp256k1 for digests (deterministic, low s), Ed25519 for checkpoints, both kept in files of mode 600."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from coincurve import PrivateKey, PublicKey
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from eth_account import Account
from eth_utils.address import to_checksum_address

from counterfoil.core.errors import Unreadable
from counterfoil.core.typed_data import keccak

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@dataclass(frozen=True, slots=True)
class Signer:
    """A secp256k1 key that signs 32-byte digests. The key is in memory only; `address` is public."""

    _secret: bytes
    _key: PrivateKey = field(init=False)
    address: str = field(init=False)
    """The checksummed address (EIP-55)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_key", PrivateKey(self._secret))
        object.__setattr__(self, "address", address_of(self._key.public_key))

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def sign(self, digest: bytes) -> bytes:
        """65 bytes r, s, v (27 or 28); the nonce follows RFC 6979, so one digest has one signature."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([signature[64] + 27])

    def sign_transaction(self, tx: dict[str, object]) -> bytes:
        """The raw bytes of an EIP-1559 tx."""
        return bytes(Account.sign_transaction(tx, self._secret).raw_transaction)


def address_of(key: PublicKey) -> str:
    """The checksummed address of a public key."""
    return str(to_checksum_address(keccak(key.format(compressed=False)[1:])[12:]))


def recover(digest: bytes, signature: bytes) -> str | None:
    """The address that signed, or None for anything malformed or with a high s (EIP-2)."""
    if len(signature) != 65 or signature[64] not in {27, 28}:
        return None
    if int.from_bytes(signature[32:64], "big") > HALF_ORDER:
        return None
    try:
        raw = signature[:64] + bytes([signature[64] - 27])
        return address_of(PublicKey.from_signature_and_message(raw, digest, hasher=None))
    except Exception:  # noqa: BLE001 the library raises bare exceptions for points not on the curve
        return None


def key_file(path: Path, *, create: bool = False, seed: bytes | None = None) -> Signer:
    """The key of a file: 32 bytes of hex. Raises Unreadable.

    With `create`, a missing file gets a new key (from `seed` in tests) and mode 600.
    """
    if create and not path.exists():
        _write_private(path, "0x" + (seed or secrets.token_bytes(32)).hex())
    try:
        return Signer(PrivateKey(_read_private(path)).secret)
    except ValueError:
        raise Unreadable(str(path), "is no secp256k1 key") from None


@dataclass(frozen=True, slots=True)
class CheckpointSigner:
    """An Ed25519 key that signs checkpoints as C2SP signed notes."""

    _secret: Ed25519PrivateKey
    origin: str

    @property
    def public(self) -> bytes:
        """The 32-byte public key."""
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        return self._secret.public_key().public_bytes(*raw)

    def note(self, size: int, root: bytes) -> str:
        """The signed checkpoint: c2sp.org/tlog-checkpoint in a c2sp.org/signed-note."""
        body = checkpoint_body(self.origin, size, root)
        signed = _key_id(self.origin, self.public) + self._secret.sign(body.encode())
        return f"{body}\n— {self.origin} {base64.b64encode(signed).decode()}\n"


def checkpoint_key(path: Path, origin: str, *, seed: bytes | None = None) -> CheckpointSigner:
    """The checkpoint key of a file, made if missing."""
    if not path.exists():
        _write_private(path, "0x" + (seed or secrets.token_bytes(32)).hex())
    return CheckpointSigner(Ed25519PrivateKey.from_private_bytes(_read_private(path)), origin)


def origin_of(programme: bytes) -> str:
    """The log's name in its checkpoints."""
    return f"counterfoil/{programme.hex()}"


def checkpoint_body(origin: str, size: int, root: bytes) -> str:
    """The three signed lines of a checkpoint."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def read_checkpoint(note: str, origin: str, public: bytes) -> tuple[int, bytes]:
    """Size and root of a note signed by `public`; raises Unreadable for any other text."""
    try:
        body, signature = note.split("\n\n", 1)
        name, size, root = body.split("\n")
        dash, signer, signed = signature.rstrip("\n").split(" ")
        raw = base64.b64decode(signed, validate=True)
        if name != origin or signer != origin or dash != "—" or raw[:4] != _key_id(origin, public):
            raise ValueError("another log or key")
        Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], (body + "\n").encode())
        if note != f"{body}\n\n— {origin} {signed}\n" or str(int(size)) != size:
            raise ValueError("not in its canonical form")
        decoded = base64.b64decode(root, validate=True)
        if len(decoded) != 32 or base64.b64encode(raw).decode() != signed or base64.b64encode(decoded).decode() != root:
            raise ValueError("not in its canonical form")
        return int(size), decoded
    except (ValueError, InvalidSignature) as error:
        raise Unreadable("checkpoint", str(error) or "its signature does not verify") from error


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def _read_private(path: Path) -> bytes:
    try:
        text = path.read_text(encoding="ascii").strip().removeprefix("0x")
        secret = bytes.fromhex(text)
        if len(secret) != 32 or len(text) != 64:
            raise ValueError
    except OSError as error:
        raise Unreadable(str(path), error.strerror or "cannot be read") from error
    except ValueError:
        raise Unreadable(str(path), "a key file holds 32 bytes of hex and nothing else") from None
    return secret


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # another process made it first: that one it is
        _write_new(path, text)


def _write_new(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
