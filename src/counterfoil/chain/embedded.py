"""An EVM chain inside the process, spoken to as any other node: by JSON-RPC.

Shapes follow the Execution API specification (github.com/ethereum/execution-apis) and, where it is silent,
geth: error codes and texts, revert data, the gas search. What differs comes from making a block only when a
transaction comes: there is no pool (too high a nonce is refused, not kept), `safe` and `finalized` are the
head, and calls and estimates at `latest` see the number and time of the block a transaction sent now would
get: with the head's, a window that ended since the last transaction would look open for ever.
"""

from __future__ import annotations

import inspect
import logging
import re
import sys
import threading
from typing import TYPE_CHECKING, Any, cast

import orjson
from eth.exceptions import HeaderNotFound
from eth_utils.exceptions import ValidationError
from web3.providers.base import JSONBaseProvider

from counterfoil.chain.embedded_json import (
    INTERNAL,
    INVALID_REQUEST,
    NO_METHOD,
    PARSE_ERROR,
    REFUSED,
    RpcError,
    invalid,
)
from counterfoil.chain.embedded_methods import METHODS, Methods
from counterfoil.chain.embedded_store import ChainFailed, ChainLocked, ChainMismatch, ChainStore, EvmChain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from eth_typing import ChecksumAddress
    from web3.types import RPCEndpoint, RPCResponse

__all__ = ["METHODS", "ChainFailed", "ChainLocked", "ChainMismatch", "EmbeddedChain", "RpcError"]

# Not found in the public registry (ethereum-lists/chains) when chosen; EIP-2294 bounds it.
CHAIN_ID = 61616
GAS_LIMIT = 60_000_000
BATCH_LIMIT = 1000  # as geth

_log = logging.getLogger(__name__)

# py-evm raises Python's recursion limit so far that a deeply nested JSON body would overrun the C stack of whoever
# parses it in this process; our contracts' calls are a few deep
sys.setrecursionlimit(10_000)


class EmbeddedChain:
    """An EVM chain inside this process, kept in a SQLite file; JSON-RPC is its only interface.

    Any thread may call; calls run one after the other. When eth_sendRawTransaction returns, the transaction
    is in a block and the block is on disk. ``provider`` serves ``Web3(chain.provider)``.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        funded: Mapping[ChecksumAddress, int],
        chain_id: int = CHAIN_ID,
        gas_limit: int = GAS_LIMIT,
    ) -> None:
        """Open the chain at ``path``, or create it; None keeps it in memory.

        ``funded`` maps addresses to their genesis balance in wei, ``gas_limit`` is that of every block.
        Raises ChainMismatch if the file was created with other parameters, ChainLocked if it is in use.
        """
        self.chain_id = chain_id
        self._lock = threading.RLock()
        self._store = ChainStore(path)
        try:
            chain = EvmChain(self._store, chain_id=chain_id, gas_limit=gas_limit, funded=funded)
        except BaseException:
            self._store.close()
            raise
        methods = Methods(self._store, chain)
        self._handlers: dict[str, Callable[..., Any]] = {
            name: getattr(methods, re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)) for name in METHODS
        }
        self.provider: JSONBaseProvider = _Provider(self)

    def close(self) -> None:
        """Release the file. May be called twice; requests raise ChainFailed afterwards."""
        with self._lock:
            self._store.close()

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """Answer one method with its JSON-RPC result; parameters and result are JSON values.

        Raises RpcError as a node would answer, ChainFailed if the chain is closed or its disk failed.
        """
        handler = self._handlers.get(method)
        if handler is None:
            raise RpcError(NO_METHOD, f"the method {method} does not exist/is not available")
        try:
            inspect.signature(handler).bind(*params)
        except TypeError as error:
            invalid(str(error))
        with self._lock:
            self._store.check_open()
            try:
                return handler(*params)
            except HeaderNotFound as error:
                raise RpcError(REFUSED, "header not found") from error
            except ValidationError as error:
                raise RpcError(REFUSED, str(error)) from error

    def rpc(self, payload: bytes) -> bytes:
        """Answer a JSON-RPC 2.0 request or batch; empty if it held only notifications. Never raises."""
        try:
            # Not the json module: py-evm raises Python's recursion limit so far that deep nesting kills it.
            asked = orjson.loads(payload)
        except ValueError:
            return orjson.dumps(_failure(None, PARSE_ERROR, "parse error"))
        answer: Any
        if not isinstance(asked, list):
            answer = self._answer(asked)
        elif 0 < len(asked) <= BATCH_LIMIT:
            answer = [one for one in map(self._answer, asked) if one is not None] or None
        else:
            answer = _failure(None, INVALID_REQUEST, "batch too large" if asked else "empty batch")
        return b"" if answer is None else orjson.dumps(answer)

    def _answer(self, asked: object) -> dict[str, Any] | None:
        """Answer one request object; None for a notification."""
        asked = asked if isinstance(asked, dict) else {}
        method, identity, params = asked.get("method"), asked.get("id"), asked.get("params") or []
        readable = asked.get("jsonrpc") == "2.0" and isinstance(identity, str | int | float | None)
        if not readable or not isinstance(method, str):
            return _failure(None, INVALID_REQUEST, "invalid request")
        try:
            if not isinstance(params, list):
                invalid("parameters by name are not supported")
            answer = {"jsonrpc": "2.0", "id": identity, "result": self.request(method, params)}
        except RpcError as error:
            answer = _failure(identity, error.code, error.message, error.data)
        except ChainFailed as error:
            answer = _failure(identity, INTERNAL, str(error))
        except Exception:  # noqa: BLE001  a stranger's request must not end the server
            _log.exception("embedded chain: %s failed", method)
            answer = _failure(identity, INTERNAL, "internal error")
        return answer if "id" in asked else None


class _Provider(JSONBaseProvider):
    """The chain as web3.py's provider, over the same bytes as HTTP: one way, one set of shapes."""

    def __init__(self, chain: EmbeddedChain) -> None:
        super().__init__()
        self._chain = chain

    def make_request(self, method: RPCEndpoint, params: object) -> RPCResponse:
        return self.decode_rpc_response(self._chain.rpc(self.encode_rpc_request(method, params)))

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        answer = self._chain.rpc(self.encode_batch_rpc_request(requests))
        return cast("list[RPCResponse]", self.decode_rpc_response(answer))


def _failure(identity: object, code: int, message: str, data: str | None = None) -> dict[str, Any]:
    error = {"code": code, "message": message} | ({} if data is None else {"data": data})
    return {"jsonrpc": "2.0", "id": identity, "error": error}
