"""The embedded chain: what a client sees."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import rlp
from eth_utils import keccak
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractCustomError, ContractLogicError

from counterfoil.chain import embedded, embedded_methods
from counterfoil.chain.embedded import EmbeddedChain, RpcError

if TYPE_CHECKING:
    from collections.abc import Iterator

from tests.chain.counter import (
    CREATION,
    FUNDED,
    KEY,
    OTHER,
    READ,
    REVERT,
    RUNTIME,
    deploy,
    open_chain,
    post,
    sign,
    word,
)

pytestmark = pytest.mark.timeout(120)

# -- what a client sees


def test_deploy_call_and_logs() -> None:
    with open_chain() as chain:
        contract = deploy(chain)
        assert chain.request("eth_getCode", [contract]) == "0x" + RUNTIME
        for nonce in (1, 2, 3):
            chain.request("eth_sendRawTransaction", [sign(nonce, to=contract)])
        assert word(chain.request("eth_call", [{"to": contract, "data": READ}]), 0) == 3
        assert [
            word(chain.request("eth_call", [{"to": contract, "data": READ}, hex(number)]), 0) for number in (1, 2, 3)
        ] == [0, 1, 2], "calls at older blocks see the older state"
        head = chain.request("eth_getBlockByNumber", ["latest", False])
        # PREVRANDAO and TIMESTAMP in the contract are what the header says.
        assert int(chain.request("eth_getStorageAt", [contract, "0x1", "latest"]), 16) == int(head["mixHash"], 16)
        assert int(chain.request("eth_getStorageAt", [contract, "0x2"]), 16) == int(head["timestamp"], 16)
        logs = chain.request("eth_getLogs", [{"fromBlock": "earliest"}])
        assert [log["logIndex"] for log in logs] == ["0x0", "0x1"] * 3
        assert [int(log["blockNumber"], 16) for log in logs] == [2, 2, 3, 3, 4, 4]
        two = "0x" + f"{2:064x}"
        by_topic = chain.request("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "0xff", "topics": [two]}])
        assert by_topic == logs[2:4]
        assert chain.request("eth_getLogs", [{"fromBlock": "0x0", "topics": [None, head["mixHash"]]}]) == logs[5:]
        assert chain.request("eth_getLogs", [{"fromBlock": "0x0", "topics": [[two, head["hash"]], None]}]) == [logs[3]]
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
    authorization = OTHER.sign_authorization({"chainId": embedded.CHAIN_ID, "address": "0x" + "33" * 20, "nonce": 0})
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
    assert web3.eth.get_block("latest", full_transactions=True)["transactions"][0]["hash"] == receipt["transactionHash"]
    history = web3.eth.fee_history(5, "latest", [10, 50])
    assert (len(history["baseFeePerGas"]), history["oldestBlock"]) == (3, 0)
    assert history["reward"][1] == [embedded_methods.TIP_WEI] * 2
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
            chain.request("eth_estimateGas", [{"from": KEY.address, "to": OTHER.address, "value": "0x1"}]) == "0x5208"
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
        estimate = int(chain.request("eth_estimateGas", [{"from": KEY.address, "to": OTHER.address, "data": long}]), 16)
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
