"""Points in members' wallets: claim trees, permissions, and a programme where some were withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import SignableMessage
from web3 import Web3
from web3.types import TxReceipt

from tests.contracts.programme import GAS, Header, Programme, supply, typed

Leaf = tuple[str, int, int]  # account, currency, cumulative
MEMBERS = {place: (1_000 + place).to_bytes(32, "big") for place in range(8)}
REF = b"\xc1" * 32
FOREVER = 2**40


def member(place: int) -> str:
    return str(Account.from_key(MEMBERS[place]).address)


def leaf_hash(leaf: Leaf) -> bytes:
    return bytes(Web3.keccak(Web3.keccak(encode(["address", "uint16", "uint256"], leaf))))


def pair_hash(one: bytes, other: bytes) -> bytes:
    return bytes(Web3.keccak(min(one, other) + max(one, other)))


class Tree:
    """OpenZeppelin's StandardMerkleTree: leaves by hash from the end of a complete binary tree, pairs sorted."""

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        self.leaves = list(leaves)
        hashes = sorted(map(leaf_hash, leaves))
        self.nodes = [b""] * (len(hashes) - 1) + hashes[::-1]
        for i in range(len(hashes) - 2, -1, -1):
            self.nodes[i] = pair_hash(self.nodes[2 * i + 1], self.nodes[2 * i + 2])

    @property
    def root(self) -> bytes:
        return self.nodes[0]

    def proof(self, leaf: Leaf) -> list[bytes]:
        place, found = self.nodes.index(leaf_hash(leaf), len(self.leaves) - 1), []
        while place:
            found.append(self.nodes[place + 1 if place % 2 else place - 1])
            place = (place - 1) // 2
        return found


def deep(leaf: Leaf, depth: int) -> tuple[bytes, list[bytes]]:
    """Root and proof of a leaf at a depth of a tree too large to build."""
    proof = [bytes([i + 1]) * 32 for i in range(depth)]
    root = leaf_hash(leaf)
    for node in proof:
        root = pair_hash(root, node)
    return root, proof


@dataclass
class Wallets:
    """A programme whose members withdrew what the last tree says."""

    programme: Programme
    tree: Tree

    def withdraw(self, leaves: Sequence[Leaf], *, custody: tuple[int, int] = (5_000, 300), back: tuple[int, int] = (0, 0),
                 **changes: Any) -> Header:  # fmt: skip
        """Settle with a new tree: W is what it sums to."""
        self.tree = Tree(leaves)
        w = [sum(cumulative for _, currency, cumulative in leaves if currency == c) for c in (1, 7)]
        records = supply((1, custody[0], w[0], back[0]), (7, custody[1], w[1], back[1]))
        return self.programme.settle(**{"claimRoot": self.tree.root, "supply": records} | changes)

    def leaf(self, place: int, currency: int = 1) -> Leaf:
        return next(one for one in self.tree.leaves if one[:2] == (member(place), currency))

    def claiming(self, leaf: Leaf, proof: list[bytes] | None = None) -> Any:
        """Pushed, as anyone can."""
        claim = (*leaf, self.tree.proof(leaf) if proof is None else proof)
        return self.programme.settlement.functions.claimMany([claim])

    def claiming_alone(self, leaf: Leaf) -> Any:
        return self.programme.settlement.functions.claim(*leaf[1:], self.tree.proof(leaf))

    def claim(self, place: int, currency: int = 1) -> TxReceipt:
        return self.send(self.claiming(self.leaf(place, currency)))

    def send(self, call: Any, by: str | None = None) -> TxReceipt:
        return self.programme.chain.send(call, by or self.programme.anyone)

    def fails(self, call: Any, by: str | None = None) -> None:
        """To be wrapped in `refused`."""
        call.call({"from": by or self.programme.anyone, "gas": GAS})

    def balance(self, account: str, currency: int = 1) -> int:
        return int(self.programme.points(currency).functions.balanceOf(account).call())

    def fund(self, *places: int) -> None:
        """Gas for members that send themselves, whose keys the node then holds."""
        tester = self.programme.chain.tester
        for place in places:
            if member(place) not in tester.get_accounts():
                tester.add_account("0x" + MEMBERS[place].hex())
            tx: Any = {"from": self.programme.anyone, "to": member(place), "value": 10**18}
            self.programme.chain.w3.eth.send_transaction(tx)

    def permission(self, kind: str, values: dict[str, Any], place: int = 0, **changes: Any) -> tuple[int, int, bytes]:
        """Nonce, deadline and signature of the member at `place` for the account in `values`."""
        more = self._more(values, **changes)
        signed = Account.sign_message(self.message(kind, values, **changes), changes.get("key", MEMBERS[place]))
        return more["nonce"], more["deadline"], bytes(signed.signature)

    def message(self, kind: str, values: dict[str, Any], **changes: Any) -> SignableMessage:
        """What a permission is over."""
        p = self.programme
        return typed(
            kind, values | self._more(values, **changes), changes.get("chain_id", p.chain.w3.eth.chain_id),
            changes.get("contract", p.settlement.address),
        )  # fmt: skip

    def _more(self, values: dict[str, Any], **changes: Any) -> dict[str, int]:
        own = {"nonce": self.programme.read("nonces", values["account"]), "deadline": FOREVER}
        return own | {name: changes[name] for name in changes.keys() & own.keys()}
