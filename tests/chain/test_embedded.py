"""The embedded chain: shapes, rules, and that what was answered survives a kill -9."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import rlp
from eth_account import Account
from eth_utils import keccak
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractCustomError, ContractLogicError
from web3.types import RPCEndpoint

from counterfoil.chain import embedded
from counterfoil.chain.embedded import ChainFailed, ChainLocked, ChainMismatch, EmbeddedChain, RpcError
from counterfoil.chain.embedded_store import ChainStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)

KEY = Account.from_key(b"\x01" * 32)
OTHER = Account.from_key(b"\x02" * 32)
FUNDED = {KEY.address: 10**24}

# A counter, assembled by hand (@ marks a label):
#   CALLDATASIZE 32 EQ @rev JUMPI   CALLDATASIZE @read JUMPI
#   0 SLOAD 1 ADD DUP1 0 SSTORE   DUP1 0 MSTORE   PREVRANDAO 1 SSTORE   TIMESTAMP 2 SSTORE
#   DUP1 32 0 LOG1   PREVRANDAO DUP2 32 0 LOG2   STOP
#   read: 0 SLOAD 0 MSTORE   NUMBER 32 MSTORE   TIMESTAMP 64 MSTORE   96 0 RETURN
#   rev:  32 0 0 CALLDATACOPY   32 0 REVERT
RUNTIME = (
    "3660201460435736602f57600054600101806000558060005244600155426002558060206000a1448160206000a2"
    "005b600054600052436020524260405260606000f35b6020600060003760206000fd"
)
CREATION = f"0x60{len(RUNTIME) // 2:02x}80600b6000396000f3{RUNTIME}"
READ, REVERT = "0xff", "0x" + "ab" * 32


def sign(nonce: int, key: Any = KEY, **fields: Any) -> str:
    tx = {
        "chainId": embedded.CHAIN_ID,
        "nonce": nonce,
        "gas": 300_000,
        "maxFeePerGas": 10**10,
        "maxPriorityFeePerGas": 1,
        "value": 0,
    } | fields
    return (
        "0x"
        + bytes(key.sign_transaction({k: v for k, v in tx.items() if v is not None}).raw_transaction).hex()
    )


def open_chain(path: Path | None = None, **changed: Any) -> closing[EmbeddedChain]:
    return closing(EmbeddedChain(path, **({"funded": FUNDED} | changed)))


def deploy(chain: EmbeddedChain) -> str:
    tx_hash = chain.request("eth_sendRawTransaction", [sign(0, data=CREATION)])
    receipt = chain.request("eth_getTransactionReceipt", [tx_hash])
    assert receipt["status"] == "0x1"
    return str(receipt["contractAddress"])


def word(answer: str, place: int) -> int:
    return int(answer[2 + 64 * place : 66 + 64 * place], 16)


def post(chain: EmbeddedChain, method: str, *params: Any) -> dict[str, Any]:
    asked = {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)}
    answer: dict[str, Any] = json.loads(chain.rpc(json.dumps(asked).encode()))
    assert answer["id"] == 7
    return answer


def everything(chain: EmbeddedChain) -> list[Any]:
    """All that an auditor can read of the chain."""
    seen: list[Any] = []
    for number in range(int(chain.request("eth_blockNumber"), 16) + 1):
        block = chain.request("eth_getBlockByNumber", [hex(number), True])
        seen += [block, chain.request("eth_getLogs", [{"blockHash": block["hash"]}])]
        seen += [chain.request("eth_getTransactionReceipt", [tx["hash"]]) for tx in block["transactions"]]
        seen += [chain.request("eth_getBalance", [KEY.address, hex(number)])]
    return seen


# -- what a client sees


def test_deploy_call_and_logs() -> None:
    with open_chain() as chain:
        contract = deploy(chain)
        assert chain.request("eth_getCode", [contract]) == "0x" + RUNTIME
        for nonce in (1, 2, 3):
            chain.request("eth_sendRawTransaction", [sign(nonce, to=contract)])
        assert word(chain.request("eth_call", [{"to": contract, "data": READ}]), 0) == 3
        assert [
            word(chain.request("eth_call", [{"to": contract, "data": READ}, hex(number)]), 0)
            for number in (1, 2, 3)
        ] == [0, 1, 2], "calls at older blocks see the older state"
        head = chain.request("eth_getBlockByNumber", ["latest", False])
        # PREVRANDAO and TIMESTAMP in the contract are what the header says.
        assert int(chain.request("eth_getStorageAt", [contract, "0x1", "latest"]), 16) == int(
            head["mixHash"], 16
        )
        assert int(chain.request("eth_getStorageAt", [contract, "0x2"]), 16) == int(head["timestamp"], 16)
        logs = chain.request("eth_getLogs", [{"fromBlock": "earliest"}])
        assert [log["logIndex"] for log in logs] == ["0x0", "0x1"] * 3
        assert [int(log["blockNumber"], 16) for log in logs] == [2, 2, 3, 3, 4, 4]
        two = "0x" + f"{2:064x}"
        by_topic = chain.request("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "0xff", "topics": [two]}])
        assert by_topic == logs[2:4]
        assert (
            chain.request("eth_getLogs", [{"fromBlock": "0x0", "topics": [None, head["mixHash"]]}])
            == logs[5:]
        )
        assert chain.request(
            "eth_getLogs", [{"fromBlock": "0x0", "topics": [[two, head["hash"]], None]}]
        ) == [logs[3]]
        assert chain.request("eth_getLogs", [{"fromBlock": "0x0", "address": OTHER.address}]) == []
        assert chain.request("eth_getLogs", [{"fromBlock": "0x0", "address": [contract]}]) == logs
        assert chain.request("eth_getLogs", [{"blockHash": head["hash"], "address": contract}]) == logs[4:]
        assert chain.request("eth_getLogs", [{"fromBlock": "0x63", "toBlock": "0x" + "f" * 60}]) == []
        receipt = chain.request("eth_getTransactionReceipt", [head["transactions"][0]])
        assert receipt["logs"] == logs[4:]
        with pytest.raises(RpcError, match="header not found"):
            chain.request("eth_getLogs", [{"blockHash": "0x" + "00" * 32}])
        with pytest.raises(RpcError, match="excludes"):
            chain.request("eth_getLogs", [{"blockHash": head["hash"], "toBlock": "latest"}])


def test_header_fields_hash_to_the_block_hash() -> None:
    """EIP-7685 and its forerunners: 21 fields in this order; a client that verifies can."""
    order = """parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom difficulty number
        gasLimit gasUsed timestamp extraData mixHash nonce baseFeePerGas withdrawalsRoot blobGasUsed
        excessBlobGas parentBeaconBlockRoot requestsHash""".split()  # noqa: SIM905
    quantities = (
        "difficulty number gasLimit gasUsed timestamp baseFeePerGas blobGasUsed excessBlobGas".split()  # noqa: SIM905
    )
    with open_chain() as chain:
        deploy(chain)
        previous = None
        for number in ("earliest", "latest"):
            block = chain.request("eth_getBlockByNumber", [number, False])
            fields = [int(block[n], 16) if n in quantities else bytes.fromhex(block[n][2:]) for n in order]
            assert "0x" + keccak(rlp.encode(fields)).hex() == block["hash"]
            assert previous in (None, block["parentHash"])
            previous = block["hash"]
            assert chain.request("eth_getBlockByHash", [block["hash"], False]) == block
        pending = chain.request("eth_getBlockByNumber", ["pending", True])
        assert (pending["number"], pending["hash"], pending["parentHash"]) == ("0x2", None, previous)
        assert chain.request("eth_getBlockByNumber", ["0x99", False]) is None
        assert chain.request("eth_getBlockByHash", ["0x" + "00" * 32, False]) is None
        for tag in ("safe", "finalized"):
            assert chain.request("eth_getBlockByNumber", [tag])["hash"] == previous


@pytest.mark.parametrize("kind", ["legacy", "access list", "fees", "set code"])
def test_transaction_types(kind: str) -> None:
    authorization = OTHER.sign_authorization(
        {"chainId": embedded.CHAIN_ID, "address": "0x" + "33" * 20, "nonce": 0}
    )
    access = [{"address": "0x" + "44" * 20, "storageKeys": ["0x" + f"{5:064x}"]}]
    no_fees: dict[str, Any] = {"maxFeePerGas": None, "maxPriorityFeePerGas": None, "gasPrice": 2 * 10**9}
    fields: dict[str, Any] = {
        "legacy": no_fees,
        "access list": no_fees | {"accessList": access},
        "fees": {},
        "set code": {"authorizationList": [authorization]},
    }[kind]
    with open_chain() as chain:
        raw = sign(0, to=OTHER.address, value=5, **fields)
        tx_hash = chain.request("eth_sendRawTransaction", [raw])
        assert tx_hash == "0x" + keccak(bytes.fromhex(raw[2:])).hex()
        receipt = chain.request("eth_getTransactionReceipt", [tx_hash])
        tx = chain.request("eth_getTransactionByHash", [tx_hash])
        number = ["legacy", "access list", "fees", None, "set code"].index(kind)
        assert (tx["type"], receipt["type"]) == (hex(number), hex(number))
        assert tx["chainId"] == hex(embedded.CHAIN_ID)
        assert tx["from"] == receipt["from"] == KEY.address
        if kind == "access list":
            assert tx["accessList"] == access
        if kind == "set code":
            assert chain.request("eth_getCode", [OTHER.address]) == "0xef0100" + "33" * 20
            assert tx["authorizationList"][0]["address"] == "0x" + "33" * 20
        paid = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
        left = int(chain.request("eth_getBalance", [KEY.address, "latest"]), 16)
        assert FUNDED[KEY.address] - left == paid + 5, "the balance pays what the receipt says"


def test_web3_through_provider() -> None:
    with open_chain() as chain:
        use_web3(Web3(chain.provider))


@contextmanager
def served(chain: EmbeddedChain) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = chain.rpc(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_web3_over_http() -> None:
    with open_chain() as chain, served(chain) as address:
        use_web3(Web3(HTTPProvider(address)))


def use_web3(web3: Any) -> None:
    """The way a signer goes: fees and gas filled in by the library, sent, waited for, read."""
    assert web3.is_connected()
    assert (web3.eth.chain_id, web3.net.version) == (embedded.CHAIN_ID, str(embedded.CHAIN_ID))
    assert not web3.eth.syncing
    filled = web3.eth.account.sign_transaction(
        {
            "from": KEY.address,
            "data": CREATION,
            "nonce": web3.eth.get_transaction_count(KEY.address),
            "chainId": web3.eth.chain_id,
            "gas": web3.eth.estimate_gas({"from": KEY.address, "data": CREATION}),
            "maxPriorityFeePerGas": web3.eth.max_priority_fee,
            "maxFeePerGas": 2 * web3.eth.gas_price,
        },
        KEY.key,
    )
    receipt = web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(filled.raw_transaction))
    assert receipt["status"] == 1
    contract = receipt["contractAddress"]
    assert web3.eth.get_transaction(receipt["transactionHash"])["blockHash"] == receipt["blockHash"]
    assert (
        web3.eth.get_block("latest", full_transactions=True)["transactions"][0]["hash"]
        == receipt["transactionHash"]
    )
    history = web3.eth.fee_history(5, "latest", [10, 50])
    assert (len(history["baseFeePerGas"]), history["oldestBlock"]) == (3, 0)
    assert history["reward"][1] == [embedded.TIP_WEI] * 2
    with pytest.raises(ContractCustomError) as caught:
        web3.eth.call({"to": contract, "data": REVERT})
    assert caught.value.data == REVERT
    with pytest.raises(ContractLogicError):
        web3.eth.estimate_gas({"to": contract, "data": REVERT})
    with web3.batch_requests() as batch:
        batch.add(web3.eth.get_block("latest"))
        batch.add(web3.eth.get_balance(KEY.address))
        block, balance = batch.execute()
    assert block["number"] == 1
    assert balance < FUNDED[KEY.address]


def test_revert_data_over_rpc() -> None:
    reason = bytes.fromhex(f"08c379a0{32:064x}{3:064x}") + b"no!".ljust(32, b"\0")
    # creation code that reverts with its own tail
    code = f"0x60{len(reason):02x}80600a5f395ffd00{reason.hex()}"
    with open_chain() as chain:
        contract = deploy(chain)
        error = post(chain, "eth_call", {"to": contract, "data": REVERT}, "latest")["error"]
        assert error == {"code": 3, "message": "execution reverted", "data": REVERT}
        assert post(chain, "eth_estimateGas", {"to": contract, "data": REVERT})["error"] == error
        error = post(chain, "eth_call", {"data": code})["error"]
        assert error == {"code": 3, "message": "execution reverted: no!", "data": "0x" + reason.hex()}
        broken = code.replace(b"no!".hex(), "fffefd")  # a reason that is not UTF-8
        error = post(chain, "eth_call", {"data": broken})["error"]
        assert (error["code"], error["message"]) == (3, "execution reverted")
        # a reverted transaction is mined, without logs
        tx_hash = post(chain, "eth_sendRawTransaction", sign(1, to=contract, data=REVERT))["result"]
        receipt = post(chain, "eth_getTransactionReceipt", tx_hash)["result"]
        assert (receipt["status"], receipt["logs"]) == ("0x0", [])
        error = post(chain, "eth_call", {"data": "0xfe"})["error"]
        assert error["code"] == -32000
        assert "data" not in error
        error = post(chain, "eth_call", {"from": OTHER.address, "to": KEY.address, "value": "0x1"})["error"]
        assert error["code"] == -32000


def test_estimates_suffice() -> None:
    with open_chain() as chain:
        assert (
            chain.request("eth_estimateGas", [{"from": KEY.address, "to": OTHER.address, "value": "0x1"}])
            == "0x5208"
        )
        estimate = int(chain.request("eth_estimateGas", [{"from": KEY.address, "data": CREATION}]), 16)
        chain.request("eth_sendRawTransaction", [sign(0, data=CREATION, gas=estimate)])
        deployment = chain.request("eth_getBlockByNumber", ["latest"])["transactions"][0]
        receipt = chain.request("eth_getTransactionReceipt", [deployment])
        assert receipt["status"] == "0x1"
        call = {"from": KEY.address, "to": receipt["contractAddress"]}
        for nonce in (1, 2):
            estimate = int(chain.request("eth_estimateGas", [call]), 16)
            tx_hash = chain.request("eth_sendRawTransaction", [sign(nonce, to=call["to"], gas=estimate)])
            used = chain.request("eth_getTransactionReceipt", [tx_hash])
            assert used["status"] == "0x1"
            assert int(used["gasUsed"], 16) <= estimate < int(used["gasUsed"], 16) * 1.3
        long = "0x" + "11" * 1000  # EIP-7623: the floor for data is above what execution uses
        estimate = int(
            chain.request("eth_estimateGas", [{"from": KEY.address, "to": OTHER.address, "data": long}]), 16
        )
        assert estimate == 21_000 + 40 * 1000
        chain.request("eth_sendRawTransaction", [sign(3, to=OTHER.address, data=long, gas=estimate)])
        with pytest.raises(RpcError, match="intrinsic gas too low"):
            chain.request("eth_sendRawTransaction", [sign(4, to=OTHER.address, data=long, gas=estimate - 1)])


def test_calls_see_the_time_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_chain() as chain:
        contract = deploy(chain)
        later = int(time.time()) + 3 * 86_400
        monkeypatch.setattr("time.time", lambda: later)
        now = chain.request("eth_call", [{"to": contract, "data": READ}])
        assert (word(now, 1), word(now, 2)) == (2, later)
        head = chain.request("eth_getBlockByNumber", ["latest"])
        then = chain.request("eth_call", [{"to": contract, "data": READ}, head["number"]])
        assert (word(then, 1), word(then, 2)) == (1, int(head["timestamp"], 16))
        # a clock that goes back or stands still: time still rises
        monkeypatch.setattr("time.time", lambda: 1.0)
        times = []
        for nonce in (1, 2):
            chain.request("eth_sendRawTransaction", [sign(nonce, to=contract)])
            times.append(int(chain.request("eth_getBlockByNumber", ["latest"])["timestamp"], 16))
        assert [stamp - int(head["timestamp"], 16) for stamp in times] == [1, 2]


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


# -- the file


def test_everything_is_the_same_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "chain.sqlite"
    with open_chain(path) as chain:
        contract = deploy(chain)
        for nonce in range(1, 6):
            chain.request("eth_sendRawTransaction", [sign(nonce, to=contract)])
        before = everything(chain)
    for _ in range(2):
        with open_chain(path) as chain:
            assert everything(chain) == before
            assert word(chain.request("eth_call", [{"to": contract, "data": READ}]), 0) == 5
    with open_chain(path) as chain:
        chain.request("eth_sendRawTransaction", [sign(6, to=contract)])
        assert everything(chain)[: len(before)] == before
        assert chain.request("eth_blockNumber") == "0x7"


def test_another_chain_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "chain.sqlite"
    with open_chain(path) as chain:
        genesis = chain.request("eth_getBlockByNumber", ["0x0"])
    for changed, fact, expected, found in (
        ({"chain_id": 5}, "chain id", "5", str(embedded.CHAIN_ID)),
        ({"gas_limit": 30_000_000}, "gas limit", "30000000", "60000000"),
        ({"funded": {}}, f"genesis balance of {KEY.address}", None, str(10**24)),
        ({"funded": FUNDED | {OTHER.address: 1}}, f"genesis balance of {OTHER.address}", "1", None),
    ):
        with pytest.raises(ChainMismatch) as caught:
            open_chain(path, **changed)
        assert (caught.value.fact, caught.value.expected, caught.value.found) == (fact, expected, found)
    with open_chain(path, funded={KEY.address.lower(): 10**24}) as chain:
        assert chain.request("eth_getBlockByNumber", ["0x0"]) == genesis
    books = tmp_path / "books.sqlite"
    with closing(sqlite3.connect(books)) as connection:
        connection.execute("CREATE TABLE entry (id INTEGER)")
    kept = books.read_bytes()
    with pytest.raises(ChainMismatch, match="application_id"):
        EmbeddedChain(books, funded=FUNDED)
    assert books.read_bytes() == kept, "a foreign file is not touched"
    (tmp_path / "text").write_text("no database at all, but long enough to have a header" * 40)
    with pytest.raises(ChainMismatch, match="file format"):
        EmbeddedChain(tmp_path / "text", funded=FUNDED)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "chain.sqlite"
    opener = "import sys, sqlite3\nfrom pathlib import Path\nfrom counterfoil.chain.embedded_store import *\n"
    opener += "try: ChainStore(Path(sys.argv[1]))\nexcept ChainLocked as error: print('locked', error.path)\n"
    with open_chain(path) as chain:
        deploy(chain)
        with pytest.raises(ChainLocked) as caught:
            EmbeddedChain(path, funded=FUNDED)
        assert caught.value.path == path
        run = subprocess.run(
            [sys.executable, "-c", opener, str(path)], capture_output=True, text=True, check=True
        )
        assert run.stdout == f"locked {path}\n"
        chain.request("eth_sendRawTransaction", [sign(1)])
    run = subprocess.run(
        [sys.executable, "-c", opener, str(path)], capture_output=True, text=True, check=True
    )
    assert run.stdout == ""


def test_closed_and_failed_chains_say_so(tmp_path: Path) -> None:
    chain = EmbeddedChain(None, funded=FUNDED)
    chain.close()
    chain.close()
    with pytest.raises(ChainFailed, match="closed"):
        chain.request("eth_blockNumber")
    assert post(chain, "eth_blockNumber")["error"] == {"code": -32603, "message": "the chain is closed"}

    path = tmp_path / "chain.sqlite"
    with open_chain(path) as chain:
        contract = deploy(chain)
        before = everything(chain)
        connection = chain._store._connection
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
        big = sign(1, data="0x60406000f3" + "5b" * 40_000, gas=2 * 10**6)
        with pytest.raises(ChainFailed, match="full"):
            chain.request("eth_sendRawTransaction", [big])
        with pytest.raises(ChainFailed, match="full"):
            chain.request("eth_blockNumber")
    with open_chain(path) as chain:
        assert everything(chain)[: len(before)] == before
        nonce = int(chain.request("eth_getTransactionCount", [KEY.address]), 16)
        chain.request("eth_sendRawTransaction", [sign(nonce, to=contract)])


def test_threads(tmp_path: Path) -> None:
    """Eight senders and eight readers at once: every transaction in, every read whole."""
    keys = [Account.from_key(bytes([place]) * 32) for place in range(11, 19)]
    path, each = tmp_path / "chain.sqlite", 12
    with open_chain(path, funded={key.address: 10**20 for key in [KEY, *keys]}) as chain:
        contract = deploy(chain)
        done = threading.Event()

        def send(key: Any) -> list[str]:
            return [
                post(chain, "eth_sendRawTransaction", sign(n, key, to=contract))["result"]
                for n in range(each)
            ]

        def read(_: int) -> int:
            reads = 0
            while not done.is_set():
                block = chain.request("eth_getBlockByNumber", ["latest", True])
                logs = chain.request("eth_getLogs", [{"blockHash": block["hash"]}])
                receipt = chain.request("eth_getTransactionReceipt", [block["transactions"][0]["hash"]])
                assert receipt["logs"] == logs
                reads += 1
            return reads

        with ThreadPoolExecutor(16) as pool:
            readers = [pool.submit(read, place) for place in range(8)]
            try:
                sent = [tx_hash for hashes in pool.map(send, keys) for tx_hash in hashes]
            finally:
                done.set()
            assert all(reader.result() > 0 for reader in readers)
        assert len(set(sent)) == len(keys) * each
        assert word(chain.request("eth_call", [{"to": contract, "data": READ}]), 0) == len(sent)
        before = everything(chain)
    with open_chain(path, funded={key.address: 10**20 for key in [KEY, *keys]}) as chain:
        assert everything(chain) == before


# -- kill -9


def in_child(work: Callable[[Any], None]) -> tuple[int, int]:
    """Fork a child that runs ``work`` with the writing end of a pipe; return its id and the reading end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 1
        try:
            with os.fdopen(writing, "w", buffering=1) as pipe:
                work(pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    return child, reading


def kill_drill(path: Path, kills: int, seed: int) -> int:
    """Kill a sender again and again; raise AssertionError if anything it reported is lost or changed.

    Returns how many transactions were reported over all rounds.
    """
    dice, reported, contract = random.Random(seed), dict[str, str](), ""
    with open_chain(path) as chain:
        contract = deploy(chain)

    def send_for_ever(pipe: Any) -> None:
        with open_chain(path) as chain:
            nonce = int(chain.request("eth_getTransactionCount", [KEY.address]), 16)
            while True:
                tx_hash = chain.request("eth_sendRawTransaction", [sign(nonce, to=contract)])
                receipt = chain.request("eth_getTransactionReceipt", [tx_hash])
                pipe.write(f"{tx_hash} {keccak(json.dumps(receipt).encode()).hex()} {receipt['blockHash']}\n")
                nonce += 1

    for _ in range(kills):
        child, reading = in_child(send_for_ever)
        with os.fdopen(reading) as pipe:
            lines = [pipe.readline() for _ in range(dice.randrange(1, 8))]
            time.sleep(dice.uniform(0.0, 0.05))  # anywhere within the next few
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            assert all(lines), "the sender ended by itself"
            lines += pipe.read().splitlines()
        reported |= dict(line.strip().split(" ", 1) for line in lines)
        with open_chain(path) as chain:
            for tx_hash, rest in reported.items():
                receipt = chain.request("eth_getTransactionReceipt", [tx_hash])
                assert receipt is not None, f"{tx_hash} was reported and is lost"
                assert rest == f"{keccak(json.dumps(receipt).encode()).hex()} {receipt['blockHash']}"
            head = int(chain.request("eth_blockNumber"), 16)
            blocks = [chain.request("eth_getBlockByNumber", [hex(n)]) for n in range(head + 1)]
            assert all(block["parentHash"] == before["hash"] for before, block in pairwise(blocks))
            logs = chain.request("eth_getLogs", [{"fromBlock": "0x0"}])
            assert len(logs) == 2 * (head - 1), "one block holds the deployment, every other two logs"
            assert word(chain.request("eth_call", [{"to": contract, "data": READ}]), 0) == head - 1
            chain.request("eth_sendRawTransaction", [sign(head, to=contract)])
            assert int(chain.request("eth_blockNumber"), 16) == head + 1
    return len(reported)


def test_nothing_reported_is_lost_by_kill_9(tmp_path: Path) -> None:
    assert kill_drill(tmp_path / "chain.sqlite", kills=12, seed=1) >= 12


def test_the_drill_catches_a_missing_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary: a store that writes but never commits must not pass."""
    path, good = tmp_path / "chain.sqlite", ChainStore.commit
    parent = os.getpid()

    def writes_only(store: ChainStore, facts: Any = None) -> None:
        if os.getpid() == parent:
            return good(store, facts)
        if not store._connection.in_transaction:
            store._connection.execute("BEGIN IMMEDIATE")
        rows = [(key, value) for key, value in store._buffer.items() if value is not None]
        store._connection.executemany("INSERT OR REPLACE INTO kv VALUES (?, ?)", rows)
        store._connection.executemany("INSERT INTO bloom VALUES (?, ?)", store._blooms.items())
        return store.discard()

    monkeypatch.setattr(ChainStore, "commit", writes_only)
    with pytest.raises(AssertionError, match="is lost"):
        kill_drill(path, kills=8, seed=2)


def test_killed_inside_the_commit(tmp_path: Path) -> None:
    """Everything of the block is written, COMMIT is not: the block is not there, and nothing is torn."""
    path = tmp_path / "chain.sqlite"
    with open_chain(path) as chain:
        contract = deploy(chain)
        before = everything(chain)

    class Dying:
        def __init__(self, connection: sqlite3.Connection) -> None:
            self._connection = connection

        def execute(self, statement: str, *parameters: Any) -> Any:
            if statement == "COMMIT":
                os.kill(os.getpid(), signal.SIGKILL)
            return self._connection.execute(statement, *parameters)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

    def die_at_commit(_: Any) -> None:
        chain = EmbeddedChain(path, funded=FUNDED)
        chain._store._connection = Dying(chain._store._connection)  # type: ignore[assignment]
        chain.request("eth_sendRawTransaction", [sign(1, to=contract)])

    child, reading = in_child(die_at_commit)
    os.close(reading)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    with open_chain(path) as chain:
        assert everything(chain) == before
        chain.request("eth_sendRawTransaction", [sign(1, to=contract)])


def test_killed_while_being_created(tmp_path: Path) -> None:
    """A genesis is whole or absent: whatever the moment, the next opening works."""
    dice = random.Random(3)
    for place in range(12):
        path = tmp_path / f"{place}.sqlite"

        def create(pipe: Any, path: Path = path) -> None:
            pipe.write("\n")
            EmbeddedChain(path, funded=FUNDED)
            time.sleep(1)

        child, reading = in_child(create)
        with os.fdopen(reading) as pipe:
            pipe.readline()
            time.sleep(dice.uniform(0, 0.02))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        with open_chain(path) as chain:
            deploy(chain)
