"""The embedded chain: what is refused, and how it is said."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import rlp
from web3.types import RPCEndpoint

from counterfoil.chain import embedded
from counterfoil.chain.embedded import RpcError
from tests.chain.counter import KEY, OTHER, deploy, everything, open_chain, post, sign

pytestmark = pytest.mark.timeout(120)

# -- what is refused


def test_only_reads_and_signed_transactions() -> None:
    assert len(embedded.METHODS) == 21
    with open_chain() as chain:
        forbidden = """evm_mine evm_revert evm_snapshot evm_increaseTime evm_setAutomine eth_sendTransaction
            eth_sign eth_signTransaction eth_accounts personal_unlockAccount debug_traceTransaction
            admin_nodeInfo anvil_setBalance hardhat_impersonateAccount testing_timeTravel miner_start close
            request __init__ eth_getlogs provider""".split()  # noqa: SIM905
        for method in forbidden:
            assert post(chain, method)["error"]["code"] == -32601, method
            assert chain.provider.make_request(RPCEndpoint(method), [])["error"]["code"] == -32601, method
        assert chain.request("eth_blockNumber") == "0x0"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"chainId": 1}, "invalid chain id"),
        (
            {"chainId": 1, "maxFeePerGas": None, "maxPriorityFeePerGas": None, "gasPrice": 10**10},
            "invalid chain id",
        ),
        (
            {"chainId": None, "maxFeePerGas": None, "maxPriorityFeePerGas": None, "gasPrice": 10**10},
            "EIP-155",
        ),
        ({"nonce": 1}, "nonce too high"),
        ({"gas": 20_999}, "intrinsic gas too low"),
        ({"gas": 60_000_001}, "exceeds block gas limit"),
        ({"value": 10**24}, "insufficient funds"),
        ({"key": OTHER}, "insufficient funds"),
        ({"maxFeePerGas": 10, "maxPriorityFeePerGas": 1}, "max fee per gas less than block base fee"),
        ({"maxPriorityFeePerGas": 10**11}, "max priority fee per gas higher"),
        ({"to": None, "data": "0x" + "00" * 49_153, "gas": 10**6}, "max initcode size exceeded"),
    ],
)
def test_refused_transactions(fields: dict[str, Any], why: str) -> None:
    with open_chain() as chain:
        before = everything(chain)
        raw = sign(**({"nonce": 0, "to": OTHER.address} | fields))
        with pytest.raises(RpcError, match=why) as caught:
            chain.request("eth_sendRawTransaction", [raw])
        assert caught.value.code == -32000
        assert everything(chain) == before
        deploy(chain)  # and goes on


def test_replayed_and_tampered_transactions() -> None:
    """Any damaged transaction is refused as such or is a valid one of somebody poor; nothing breaks."""
    dice = random.Random(7)
    with open_chain() as chain:
        raw = sign(0, to=OTHER.address)
        chain.request("eth_sendRawTransaction", [raw])
        assert post(chain, "eth_sendRawTransaction", raw)["error"] == {
            "code": -32000,
            "message": "already known",
        }
        assert "nonce too low" in post(chain, "eth_sendRawTransaction", sign(0))["error"]["message"]
        for good in (sign(1), sign(1, maxFeePerGas=None, maxPriorityFeePerGas=None, gasPrice=10**10)):
            for _ in range(150):
                damaged = bytearray.fromhex(good[2:])
                for _ in range(dice.choice((1, 1, 2))):
                    damaged[dice.randrange(len(damaged))] = dice.randrange(256)
                cut = dice.choice((0, 0, 1, 5, len(damaged)))
                answer = post(chain, "eth_sendRawTransaction", "0x" + damaged[: len(damaged) - cut].hex())
                if "0x" + damaged.hex() != good:
                    assert answer.get("error", {}).get("code") == -32000, (damaged.hex(), answer)


def test_high_s_is_refused() -> None:
    """EIP-2: eth-account and wallets never make it, but recovery accepts it."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    with open_chain() as chain:
        for raw in (sign(0), sign(0, maxFeePerGas=None, maxPriorityFeePerGas=None, gasPrice=10**10)):
            typed = raw.startswith("0x02")
            parts: list[Any] = rlp.decode(bytes.fromhex(raw[4:] if typed else raw[2:]))
            parity = int.from_bytes(parts[-3], "big")
            flipped = 1 - parity if typed else 2 * embedded.CHAIN_ID + 71 - parity
            parts[-3], parts[-1] = flipped, order - int.from_bytes(parts[-1], "big")
            mirrored = (b"\x02" if typed else b"") + rlp.encode(parts)
            with pytest.raises(RpcError):
                chain.request("eth_sendRawTransaction", ["0x" + mirrored.hex()])
        assert chain.request("eth_blockNumber") == "0x0"


def test_json_rpc_protocol() -> None:
    with open_chain() as chain:

        def code(payload: bytes) -> int:
            return int(json.loads(chain.rpc(payload))["error"]["code"])

        for broken in (b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"id":NaN}'):
            assert code(broken) == -32700
        for invalid in (b"[]", b"1", b'"x"', b"{}", b'{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}'):
            assert code(invalid) == -32600
        assert code(json.dumps([1] * 1001).encode()) == -32600
        assert code(b'{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}') == -32600
        assert code(b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{"a":1}}') == -32602
        note = b'{"jsonrpc":"2.0","method":"eth_chainId"}'
        assert chain.rpc(note) == b""
        assert chain.rpc(b"[" + note + b"]") == b""
        mixed = b'[{"jsonrpc":"2.0","id":"a","method":"eth_chainId"},7,' + note + b"]"
        assert json.loads(chain.rpc(mixed)) == [
            {"jsonrpc": "2.0", "id": "a", "result": hex(embedded.CHAIN_ID)},
            {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "invalid request"}},
        ]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_getBalance", []),
        ("eth_getBalance", ["0x12"]),
        ("eth_getBalance", [KEY.address, "soon"]),
        ("eth_getBalance", [KEY.address, "latest", "more"]),
        ("eth_getBalance", [KEY.address, {}]),
        ("eth_getBalance", [7]),
        ("eth_getBlockByNumber", [5]),
        ("eth_getBlockByNumber", ["0x" + "f" * 65]),
        ("eth_getTransactionReceipt", ["0xabcd"]),
        ("eth_call", ["0x"]),
        ("eth_call", [{"to": "0xzz"}]),
        ("eth_call", [{"data": "0x0"}]),
        ("eth_call", [{"accessList": [{"address": KEY.address}]}]),
        ("eth_call", [{"accessList": 7}]),
        ("eth_call", [{"to": KEY.address}, "latest", {KEY.address: {"balance": "0x0"}}]),
        ("eth_getLogs", [[]]),
        ("eth_getLogs", [{"topics": [7]}]),
        ("eth_getLogs", [{"topics": {"a": 1}}]),
        ("eth_getLogs", [{"address": ["0x"]}]),
        ("eth_getLogs", [{"fromBlock": "0x2", "toBlock": "0x1"}]),
        ("eth_feeHistory", ["x", "latest"]),
        ("eth_feeHistory", ["0x1", "latest", "all"]),
        ("eth_sendRawTransaction", [None]),
        ("eth_sendRawTransaction", [{"from": KEY.address}]),
        ("eth_getStorageAt", [KEY.address, "slot"]),
    ],
)
def test_bad_parameters_are_said_so(method: str, params: list[Any]) -> None:
    with open_chain() as chain:
        assert post(chain, method, *params)["error"]["code"] == -32602
