"""One way to every chain: a Web3 over the embedded chain or an RPC URL, with errors in the house's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import requests
from web3 import HTTPProvider, Web3
from web3.exceptions import BadFunctionCallOutput, BlockNotFound, ContractLogicError, Web3Exception
from web3.providers.base import JSONBaseProvider

from counterfoil.chain.providers import Providers
from counterfoil.core.errors import Unreachable

__all__ = ["Memory", "Reverted", "Web3", "asked", "connect", "final_block", "latest_block"]

T = TypeVar("T")
TIMEOUT_SECONDS = 20
CONFIRMATIONS = 12  # blocks until final on a chain without a `finalized` tag


class Memory(Protocol):
    """What the chain must remember across restarts, durably: handed in from above."""

    def recall(self, name: str) -> str | None: ...
    def claim(self, name: str, value: str) -> str: ...
    def remember(self, name: str, value: str) -> None: ...
    def forget(self, name: str) -> None: ...


class Reverted(Exception):
    """A call or tx that the contract turned down; `reason` is the error's name with its facts where known."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def connect(where: str | JSONBaseProvider) -> Web3:
    """A client for a provider, an RPC URL, or several with commas between them, which are checked against each other."""
    if isinstance(where, str):
        several = [HTTPProvider(url.strip(), request_kwargs={"timeout": TIMEOUT_SECONDS}) for url in where.split(",")]
        where = several[0] if len(several) == 1 else Providers(several)
    return Web3(where)


def asked(what: Callable[[], T]) -> T:
    """Call `what`; raises Unreachable for a node that does not answer, Reverted for a contract that refuses."""
    try:
        return what()
    except ContractLogicError as error:
        raise Reverted(str(error.data or error.message or error)) from error
    except BadFunctionCallOutput:  # nothing there answers to this call: the caller knows what should have been
        raise
    except (requests.RequestException, OSError) as error:
        raise Unreachable("chain", type(error).__name__) from error
    except Web3Exception as error:
        raise Unreachable("chain", str(error).splitlines()[0] if str(error) else type(error).__name__) from error


def latest_block(w3: Web3) -> tuple[int, bytes]:
    """Number and hash of the newest block."""
    block: Any = asked(lambda: w3.eth.get_block("latest"))
    return int(block["number"]), bytes(block["hash"])


def final_block(w3: Web3) -> tuple[int, bytes]:
    """Number and hash of the newest block that is final: by tag, or some confirmations deep where there is no tag."""
    try:
        block: Any = asked(lambda: w3.eth.get_block("finalized"))
    except (Unreachable, BlockNotFound):
        newest = asked(lambda: w3.eth.block_number)
        block = asked(lambda: w3.eth.get_block(max(0, newest - CONFIRMATIONS)))
    return int(block["number"]), bytes(block["hash"])
