"""A programme on an eth-tester chain: two currencies, five partners, short words for what is done to it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi.abi import decode
from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_tester import EthereumTester
from eth_tester.exceptions import TransactionFailed
from eth_typing import ChecksumAddress
from eth_utils.abi import function_signature_to_4byte_selector
from web3 import Web3
from web3.contract import Contract
from web3.types import TxReceipt

from counterfoil.chain.artifacts import Artifact, load

GAS = 12_000_000
DAY = 86_400
WINDOW, ANSWER, DELAY, BOND = 3 * DAY, 2 * DAY, 7 * DAY, 500
PROGRAMME, RULEBOOK, CHECKPOINT_KEY = b"\xa1" * 32, b"\xa2" * 32, b"\xa3" * 32
FLOOR = 1_000
PARTNERS = (16, 17, 18, 19, 20)
KEYS = {number: number.to_bytes(32, "big") for number in range(16, 116)}
OPERATOR_ID, STRANGER_ID = 2, 99

_CLOSING = {
    "programme": "bytes32", "number": "uint64", "previousClosing": "bytes32", "closedAt": "uint64",
    "logSize": "uint64", "logRoot": "bytes32", "claimRoot": "bytes32", "manifest": "bytes32",
    "gross": "bytes", "supply": "bytes",
}  # fmt: skip
_HEADER = {
    "programme": "bytes32", "number": "uint64", "attempt": "uint32", "previousHeader": "bytes32",
    "previousClosing": "bytes32", "closedAt": "uint64", "logSize": "uint64", "logRoot": "bytes32",
    "claimRoot": "bytes32", "manifest": "bytes32", "gross": "bytes", "supply": "bytes",
    "collateralBlock": "uint64", "collateralBlockHash": "bytes32", "positions": "bytes", "defaults": "bytes",
}  # fmt: skip
_PERMISSION = {"nonce": "uint256", "deadline": "uint256"}
TYPES: dict[str, dict[str, str]] = {
    "Closing": _CLOSING, "Header": _HEADER,
    "Confirmation": {"header": "bytes32", "challenger": "uint16"},
    "Change": {"call": "bytes", "nonce": "uint256"}, "Cancellation": {"change": "bytes32"},
    "Claim": {"account": "address", "recipient": "address", "currency": "uint16", "cumulative": "uint256"} | _PERMISSION,
    "GiveBack": {"account": "address", "currency": "uint16", "amount": "uint256", "ref": "bytes32"} | _PERMISSION,
    "Redeem": {"account": "address", "currency": "uint16", "partner": "uint16", "amount": "uint256", "ref": "bytes32"}
    | _PERMISSION,
}  # fmt: skip

Header = dict[str, Any]


def typed(kind: str, header: Header, chain_id: int, contract: str) -> SignableMessage:
    """The EIP-712 message as another library than ours builds it."""
    return encode_typed_data(
        {"name": "Counterfoil", "version": "1", "chainId": chain_id, "verifyingContract": contract},
        {kind: [{"name": name, "type": type_} for name, type_ in TYPES[kind].items()]},
        {name: header[name] for name in TYPES[kind]},
    )


def words(nets: Mapping[int, int] | Sequence[tuple[int, int]]) -> bytes:
    """Position words in the order given, right or wrong."""
    pairs = nets.items() if isinstance(nets, Mapping) else nets
    return b"".join(id_.to_bytes(2, "big") + net.to_bytes(14, "big", signed=True) for id_, net in pairs)


def supply(*records: tuple[int, int] | tuple[int, int, int, int]) -> bytes:
    """Supply records (currency, C[, W, R]) in the order given."""
    packed = b""
    for currency, custodial, *rest in records:
        withdrawn, returned = rest or (0, 0)
        root = bytes([0x70 + currency % 16]) * 32
        numbers = [n.to_bytes(32, "big") for n in (currency, custodial, withdrawn, returned)]
        packed += numbers[0] + root + b"".join(numbers[1:])
    return packed


def settled(number: int, net: int, collateral: int) -> bytes:
    """A word of PositionsSettled."""
    return words({number: net}) + collateral.to_bytes(14, "big") + bytes(2)


def ids(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(2, "big") for number in numbers)


def errors_of(*artifacts: Artifact) -> dict[bytes, tuple[str, list[str]]]:
    """Name and argument types of each custom error, by selector."""
    found = {}
    for entry in (entry for artifact in artifacts for entry in artifact.abi if entry["type"] == "error"):
        types = [str(argument["type"]) for argument in entry.get("inputs", [])]
        found[function_signature_to_4byte_selector(f"{entry['name']}({','.join(types)})")] = (
            entry["name"],
            types,
        )
    return found


_ERRORS = errors_of(*[load(name) for name in ("Settlement", "Points", "Timelock", "Press", "Rewards", "TestMoney")])


@contextmanager
def refused(name: str, *facts: Any) -> Iterator[None]:
    """The call inside reverts with this custom error and these facts."""
    with pytest.raises(TransactionFailed) as caught:
        yield
    data = ast.literal_eval(str(caught.value).removeprefix("execution reverted: "))
    found, types = _ERRORS[data[:4]]
    given = tuple(decode(types, data[4:]))
    expected = tuple(f.lower() if isinstance(f, str) and f.startswith("0x") else f for f in facts)
    assert (found, given) == (name, expected)


@dataclass
class Chain:
    """A node that mines at once, and its unlocked accounts."""

    w3: Web3
    tester: EthereumTester

    def account(self, place: int) -> str:
        return self.w3.eth.accounts[place]

    def deploy(self, artifact: Artifact, *arguments: Any) -> Contract:
        made = self.w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode).constructor(*arguments)
        receipt = self.send(made, self.account(0))
        assert receipt["contractAddress"]
        return self.w3.eth.contract(receipt["contractAddress"], abi=artifact.abi)

    def send(self, call: Any, by: str) -> TxReceipt:
        """Mined, and succeeded; a revert is raised by a call in the same second, which knows why."""
        receipt = self.w3.eth.get_transaction_receipt(call.transact({"from": by, "gas": GAS}))
        if receipt["status"] != 1:
            call.call({"from": by, "gas": GAS})
        assert receipt["status"] == 1
        return receipt

    def now(self) -> int:
        return int(self.w3.eth.get_block("latest")["timestamp"])

    def wait(self, seconds: int) -> None:
        self.tester.time_travel(self.now() + seconds)


@dataclass
class Programme:
    """A deployed Settlement with its money, its operator and its partners' keys."""

    chain: Chain
    money: Contract
    settlement: Contract
    partners: tuple[int, ...] = PARTNERS

    @property
    def operator(self) -> str:
        return self.chain.account(1)

    @property
    def anyone(self) -> str:
        return self.chain.account(2)

    def signer(self, partner: int) -> str:
        """A partner's own account, with gas, and its key at the node."""
        address = str(Account.from_key(KEYS[partner]).address)
        if address not in self.chain.tester.get_accounts():
            self.chain.tester.add_account("0x" + KEYS[partner].hex())
        if not self.chain.w3.eth.get_balance(Web3.to_checksum_address(address)):
            gas: Any = {"from": self.anyone, "to": address, "value": 10**18}
            self.chain.w3.eth.send_transaction(gas)
        return address

    def read(self, name: str, *arguments: Any) -> Any:
        return self.settlement.functions[name](*arguments).call({"gas": GAS})

    def points(self, currency: int = 1) -> Contract:
        address: ChecksumAddress = self.read("points", currency)
        return self.chain.w3.eth.contract(address, abi=load("Points").abi)

    def part(self, name: str) -> Contract:
        """The timelock or the press."""
        address: ChecksumAddress = self.read(name.lower())
        return self.chain.w3.eth.contract(address, abi=load(name).abi)

    def deposit(self, party: int, amount: int, by: str | None = None) -> TxReceipt:
        by = by or self.anyone
        self.chain.send(self.money.functions.mint(by, amount), by)
        self.chain.send(self.money.functions.approve(self.settlement.address, amount), by)
        return self.chain.send(self.settlement.functions.depositCollateral(party, amount), by)

    def header(self, **changes: Any) -> Header:
        """The next header: partner 17 pays 100, of which 16 gets 70 and the operator 30."""
        nets = words({OPERATOR_ID: 30, 16: 70, 17: -100})
        header = {
            "programme": PROGRAMME, "number": self.read("lastNumber") + 1, "attempt": self.read("nextAttempt"),
            "previousHeader": self.read("lastHeader"), "previousClosing": self.read("lastClosing"),
            "closedAt": 1_767_225_600, "logSize": self.read("logSize") + 8, "logRoot": b"\xb1" * 32,
            "claimRoot": bytes(32), "manifest": b"\xb2" * 32, "gross": nets,
            "supply": supply((1, 5_000), (7, 300)), "collateralBlock": 1, "collateralBlockHash": b"\xb3" * 32,
            "positions": nets, "defaults": b"",
        }  # fmt: skip
        assert list(header) == list(_HEADER)
        assert set(changes) <= set(header)
        return header | changes

    def message(self, header: Header, kind: str = "Header") -> SignableMessage:
        return typed(kind, header, self.chain.w3.eth.chain_id, self.settlement.address)

    def sign(self, header: Header, *signers: int, message: SignableMessage | None = None) -> bytes:
        """Signature records in the order given; by default of the smallest quorum."""
        message = message or self.message(header)
        packed = b""
        for number in signers or self.partners[: self.read("quorum")]:
            signed = Account.sign_message(message, KEYS[number])
            packed += record(number, signed.r, signed.s, signed.v)
        return packed

    def sign_words(self, kind: str, values: dict[str, Any], *signers: int) -> bytes:
        """The same over another type."""
        return self.sign({}, *signers, message=self.message(values, kind))

    def named(self, kind: str, values: dict[str, Any]) -> bytes:
        """A struct hash."""
        return self.message(values, kind).body

    def proposing(self, header: Header, signatures: bytes | None = None) -> Any:
        signatures = self.sign(header) if signatures is None else signatures
        return self.settlement.functions.propose(tuple(header.values()), signatures)

    def propose(self, header: Header, signatures: bytes | None = None) -> TxReceipt:
        return self.chain.send(self.proposing(header, signatures), self.operator)

    def finalize(self, header: Header, *, wait: bool = True) -> TxReceipt:
        if wait:
            self.chain.wait(WINDOW)
        return self.chain.send(self.settlement.functions.finalize(tuple(header.values())), self.anyone)

    def settle(self, **changes: Any) -> Header:
        header = self.header(**changes)
        self.propose(header)
        self.finalize(header)
        return header

    def events(self, receipt: TxReceipt) -> list[tuple[str, dict[str, Any]]]:
        """Settlement's own events in order."""
        found = []
        for log in receipt["logs"]:
            if log["address"] == self.settlement.address:
                event = self.settlement.events[self._event_by_topic(log["topics"][0])]().process_log(log)
                found.append((event["event"], dict(event["args"])))
        return found

    def _event_by_topic(self, topic: bytes) -> str:
        for entry in self.settlement.abi:
            if entry["type"] == "event":
                types = ",".join(str(i["type"]) for i in entry["inputs"])
                if Web3.keccak(text=f"{entry['name']}({types})") == topic:
                    return entry["name"]
        raise LookupError(topic.hex())


def record(number: int, r: int, s: int, v: int) -> bytes:
    return packed(number, r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v]))


def packed(number: int, signature: bytes) -> bytes:
    """A signature of any length with its signer."""
    return number.to_bytes(2, "big") + len(signature).to_bytes(2, "big") + signature


def config(chain: Chain, money: str, **changes: Any) -> tuple[Any, ...]:
    """The constructor's argument."""
    fields = {
        "programme": PROGRAMME, "rulebook": RULEBOOK, "token": money, "windowSeconds": WINDOW,
        "answerSeconds": ANSWER, "delaySeconds": DELAY, "bond": BOND, "closedLoop": False,
        "operator": chain.account(1), "guardian": chain.account(4), "counterfoilKey": chain.account(3),
        "checkpointKey": CHECKPOINT_KEY, "predecessor": "0x" + "0" * 40,
        "currencies": [(1, "Bonus", "BON"), (7, "Miles", "MIL")],
        "partners": [(number, Account.from_key(KEYS[number]).address, FLOOR) for number in PARTNERS],
    }  # fmt: skip
    assert set(changes) <= set(fields)
    return tuple((fields | changes).values())


def deployed(chain: Chain, **changes: Any) -> Programme:
    """A new programme in which each partner, and the operator, has deposited 10,000."""
    money = chain.deploy(load("TestMoney"))
    arguments = config(chain, money.address, **changes)
    settlement = chain.deploy(load("Settlement"), arguments)
    programme = Programme(chain, money, settlement, tuple(partner[0] for partner in arguments[-1]))
    for party in (OPERATOR_ID, *programme.partners):
        programme.deposit(party, 10_000)
    return programme
