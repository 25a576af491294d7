"""Acts: what the operator's people (or the gateway for them) did to rules, partners and members, as part of an entry.

Reasons and what exactly changed are told beside the entry and can be erased; the entry has their hashes.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum

from msgspec import Struct

from counterfoil.core.errors import Unreadable

ACT_BYTES = 15 * 8
NOTHING = bytes(32)
_REASON_TAG, _STATE_TAG = (
    name.encode().ljust(32, b"\0") for name in ("counterfoil.act.reason.v1", "counterfoil.act.v1")
)


class About(IntEnum):
    """What an act concerns. Numbers are part of the bytes and never reused."""

    RULEBOOK = 1  # before and after are SHA-256 of the published rulebook
    PARTNER = 2
    MEMBER = 3
    POSTED = 4  # the entry it refers to: after is that entry's hash
    BUDGET = 5
    KEY = 6
    LOOK_UP = 7
    APPROVAL = 8


class Role(IntEnum):
    """In which role somebody acted."""

    GATEWAY = 1  # nobody: a job that found it due
    OPERATOR = 2
    APPROVER = 3  # the second one that an act needed
    PARTNER = 4


class Act(Struct, frozen=True, gc=False):
    """`actor` stands for a credential; the hashes have 32 bytes each."""

    about: About
    actor: int
    role: Role
    reason: bytes
    before: bytes
    after: bytes


def pack_act(act: Act) -> bytes:
    """15 w64 words: about, actor, role, then the three hashes."""
    words = (act.about, act.actor, act.role)
    return b"".join(one.to_bytes(8, "big") for one in words) + act.reason + act.before + act.after


def unpack_act(packed: bytes) -> Act:
    """What `pack_act` packed; raises Unreadable."""
    if len(packed) != ACT_BYTES:
        raise Unreadable("entry", f"an act of {len(packed)} bytes")
    about, actor, role = (int.from_bytes(packed[i : i + 8], "big") for i in (0, 8, 16))
    return Act(About(about), actor, Role(role), packed[24:56], packed[56:88], packed[88:120])


def actor_of(prefix: str) -> int:
    """The number of a credential: the first eight bytes of SHA-256 of the prefix that may be shown."""
    return int.from_bytes(hashlib.sha256(prefix.encode()).digest()[:8], "big")


def reason_hash(salt: bytes, text: str) -> bytes:
    """What stands for a reason: void once its salt is erased."""
    return hashlib.sha256(_REASON_TAG + salt + text.encode()).digest()


def state_hash(salt: bytes, text: str | None) -> bytes:
    """What stands for a state before or after an act, as its text; of none the zero hash."""
    return NOTHING if text is None else hashlib.sha256(_STATE_TAG + salt + text.encode()).digest()
