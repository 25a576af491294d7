"""Points in members' own wallets as Python sees them: claims pushed for them, what came back, in events by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from web3 import Web3

from counterfoil.chain.client import asked
from counterfoil.chain.outbox import Outbox
from counterfoil.chain.settlement import SettlementContract

CLAIM_GAS = 150_000  # of one claim at any depth worth having


@dataclass(frozen=True, slots=True)
class Claim:
    """A leaf of the claim tree and its proof: what an account withdrew of a currency, ever."""

    account: str
    currency: int
    cumulative: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """Points that left custody or came back. `kind` is claimed, given_back, redeemed or migrated."""

    kind: str
    block: int
    block_hash: bytes
    place: int  # index of the event in its block
    tx: str
    account: str
    currency: int
    amount: int
    partner: int | None = None  # of a redemption
    ref: bytes | None = None
    recipient: str | None = None  # of a claim


_KINDS = {"Claimed": "claimed", "GivenBack": "given_back", "Redeemed": "redeemed", "Migrated": "migrated"}


def push_claims(outbox: Outbox, contract: SettlementContract, claims: Sequence[Claim], purpose: str) -> str:
    """Pay accounts what they have not claimed yet; who claimed meanwhile is passed over. Returns the tx. Raises Reverted."""
    rows = [(Web3.to_checksum_address(c.account), c.currency, c.cumulative, list(c.proof)) for c in claims]
    data = bytes.fromhex(contract.contract.encode_abi("claimMany", [rows]).removeprefix("0x"))
    return outbox.send(purpose, contract.address, data, CLAIM_GAS * (1 + len(rows)))[0]


def claimed(contract: SettlementContract, account: str, currency: int, at_block: int | None = None) -> int:
    """What an account has claimed of a currency, ever."""
    call = contract.contract.functions.claimed(Web3.to_checksum_address(account), currency)
    return int(asked(lambda: call.call(block_identifier=at_block)))


def totals(contract: SettlementContract, currency: int, at_block: int | None = None) -> tuple[int, int, int]:
    """W and R as of the last final settlement, and what came back on chain until then or `at_block`."""
    call = contract.contract.functions.totals(currency)
    withdrawn, returned, back = asked(lambda: call.call(block_identifier=at_block))
    return int(withdrawn), int(returned), int(back)


def moved(contract: SettlementContract, first_block: int, last_block: int) -> list[Moved]:
    """What moved in these blocks, in the chain's order: an event is known by block hash and place."""
    found = []
    for name, kind in _KINDS.items():
        event = contract.contract.events[name]
        for e in asked(lambda event=event: event.get_logs(from_block=first_block, to_block=last_block)):  # type: ignore[misc]
            args: Any = e["args"]
            found.append(
                Moved(
                    kind, e["blockNumber"], bytes(e["blockHash"]), e["logIndex"], Web3.to_hex(e["transactionHash"]),
                    args["account"], args["currency"], args["amount"], args.get("partner"), args.get("ref"),
                    args.get("recipient"),
                )
            )  # fmt: skip
    return sorted(found, key=lambda one: (one.block, one.place))
