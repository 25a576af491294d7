"""Sending: one nonce one purpose, the same bytes again, fees raised by an eighth up to a cap, whichever signing is mined."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.typed_transactions import TypedTransaction  # type: ignore[attr-defined]
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3

from counterfoil.chain import outbox as sending
from counterfoil.chain.client import Reverted
from counterfoil.chain.outbox import ALARM, Outbox
from counterfoil.chain.signer import Signer
from counterfoil.core.errors import Unreachable
from tests.chain.kept import Kept
from tests.settlement.anvil import anvil, asked

KEY = bytes([0x5E]) * 32  # test key
GWEI = 10**9


class Geth(HTTPProvider):
    """anvil with geth's rules for replacements; `before` may answer, refuse or lose a request."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.offered: dict[int, tuple[int, int]] = {}
        self.sent: list[str] = []
        self.before: Callable[[str, Any], Any] = lambda _method, _params: None

    def make_request(self, method: Any, params: Any) -> Any:
        found = self.before(method, params)
        if found is not None:
            return found
        if method == "eth_sendRawTransaction":
            raw = params[0]
            tx = decoded(raw)
            had = self.offered.get(tx["nonce"])
            mine = (tx["maxFeePerGas"], tx["maxPriorityFeePerGas"])
            if had is not None and had != mine and any(new * 10 < old * 11 for new, old in zip(mine, had, strict=True)):
                return error("replacement transaction underpriced")
            self.offered[tx["nonce"]] = mine
            self.sent.append(raw)
        return super().make_request(method, params)


def decoded(raw: str) -> dict[str, Any]:
    return dict(TypedTransaction.from_bytes(HexBytes(raw)).as_dict())


def error(message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": message}}


@dataclass
class Bench:
    """A node that mines only when told, and an outbox with little patience."""

    url: str
    provider: Geth
    outbox: Outbox

    def tell(self, method: str, *params: Any) -> Any:
        return asked(self.url, method, *params)

    def mine(self) -> None:
        self.tell("evm_mine")

    def send(self, purpose: str = "one", data: bytes = b"") -> tuple[str, Any]:
        return self.outbox.send(purpose, Account.from_key(KEY).address, data, 50_000)

    def nonce(self) -> int:
        return int(self.tell("eth_getTransactionCount", self.outbox.signer.address, "latest"), 16)

    def fees(self) -> list[tuple[int, int]]:
        one = self.outbox.flight()
        assert one is not None
        return [(attempt.fee_wei, attempt.tip_wei) for attempt in one.attempts]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    for name, seconds in (("RECEIPT_SECONDS", 2), ("PATIENCE_SECONDS", 0.3), ("LAG_SECONDS", 0.5)):
        monkeypatch.setattr(sending, name, seconds)
    with anvil(tmp_path / "anvil", "--no-mining") as url:
        provider = Geth(url)
        signer = Signer(KEY)
        asked(url, "anvil_setBalance", signer.address, hex(10**21))
        yield Bench(url, provider, Outbox(Web3(provider), signer, Kept()))


def mining(bench: Bench, after: int) -> None:
    """The node mines what it has once so many txs came."""

    def before(method: str, _params: Any) -> None:
        if method == "eth_getTransactionReceipt" and len(bench.provider.sent) >= after:
            bench.mine()

    bench.provider.before = before


def test_a_purpose_is_one_tx_however_often_it_is_asked_for(bench: Bench) -> None:
    mining(bench, 1)
    first = bench.send()
    assert bench.send() == first
    assert (bench.nonce(), len(bench.provider.sent)) == (1, 1)


def test_without_a_receipt_both_fees_are_raised_by_an_eighth_and_any_hash_is_the_one(bench: Bench) -> None:
    """The first signing is mined after it was replaced twice: it is recognised, and nothing is sent again."""
    with pytest.raises(Unreachable, match=r"no receipt for one, nonce 0"):
        bench.send()
    fees = bench.fees()
    assert len(fees) > 2
    for (fee, tip), (more_fee, more_tip) in pairwise(fees):
        assert more_fee * 8 >= fee * 9
        assert more_tip * 8 >= tip * 9
    first = bench.provider.sent[0]
    bench.tell("anvil_dropAllTransactions")
    bench.tell("eth_sendRawTransaction", first)
    bench.mine()
    tx, receipt = bench.send()
    assert (tx, receipt["status"]) == (Web3.to_hex(Web3.keccak(hexstr=first)), 1)
    assert bench.nonce() == 1


def test_the_cap_is_never_passed_and_said(bench: Bench) -> None:
    bench.outbox.fee_cap_wei = 4 * GWEI
    with pytest.raises(Unreachable, match="as far as the cap of 4000000000 allows"):
        bench.send()
    assert max(fee for fee, _tip in bench.fees()) <= 4 * GWEI
    mining(bench, 0)
    assert bench.send()[1]["status"] == 1  # what was signed last goes on


def test_a_base_fee_that_jumps_is_met(bench: Bench) -> None:
    with pytest.raises(Unreachable):
        bench.send()
    bench.tell("anvil_setNextBlockBaseFeePerGas", hex(90 * GWEI))
    bench.mine()
    mining(bench, len(bench.provider.sent) + 1)
    assert bench.send()[1]["status"] == 1
    assert bench.fees()[-1][0] >= 90 * GWEI


def test_a_lost_reply_sends_the_same_bytes_again(bench: Bench) -> None:
    lost: list[str] = []

    def before(method: str, params: Any) -> Any:
        if method == "eth_sendRawTransaction" and not lost:
            lost.append(params[0])
            bench.tell("eth_sendRawTransaction", params[0])
            bench.mine()
            raise ConnectionResetError
        return None

    bench.provider.before = before
    with pytest.raises(Unreachable):
        bench.send()
    tx, receipt = bench.send()
    assert (tx, receipt["status"], bench.nonce()) == (Web3.to_hex(Web3.keccak(hexstr=lost[0])), 1, 1)


@pytest.mark.parametrize("point", ["settlement.tx_stored", "settlement.tx_mined"])
def test_a_sender_that_dies_sends_once(bench: Bench, point: str) -> None:
    class Died(Exception):
        pass

    def crash(here: str) -> None:
        if here == point:
            raise Died

    mining(bench, 1)
    dying = Outbox(bench.outbox.w3, bench.outbox.signer, bench.outbox.memory, crash)
    with pytest.raises(Died):
        dying.send("one", bench.outbox.signer.address, b"", 50_000)
    assert bench.send()[1]["status"] == 1
    assert bench.nonce() == 1


def test_a_nonce_spent_by_nobody_here_stops_and_alarms_until_an_operator_resumes(bench: Bench) -> None:
    foreign = Account.sign_transaction(
        {"type": 2, "chainId": 31_337, "nonce": 0, "to": bench.outbox.signer.address, "value": 1, "gas": 21_000,
         "maxFeePerGas": 100 * GWEI, "maxPriorityFeePerGas": 50 * GWEI}, KEY,
    )  # fmt: skip

    def before(method: str, _params: Any) -> None:
        if method == "eth_sendRawTransaction" and not bench.nonce():
            bench.tell("eth_sendRawTransaction", "0x" + bytes(foreign.raw_transaction).hex())
            bench.mine()

    bench.provider.before = before
    with pytest.raises(Unreachable, match="used elsewhere: nonce 0 of one"):
        bench.send()
    assert bench.outbox.memory.recall(ALARM)
    with pytest.raises(Unreachable, match="used elsewhere"):
        bench.send("another")
    bench.outbox.resume()
    mining(bench, 0)
    assert bench.send()[1]["status"] == 1
    assert bench.nonce() == 2


def test_two_processes_share_a_key_and_no_nonce(bench: Bench) -> None:
    """The other waits for what has the nonce, and helps it on."""
    other = Outbox(bench.outbox.w3, bench.outbox.signer, bench.outbox.memory)
    with pytest.raises(Unreachable, match="no receipt for one"):
        bench.send()
    with pytest.raises(Unreachable, match="theirs waits for one, which has nonce 0"):
        other.send("theirs", bench.outbox.signer.address, b"", 50_000)
    mining(bench, 0)
    assert bench.send()[1]["status"] == 1
    assert other.send("theirs", bench.outbox.signer.address, b"", 50_000)[1]["status"] == 1
    assert bench.nonce() == 2


def test_what_was_mined_and_reorganised_away_is_sent_again(bench: Bench) -> None:
    mining(bench, 1)
    bench.mine()
    first = bench.send()[0]
    bench.provider.before = lambda _method, _params: None
    bench.tell("anvil_reorg", 1, [])
    assert bench.nonce() == 0
    bench.provider.offered.clear()
    mining(bench, 0)
    assert bench.send()[0] == first
    assert bench.nonce() == 1


def test_a_tx_that_fails_is_told_and_signed_anew(bench: Bench) -> None:
    mining(bench, 1)
    bench.tell("anvil_setCode", bench.outbox.signer.address, "0x5f5ffd")  # everything reverts
    with pytest.raises(Reverted):
        bench.send()
    bench.tell("anvil_setCode", bench.outbox.signer.address, "0x")
    assert bench.send()[1]["status"] == 1


def test_what_a_node_refuses_for_another_reason_is_told(bench: Bench) -> None:
    def before(method: str, _params: Any) -> Any:
        return error("insufficient funds for gas * price + value") if method == "eth_sendRawTransaction" else None

    bench.provider.before = before
    with pytest.raises(Reverted, match="insufficient funds"):
        bench.send()


def test_canary_fees_raised_too_little_are_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_more", lambda wei: wei + 1)
    with pytest.raises(Unreachable):
        bench.send()
    assert len(bench.provider.sent) == 1, "geth's rule takes none of the replacements"
