"""What the chain says, read once: the contract's fixed facts, its events, what stands there now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from counterfoil.chain.client import Reverted, Web3, asked
from counterfoil.chain.settlement import NOBODY, SettlementContract, unpack_settled
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
class Voices:
    """Who could sign when a settlement was last proposed: signers by partner, and who of them was suspended."""

    signers: dict[int, str]
    suspended: frozenset[int]


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
    suspended: dict[int, int]  # the settlement that suspended a partner, unless it was reinstated since
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
    voices: dict[int, Voices] = field(default_factory=dict)  # of settlements proposed before the registry changed
    floors_before: tuple[Change, ...] = ()  # a party's floor (as `collateral`) until a block changed it, latest first

    @property
    def last(self) -> int:
        """The number of the last final settlement, 0 if there is none."""
        return max(self.final, default=0)

    def quorum(self, number: int) -> int:
        """Signatures that settlement `number` needs: ceil(2n/3) of the partners not suspended before it."""
        active = sum(self.active(one, number) for one in self.signers_at(number))
        return -(-2 * active // 3) if active else 1

    def signers_at(self, number: int) -> dict[int, str]:
        """Signers by partner when settlement `number` was last proposed, or now if the registry never changed since."""
        return self.voices[number].signers if number in self.voices else self.signers

    def active(self, partner: int, number: int) -> bool:
        """Whether a partner with a signer counted for settlement `number`."""
        if number in self.voices:
            return partner not in self.voices[number].suspended
        return self.suspended.get(partner, number) >= number

    def floors_at(self, block: int) -> dict[int, int]:
        """Floors as of a block."""
        earlier = {one.party: one.collateral for one in self.floors_before if one.block > block}
        return self.floors | earlier


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
        for name in ("CollateralDeposited", "CollateralWithdrawn", "BondMoved")
        for one in logs(name)
    ]
    changes += [
        Change(one["blockNumber"], one["logIndex"], party, left)
        for one in logs("PositionsSettled")
        for party, _net, left in unpack_settled(one["args"]["settled"])
    ]
    parties = contract.parties()
    proposed, number, _at = contract.proposal()
    money = contract.money()
    balance = asked(lambda: money.functions.balanceOf(contract.address).call())
    return Chain(
        contract.address, contract.chain_id, programme, bytes(asked(lambda: calls.rulebook().call())),
        contract.counterfoil_key(), contract.checkpoint_key(), contract.signers(),
        _suspended(logs),
        contract.finalized(),
        {one["args"]["number"]: bytes(one["args"]["closingHash"]) for one in finals},
        {one["args"]["number"]: one["args"]["logSize"] for one in finals},
        contract.settled(), supplies,
        {currency: contract.supply(currency) for currency in asked(lambda: calls.currencies().call())},
        (proposed, number), contract.collateral(parties), contract.floors(parties), balance,
        tuple(sorted(changes, key=lambda one: (one.block, one.place))), block_hash, _voices(logs), _floors_before(logs),
    )  # fmt: skip


def _in_order(logs: Callable[[str], list[Any]], *names: str) -> list[Any]:
    return sorted((e for name in names for e in logs(name)), key=lambda e: (e["blockNumber"], e["logIndex"]))


def _suspended(logs: Callable[[str], list[Any]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for e in _in_order(logs, "PartnerSuspended", "PartnerReinstated"):
        found.pop(e["args"]["id"], None)
        if e["event"] == "PartnerSuspended":
            found[e["args"]["id"]] = e["args"]["number"]
    return found


def _voices(logs: Callable[[str], list[Any]]) -> dict[int, Voices]:
    """Of each settlement that was proposed before a signer changed, a suspension ended or a partner came."""
    signers: dict[int, str] = {}
    suspended: set[int] = set()
    found: dict[int, Voices] = {}
    last = 0  # settlements up to this were proposed before the latest change
    for e in _in_order(logs, "PartnerRegistered", "SignerChanged", "PartnerSuspended", "PartnerReinstated", "Proposed"):
        name, args = e["event"], e["args"]
        if name == "Proposed":
            found[args["number"]] = Voices(dict(signers), frozenset(suspended))
        elif name == "PartnerSuspended":
            suspended.add(args["id"])
        else:
            last = max(found, default=0)
            if name == "PartnerReinstated":
                suspended.discard(args["id"])
            elif args["signer"] == NOBODY:
                signers.pop(args["id"], None)
            else:
                signers[args["id"]] = str(args["signer"])
    return {number: one for number, one in found.items() if number <= last}


def _floors_before(logs: Callable[[str], list[Any]]) -> tuple[Change, ...]:
    floors: dict[int, int] = {}
    found = []
    for e in _in_order(logs, "PartnerRegistered", "FloorChanged"):
        party = e["args"]["id"]
        if e["event"] == "FloorChanged":
            found.append(Change(e["blockNumber"], e["logIndex"], party, floors[party]))
        floors[party] = e["args"]["floor"]
    return tuple(reversed(found))


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
