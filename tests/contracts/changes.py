"""Changes as the partners' quorum makes them: signed, scheduled, executed after the delay."""

from __future__ import annotations

from typing import Any

from eth_account import Account
from web3.types import TxReceipt

from tests.contracts.programme import DELAY, GAS, KEYS, Programme


def call_data(programme: Programme, name: str, *arguments: Any) -> bytes:
    return bytes.fromhex(str(programme.settlement.encode_abi(name, list(arguments)))[2:])


def address(number: int) -> str:
    return str(Account.from_key(KEYS[number]).address)


def active(programme: Programme) -> list[int]:
    """Partners that can sign with their first key: as many as must."""
    read = programme.read
    able = [n for n in read("partners") if read("signerOf", n) == address(n) and not read("suspended", n)]
    return able[: read("quorum")]


def scheduling(programme: Programme, data: bytes, *signers: int, nonce: int | None = None, **signed: Any) -> Any:
    """`signed` replaces what the signatures are over."""
    timelock = programme.part("Timelock").functions
    nonce = timelock.nonce().call() if nonce is None else nonce
    over = {"call": data, "nonce": nonce} | signed
    signatures = programme.sign_words("Change", over, *signers or sorted(active(programme)))
    return timelock.schedule(data, nonce, signatures)


def changing(programme: Programme, name: str, *arguments: Any) -> Any:
    """Scheduled, and due: the execution."""
    timelock, data = programme.part("Timelock").functions, call_data(programme, name, *arguments)
    nonce = timelock.nonce().call()
    programme.chain.send(scheduling(programme, data), programme.anyone)
    programme.chain.wait(DELAY + 1)  # a call is in the second before
    return timelock.execute(data, nonce)


def changed(programme: Programme, name: str, *arguments: Any) -> TxReceipt:
    return programme.chain.send(changing(programme, name, *arguments), programme.anyone)


def fails(programme: Programme, call: Any, by: str | None = None) -> None:
    """To be wrapped in `refused`."""
    call.call({"from": by or programme.anyone, "gas": GAS})
