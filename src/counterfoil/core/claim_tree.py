"""The claim tree: what was ever withdrawn to each account, so that the contract pays out what was not claimed yet.

OpenZeppelin's StandardMerkleTree format: a leaf is keccak(keccak(abi.encode(address account, uint16 currency, uint256
cumulative))), leaves are sorted by hash, a node hashes its children the smaller first. Leaves are cumulative for ever:
whoever misses settlements loses nothing. Hashing a leaf twice is what tells it from a node. Bytes: SPEC.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from counterfoil.core.encoding import word
from counterfoil.core.errors import Unreadable
from counterfoil.core.typed_data import keccak

NO_CLAIMS = bytes(32)  # the root of no leaves
ACCOUNT_BYTES = 20
MOST_SIBLINGS = 64  # a path may not be longer: no tree has more levels
_WORD = 32


@dataclass(frozen=True, slots=True, order=True)
class Leaf:
    """A leaf: an account of 20 bytes, a currency, and the points ever withdrawn to it, more than none."""

    account: bytes
    currency: int
    cumulative: int

    @property
    def hash(self) -> bytes:
        """What stands for it in the tree."""
        return keccak(keccak(self.account.rjust(_WORD, b"\0") + word(self.currency) + word(self.cumulative)))

    def as_json(self) -> list[str | int]:
        """Account, currency, points as text: a uint256 is more than JSON carries exactly everywhere."""
        return ["0x" + self.account.hex(), self.currency, str(self.cumulative)]

    @property
    def valid(self) -> bool:
        """Whether it is in range."""
        return len(self.account) == ACCOUNT_BYTES and 0 < self.currency < 2**16 and 0 < self.cumulative < 2**256


def join(left: bytes, right: bytes) -> bytes:
    """The parent of two nodes, whichever way round."""
    return keccak(left + right if left < right else right + left)


class ClaimTree:
    """The tree of claims, one for each account and currency; nodes in an array, the root first, the leaves last."""

    def __init__(self, leaves: Iterable[Leaf]) -> None:
        hashed = sorted([(one.hash, one) for one in leaves])
        self.leaves = tuple([one for _hash, one in hashed])
        assert all(one.valid for one in self.leaves)
        count = len(self.leaves)
        self._places = {(one.account, one.currency): place for place, one in enumerate(self.leaves)}
        assert len(self._places) == count
        self._nodes = [b""] * (count - 1) + [one for one, _leaf in reversed(hashed)]
        for place in range(count - 2, -1, -1):
            self._nodes[place] = join(self._nodes[2 * place + 1], self._nodes[2 * place + 2])

    @property
    def root(self) -> bytes:
        """The root; of no claims 32 zero bytes."""
        return self._nodes[0] if self._nodes else NO_CLAIMS

    def find(self, account: bytes, currency: int) -> Leaf | None:
        """An account's claim in a currency."""
        place = self._places.get((account, currency))
        return None if place is None else self.leaves[place]

    def path(self, leaf: Leaf) -> list[bytes]:
        """The siblings of a claim, bottom up; KeyError if there is none of that name."""
        place, path = len(self._nodes) - 1 - self._places[leaf.account, leaf.currency], []
        while place:
            path.append(self._nodes[place + 1 if place % 2 else place - 1])
            place = (place - 1) // 2
        return path


def verify(leaf: Leaf, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the claim is in the tree of `root`. False, never an error, for anything malformed."""
    if not leaf.valid or len(path) > MOST_SIBLINGS or root == NO_CLAIMS:
        return False
    node = leaf.hash
    for sibling in path:
        if len(sibling) != _WORD:
            return False
        node = join(node, sibling)
    return node == root


def totals(leaves: Iterable[Leaf]) -> dict[int, int]:
    """Points ever withdrawn, by currency: W."""
    found: dict[int, int] = {}
    for one in leaves:
        found[one.currency] = found.get(one.currency, 0) + one.cumulative
    return found


def fallen(before: Iterable[Leaf], now: Iterable[Leaf]) -> Iterator[Leaf]:
    """Claims of the tree before that are less now, or gone: there must be none."""
    held: Mapping[tuple[bytes, int], int] = {(one.account, one.currency): one.cumulative for one in now}
    for one in before:
        if held.get((one.account, one.currency), 0) < one.cumulative:
            yield one


def leaves_json(leaves: Iterable[Leaf]) -> list[list[str | int]]:
    """Claims by account and currency, as exports and the API list them."""
    return [one.as_json() for one in sorted(leaves)]


def read_leaves(data: object) -> list[Leaf]:
    """What `leaves_json` gives; raises Unreadable unless claims are in range, sorted, one for each account and currency."""
    if not isinstance(data, list):
        raise Unreadable("claims", "must be a list")
    found = [_leaf(one) for one in data]
    if any((a.account, a.currency) >= (b.account, b.currency) for a, b in pairwise(found)):
        raise Unreadable("claims", "must be sorted, one for each account and currency")
    return found


def _leaf(data: object) -> Leaf:
    if isinstance(data, list) and len(data) == 3:
        account, currency, cumulative = data
        if isinstance(account, str) and type(currency) is int and isinstance(cumulative, str):
            try:
                leaf = Leaf(bytes.fromhex(account[2:]), currency, int(cumulative))
            except ValueError:
                leaf = Leaf(b"", 0, 0)
            if leaf.valid and leaf.as_json() == data:
                return leaf
    raise Unreadable("claims", f"{str(data)[:120]} is not [account, currency, cumulative]")
