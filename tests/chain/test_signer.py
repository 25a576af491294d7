"""Keys and what they sign: against eth_account and cryptography, and against everything that is no signature."""

from __future__ import annotations

import base64
import random
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.chain.signer import (
    HALF_ORDER,
    CheckpointSigner,
    Signer,
    checkpoint_key,
    key_file,
    origin_of,
    read_checkpoint,
    recover,
)
from counterfoil.core.errors import Unreadable
from counterfoil.core.typed_data import keccak
from tests.core.forged_signed import ORDER, SIGNATURES, bad_signature

KEYS = st.integers(1, ORDER - 1).map(lambda n: n.to_bytes(32, "big"))
DIGESTS = st.binary(min_size=32, max_size=32)
SEED = b"\x07" * 32  # a test key
ORIGIN = origin_of(b"\xa1" * 32)


@given(KEYS, DIGESTS)
def test_signatures_are_those_of_another_library(key: bytes, digest: bytes) -> None:
    signer, account = Signer(key), Account.from_key(key)
    signature = signer.sign(digest)
    assert signature == account.unsafe_sign_hash(digest).signature == signer.sign(digest)
    assert signer.address == account.address == recover(digest, signature)
    assert int.from_bytes(signature[32:64], "big") <= HALF_ORDER == ORDER // 2


@given(KEYS, DIGESTS, st.sampled_from(SIGNATURES), st.randoms(use_true_random=False))
def test_a_bad_signature_is_nobodys_or_somebody_elses(
    key: bytes, digest: bytes, kind: str, draw: random.Random
) -> None:
    signer = Signer(key)
    found = recover(digest, bad_signature(draw, kind, signer.sign(digest)))
    assert found != signer.address
    if kind not in {"flipped", "v", "random"}:
        assert found is None


@given(st.binary(max_size=70), DIGESTS)
def test_junk_is_no_signature(junk: bytes, digest: bytes) -> None:
    found = recover(digest, junk)
    assert found is None or len(junk) == 65


@pytest.mark.parametrize("v", [*range(27), *range(29, 256)])
def test_v_is_27_or_28(v: int) -> None:
    digest = keccak(b"v")
    assert recover(digest, Signer(SEED).sign(digest)[:64] + bytes([v])) is None


def test_a_signer_does_not_show_its_key() -> None:
    signer = Signer(SEED)
    for text in (repr(signer), str(signer), f"{signer}"):
        assert SEED.hex() not in text
        assert repr(SEED) not in text
        assert signer.address in text


def test_a_transaction_is_signed_for_its_chain() -> None:
    tx: dict[str, object] = {
        "type": 2, "chainId": 31_337, "nonce": 4, "to": "0x" + "00" * 19 + "01", "value": 0, "gas": 21_000,
        "maxFeePerGas": 10**9, "maxPriorityFeePerGas": 1, "data": b"\1\2",
    }  # fmt: skip
    signer = Signer(SEED)
    raw = signer.sign_transaction(tx)
    assert raw == signer.sign_transaction(tx)
    assert raw[0] == 2
    assert Account.recover_transaction(raw) == signer.address


def test_a_key_file_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "signing.key"
    made = key_file(path, create=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key_file(path).address == key_file(path, create=True).address == made.address
    seeded = key_file(tmp_path / "seeded.key", create=True, seed=SEED)
    assert seeded.address == Account.from_key(SEED).address
    assert made.address != seeded.address


BAD_KEYS = ["", "0x", "junk", "0x" + "11" * 31, "11" * 33, "00" * 32, f"{ORDER:064x}", "ff" * 32, "\u0661\u0661" * 32]


@pytest.mark.parametrize("text", BAD_KEYS)
def test_what_is_no_key_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "signing.key"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Unreadable) as caught:
        key_file(path)
    assert caught.value.what == str(path)
    assert len(text) < 8 or text not in str(caught.value)


def test_a_key_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.key", tmp_path):
        with pytest.raises(Unreadable):
            key_file(path)


@pytest.fixture
def checkpoints(tmp_path: Path) -> CheckpointSigner:
    return checkpoint_key(tmp_path / "checkpoint.key", ORIGIN, seed=SEED)


def test_a_checkpoint_is_a_signed_note(checkpoints: CheckpointSigner) -> None:
    root = bytes(range(32))
    note = checkpoints.note(1_234, root)
    body, _, signature = note.partition("\n\n")
    assert body == f"{ORIGIN}\n1234\n{base64.b64encode(root).decode()}"
    dash, name, signed = signature.rstrip("\n").split(" ")
    assert (dash, name, ORIGIN) == ("—", ORIGIN, "counterfoil/" + "a1" * 32)
    raw = base64.b64decode(signed)
    Ed25519PublicKey.from_public_bytes(checkpoints.public).verify(raw[4:], (body + "\n").encode())
    assert read_checkpoint(note, ORIGIN, checkpoints.public) == (1_234, root)


@given(st.integers(0, 2**63 - 1), DIGESTS)
def test_notes_there_and_back(size: int, root: bytes) -> None:
    signer = CheckpointSigner(Ed25519PrivateKey.from_private_bytes(SEED), ORIGIN)
    assert read_checkpoint(signer.note(size, root), ORIGIN, signer.public) == (size, root)


def test_every_flipped_bit_of_a_signed_body_is_seen(checkpoints: CheckpointSigner) -> None:
    note = checkpoints.note(77, bytes(range(32)))
    end = note.index("\n\n") + 1
    for at in range(end):
        for bit in range(7):
            changed = note[:at] + chr(ord(note[at]) ^ 1 << bit) + note[at + 1 :]
            with pytest.raises(Unreadable):
                read_checkpoint(changed, ORIGIN, checkpoints.public)


def test_a_note_has_one_form(checkpoints: CheckpointSigner) -> None:
    note = checkpoints.note(5, bytes(32))
    at = note.rindex("=") - 1
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = note[:at] + letters[letters.index(note[at]) ^ 1] + note[at + 1 :]
    assert other != note
    with pytest.raises(Unreadable):
        read_checkpoint(other, ORIGIN, checkpoints.public)


def test_notes_of_others_are_not_read(checkpoints: CheckpointSigner, tmp_path: Path) -> None:
    other = checkpoint_key(tmp_path / "other.key", ORIGIN)
    elsewhere = checkpoint_key(tmp_path / "checkpoint.key", "counterfoil/" + "a2" * 32)
    for note in (other.note(5, bytes(32)), elsewhere.note(5, bytes(32))):
        with pytest.raises(Unreadable, match="another log or key"):
            read_checkpoint(note, ORIGIN, checkpoints.public)


@pytest.mark.parametrize(
    "change",
    [
        lambda n: "", lambda n: n + "\n", lambda n: n[:-1], lambda n: n.replace("\n\n", "\n"), lambda n: " " + n,
        lambda n: n.replace("\n5\n", "\n05\n"), lambda n: n.replace("\n5\n", "\n+5\n"), lambda n: n.replace("—", "-"),
        lambda n: n.replace("\n5\n", "\n\u0665\n"), lambda n: n + n.rpartition("\n—")[2], lambda n: n.replace("\n", "\r\n"),
        lambda n: n.replace("\n\n", "\nmore\n\n"), lambda n: n[: n.rindex(" ") + 1] + "AAAA\n",
    ],
)  # fmt: skip
def test_what_is_no_note(checkpoints: CheckpointSigner, change: object) -> None:
    assert callable(change)
    with pytest.raises(Unreadable):
        read_checkpoint(change(checkpoints.note(5, bytes(32))), ORIGIN, checkpoints.public)


@given(st.text(max_size=200))
def test_junk_is_no_note(junk: str) -> None:
    with pytest.raises(Unreadable):
        read_checkpoint(junk, ORIGIN, bytes(32))


def test_a_root_has_32_bytes(checkpoints: CheckpointSigner) -> None:
    for width in (0, 31, 33):
        with pytest.raises(Unreadable):
            read_checkpoint(checkpoints.note(5, bytes(width)), ORIGIN, checkpoints.public)


@pytest.mark.parametrize("text", ["junk", "0x" + "11" * 31])
def test_what_is_no_checkpoint_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "checkpoint.key"
    path.write_text(text)
    with pytest.raises(Unreadable):
        checkpoint_key(path, ORIGIN)
