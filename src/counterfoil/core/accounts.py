"""Accounts: who stands on either side of a posting.

An account is one 64-bit word: its kind in the top byte, its owner below: a party's number (with the
partner it is kept for above it), or the place of a member among the entry's members (an entry never names a member
otherwise). What wallets on chain hold is one account, nobody's.

Debit and credit: money debits who pays and credits who receives. Points credit what a member may
use (the coalition's liability) and debit the issuer that made them.
"""

from __future__ import annotations

from enum import IntEnum

POOL, OPERATOR, RESERVE, SUSPENSE, REWARD_ESCROW, PREFUNDING = range(1, 7)
FIRST_PARTNER, LAST_PARTY = 16, 2**16 - 1
RESERVED = {POOL: "pool", OPERATOR: "operator", RESERVE: "reserve", SUSPENSE: "suspense",
            REWARD_ESCROW: "reward_escrow", PREFUNDING: "prefund"}  # fmt: skip


class Kind(IntEnum):
    """What an account holds; the owner of a member's is its place in the entry."""

    PARTY = 1  # money of a partner or a reserved party
    ISSUED = 2  # points a party has made, less those taken back
    BURNED = 3  # points used at a party, less those given back
    EXPIRED = 4  # points that ran out, by issuer
    AVAILABLE = 5
    HELD = 6
    DEBT = 7
    PENDING = 8
    WALLETS = 9  # points withdrawn and not given back; owner 0


MEMBER_KINDS = frozenset({Kind.AVAILABLE, Kind.HELD, Kind.DEBT, Kind.PENDING})
_OWNER = (1 << 56) - 1
_SHORT = 16
_PARTY = Kind.PARTY << 56


def account(kind: Kind, owner: int) -> int:
    """The account word of `kind` and `owner`."""
    return kind << 56 | owner


def kept_for(reserved: int, partner: int) -> int:
    """The owner word of what a reserved party keeps for one partner: its prefunding, its exit reserve."""
    return partner << _SHORT | reserved


def estate(partner: int) -> int:
    """The owner word of an insolvent partner's estate, beside its own."""
    return partner << _SHORT


def settled_by(owner: int) -> int:
    """The party in whose word on chain an owner's money stands."""
    return owner & (1 << _SHORT) - 1 or owner >> _SHORT


def party(number: int) -> int:
    """The money account of a party."""
    return _PARTY | number


def kind_of(word: int) -> Kind:
    """The kind of an account word; ValueError if it is none."""
    return Kind(word >> 56)


def owner_of(word: int) -> int:
    """A party's number, or a member's place, by kind."""
    return word & _OWNER
