"""Several RPC providers: one that lies, lags, is away or follows another chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from web3 import Web3
from web3.providers.base import JSONBaseProvider

from counterfoil.chain import providers
from counterfoil.chain.client import connect, final_block
from counterfoil.chain.providers import Providers
from counterfoil.core.errors import Unreachable
from tests.chain.counter import FUNDED, KEY, open_chain, sign

Bend = Callable[[str, Any, Any], Any]


class Bent(JSONBaseProvider):
    """Another provider whose answers may be bent; None from `bend` means that it is away."""

    def __init__(self, plain: JSONBaseProvider, bend: Bend = lambda _method, _params, result: result) -> None:
        super().__init__()
        self.plain, self.bend, self.asked = plain, bend, list[str]()

    def make_request(self, method: Any, params: Any) -> Any:
        self.asked.append(method)
        answer: Any = self.plain.make_request(method, params)
        if "result" not in answer:
            return answer
        bent = self.bend(method, params, answer["result"])
        if bent is ...:
            raise ConnectionError
        return {**answer, "result": bent}


def lying(name: str, value: Any) -> Bend:
    return lambda method, _params, result: value if method == name else result


def other_hash(method: str, _params: Any, result: Any) -> Any:
    return {**result, "hash": "0x" + "ee" * 32} if method == "eth_getBlockByNumber" else result


def away(_method: str, _params: Any, _result: Any) -> Any:
    return ...


def behind(method: str, _params: Any, result: Any) -> Any:
    """It has not seen the last block."""
    if method == "eth_blockNumber":
        return hex(int(result, 16) - 1)
    return result


def pair(chain: Any, bend: Bend) -> tuple[Web3, Bent, Bent]:
    first, second = Bent(chain.provider), Bent(chain.provider, bend)
    return Web3(Providers([first, second])), first, second


def test_two_that_agree_are_one() -> None:
    with open_chain() as chain:
        w3, first, second = pair(chain, lambda _method, _params, result: result)
        assert w3.eth.get_balance(KEY.address) == FUNDED[KEY.address]
        assert final_block(w3) == final_block(Web3(chain.provider))
        assert first.asked == second.asked


@pytest.mark.parametrize(
    ("bend", "ask"),
    [
        (lying("eth_chainId", "0x7"), lambda w3: w3.eth.chain_id),
        (other_hash, lambda w3: w3.eth.get_block(0)),
        (lying("eth_call", "0x01"), lambda w3: w3.eth.call({"to": KEY.address}, 0)),
        (lying("eth_getBalance", "0x1"), lambda w3: w3.eth.get_balance(KEY.address, 0)),
        (lying("eth_getCode", "0x60"), lambda w3: w3.eth.get_code(KEY.address, 0)),
    ],
    ids=["chain id", "block", "call", "balance", "code"],
)
def test_one_that_lies_stops_everything(
    bend: Bend, ask: Callable[[Web3], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_chain() as chain:
        w3, _first, _second = pair(chain, bend)
        with pytest.raises(Unreachable, match="disagree"):
            ask(w3)
        monkeypatch.setattr(providers, "_require_same", lambda _method, _answers: None)
        ask(w3)  # the canary: without the comparison the lie would pass


def test_one_that_lags_slows_and_one_that_is_away_does_not_matter() -> None:
    with open_chain() as chain:
        for nonce in range(2):
            chain.request("eth_sendRawTransaction", [sign(nonce, to=KEY.address)])
        assert pair(chain, behind)[0].eth.block_number == 1
        assert pair(chain, away)[0].eth.block_number == 2
        both = Web3(Providers([Bent(chain.provider, away), Bent(chain.provider, away)]))
        with pytest.raises(Unreachable, match="no provider answers eth_blockNumber"):
            _ = both.eth.block_number


def test_a_tx_goes_to_all_and_is_sent_if_one_takes_it() -> None:
    with open_chain() as chain:
        w3, first, second = pair(chain, lambda _method, _params, result: result)
        tx = w3.eth.send_raw_transaction(sign(0, to=KEY.address))  # type: ignore[arg-type]
        assert w3.eth.get_transaction_receipt(tx)["status"] == 1
        assert first.asked[0] == second.asked[0] == "eth_sendRawTransaction"  # the second was told it is known


def test_urls_with_commas_are_several() -> None:
    assert isinstance(connect("http://127.0.0.1:1, http://127.0.0.1:2").provider, Providers)
    assert not isinstance(connect("http://127.0.0.1:1").provider, Providers)
