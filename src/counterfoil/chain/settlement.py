"""The Settlement contract as Python sees it: what it holds, and the calls the worker sends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from web3 import Web3
from web3.contract import Contract
from web3.exceptions import BadFunctionCallOutput

from counterfoil.chain import artifacts
from counterfoil.chain.client import asked
from counterfoil.chain.outbox import Outbox
from counterfoil.core.accounts import RESERVED
from counterfoil.core.errors import Unreadable
from counterfoil.core.settlement import Header
from counterfoil.core.units import COALITION_CURRENCY

DEPLOY_GAS = 16_000_000  # below 2^24, the most that a tx may ask for
CALL_GAS = 1_000_000
PER_PARTY_GAS = 60_000
TOKEN_NAME, TOKEN_SYMBOL = "Coalition points", "CP"
NOBODY = "0x" + "0" * 40
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner as the contract is to know it."""

    number: int
    signer: str
    floor_micros: int


@dataclass(frozen=True, slots=True)
class Setup:
    """What a programme starts with, but for the operator (the outbox's key)."""

    programme: bytes
    rulebook: bytes
    token: str
    window_seconds: int
    counterfoil_key: str
    checkpoint_key: bytes
    partners: tuple[Partner, ...]
    currencies: tuple[tuple[int, str], ...] = ((COALITION_CURRENCY, TOKEN_SYMBOL),)  # number and name
    answer_seconds: int = 2 * DAY_SECONDS  # for the quorum to confirm a header that was challenged
    delay_seconds: int = 7 * DAY_SECONDS  # of the timelock
    bond_micros: int = 1_000_000_000
    closed_loop: bool = False
    guardian: str = NOBODY
    predecessor: str = NOBODY


@dataclass(frozen=True, slots=True)
class Final:
    """The last final settlement as the contract tells it."""

    number: int
    header: bytes
    closing: bytes
    log_size: int


class SettlementContract:
    """One deployed Settlement. `at_block` everywhere: a number, or None for the newest."""

    def __init__(self, w3: Web3, address: str) -> None:
        if not Web3.is_address(address):
            raise Unreadable("settlement", f"{address!r} is not an address")
        self.w3, self.address = w3, str(Web3.to_checksum_address(address))
        self._known: dict[tuple[object, ...], Any] = {}
        self.contract: Contract = w3.eth.contract(
            address=Web3.to_checksum_address(address), abi=artifacts.load("Settlement").abi
        )

    def _fixed(self, name: str, *args: object) -> Any:
        """A call whose answer was fixed at deployment: asked once."""
        key = (name, *args)
        if key not in self._known:
            self._known[key] = self._call(name, *args)
        return self._known[key]

    def _call(self, name: str, *args: object, at_block: int | None = None) -> Any:
        try:
            return asked(lambda: self.contract.functions[name](*args).call(block_identifier=at_block))
        except BadFunctionCallOutput as error:
            raise Unreadable("settlement", f"there is no Settlement at {self.address}") from error

    @property
    def chain_id(self) -> int:
        """The chain's id."""
        if ("chain_id",) not in self._known:
            self._known["chain_id",] = asked(lambda: self.w3.eth.chain_id)
        return int(self._known["chain_id",])

    def deployed_at(self, block: int) -> bool:
        """Whether the contract stands at a block."""
        return bool(asked(lambda: self.w3.eth.get_code(self.contract.address, block)))

    def programme(self) -> bytes:
        """The programme it serves."""
        return bytes(self._fixed("programme"))

    def final(self, at_block: int | None = None) -> Final:
        """The last final settlement."""
        number, header, closing, size = (
            self._call(name, at_block=at_block) for name in ("lastNumber", "lastHeader", "lastClosing", "logSize")
        )
        return Final(number, bytes(header), bytes(closing), size)

    def next_attempt(self) -> int:
        """The attempt the next header must carry."""
        return int(self._call("nextAttempt"))

    def proposal(self) -> tuple[bytes, int, int]:
        """Header hash, number and time of what is proposed; zeros if nothing is."""
        header, number, at = self._call("proposal")
        return bytes(header), number, at

    def challenger(self) -> int | None:
        """The partner that challenges what is proposed."""
        number: int = self._call("challenger")[0]
        return number or None

    def quorum(self) -> int:
        """How many signatures a header needs."""
        return int(self._call("quorum"))

    def counterfoil_key(self) -> str:
        """The address whose signature a counterfoil bears: the newest."""
        return str(Web3.to_checksum_address(self.counterfoil_keys()[-1][0]))

    def checkpoint_key(self) -> bytes:
        """The Ed25519 public key of checkpoints: the newest."""
        return self.checkpoint_keys()[-1][0]

    def counterfoil_keys(self) -> list[tuple[bytes, int]]:
        """Every address whose signature a counterfoil bore, and the log size from which it holds."""
        return [(bytes(key)[12:], size) for key, size in self._call("counterfoilKeys")]

    def checkpoint_keys(self) -> list[tuple[bytes, int]]:
        """Every key of checkpoints, and the log size from which it holds."""
        return [(bytes(key), size) for key, size in self._call("checkpointKeys")]

    def signers(self) -> dict[int, str]:
        """Addresses of the partners' signers, by partner; none for one whose signer retired."""
        found = {number: str(self._call("signerOf", number)) for number in self._call("partners")}
        return {number: signer for number, signer in found.items() if signer != NOBODY}

    def parties(self) -> list[int]:
        """Every party with collateral: the reserved ones and the partners."""
        return [*RESERVED, *self._call("partners")]

    def collateral(self, parties: Iterable[int], at_block: int | None = None) -> dict[int, int]:
        """Collateral by party, micro-units."""
        return {number: self._call("collateral", number, at_block=at_block) for number in parties}

    def floors(self, parties: Iterable[int]) -> dict[int, int]:
        """Floors by party, micro-units."""
        return {number: self._call("floorOf", number) for number in parties}

    def money(self) -> Contract:
        """The settlement token."""
        money: Contract = self.w3.eth.contract(address=self._fixed("token"), abi=artifacts.load("TestMoney").abi)
        return money

    def supply(self, currency: int = COALITION_CURRENCY, at_block: int | None = None) -> int:
        """The token supply of a currency."""
        points = self.w3.eth.contract(address=self._fixed("points", currency), abi=artifacts.load("Points").abi)
        return int(asked(lambda: points.functions.totalSupply().call(block_identifier=at_block)))

    def currencies(self) -> list[int]:
        """Every currency with a token."""
        return sorted(int(number) for number in self._call("currencies"))

    def finalized(self) -> dict[int, tuple[bytes, str]]:
        """Header hash and tx of every final settlement, from the contract's own events."""
        found = asked(lambda: self.contract.events.Finalized.get_logs(from_block=0))
        return {e["args"]["number"]: (bytes(e["args"]["headerHash"]), Web3.to_hex(e["transactionHash"])) for e in found}

    def settled(self) -> dict[int, dict[int, int]]:
        """Net words moved by every final settlement, from the contract's own events."""
        found: dict[int, dict[int, int]] = {}
        for e in asked(lambda: self.contract.events.PositionsSettled.get_logs(from_block=0)):
            found[e["args"]["number"]] = {n: net for n, net, _left in unpack_settled(e["args"]["settled"])}
        return found

    def propose(self, outbox: Outbox, header: Header, signatures: Mapping[int, bytes]) -> str:
        """Propose a header; returns the tx."""
        data = self.contract.encode_abi("propose", [header.fields(), pack_signatures(signatures)])
        return self._send(outbox, "propose", header, data)

    def finalize(self, outbox: Outbox, header: Header) -> str:
        """Finalize a proposed header after its window; returns the tx."""
        return self._send(outbox, "finalize", header, self.contract.encode_abi("finalize", [header.fields()]))

    def _send(self, outbox: Outbox, verb: str, header: Header, data: str) -> str:
        purpose = f"{verb}:{header.closing.number}:{header.attempt}:{header.hash().hex()[:16]}"
        gas = CALL_GAS + PER_PARTY_GAS * (len(header.positions) // 16)
        return outbox.send(purpose, self.address, _raw(data), gas)[0]


def pack_signatures(signatures: Mapping[int, bytes]) -> bytes:
    """Records of uint16 partner, uint16 length, signature; partners rising. SPEC.md: Signatures of a quorum."""
    return b"".join(
        number.to_bytes(2, "big") + len(signed).to_bytes(2, "big") + signed
        for number, signed in sorted(signatures.items())
    )


def unpack_settled(words: bytes) -> list[tuple[int, int, int]]:
    """Party, net and collateral after it, of each word of a PositionsSettled event."""
    return [
        (
            int.from_bytes(words[at : at + 2], "big"),
            int.from_bytes(words[at + 2 : at + 16], "big", signed=True),
            int.from_bytes(words[at + 16 : at + 30], "big"),
        )
        for at in range(0, len(words), 32)
    ]


def deploy(outbox: Outbox, setup: Setup) -> SettlementContract:
    """Deploy a Settlement; safe to call again after a crash (the same tx)."""
    w3 = outbox.w3
    config = (
        setup.programme, setup.rulebook, Web3.to_checksum_address(setup.token), setup.window_seconds,
        setup.answer_seconds, setup.delay_seconds, setup.bond_micros, setup.closed_loop,
        Web3.to_checksum_address(outbox.signer.address), Web3.to_checksum_address(setup.guardian),
        Web3.to_checksum_address(setup.counterfoil_key), setup.checkpoint_key,
        Web3.to_checksum_address(setup.predecessor), [
            (number, TOKEN_NAME if number == COALITION_CURRENCY else f"{name} points", name)
            for number, name in setup.currencies
        ],
        [(p.number, Web3.to_checksum_address(p.signer), p.floor_micros) for p in setup.partners],
    )  # fmt: skip
    return SettlementContract(w3, _create(outbox, "Settlement", "deploy:settlement", config))


def deploy_test_money(outbox: Outbox) -> str:
    """A sandbox's settlement token, free to mint; its address."""
    return _create(outbox, "TestMoney", "deploy:money")


def deposit_test_money(outbox: Outbox, contract: SettlementContract, amounts: Mapping[int, int], purpose: str) -> None:
    """Mint test money and deposit it as collateral of the parties named."""
    money = contract.money()
    sender = Web3.to_checksum_address(outbox.signer.address)
    total = sum(amounts.values())
    steps = [(money.address, money.encode_abi("mint", [sender, total]), "mint"),
             (money.address, money.encode_abi("approve", [contract.address, total]), "approve")]  # fmt: skip
    for number, amount in sorted(amounts.items()):
        steps.append(
            (
                contract.contract.address,
                contract.contract.encode_abi("depositCollateral", [number, amount]),
                str(number),
            )
        )
    for address, data, step in steps:
        outbox.send(f"{purpose}:{step}", str(address), _raw(data), CALL_GAS)


def _create(outbox: Outbox, name: str, purpose: str, *args: object) -> str:
    artifact = artifacts.load(name)
    factory = outbox.w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    data = factory.constructor(*args).data_in_transaction
    _hash, receipt = outbox.send(purpose, None, _raw(data), DEPLOY_GAS)
    return str(receipt["contractAddress"])


def _raw(data: str) -> bytes:
    return bytes.fromhex(data.removeprefix("0x"))


SANDBOX_COLLATERAL_MICROS = 10**15  # a thousand million of money for everybody: a sandbox has enough
