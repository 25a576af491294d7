"""Journal: a group in the making. It numbers entries, commits to members, books the legs and folds them at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct

from counterfoil.core.encoding import commitment, encode, entry_hash
from counterfoil.core.entry import MOST_ENTRIES, DebtMade, Entry, LotMade, Move, Repaid, Verb, entry_id
from counterfoil.core.holdings import Holdings
from counterfoil.core.legs import postings


class GroupFull(Exception):
    """A group has no place for another entry: what is to be posted must be parted."""


class Written(Struct, frozen=True, gc=False):
    """An entry with its bytes and the numbers of the members in it (which the bytes do not tell)."""

    entry: Entry
    body: bytes
    hash: bytes
    members: tuple[int, ...]


@dataclass(slots=True)
class Journal:
    """The entries of one commit in one shard, in order. `now` is the posting instant of all of them."""

    programme: bytes
    group: int
    now: int
    written: list[Written] = field(default_factory=list)

    def post(  # noqa: PLR0913 an entry has that many parts
        self,
        verb: Verb,
        holders: tuple[Holdings, ...],
        *,
        partner: int,
        refers_to: int = 0,
        until: int = 0,
        occurred_at: int | None = None,
        lots: tuple[LotMade, ...] = (),
        moves: tuple[Move, ...] = (),
        debts: tuple[DebtMade, ...] = (),
        repaid: tuple[Repaid, ...] = (),
    ) -> Entry:
        """Write one entry; the first holder's lots move, the second (of a gift) receives. Raises GroupFull."""
        if len(self.written) >= MOST_ENTRIES:
            raise GroupFull
        first, number = holders[0], entry_id(self.group, len(self.written))
        members = tuple([commitment(who.member, who.secret, number) for who in holders])
        at = self.now if occurred_at is None else occurred_at
        head = (number, verb, self.now, at, partner, refers_to, until, members)
        parts = (lots, moves, debts, repaid)
        entry = Entry(*head, postings(Entry(*head, (), *parts), first.terms_of, first.debt_of), *parts)
        for place, who in enumerate(holders):
            who.apply(entry, place)
        body = encode(entry)
        hashed = entry_hash(self.programme, body)
        self.written.append(Written(entry, body, hashed, tuple([who.member for who in holders])))
        return entry
