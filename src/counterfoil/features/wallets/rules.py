"""What a member signs to link an account, and what is made of the message. Pure."""

from __future__ import annotations

from typing import Any

from counterfoil.chain.signer import recover
from counterfoil.core.errors import SignInRefused
from counterfoil.core.siwe import SignIn, checksummed, expect, message_hash, read, written

STATEMENT = (
    "Link this account to my membership. Points that I withdraw go to it: whoever has its key has them, and if the key "
    "is lost they are lost."
)


def signed_in(text: str, signature: bytes, uri: str, chain_id: int) -> SignIn:
    """The message, if it is for this page and chain and its account signed it. Raises SignInRefused.

    An account that is a contract cannot sign so (EIP-1271 is not asked).
    """
    message = read(text)
    expect(message, uri, chain_id, STATEMENT)
    if recover(message_hash(text), signature) != checksummed(message.account):
        raise SignInRefused("signature", "is not the account's over this message, with a low s and v 27 or 28")
    return message


def to_sign(account: str, given: dict[str, Any], uri: str, chain_id: int) -> str:
    """The whole message for an account, with the nonce that was given."""
    domain = uri.partition("://")[2].partition("/")[0]
    message = SignIn(None, domain, account, STATEMENT, uri, chain_id, given["nonce"], 0, 0, 0, None, ())
    return written(message, given["issued_at"], given["until"])
