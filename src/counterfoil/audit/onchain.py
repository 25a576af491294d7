"""What the chain says, read once: the contract's fixed facts, its events, what stands there now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from counterfoil.chain.client import Reverted, Web3, asked
from counterfoil.chain.settlement import SettlementContract
from counterfoil.core.errors import CounterfoilError, Unreachable, Unreadable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change:
    """A party's collateral, in micros, after something moved it in a block."""

    block: int
    place: int  # index of the event in its block
    party: int
    collateral: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Facts of one Settlement. Numbers are settlements', parties' or currencies'; money is micros."""

    address: str
    chain_id: int
    programme: bytes
    rulebook: bytes
    counterfoil_key: str
    checkpoint_key: bytes
    signers: dict[int, str]
    suspended: dict[int, int]  # the settlement that suspended a partner
    final: dict[int, tuple[bytes, str]]  # header hash and tx
    closings: dict[int, bytes]
    sizes: dict[int, int]  # of the log
    settled: dict[int, dict[int, int]]
    supplies: dict[int, dict[int, int]]  # tokens by currency, as each settlement set them
    tokens: dict[int, int]  # now
    proposal: tuple[bytes, int]
    collateral: dict[int, int]
    floors: dict[int, int]
    balance: int  # of the settlement token, at the contract
    changes: tuple[Change, ...]  # in the chain's order
    block_hash: Callable[[int], bytes | None] = field(repr=False)

    @property
    def last(self) -> int:
        """The number of the last final settlement, 0 if there is none."""
        return max(self.final, default=0)

    def quorum(self, number: int) -> int:
        """Signatures that settlement `number` needs: ceil(2n/3) of the partners not suspended before it."""
        active = sum(self.suspended.get(one, number) >= number for one in self.signers)
        return -(-2 * active // 3) if active else 1


def read(w3: Web3, address: str) -> Chain:
    """Ask the contract at `address`. Raises Unreadable if there is none, Unreachable if the node gives no sense."""
    contract = SettlementContract(w3, address)

    def block_hash(number: int) -> bytes | None:
        try:
            block: Any = asked(lambda: w3.eth.get_block(number))
        except (CounterfoilError, Reverted):
            return None
        return bytes(block["hash"])

    return _sensible(lambda: _read(contract, block_hash))


def _read(contract: SettlementContract, block_hash: Callable[[int], bytes | None]) -> Chain:
    if not asked(lambda: contract.w3.eth.get_code(contract.contract.address)):
        raise Unreadable("settlement", f"there is no contract at {contract.address}")
    programme = contract.programme()
    calls, events = contract.contract.functions, contract.contract.events

    def logs(name: str) -> list[Any]:
        return list(asked(lambda: events[name].get_logs(from_block=0)))

    finals, supplies = logs("Finalized"), dict[int, dict[int, int]]()
    for one in logs("SupplySet"):
        supplies.setdefault(one["args"]["number"], {})[one["args"]["currency"]] = one["args"]["supply"]
    changes = [
        Change(one["blockNumber"], one["logIndex"], one["args"]["id"], one["args"]["collateral"])
        for name in ("CollateralDeposited", "PositionSettled")
        for one in logs(name)
    ]
    parties = contract.parties()
    proposed, number, _at = contract.proposal()
    money = contract.money()
    balance = asked(lambda: money.functions.balanceOf(contract.address).call())
    return Chain(
        contract.address, contract.chain_id, programme, bytes(asked(lambda: calls.rulebook().call())),
        contract.counterfoil_key(), contract.checkpoint_key(), contract.signers(),
        {one["args"]["id"]: one["args"]["number"] for one in logs("PartnerSuspended")},
        contract.finalized(),
        {one["args"]["number"]: bytes(one["args"]["closingHash"]) for one in finals},
        {one["args"]["number"]: one["args"]["logSize"] for one in finals},
        contract.settled(), supplies,
        {currency: contract.supply(currency) for currency in asked(lambda: calls.currencies().call())},
        (proposed, number), contract.collateral(parties), contract.floors(parties), balance,
        tuple(sorted(changes, key=lambda one: (one.block, one.place))), block_hash,
    )  # fmt: skip


def _sensible(what: Callable[[], T]) -> T:
    """`what`, with all that a broken node can make a client stumble over as Unreachable."""
    try:
        return what()
    except CounterfoilError:
        raise
    except Reverted as error:
        raise Unreachable("settlement", f"the contract refuses to be read: {error}") from error
    except Exception as error:
        raise Unreachable("chain", f"the node's answer makes no sense: {type(error).__name__}") from error
