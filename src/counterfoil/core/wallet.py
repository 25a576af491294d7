"""Wallet: the account on chain that points go to or come from, as part of an entry, and the event that says so."""

from __future__ import annotations

from msgspec import Struct

from counterfoil.core.errors import Unreadable

ACCOUNT_BYTES = 20
WALLET_BYTES = 9 * 8
NOTHING = bytes(32)


class Wallet(Struct, frozen=True, gc=False):
    """An account of 20 bytes. Of what comes back also the event: the hash of its block, and its index there."""

    account: bytes
    block: bytes = NOTHING
    index: int = 0


def pack_wallet(wallet: Wallet) -> bytes:
    """9 w64 words: the account as a 32-byte word, the block's hash, the index."""
    assert len(wallet.account) == ACCOUNT_BYTES
    assert len(wallet.block) == 32
    return wallet.account.rjust(32, b"\0") + wallet.block + wallet.index.to_bytes(8, "big")


def unpack_wallet(packed: bytes) -> Wallet:
    """What `pack_wallet` packed; raises Unreadable."""
    if len(packed) != WALLET_BYTES or any(packed[: 32 - ACCOUNT_BYTES]):
        raise Unreadable("entry", f"a wallet of {len(packed)} bytes, or no account of {ACCOUNT_BYTES}")
    return Wallet(packed[32 - ACCOUNT_BYTES : 32], packed[32:64], int.from_bytes(packed[64:], "big"))
