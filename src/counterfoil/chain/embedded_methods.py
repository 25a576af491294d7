"""The JSON-RPC methods of the embedded chain."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import rlp
from eth._utils.address import generate_contract_address
from eth.constants import ZERO_ADDRESS
from eth.exceptions import HeaderNotFound, PyEVMError, TransactionNotFound
from eth.vm.forks.london.transactions import UnsignedDynamicFeeTransaction
from eth.vm.forks.prague import PragueVM
from eth_bloom.bloom import BloomFilter
from eth_keys.exceptions import BadSignature
from eth_typing import Address, BlockNumber, Hash32
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from counterfoil.chain.embedded_json import (
    HEADER,
    REFUSED,
    RpcError,
    accesses,
    address,
    as_json,
    base_fee,
    data,
    fields,
    invalid,
    listed,
    matches,
    position,
    price,
    quantity,
    raise_failure,
    tx_json,
)

if TYPE_CHECKING:
    from counterfoil.chain.embedded_store import ChainStore, EvmChain

if TYPE_CHECKING:
    from eth.abc import BlockAPI, BlockHeaderAPI, ComputationAPI

TIP_WEI = 10**9  # suggested; one wei is enough, but bumping by an eighth must not round down to nothing
# The most a call or estimate may burn, EIP-7825's limit of one transaction: about nine seconds here, and
# everybody waits. Transactions may use the whole block.
CALL_GAS_LIMIT = 2**24
FEE_HISTORY_BLOCKS = 1024  # as geth

# All a stranger may do: read, and send what somebody signed. Nothing else is implemented.
METHODS = frozenset(
    """eth_chainId net_version net_listening web3_clientVersion eth_syncing eth_blockNumber eth_gasPrice
    eth_maxPriorityFeePerGas eth_feeHistory eth_getBlockByNumber eth_getBlockByHash eth_getTransactionByHash
    eth_getTransactionReceipt eth_getTransactionCount eth_getBalance eth_getCode eth_getStorageAt eth_call
    eth_estimateGas eth_getLogs eth_sendRawTransaction""".split()  # noqa: SIM905  a list to read, not to edit
)


class Methods:
    """The methods of METHODS, each under its name in snake case. Not thread-safe."""

    def __init__(self, store: ChainStore, chain: EvmChain) -> None:
        self._store, self._chain = store, chain

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
        return hex(base_fee(self._chain.next_header()) + TIP_WEI)

    def eth_max_priority_fee_per_gas(self) -> str:
        return hex(TIP_WEI)

    def eth_fee_history(self, count: object, newest: object, percentiles: object = None) -> dict[str, Any]:
        """EIP-1559's fee history. A block's one transaction is every percentile of its tips."""
        wanted = min(count if type(count) is int else quantity(count), FEE_HISTORY_BLOCKS)
        last = min(self._header(newest).block_number, self._chain.head.block_number)
        first = max(0, last + 1 - wanted)
        headers = [self._header(hex(number)) for number in range(first, last + 1)]
        following = self._header(hex(last + 1) if last < self._chain.head.block_number else "pending")
        tips = [[price(tx, h) - base_fee(h) for tx in self._block(h).transactions] for h in headers]
        history = {
            "oldestBlock": hex(first),
            "baseFeePerGas": [hex(base_fee(header)) for header in [*headers, following]],
            "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
        }
        if percentiles is not None and not isinstance(percentiles, list):
            invalid("percentiles are a list")
        if percentiles:
            history["reward"] = [[hex(sum(tip))] * len(percentiles) for tip in tips]
        return history

    def _header(self, block: object) -> BlockHeaderAPI:
        """Resolve a tag, number or hash (plain, or as EIP-1898's object). Raises HeaderNotFound."""
        if isinstance(block, dict):
            block = block.get("blockHash", block.get("blockNumber"))
        if block in ("latest", "safe", "finalized"):
            return self._chain.head
        if block == "pending":
            return self._chain.next_header()
        if isinstance(block, str) and len(block) == 66:  # a hash, not a number
            return self._chain.evm.get_block_header_by_hash(Hash32(data(block, 32)))
        number = 0 if block == "earliest" else quantity(block)
        return self._chain.evm.get_canonical_block_header_by_number(BlockNumber(number))

    def _block(self, header: BlockHeaderAPI) -> BlockAPI:
        return self._chain.evm.get_block_by_header(header)

    def eth_get_block_by_number(self, block: object, full: object = None) -> dict[str, Any] | None:
        try:
            header = self._header(block)
        except HeaderNotFound:
            return None
        content = self._block(header)
        shape = fields(header, HEADER) | {
            "hash": as_json(header.hash),
            "nonce": as_json(header.nonce),
            "logsBloom": as_json(header.bloom.to_bytes(256, "big")),
            "size": hex(len(rlp.encode(content))),
            "uncles": [],
            "withdrawals": [],
            "transactions": [
                tx_json(tx, header, place) if full else as_json(tx.hash)
                for place, tx in enumerate(content.transactions)
            ],
        }
        return shape | {"hash": None, "nonce": None} if block == "pending" else shape

    def eth_get_block_by_hash(self, block: object, full: object = None) -> dict[str, Any] | None:
        return self.eth_get_block_by_number(as_json(data(block, 32)), full)

    def _place(self, tx_hash: object) -> tuple[BlockHeaderAPI, int] | None:
        """Find a transaction by the index py-evm keeps: the header of its block and its place there."""
        try:
            number, place = self._chain.evm.get_canonical_transaction_index(Hash32(data(tx_hash, 32)))
        except TransactionNotFound:
            return None
        return self._header(hex(number)), place

    def eth_get_transaction_by_hash(self, tx_hash: object) -> dict[str, Any] | None:
        found = self._place(tx_hash)
        return None if found is None else tx_json(self._block(found[0]).transactions[found[1]], *found)

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
            **position(tx.hash, header, place),
            "type": hex(tx.type_id or 0),
            "status": hex(receipt.state_root == b"\x01"),  # EIP-658
            "from": to_checksum_address(tx.sender),
            "to": address(tx.to),
            "contractAddress": address(contract),
            "gasUsed": hex(receipt.gas_used - gas_before),
            "cumulativeGasUsed": hex(receipt.gas_used),
            "effectiveGasPrice": hex(price(tx, header)),
            "logsBloom": as_json(receipt.bloom.to_bytes(256, "big")),
            "logs": [log for log in self._logs(header) if log["transactionIndex"] == hex(place)],
        }

    def eth_send_raw_transaction(self, raw: object) -> str:
        encoded = data(raw)
        if self._place(as_json(keccak(encoded))) is not None:
            raise RpcError(REFUSED, "already known")
        try:
            tx = PragueVM.get_transaction_builder().decode(encoded)
            tx.validate()
            assert tx.sender
        except (rlp.exceptions.RLPException, PyEVMError, BadSignature, ValidationError) as error:
            raise RpcError(REFUSED, f"invalid transaction: {error}") from error
        self._chain.mine(tx)
        return as_json(tx.hash)

    def eth_get_balance(self, account: object, block: object = "latest") -> str:
        return hex(self._chain.state(self._header(block)).get_balance(Address(data(account, 20))))

    def eth_get_transaction_count(self, account: object, block: object = "latest") -> str:
        return hex(self._chain.state(self._header(block)).get_nonce(Address(data(account, 20))))

    def eth_get_code(self, account: object, block: object = "latest") -> str:
        return as_json(self._chain.state(self._header(block)).get_code(Address(data(account, 20))))

    def eth_get_storage_at(self, account: object, slot: object, block: object = "latest") -> str:
        value = self._chain.state(self._header(block)).get_storage(Address(data(account, 20)), quantity(slot))
        return f"0x{value:064x}"

    def _execute(self, call: object, block: object, gas: int | None = None) -> tuple[ComputationAPI, int]:
        """Run a call object; return the computation and the gas it used. Raises RpcError if not admitted."""
        if not isinstance(call, dict) or call.get("authorizationList"):
            invalid("a call object without authorizations is wanted")
        header = self._chain.next_header() if block == "latest" else self._header(block)
        most = min(header.gas_limit, CALL_GAS_LIMIT)
        if gas is None:
            gas = min(quantity(call.get("gas") or hex(most)), most)
        tx = UnsignedDynamicFeeTransaction(
            self._chain.evm.chain_id, 0, 0, 0,
            gas,
            data(call.get("to") or "0x"),
            quantity(call.get("value") or "0x0"),
            data(call.get("input") or call.get("data") or "0x"),
            accesses(call.get("accessList") or []),
        )  # fmt: skip
        return self._chain.execute(header, Address(data(call.get("from") or as_json(ZERO_ADDRESS), 20)), tx)

    def eth_call(self, call: object, block: object = "latest") -> str:
        computation, _ = self._execute(call, block)
        raise_failure(computation)
        return as_json(computation.output)

    def eth_estimate_gas(self, call: object, block: object = "latest") -> str:
        """Search the least gas that suffices, to 1.5 % as geth; often the gas used is already enough."""
        computation, used = self._execute(call, block)
        raise_failure(computation)
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

    def _logs(self, header: BlockHeaderAPI) -> list[dict[str, Any]]:
        """All logs of a block; logIndex counts within the block."""
        database, logs = self._chain.evm.chaindb, list[dict[str, Any]]()
        hashes = database.get_block_transaction_hashes(header)
        for place, receipt in enumerate(database.get_receipts(header, PragueVM.get_receipt_builder())):
            for log in receipt.logs:
                logs.append({
                    **position(hashes[place], header, place),
                    "address": to_checksum_address(log.address),
                    "topics": [f"0x{topic:064x}" for topic in log.topics],
                    "data": as_json(log.data),
                    "logIndex": hex(len(logs)),
                    "removed": False,
                })  # fmt: skip
        return logs

    def eth_get_logs(self, wanted: object) -> list[dict[str, Any]]:
        if not isinstance(wanted, dict):
            invalid("a filter object is wanted")
        addresses = [data(one, 20) for one in listed(wanted.get("address"))]
        topics = [[data(one, 32) for one in listed(place)] for place in listed(wanted.get("topics"))]
        last = int(self._chain.head.block_number)
        if wanted.get("blockHash") is None:
            ends = [self._number(wanted.get(end)) for end in ("fromBlock", "toBlock")]
            if ends[0] > ends[1]:
                invalid("fromBlock is after toBlock")
            first, last = min(ends[0], last + 1), min(ends[1], last)
        elif wanted.keys() & {"fromBlock", "toBlock"}:
            invalid("blockHash excludes fromBlock and toBlock")
        else:
            first = last = self._header(as_json(data(wanted["blockHash"], 32))).block_number
        every = [any_of for any_of in (addresses, *topics) if any_of]
        masks = [[int(BloomFilter.from_iterable([one])) for one in any_of] for any_of in every]
        found = []
        for number, bits in self._store.blooms(first, last):
            bloom = int.from_bytes(bits, "big")
            if bloom and all(any(bloom & mask == mask for mask in any_of) for any_of in masks):
                found += self._logs(self._header(hex(number)))
        return [log for log in found if matches(log, addresses, topics)]

    def _number(self, block: object) -> int:
        """Return the number of a block that may not be there yet."""
        if isinstance(block, str) and block.startswith("0x"):
            return quantity(block)
        return self._header(block or "latest").block_number
