"""An EVM chain inside the process, spoken to as any other node: by JSON-RPC.

Shapes follow the Execution API specification (github.com/ethereum/execution-apis) and, where it is silent,
geth: error codes and texts, revert data, the gas search. What differs comes from making a block only when a
transaction comes: there is no pool (too high a nonce is refused, not kept), `safe` and `finalized` are the
head, and calls and estimates at `latest` see the number and time of the block a transaction sent now would
get: with the head's, a window that ended since the last transaction would look open for ever.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import re
import threading
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NoReturn, cast

import orjson
import rlp
from eth._utils.address import generate_contract_address
from eth.constants import ZERO_ADDRESS
from eth.exceptions import HeaderNotFound, PyEVMError, Revert, TransactionNotFound
from eth.vm.forks.london.transactions import UnsignedDynamicFeeTransaction
from eth.vm.forks.prague import PragueVM
from eth_abi.abi import decode as abi_decode
from eth_abi.exceptions import DecodingError
from eth_bloom.bloom import BloomFilter
from eth_keys.exceptions import BadSignature
from eth_typing import Address, BlockNumber, Hash32
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError
from web3.providers.base import JSONBaseProvider

from counterfoil.chain.embedded_store import ChainFailed, ChainLocked, ChainMismatch, ChainStore, EvmChain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from eth.abc import BlockAPI, BlockHeaderAPI, ComputationAPI, SignedTransactionAPI
    from eth_typing import ChecksumAddress
    from web3.types import RPCEndpoint, RPCResponse

__all__ = ["ChainFailed", "ChainLocked", "ChainMismatch", "EmbeddedChain", "RpcError"]

# Not found in the public registry (ethereum-lists/chains) when chosen; EIP-2294 bounds it.
CHAIN_ID = 61616
GAS_LIMIT = 60_000_000
TIP_WEI = 10**9  # suggested; one wei is enough, but bumping by an eighth must not round down to nothing
BATCH_LIMIT = 1000  # as geth
# The most a call or estimate may burn, EIP-7825's limit of one transaction: about nine seconds here, and
# everybody waits. Transactions may use the whole block.
CALL_GAS_LIMIT = 2**24
SET_CODE = 4  # EIP-7702
FEE_HISTORY_BLOCKS = 1024  # as geth
REVERTED, REFUSED = 3, -32000
PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603

# All a stranger may do: read, and send what somebody signed. Nothing else is implemented.
METHODS = frozenset(
    """eth_chainId net_version net_listening web3_clientVersion eth_syncing eth_blockNumber eth_gasPrice
    eth_maxPriorityFeePerGas eth_feeHistory eth_getBlockByNumber eth_getBlockByHash eth_getTransactionByHash
    eth_getTransactionReceipt eth_getTransactionCount eth_getBalance eth_getCode eth_getStorageAt eth_call
    eth_estimateGas eth_getLogs eth_sendRawTransaction""".split()  # noqa: SIM905  a list to read, not to edit
)

# JSON names and where py-evm keeps them.
_HEADER = """number=block_number parentHash=parent_hash sha3Uncles=uncles_hash miner=coinbase
    transactionsRoot=transaction_root stateRoot=state_root receiptsRoot=receipt_root difficulty=difficulty
    extraData=extra_data gasLimit=gas_limit gasUsed=gas_used timestamp=timestamp mixHash=mix_hash
    baseFeePerGas=base_fee_per_gas withdrawalsRoot=withdrawals_root blobGasUsed=blob_gas_used
    excessBlobGas=excess_blob_gas parentBeaconBlockRoot=parent_beacon_block_root requestsHash=requests_hash"""
_TX = "hash=hash nonce=nonce from=sender value=value gas=gas input=data r=r s=s"
_DYNAMIC_FEE = "maxFeePerGas=max_fee_per_gas maxPriorityFeePerGas=max_priority_fee_per_gas"
_AUTHORIZATION = "chainId=chain_id address=address nonce=nonce yParity=y_parity r=r s=s"

_log = logging.getLogger(__name__)


class RpcError(Exception):
    """A JSON-RPC error: ``code``, ``message`` and ``data`` (0x-hex of what a contract reverted with)."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        """Keep the three members of the error object."""
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


def _json(value: object) -> str:
    """Shape a py-evm value: int as quantity, bytes as data."""
    return "0x" + value.hex() if isinstance(value, bytes) else hex(cast("int", value))


def _fields(source: object, names: str) -> dict[str, Any]:
    pairs = (pair.split("=") for pair in names.split())
    return {name: _json(getattr(source, attribute)) for name, attribute in pairs}


def _invalid(what: str) -> NoReturn:
    raise RpcError(INVALID_PARAMS, f"invalid params: {what}")


def _quantity(value: object) -> int:
    if not isinstance(value, str) or not re.fullmatch("0x[0-9a-fA-F]{1,64}", value):
        _invalid(f"{str(value)[:80]!r} is not a hex quantity")
    return int(value, 16)


def _data(value: object, length: int | None = None) -> bytes:
    if not isinstance(value, str) or not re.fullmatch("0x([0-9a-fA-F]{2})*", value):
        _invalid(f"{str(value)[:80]!r} is not hex data")
    if length is not None and len(value) != 2 + 2 * length:
        _invalid(f"{value[:80]!r} is not {length} bytes")
    return bytes.fromhex(value[2:])


def _raise_failure(computation: ComputationAPI) -> None:
    """Raise what geth answers for a failed call: code 3 and the data for a revert."""
    if not computation.is_error:
        return
    if not isinstance(computation.error, Revert):
        raise RpcError(REFUSED, f"{type(computation.error).__name__}: {computation.error}")
    reason = ""
    if computation.output[:4] == bytes.fromhex("08c379a0"):  # Error(string)
        with contextlib.suppress(DecodingError, ValueError, OverflowError):  # the contract's bytes, not UTF-8
            reason = f": {abi_decode(['string'], computation.output[4:])[0]}"
    raise RpcError(REVERTED, f"execution reverted{reason}", _json(computation.output))


def _address(value: bytes) -> str | None:
    return to_checksum_address(value) if value else None


def _base_fee(header: BlockHeaderAPI) -> int:
    return cast("int", header.base_fee_per_gas)  # None only before London


def _price(tx: SignedTransactionAPI, header: BlockHeaderAPI) -> int:
    """EIP-1559's effective gas price in wei; py-evm gives legacy transactions both fees too."""
    return min(tx.max_fee_per_gas, tx.max_priority_fee_per_gas + _base_fee(header))


def _position(tx_hash: bytes, header: BlockHeaderAPI, place: int) -> dict[str, str]:
    return {
        "blockHash": _json(header.hash),
        "blockNumber": hex(header.block_number),
        "transactionHash": _json(tx_hash),
        "transactionIndex": hex(place),
    }


def _tx(tx: SignedTransactionAPI, header: BlockHeaderAPI, place: int) -> dict[str, Any]:
    kind = tx.type_id or 0
    parity = {"v": hex(tx.y_parity), "yParity": hex(tx.y_parity)} if kind else _fields(tx, "v=v")
    shape = _fields(tx, _TX) | parity | {"type": hex(kind), "gasPrice": hex(_price(tx, header))}
    shape |= {"from": to_checksum_address(tx.sender), "to": _address(tx.to), "chainId": hex(tx.chain_id or 0)}
    if kind:
        shape["accessList"] = [
            {"address": to_checksum_address(address), "storageKeys": [f"0x{key:064x}" for key in keys]}
            for address, keys in tx.access_list
        ]
    if kind > 1:
        shape |= _fields(tx, _DYNAMIC_FEE)
    if kind == SET_CODE:
        shape["authorizationList"] = [_fields(one, _AUTHORIZATION) for one in tx.authorization_list]
    position = _position(tx.hash, header, place)
    del position["transactionHash"]
    return shape | position


def _accesses(value: object) -> list[tuple[bytes, list[int]]]:
    """Read an access list (EIP-2930)."""
    if not isinstance(value, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("storageKeys"), list) for entry in value
    ):
        _invalid("an access list of addresses and storage keys is wanted")
    return [
        (_data(entry.get("address"), 20), [_quantity(key) for key in entry["storageKeys"]]) for entry in value
    ]


def _listed(value: object) -> list[Any]:
    """One value, several or (None) none: how filters name alternatives."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _matches(log: dict[str, Any], addresses: list[bytes], topics: list[list[bytes]]) -> bool:
    """Match a log as eth_getLogs does: any listed address, and at each place any listed topic."""
    if addresses and bytes.fromhex(log["address"][2:]) not in addresses:
        return False
    have = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
    return len(have) >= len(topics) and all(
        not any_of or one in any_of for one, any_of in zip(have, topics, strict=False)
    )


class _Methods:
    """The methods of METHODS, each under its name in snake case. Not thread-safe."""

    def __init__(self, store: ChainStore, chain: EvmChain) -> None:
        self._store, self._chain = store, chain

    # -- the node

    def eth_chain_id(self) -> str:
        return hex(self._chain.evm.chain_id)

    def net_version(self) -> str:
        return str(self._chain.evm.chain_id)

    def net_listening(self) -> bool:
        return True

    def web3_client_version(self) -> str:
        return f"counterfoil-embedded/py-evm-{version('py-evm')}"

    def eth_syncing(self) -> bool:
        return False

    def eth_block_number(self) -> str:
        return hex(self._chain.head.block_number)

    def eth_gas_price(self) -> str:
        return hex(_base_fee(self._chain.next_header()) + TIP_WEI)

    def eth_max_priority_fee_per_gas(self) -> str:
        return hex(TIP_WEI)

    def eth_fee_history(self, count: object, newest: object, percentiles: object = None) -> dict[str, Any]:
        """EIP-1559's fee history. A block's one transaction is every percentile of its tips."""
        wanted = min(count if type(count) is int else _quantity(count), FEE_HISTORY_BLOCKS)
        last = min(self._header(newest).block_number, self._chain.head.block_number)
        first = max(0, last + 1 - wanted)
        headers = [self._header(hex(number)) for number in range(first, last + 1)]
        following = self._header(hex(last + 1) if last < self._chain.head.block_number else "pending")
        tips = [[_price(tx, h) - _base_fee(h) for tx in self._block(h).transactions] for h in headers]
        history = {
            "oldestBlock": hex(first),
            "baseFeePerGas": [hex(_base_fee(header)) for header in [*headers, following]],
            "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
        }
        if percentiles is not None and not isinstance(percentiles, list):
            _invalid("percentiles are a list")
        if percentiles:
            history["reward"] = [[hex(sum(tip))] * len(percentiles) for tip in tips]
        return history

    # -- blocks and transactions

    def _header(self, block: object) -> BlockHeaderAPI:
        """Resolve a tag, number or hash (plain, or as EIP-1898's object). Raises HeaderNotFound."""
        if isinstance(block, dict):
            block = block.get("blockHash", block.get("blockNumber"))
        if block in ("latest", "safe", "finalized"):
            return self._chain.head
        if block == "pending":
            return self._chain.next_header()
        if isinstance(block, str) and len(block) == 66:  # a hash, not a number
            return self._chain.evm.get_block_header_by_hash(Hash32(_data(block, 32)))
        number = 0 if block == "earliest" else _quantity(block)
        return self._chain.evm.get_canonical_block_header_by_number(BlockNumber(number))

    def _block(self, header: BlockHeaderAPI) -> BlockAPI:
        return self._chain.evm.get_block_by_header(header)

    def eth_get_block_by_number(self, block: object, full: object = None) -> dict[str, Any] | None:
        try:
            header = self._header(block)
        except HeaderNotFound:
            return None
        content = self._block(header)
        shape = _fields(header, _HEADER) | {
            "hash": _json(header.hash),
            "nonce": _json(header.nonce),
            "logsBloom": _json(header.bloom.to_bytes(256, "big")),
            "size": hex(len(rlp.encode(content))),
            "uncles": [],
            "withdrawals": [],
            "transactions": [
                _tx(tx, header, place) if full else _json(tx.hash)
                for place, tx in enumerate(content.transactions)
            ],
        }
        return shape | {"hash": None, "nonce": None} if block == "pending" else shape

    def eth_get_block_by_hash(self, block: object, full: object = None) -> dict[str, Any] | None:
        return self.eth_get_block_by_number(_json(_data(block, 32)), full)

    def _place(self, tx_hash: object) -> tuple[BlockHeaderAPI, int] | None:
        """Find a transaction by the index py-evm keeps: the header of its block and its place there."""
        try:
            number, place = self._chain.evm.get_canonical_transaction_index(Hash32(_data(tx_hash, 32)))
        except TransactionNotFound:
            return None
        return self._header(hex(number)), place

    def eth_get_transaction_by_hash(self, tx_hash: object) -> dict[str, Any] | None:
        found = self._place(tx_hash)
        return None if found is None else _tx(self._block(found[0]).transactions[found[1]], *found)

    def eth_get_transaction_receipt(self, tx_hash: object) -> dict[str, Any] | None:
        found = self._place(tx_hash)
        if found is None:
            return None
        header, place = found
        block = self._block(header)
        tx, receipts = block.transactions[place], block.get_receipts(self._chain.evm.chaindb)
        receipt, gas_before = receipts[place], receipts[place - 1].gas_used if place else 0
        contract = b"" if tx.to else generate_contract_address(tx.sender, tx.nonce)
        return {
            **_position(tx.hash, header, place),
            "type": hex(tx.type_id or 0),
            "status": hex(receipt.state_root == b"\x01"),  # EIP-658
            "from": to_checksum_address(tx.sender),
            "to": _address(tx.to),
            "contractAddress": _address(contract),
            "gasUsed": hex(receipt.gas_used - gas_before),
            "cumulativeGasUsed": hex(receipt.gas_used),
            "effectiveGasPrice": hex(_price(tx, header)),
            "logsBloom": _json(receipt.bloom.to_bytes(256, "big")),
            "logs": [log for log in self._logs(header) if log["transactionIndex"] == hex(place)],
        }

    def eth_send_raw_transaction(self, raw: object) -> str:
        encoded = _data(raw)
        if self._place(_json(keccak(encoded))) is not None:
            raise RpcError(REFUSED, "already known")
        try:
            tx = PragueVM.get_transaction_builder().decode(encoded)
            tx.validate()
            assert tx.sender
        except (rlp.exceptions.RLPException, PyEVMError, BadSignature, ValidationError) as error:
            raise RpcError(REFUSED, f"invalid transaction: {error}") from error
        self._chain.mine(tx)
        return _json(tx.hash)

    # -- state

    def eth_get_balance(self, account: object, block: object = "latest") -> str:
        return hex(self._chain.state(self._header(block)).get_balance(Address(_data(account, 20))))

    def eth_get_transaction_count(self, account: object, block: object = "latest") -> str:
        return hex(self._chain.state(self._header(block)).get_nonce(Address(_data(account, 20))))

    def eth_get_code(self, account: object, block: object = "latest") -> str:
        return _json(self._chain.state(self._header(block)).get_code(Address(_data(account, 20))))

    def eth_get_storage_at(self, account: object, slot: object, block: object = "latest") -> str:
        value = self._chain.state(self._header(block)).get_storage(
            Address(_data(account, 20)), _quantity(slot)
        )
        return f"0x{value:064x}"

    def _execute(self, call: object, block: object, gas: int | None = None) -> tuple[ComputationAPI, int]:
        """Run a call object; return the computation and the gas it used. Raises RpcError if not admitted."""
        if not isinstance(call, dict) or call.get("authorizationList"):
            _invalid("a call object without authorizations is wanted")
        header = self._chain.next_header() if block == "latest" else self._header(block)
        most = min(header.gas_limit, CALL_GAS_LIMIT)
        if gas is None:
            gas = min(_quantity(call.get("gas") or hex(most)), most)
        tx = UnsignedDynamicFeeTransaction(
            self._chain.evm.chain_id, 0, 0, 0,
            gas,
            _data(call.get("to") or "0x"),
            _quantity(call.get("value") or "0x0"),
            _data(call.get("input") or call.get("data") or "0x"),
            _accesses(call.get("accessList") or []),
        )  # fmt: skip
        return self._chain.execute(header, Address(_data(call.get("from") or _json(ZERO_ADDRESS), 20)), tx)

    def eth_call(self, call: object, block: object = "latest") -> str:
        computation, _ = self._execute(call, block)
        _raise_failure(computation)
        return _json(computation.output)

    def eth_estimate_gas(self, call: object, block: object = "latest") -> str:
        """Search the least gas that suffices, to 1.5 % as geth; often the gas used is already enough."""
        computation, used = self._execute(call, block)
        _raise_failure(computation)
        low, high = used - 1, min(self._chain.head.gas_limit, CALL_GAS_LIMIT)
        # A refund and the 2300 of a plain send must be there before they come back; EIP-150 keeps 1/64.
        guesses = [(used + computation.get_gas_refund() + 2300) * 64 // 63, used]
        while high - low > high * 15 // 1000:
            guess = guesses.pop() if guesses else min((low + high) // 2, low * 2)
            try:
                enough = not self._execute(call, block, guess)[0].is_error
            except ValidationError:  # not even the intrinsic gas
                enough = False
            low, high = (low, guess) if enough else (guess, high)
        return hex(high)

    # -- logs

    def _logs(self, header: BlockHeaderAPI) -> list[dict[str, Any]]:
        """All logs of a block; logIndex counts within the block."""
        database, logs = self._chain.evm.chaindb, list[dict[str, Any]]()
        hashes = database.get_block_transaction_hashes(header)
        for place, receipt in enumerate(database.get_receipts(header, PragueVM.get_receipt_builder())):
            for log in receipt.logs:
                logs.append({
                    **_position(hashes[place], header, place),
                    "address": to_checksum_address(log.address),
                    "topics": [f"0x{topic:064x}" for topic in log.topics],
                    "data": _json(log.data),
                    "logIndex": hex(len(logs)),
                    "removed": False,
                })  # fmt: skip
        return logs

    def eth_get_logs(self, wanted: object) -> list[dict[str, Any]]:
        if not isinstance(wanted, dict):
            _invalid("a filter object is wanted")
        addresses = [_data(one, 20) for one in _listed(wanted.get("address"))]
        topics = [[_data(one, 32) for one in _listed(place)] for place in _listed(wanted.get("topics"))]
        last = int(self._chain.head.block_number)
        if wanted.get("blockHash") is None:
            ends = [self._number(wanted.get(end)) for end in ("fromBlock", "toBlock")]
            if ends[0] > ends[1]:
                _invalid("fromBlock is after toBlock")
            first, last = min(ends[0], last + 1), min(ends[1], last)
        elif wanted.keys() & {"fromBlock", "toBlock"}:
            _invalid("blockHash excludes fromBlock and toBlock")
        else:
            first = last = self._header(_json(_data(wanted["blockHash"], 32))).block_number
        every = [any_of for any_of in (addresses, *topics) if any_of]
        masks = [[int(BloomFilter.from_iterable([one])) for one in any_of] for any_of in every]
        found = []
        for number, bits in self._store.blooms(first, last):
            bloom = int.from_bytes(bits, "big")
            if bloom and all(any(bloom & mask == mask for mask in any_of) for any_of in masks):
                found += self._logs(self._header(hex(number)))
        return [log for log in found if _matches(log, addresses, topics)]

    def _number(self, block: object) -> int:
        """Return the number of a block that may not be there yet."""
        if isinstance(block, str) and block.startswith("0x"):
            return _quantity(block)
        return self._header(block or "latest").block_number


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
        methods = _Methods(self._store, chain)
        self._handlers: dict[str, Callable[..., Any]] = {
            name: getattr(methods, re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name))
            for name in METHODS
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
            _invalid(str(error))
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
                _invalid("parameters by name are not supported")
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
