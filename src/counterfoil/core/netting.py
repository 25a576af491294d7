"""Netting: from postings of money to one word per party.

Every settlement sums to zero over partners and reserved parties: exactly in micro-units, and again after each party
is rounded alone to the minor unit, because `rounding`, kept with the operator, closes the sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from counterfoil.core.accounts import OPERATOR, owner_of, settled_by
from counterfoil.core.entry import Posting
from counterfoil.core.errors import Unreadable
from counterfoil.core.units import MONEY, rounded_half_even

_WORD = 16  # bytes of a packed position: uint16 id, int112 net


@dataclass(frozen=True, slots=True)
class Positions:
    """Micro-units by owner (a party, or what it keeps for a partner): exact, rounded alone, and what rounding leaves."""

    exact: dict[int, int]
    rounded: dict[int, int]
    rounding: int

    def words(self) -> dict[int, int]:
        """What is settled on chain by party: rounded positions added, `rounding` to the operator's; zeros left out."""
        words = {OPERATOR: self.rounding}
        for owner, net in self.rounded.items():
            number = settled_by(owner)
            words[number] = words.get(number, 0) + net
        return {number: net for number, net in sorted(words.items()) if net}


def fold(postings: Iterable[Posting], into: dict[int, int]) -> None:
    """Add the money of `postings` to nets by owner: + it receives, - it pays."""
    for p in postings:
        if p.unit == MONEY:
            payer, payee = owner_of(p.debit), owner_of(p.credit)
            into[payer] = into.get(payer, 0) - p.amount
            into[payee] = into.get(payee, 0) + p.amount


def positions(nets: Mapping[int, int]) -> Positions:
    """Round each party once, alone, half-even."""
    exact = {number: net for number, net in sorted(nets.items()) if net}
    assert sum(exact.values()) == 0
    rounded = {number: rounded_half_even(net) for number, net in exact.items()}
    return Positions(exact, {n: net for n, net in rounded.items() if net}, -sum(rounded.values()))


def pack(words: Mapping[int, int]) -> bytes:
    """Packed position words, ids increasing, zeros left out: uint16 id, int112 micro-units each."""
    return b"".join(
        number.to_bytes(2, "big") + net.to_bytes(_WORD - 2, "big", signed=True)
        for number, net in sorted(words.items())
        if net
    )


def unpack(packed: bytes) -> dict[int, int]:
    """The words of a packed field; raises Unreadable unless it is canonical and sums to zero."""
    if len(packed) % _WORD:
        raise Unreadable("positions", f"{len(packed)} bytes are not whole words")
    words: dict[int, int] = {}
    last = 0
    for at in range(0, len(packed), _WORD):
        number = int.from_bytes(packed[at : at + 2], "big")
        net = int.from_bytes(packed[at + 2 : at + _WORD], "big", signed=True)
        if net == 0 or number <= last:
            raise Unreadable("positions", "ids must increase and nets must not be zero")
        words[number], last = net, number
    if sum(words.values()):
        raise Unreadable("positions", f"the words sum to {sum(words.values())}, not to zero")
    return words
