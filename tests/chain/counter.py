"""What the tests of the embedded chain share: keys, a counter by hand, a way to send and to read all."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from eth_account import Account

from counterfoil.chain import embedded
from counterfoil.chain.embedded import EmbeddedChain

if TYPE_CHECKING:
    from pathlib import Path

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
    return "0x" + bytes(key.sign_transaction({k: v for k, v in tx.items() if v is not None}).raw_transaction).hex()


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
