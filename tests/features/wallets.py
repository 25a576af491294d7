"""Members with accounts of their own, and the messages their wallets sign."""

from __future__ import annotations

from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct

from tests.gateway.stand import Stand, good

BLOCK = "0x" + "b1" * 32


def key_of(place: int) -> bytes:
    """A wallet's key, for tests alone."""
    return bytes([place]) * 32


def account_of(key: bytes) -> str:
    return str(Account.from_key(key).address).lower()


def signed(message: str, key: bytes) -> str:
    return "0x" + bytes(Account.sign_message(encode_defunct(text=message), key).signature).hex()


def asked(one: Stand, member: str, key: bytes) -> dict[str, str]:
    """A body that links an account: the message that the gateway made, signed."""
    path = f"/v1/members/{member}/wallet/nonce"
    given = good(one.client.post(path, json={"account": account_of(key)}, headers=one.operator))
    return {"message": given["message"], "signature": signed(given["message"], key)}


def link(one: Stand, member: str, body: dict[str, Any]) -> Any:
    return one.client.put(f"/v1/members/{member}/wallet", json=body, headers=one.operator)


def linked(one: Stand, member: str, place: int) -> str:
    """The account that is the member's now."""
    key = key_of(place)
    told = good(link(one, member, asked(one, member, key)))
    assert told["account"] == account_of(key)
    return account_of(key)


def withdraw(one: Stand, member: str, points: int, **more: Any) -> dict[str, Any]:
    body = {"external_id": f"w-{next(one.keys)}", "member": member, "points": points, **more}
    made: dict[str, Any] = good(one.post("operator", "withdrawals", body))
    return made


def event(one: Stand, account: str, points: int, **more: Any) -> dict[str, Any]:
    """An event of the chain that nothing was booked by."""
    return {"account": account, "block": BLOCK, "index": next(one.keys), "points": points, **more}
