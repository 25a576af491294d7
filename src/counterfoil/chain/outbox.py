"""The outbox: one sender; the signed raw tx is remembered before it is broadcast, so a crash sends the same bytes again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from web3 import Web3
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3Exception, Web3RPCError

from counterfoil.chain.client import Memory, Reverted, asked
from counterfoil.chain.signer import Signer
from counterfoil.core.errors import Unreachable

RECEIPT_SECONDS = 60
PRIORITY_WEI = 1_000_000_000
_KNOWN = ("already known", "already imported", "nonce too low", "alreadyknown", "duplicate")


class NonceTaken(Exception):
    """A remembered tx can never be mined: its nonce is spent by another."""


@dataclass(slots=True)
class Outbox:
    """Sends for one key. `send` returns only with a receipt, and twice the same purpose is one tx."""

    w3: Web3
    signer: Signer
    memory: Memory
    crash: Callable[[str], None] = lambda point: None

    def send(self, purpose: str, to: str | None, data: bytes, gas: int) -> tuple[str, Any]:
        """The hash and receipt of the tx for `purpose`. Raises Reverted, or Unreachable if no receipt comes in time."""
        name = f"tx:{purpose}"
        kept = self.memory.recall(name)
        if kept is None:
            kept = json.dumps(self._signed(to, data, gas))
            self.memory.remember(name, kept)
            self.crash("settlement.tx_stored")
        tx = json.loads(kept)
        try:
            receipt = self._receipt(tx["hash"]) or self._broadcast(tx)
        except NonceTaken as error:  # another sender with this key was first: ask the contract, then sign anew
            self.memory.forget(name)
            raise Unreachable("chain", f"{purpose}: {error}; the next step sends it anew if it is still due") from error
        self.crash("settlement.tx_mined")
        if receipt["status"] != 1:
            self.memory.forget(name)
            raise Reverted(f"{purpose}: tx {tx['hash']} failed")
        return tx["hash"], receipt

    def _signed(self, to: str | None, data: bytes, gas: int) -> dict[str, str]:
        sender = Web3.to_checksum_address(self.signer.address)
        base = asked(lambda: self.w3.eth.get_block("latest")).get("baseFeePerGas", 0)
        tx: dict[str, object] = {
            "type": 2, "chainId": asked(lambda: self.w3.eth.chain_id),
            "nonce": asked(lambda: self.w3.eth.get_transaction_count(sender, "pending")), "value": 0, "data": data,
            "gas": gas, "maxPriorityFeePerGas": PRIORITY_WEI, "maxFeePerGas": 2 * base + PRIORITY_WEI,
        }  # fmt: skip
        if to is not None:
            tx["to"] = Web3.to_checksum_address(to)
        raw = self.signer.sign_transaction(tx)
        return {"raw": "0x" + raw.hex(), "hash": Web3.to_hex(Web3.keccak(raw))}

    def _broadcast(self, tx: dict[str, str]) -> Any:
        try:
            self.w3.eth.send_raw_transaction(Web3.to_bytes(hexstr=tx["raw"]))  # type: ignore[arg-type]
        except (Web3RPCError, ContractLogicError) as error:
            if "nonce too low" in str(error).lower() and self._receipt(tx["hash"]) is None:
                raise NonceTaken(f"the nonce of {tx['hash']} was used by another tx") from error
            if not any(word in str(error).lower() for word in _KNOWN):
                raise Reverted(str(error)) from error
        except (Web3Exception, OSError) as error:
            raise Unreachable("chain", str(error) or type(error).__name__) from error
        deadline = time.monotonic() + RECEIPT_SECONDS
        while time.monotonic() < deadline:
            receipt = self._receipt(tx["hash"])
            if receipt is not None:
                return receipt
            time.sleep(0.2)
        raise Unreachable("chain", f"no receipt for {tx['hash']} in {RECEIPT_SECONDS} s")

    def _receipt(self, tx_hash: str) -> Any:
        try:
            return self.w3.eth.get_transaction_receipt(tx_hash)  # type: ignore[arg-type]
        except TransactionNotFound:
            return None
        except (Web3Exception, OSError) as error:
            raise Unreachable("chain", str(error) or type(error).__name__) from error
