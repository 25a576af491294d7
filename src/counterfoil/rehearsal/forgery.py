"""The forgery: on a copy of the sealed export, 100 points are taken from one member as well as a forger can."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from counterfoil.core.encoding import decode, encode
from counterfoil.core.entry import DebtMade, Entry, Verb
from counterfoil.core.errors import Unreadable
from counterfoil.core.files import (
    pack_entry,
    pack_liabilities,
    unpack_entries,
    unpack_handles,
    unpack_leaf_handles,
    unpack_liabilities,
)
from counterfoil.core.legs import postings
from counterfoil.core.units import COALITION_CURRENCY

POINTS = 100


@dataclass(frozen=True, slots=True)
class Forged:
    """What was forged: the entry's id, and the settlement it stands in."""

    entry: int
    settlement: int


def forge(sealed: Path, copy: Path) -> Forged:
    """Copy a sealed export and take POINTS from a member's newest large earn: lot, postings and liability all agree.

    Only the log, which everybody has, cannot be made to agree. Raises Unreadable if no earn is large enough.
    """
    shutil.copytree(sealed, copy)
    for folder in sorted((copy / "settlements").iterdir(), reverse=True):
        bodies = list(unpack_entries((folder / "entries").read_bytes()))
        handles = unpack_handles((folder / "handles").read_bytes())
        depth, leaves = unpack_liabilities((folder / "liabilities").read_bytes())[COALITION_CURRENCY]
        owed = dict(zip(unpack_leaf_handles((folder / "liability_handles").read_bytes()), leaves, strict=True))
        for place in reversed(range(len(bodies))):
            entry = decode(bodies[place])
            leaf = owed.get(handles[place][0])
            if entry.verb is Verb.EARN and entry.lots[0].points > POINTS and leaf and leaf.balance > POINTS:
                bodies[place] = encode(_less(entry))
                (folder / "entries").write_bytes(b"".join(map(pack_entry, bodies)))
                less = [replace(one, balance=one.balance - POINTS) if one == leaf else one for one in leaves]
                (folder / "liabilities").write_bytes(pack_liabilities(COALITION_CURRENCY, depth, less))
                return Forged(entry.id, int(folder.name))
    raise Unreadable(str(sealed), f"holds no earn of more than {POINTS} points")


def _less(entry: Entry) -> Entry:
    made = structs.replace(entry.lots[0], points=entry.lots[0].points - POINTS)
    less = structs.replace(entry, lots=(made,), postings=())
    return structs.replace(less, postings=postings(less, lambda _e, _i: made.terms, _no_debt))


def _no_debt(_entry: int, _index: int) -> DebtMade:
    raise AssertionError("an earn repays nothing")
