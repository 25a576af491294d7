"""Entry: one thing that happened, whole. Postings say what moved, moves say of which lots.

An entry is never edited. It moves the money of one partner at most, so that a partner's own entries give
exactly its position and show nobody else's sales: what a verb sets off for another partner (its part of a lot's
funding, a debt repaid, points run out) is an entry of its own in the same group, right behind it.
"""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from counterfoil.core.acts import Act
from counterfoil.core.lots import LotTerms
from counterfoil.core.wallet import Wallet


class Verb(IntEnum):
    """What an entry records. Numbers are part of the bytes and never reused."""

    EARN = 1
    BURN = 2
    HOLD = 3
    CAPTURE = 4
    RELEASE = 5
    REFUND_EARN = 6
    REFUND_BURN = 7
    TRANSFER = 8
    EXPIRE = 9
    REPAY = 10
    ACTIVATE = 11
    FUND = 12  # what the entry it refers to makes another partner pay or receive
    EXCHANGE = 13
    BUY_PACK = 14
    BUY_REWARD = 15
    USE_REWARD = 16
    EXPIRE_REWARD = 17
    REFUND_REWARD = 18
    DEFAULT = 19
    DIVIDEND = 20
    DISPUTE = 21
    RULE = 22
    ERASE = 23
    EXIT = 24
    ACT = 25  # of the operator: changes no points and no money
    ADJUST = 26
    WITHDRAW = 27
    GIVE_BACK = 28
    REDEEM = 29  # from an own wallet: what the giving back before it brought is used at once
    MERGE = 30  # all that the first member has becomes the second's


class Place(IntEnum):
    """Where a point of a lot stands. AVAILABLE, HELD, WITHDRAWN are outstanding; PENDING is not yet, the others have left."""

    AVAILABLE = 1
    HELD = 2
    BURNED = 3
    EXPIRED = 4
    TAKEN = 5  # by a refund of the earn that made them
    GIFTED = 6  # lives on as the receiver's lot, or as the lot of whoever gave it back from a wallet
    REPAID = 7  # for what a refund takes beyond its own lots, at once or as a debt
    RENEWED = 8  # given back after its last day: lives on as a lot with grace
    PENDING = 9
    CANCELLED = 10  # by a refund while it was pending
    ISSUED = 11  # where a lot's points come from: only a funder's entry says so
    WITHDRAWN = 12  # in wallets, whoever has the tokens now; does not run out there
    MERGED = 13  # where they were, with another member now


class Posting(Struct, frozen=True, gc=False):
    """`amount` (> 0) of `unit` from the debit to the credit account: unbalanced cannot be written."""

    debit: int
    credit: int
    amount: int
    unit: int


class LotMade(Struct, frozen=True, gc=False):
    """A lot that an entry creates for the member at `owner`; its name: (entry, place in the list)."""

    owner: int
    points: int
    terms: LotTerms


class Move(Struct, frozen=True, gc=False):
    """`points` of the lot (entry, index) from one place to another."""

    entry: int
    index: int
    source: Place
    target: Place
    points: int


class DebtMade(Struct, frozen=True, gc=False):
    """Points the member at `owner` owes to the refunded issuer; named like a lot. The fee waits with them."""

    owner: int
    points: int
    currency: int
    issuer: int
    fee_micros: int


class Repaid(Struct, frozen=True, gc=False):
    """`points` of the debt (entry, index) paid back by this entry's moves."""

    entry: int
    index: int
    points: int


class Paid(Struct, frozen=True, gc=False):
    """Money that a verb's own terms move, beside what lots call for: micros from one owner of money to another."""

    debit: int
    credit: int
    micros: int


class Drawn(Struct, frozen=True, gc=False):
    """Points of a prepaid block, by the entry that bought it (0: this one); `reserve` 1: of its credit block."""

    pack: int
    reserve: int
    points: int


class Entry(Struct, frozen=True, gc=False):
    """See SPEC.md for the bytes. `id` packs shard, group and place; `refers_to` is an entry's id or 0."""

    id: int
    verb: Verb
    at: int  # when it was posted
    occurred_at: int  # when what it records fell due or took place
    partner: int  # whose verb it is and whose money moves; 0: nobody's
    refers_to: int
    until: int  # of a hold or voucher: the first instant at which it has lapsed; else 0
    value_micros: int  # per point used: what the contract pays, 0 for the lots' own face; of a reward bought: its cost
    members: tuple[bytes, ...]  # one commitment each, 32 bytes
    postings: tuple[Posting, ...]
    lots: tuple[LotMade, ...] = ()
    moves: tuple[Move, ...] = ()
    debts: tuple[DebtMade, ...] = ()
    repaid: tuple[Repaid, ...] = ()
    paid: tuple[Paid, ...] = ()
    drawn: tuple[Drawn, ...] = ()
    act: Act | None = None  # of verb ACT, and only of it
    wallet: Wallet | None = None  # of WITHDRAW and GIVE_BACK, and only of them


IN_WALLETS = frozenset({Verb.WITHDRAW, Verb.GIVE_BACK})  # verbs that name an account on chain

# An id is shard (11 bits), group (36), place (16): increasing in each shard, gapless by group.
PLACE_BITS, GROUP_BITS = 16, 36
MOST_ENTRIES = 1 << PLACE_BITS  # of a group


def entry_id(group: int, place: int) -> int:
    """The id of the entry at `place` of a group (see `group_id`)."""
    assert 0 <= place < MOST_ENTRIES
    return group << PLACE_BITS | place


def group_id(shard: int, number: int) -> int:
    """The id of a shard's group, below 2^47: exact in JSON."""
    return shard << GROUP_BITS | number


def group_of(entry: int) -> int:
    """The group id within an entry's id."""
    return entry >> PLACE_BITS


def place_of(entry: int) -> int:
    """The place in its group within an entry's id."""
    return entry & ((1 << PLACE_BITS) - 1)


def id_number(name: str) -> int:
    """The number in a public id such as mbr_212c39a6e24cc68e; beyond a database column the largest, which nobody has."""
    number = int(name[4:], 16)
    return number if number < 2**63 else 2**63 - 1
