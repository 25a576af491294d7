"""Several RPC providers as one: what decides is asked of all that answer, and they must say the same.

A chain id, a block by number or hash and a call at such a block have one true answer, so two providers that differ mean that
one lies or follows another chain: nothing goes on until they agree. What is `latest` differs while one lags; then the lower
height is taken, so that everything asked next can be known to all. A tx goes to each of them, and is sent if one took it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import requests
from web3.exceptions import Web3Exception
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from counterfoil.core.errors import Unreachable

_HEIGHTS = {"latest", "finalized", "safe"}
_BLOCK_AT = {"eth_call": 1, "eth_getBalance": 1, "eth_getCode": 1, "eth_getStorageAt": 2, "eth_getTransactionCount": 1}
_LOOSE = {"totalDifficulty", "size"}  # of a block: what nodes leave out or count in their own way


class Providers(JSONBaseProvider):
    """Asks `several`, each a provider; their order is the order of trust where only one is needed."""

    def __init__(self, several: Sequence[JSONBaseProvider]) -> None:
        super().__init__()
        self.several = tuple(several)

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One answer of JSON-RPC. Raises Unreachable if none answers, or if they disagree on what has one answer."""
        answers, silent = self._asked(method, params)
        if not answers:
            raise Unreachable("chain", f"no provider answers {method}: {'; '.join(silent)}")
        if method == "eth_sendRawTransaction":
            return next((one for one in answers if "result" in one), answers[0])
        if method == "eth_blockNumber" or (method == "eth_getBlockByNumber" and params[0] in _HEIGHTS):
            return min(answers, key=_height)
        if _decides(method, params):
            _require_same(method, answers)
        return next((one for one in answers if one.get("result") is not None), answers[0])

    def is_connected(self, show_traceback: bool = False) -> bool:
        """Whether any of them is."""
        return any(one.is_connected(show_traceback) for one in self.several)

    def _asked(self, method: RPCEndpoint, params: Any) -> tuple[list[RPCResponse], list[str]]:
        answers, silent = [], []
        for one in self.several:
            try:
                answers.append(one.make_request(method, params))
            except (requests.RequestException, OSError, Web3Exception) as error:
                silent.append(type(error).__name__)
        return answers, silent


def _decides(method: str, params: Any) -> bool:
    """Whether the question has one answer, whoever is asked."""
    if method in {"eth_chainId", "eth_getBlockByHash", "eth_getBlockByNumber"}:
        return True
    place = _BLOCK_AT.get(method)
    return place is not None and len(params) > place and params[place] not in {*_HEIGHTS, "pending"}


def _require_same(method: str, answers: Sequence[RPCResponse]) -> None:
    told = [_compared(one["result"]) for one in answers if one.get("result") is not None]
    if any(one != told[0] for one in told[1:]):
        raise Unreachable("chain", f"providers disagree on {method}: one of them lies, lags or follows another chain")


def _compared(result: Any) -> Any:
    if isinstance(result, dict):
        return {name: value for name, value in result.items() if name not in _LOOSE}
    return result


def _height(answer: RPCResponse) -> int:
    result: Any = answer.get("result")
    if result is None:
        return 1 << 62
    return int(result["number"] if isinstance(result, dict) else result, 16)
