"""The outbox: one sender. What is signed is remembered before it is broadcast, so a crash sends the same bytes again.

A tx that is not mined in time is signed again under its nonce with higher fees, up to a cap, and every hash that nonce ever
had is asked for: whichever is mined is the one. A nonce belongs to one purpose, also across processes over the same books. If
it was spent by a tx that nobody here signed, the key is used elsewhere: nothing is sent any more until the operator says so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Struct, convert, to_builtins
from web3 import Web3
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3Exception, Web3RPCError

from counterfoil.chain.client import Memory, Reverted, asked
from counterfoil.chain.signer import Signer
from counterfoil.core.errors import Unreachable

RECEIPT_SECONDS = 60
PATIENCE_SECONDS = 20.0  # without a receipt until fees are raised
LAG_SECONDS = 5.0  # that a node may know a nonce is spent before it shows the receipt
PRIORITY_WEI = 1_000_000_000
FEE_CAP_WEI = 500_000_000_000  # per gas
RAISE_NUMERATOR, RAISE_DENOMINATOR = 9, 8  # both fees at least by an eighth: what nodes ask of a replacement, and more
ALARM = "outbox:alarm"
FLIGHT = "outbox:flight"  # the purpose sent last
_KNOWN = ("already known", "already imported", "alreadyknown", "duplicate")
_SPENT = ("nonce too low", "nonce is too low", "already used")
_LOW = ("underpriced", "fee too low", "less than block base fee", "below the base fee", "too low to compete")


class Attempt(Struct):
    """The bytes of one signing, and what they offer per gas."""

    raw: str
    hash: str
    fee_wei: int
    tip_wei: int


class Sending(Struct):
    """A purpose on its way: one nonce, and every signing of it, the last one being what is broadcast."""

    purpose: str
    to: str | None
    data: str
    gas: int
    nonce: int
    attempts: list[Attempt]
    at: float  # seconds of the last signing


@dataclass(slots=True)
class Outbox:
    """Sends for one key. `send` returns only with a receipt, and twice the same purpose is one tx."""

    w3: Web3
    signer: Signer
    memory: Memory
    crash: Callable[[str], None] = lambda point: None
    fee_cap_wei: int = FEE_CAP_WEI

    def send(self, purpose: str, to: str | None, data: bytes, gas: int) -> tuple[str, Any]:
        """The hash and receipt of the tx for `purpose`. Raises Reverted, or Unreachable if no receipt comes in time."""
        alarm = self.memory.recall(ALARM)
        if alarm is not None:
            raise Unreachable("chain", alarm)
        kept = self.memory.recall(_name(purpose))
        if kept is None:
            one = Sending(purpose, to, "0x" + data.hex(), gas, self._nonce(purpose), [], 0.0)
            self._sign(one, PRIORITY_WEI, 2 * self._base_fee() + PRIORITY_WEI)
            self.crash("settlement.tx_stored")
        else:
            one = convert(json.loads(kept), Sending)
        mined, receipt = self._mined(one) or self._broadcast(one)
        self.crash("settlement.tx_mined")
        if receipt["status"] != 1:
            self.memory.forget(_name(purpose))
            raise Reverted(f"{purpose}: tx {mined} failed")
        return mined, receipt

    def flight(self) -> Sending | None:
        """What was sent last, as it stands."""
        purpose = self.memory.recall(FLIGHT)
        kept = self.memory.recall(_name(purpose)) if purpose is not None else None
        return convert(json.loads(kept), Sending) if kept is not None else None

    def _nonce(self, purpose: str) -> int:
        """The next nonce, for this purpose alone. Raises Unreachable while another purpose's tx has it."""
        sender = Web3.to_checksum_address(self.signer.address)
        nonce = int(asked(lambda: self.w3.eth.get_transaction_count(sender, "latest")))
        owner = self.memory.claim(f"nonce:{nonce}", purpose)
        if owner != purpose:
            kept = self.memory.recall(_name(owner))
            if kept is not None:
                self._offer(convert(json.loads(kept), Sending))
                raise Unreachable("chain", f"{purpose} waits for {owner}, which has nonce {nonce}")
            self.memory.remember(f"nonce:{nonce}", purpose)  # it was never signed, or failed: nobody needs it any more
        return nonce

    def _sign(self, one: Sending, tip_wei: int, fee_wei: int) -> None:
        tx: dict[str, object] = {
            "type": 2, "chainId": asked(lambda: self.w3.eth.chain_id), "nonce": one.nonce, "value": 0,
            "data": bytes.fromhex(one.data[2:]), "gas": one.gas,
            "maxPriorityFeePerGas": min(tip_wei, fee_wei, self.fee_cap_wei), "maxFeePerGas": min(fee_wei, self.fee_cap_wei),
        }  # fmt: skip
        if one.to is not None:
            tx["to"] = Web3.to_checksum_address(one.to)
        raw = self.signer.sign_transaction(tx)
        one.attempts.append(
            Attempt("0x" + raw.hex(), Web3.to_hex(Web3.keccak(raw)), min(fee_wei, self.fee_cap_wei), tip_wei)
        )
        one.at = time.time()
        self.memory.remember(_name(one.purpose), json.dumps(to_builtins(one)))
        self.memory.remember(FLIGHT, one.purpose)

    def _raise(self, one: Sending) -> bool:
        """Sign it again for more; False if the cap leaves no room for a raise that nodes would take."""
        last = one.attempts[-1]
        tip, fee = _more(last.tip_wei), _more(last.fee_wei)
        if fee > self.fee_cap_wei:
            return False
        self._sign(one, tip, min(max(fee, 2 * self._base_fee() + tip), self.fee_cap_wei))
        return True

    def _base_fee(self) -> int:
        return int(asked(lambda: self.w3.eth.get_block("latest")).get("baseFeePerGas", 0))

    def _broadcast(self, one: Sending) -> tuple[str, Any]:
        deadline, capped = time.monotonic() + RECEIPT_SECONDS, False
        taken = self._offer(one)
        while time.monotonic() < deadline:
            found = self._mined(one)
            if found is not None:
                return found
            if taken == "low" or time.time() - one.at > PATIENCE_SECONDS:
                capped = not self._raise(one)
                if capped:
                    break
                taken = self._offer(one)
                continue
            time.sleep(0.2)
        last = one.attempts[-1]
        why = (
            f"its fee of {last.fee_wei} wei is as far as the cap of {self.fee_cap_wei} allows" if capped else "it waits"
        )
        raise Unreachable("chain", f"no receipt for {one.purpose}, nonce {one.nonce}, tx {last.hash}: {why}")

    def _offer(self, one: Sending) -> str:
        """Give the last signing to the node: it is `taken`, or its fees are `low`. Raises Reverted, Unreachable."""
        try:
            self.w3.eth.send_raw_transaction(Web3.to_bytes(hexstr=one.attempts[-1].raw))  # type: ignore[arg-type]
        except (Web3RPCError, ContractLogicError) as error:
            text = str(error).lower()
            if any(word in text for word in _KNOWN):
                return "taken"
            if any(word in text for word in _SPENT):
                self._require_ours(one)
                return "taken"
            if any(word in text for word in _LOW):
                return "low"
            raise Reverted(str(error)) from error
        except (Web3Exception, OSError) as error:
            raise Unreachable("chain", str(error) or type(error).__name__) from error
        return "taken"

    def _require_ours(self, one: Sending) -> None:
        """A spent nonce has one of our receipts; if none comes the key is used elsewhere. Raises Unreachable."""
        deadline = time.monotonic() + LAG_SECONDS
        while self._mined(one) is None:
            if time.monotonic() > deadline:
                text = (
                    f"the sender's key {self.signer.address} is used elsewhere: nonce {one.nonce} of {one.purpose} was spent "
                    "by a tx that was not signed here; nothing is sent until an operator resumes"
                )
                self.memory.remember(ALARM, text)
                raise Unreachable("chain", text)
            time.sleep(0.2)

    def resume(self) -> None:
        """After an alarm: what it was about is signed anew under the next nonce, if it is still due."""
        one = self.flight()
        if one is not None and self._mined(one) is None:
            self.memory.forget(_name(one.purpose))
        self.memory.forget(ALARM)

    def _mined(self, one: Sending) -> tuple[str, Any] | None:
        """Whichever signing was mined, with its receipt: after a raise it may be an older one."""
        for attempt in reversed(one.attempts):
            try:
                return attempt.hash, self.w3.eth.get_transaction_receipt(attempt.hash)  # type: ignore[arg-type]
            except TransactionNotFound:
                continue
            except (Web3Exception, OSError) as error:
                raise Unreachable("chain", str(error) or type(error).__name__) from error
        return None


def _name(purpose: str) -> str:
    return f"tx:{purpose}"


def _more(wei: int) -> int:
    return -(-wei * RAISE_NUMERATOR // RAISE_DENOMINATOR)
