"""The embedded chain's JSON: parameters read, py-evm's values shaped as the Execution API wants them."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, NoReturn, cast

from eth.exceptions import Revert
from eth_abi.abi import decode as abi_decode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address

if TYPE_CHECKING:
    from eth.abc import BlockHeaderAPI, ComputationAPI, SignedTransactionAPI

REVERTED, REFUSED = 3, -32000
PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
SET_CODE = 4  # EIP-7702

# JSON names and where py-evm keeps them.
HEADER = """number=block_number parentHash=parent_hash sha3Uncles=uncles_hash miner=coinbase
    transactionsRoot=transaction_root stateRoot=state_root receiptsRoot=receipt_root difficulty=difficulty
    extraData=extra_data gasLimit=gas_limit gasUsed=gas_used timestamp=timestamp mixHash=mix_hash
    baseFeePerGas=base_fee_per_gas withdrawalsRoot=withdrawals_root blobGasUsed=blob_gas_used
    excessBlobGas=excess_blob_gas parentBeaconBlockRoot=parent_beacon_block_root requestsHash=requests_hash"""
TX = "hash=hash nonce=nonce from=sender value=value gas=gas input=data r=r s=s"
DYNAMIC_FEE = "maxFeePerGas=max_fee_per_gas maxPriorityFeePerGas=max_priority_fee_per_gas"
AUTHORIZATION = "chainId=chain_id address=address nonce=nonce yParity=y_parity r=r s=s"


class RpcError(Exception):
    """A JSON-RPC error: ``code``, ``message`` and ``data`` (0x-hex of what a contract reverted with)."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        """Keep the three members of the error object."""
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


def as_json(value: object) -> str:
    """Shape a py-evm value: int as quantity, bytes as data."""
    return "0x" + value.hex() if isinstance(value, bytes) else hex(cast("int", value))


def fields(source: object, names: str) -> dict[str, Any]:
    pairs = (pair.split("=") for pair in names.split())
    return {name: as_json(getattr(source, attribute)) for name, attribute in pairs}


def invalid(what: str) -> NoReturn:
    raise RpcError(INVALID_PARAMS, f"invalid params: {what}")


def quantity(value: object) -> int:
    if not isinstance(value, str) or not re.fullmatch("0x[0-9a-fA-F]{1,64}", value):
        invalid(f"{str(value)[:80]!r} is not a hex quantity")
    return int(value, 16)


def data(value: object, length: int | None = None) -> bytes:
    if not isinstance(value, str) or not re.fullmatch("0x([0-9a-fA-F]{2})*", value):
        invalid(f"{str(value)[:80]!r} is not hex data")
    if length is not None and len(value) != 2 + 2 * length:
        invalid(f"{value[:80]!r} is not {length} bytes")
    return bytes.fromhex(value[2:])


def raise_failure(computation: ComputationAPI) -> None:
    """Raise what geth answers for a failed call: code 3 and the data for a revert."""
    if not computation.is_error:
        return
    if not isinstance(computation.error, Revert):
        raise RpcError(REFUSED, f"{type(computation.error).__name__}: {computation.error}")
    reason = ""
    if computation.output[:4] == bytes.fromhex("08c379a0"):  # Error(string)
        with contextlib.suppress(DecodingError, ValueError, OverflowError):  # the contract's bytes, not UTF-8
            reason = f": {abi_decode(['string'], computation.output[4:])[0]}"
    raise RpcError(REVERTED, f"execution reverted{reason}", as_json(computation.output))


def address(value: bytes) -> str | None:
    return to_checksum_address(value) if value else None


def base_fee(header: BlockHeaderAPI) -> int:
    return cast("int", header.base_fee_per_gas)  # None only before London


def price(tx: SignedTransactionAPI, header: BlockHeaderAPI) -> int:
    """EIP-1559's effective gas price in wei; py-evm gives legacy transactions both fees too."""
    return min(tx.max_fee_per_gas, tx.max_priority_fee_per_gas + base_fee(header))


def position(tx_hash: bytes, header: BlockHeaderAPI, place: int) -> dict[str, str]:
    return {
        "blockHash": as_json(header.hash),
        "blockNumber": hex(header.block_number),
        "transactionHash": as_json(tx_hash),
        "transactionIndex": hex(place),
    }


def tx_json(tx: SignedTransactionAPI, header: BlockHeaderAPI, place: int) -> dict[str, Any]:
    kind = tx.type_id or 0
    parity = {"v": hex(tx.y_parity), "yParity": hex(tx.y_parity)} if kind else fields(tx, "v=v")
    shape = fields(tx, TX) | parity | {"type": hex(kind), "gasPrice": hex(price(tx, header))}
    shape |= {"from": to_checksum_address(tx.sender), "to": address(tx.to), "chainId": hex(tx.chain_id or 0)}
    if kind:
        shape["accessList"] = [
            {"address": to_checksum_address(address), "storageKeys": [f"0x{key:064x}" for key in keys]}
            for address, keys in tx.access_list
        ]
    if kind > 1:
        shape |= fields(tx, DYNAMIC_FEE)
    if kind == SET_CODE:
        shape["authorizationList"] = [fields(one, AUTHORIZATION) for one in tx.authorization_list]
    found = position(tx.hash, header, place)
    del found["transactionHash"]
    return shape | found


def accesses(value: object) -> list[tuple[bytes, list[int]]]:
    """Read an access list (EIP-2930)."""
    if not isinstance(value, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("storageKeys"), list) for entry in value
    ):
        invalid("an access list of addresses and storage keys is wanted")
    return [(data(entry.get("address"), 20), [quantity(key) for key in entry["storageKeys"]]) for entry in value]


def listed(value: object) -> list[Any]:
    """One value, several or (None) none: how filters name alternatives."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def matches(log: dict[str, Any], addresses: list[bytes], topics: list[list[bytes]]) -> bool:
    """Match a log as eth_getLogs does: any listed address, and at each place any listed topic."""
    if addresses and bytes.fromhex(log["address"][2:]) not in addresses:
        return False
    have = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
    return len(have) >= len(topics) and all(
        not any_of or one in any_of for one, any_of in zip(have, topics, strict=False)
    )
