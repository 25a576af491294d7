"""Journal: a group in the making. It numbers entries, commits to members, books the legs and folds them at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct, structs

from counterfoil.core import reserves
from counterfoil.core.acts import Act
from counterfoil.core.encoding import commitment, encode, entry_hash
from counterfoil.core.entry import MOST_ENTRIES, DebtMade, Drawn, Entry, LotMade, Move, Paid, Repaid, Verb, entry_id
from counterfoil.core.holdings import Holdings
from counterfoil.core.legs import others, postings
from counterfoil.core.reserves import Reserve
from counterfoil.core.wallet import Wallet

Parts = tuple[
    tuple[LotMade, ...], tuple[Move, ...], tuple[DebtMade, ...], tuple[Repaid, ...], tuple[Paid, ...], tuple[Drawn, ...],
    Act | None, Wallet | None,
]  # fmt: skip
NOBODY = Holdings(0)


class GroupFull(Exception):
    """A group has no place for another entry: what is to be posted must be parted."""


class Written(Struct, frozen=True, gc=False):
    """An entry with its bytes and the numbers of the members in it (which the bytes do not tell).

    `lenders`: members who withdrew what somebody else gives back; the entry names their lots and not them.
    """

    entry: Entry
    body: bytes
    hash: bytes
    members: tuple[int, ...]
    lenders: tuple[int, ...] = ()


@dataclass(slots=True)
class Journal:
    """The entries of one commit in one shard, in order. `now` is the posting instant of all of them."""

    programme: bytes
    group: int
    now: int
    written: list[Written] = field(default_factory=list)
    reserves: dict[int, Reserve] = field(default_factory=dict)  # of partners that left

    def post(  # noqa: PLR0913 an entry has that many parts
        self,
        verb: Verb,
        holders: tuple[Holdings, ...],
        *,
        partner: int,
        refers_to: int = 0,
        until: int = 0,
        value_micros: int = 0,
        occurred_at: int | None = None,
        lots: tuple[LotMade, ...] = (),
        moves: tuple[Move, ...] = (),
        debts: tuple[DebtMade, ...] = (),
        repaid: tuple[Repaid, ...] = (),
        paid: tuple[Paid, ...] = (),
        drawn: tuple[Drawn, ...] = (),
        act: Act | None = None,
        wallet: Wallet | None = None,
    ) -> Entry:
        """Write one entry; the first holder's lots move, the second (of a gift) receives. Raises GroupFull.

        Right behind it stands an entry for each other funder whose money its moves move.
        """
        parts = (lots, moves, debts, repaid, paid, drawn, act, wallet)
        entry = self._write(verb, holders, partner, refers_to, until, value_micros, occurred_at, parts)
        if (lots or moves) and verb is not Verb.MERGE:
            for funder, theirs in others(entry, holders[0].terms_of):
                self._fund(entry, holders[:1], funder, theirs)
            for gone, reserve in self.reserves.items():
                reserve.points += reserves.outstanding_change(entry, gone, holders[0].terms_of)
                rest = reserves.last_point(gone, reserve)
                if rest:
                    self._fund(entry, holders[:1], gone, (), rest)
        return entry

    def _fund(
        self,
        entry: Entry,
        holders: tuple[Holdings, ...],
        partner: int,
        moves: tuple[Move, ...],
        paid: tuple[Paid, ...] = (),
    ) -> None:
        """What an entry makes another partner pay or receive; of one that left its reserve takes a part."""
        reserve = self.reserves.get(partner)
        if reserve is not None:
            draft = structs.replace(
                entry, verb=Verb.FUND, partner=partner, moves=moves, lots=(), debts=(), repaid=(), paid=()
            )
            paid += reserves.drawn(partner, reserve, moves, postings(draft, holders[0].terms_of, holders[0].debt_of))
            reserves.change(reserve, partner, paid)
        self._write(
            Verb.FUND, holders, partner, entry.id, 0, 0, entry.occurred_at, ((), moves, (), (), paid, (), None, None)
        )

    def _write(
        self,
        verb: Verb,
        holders: tuple[Holdings, ...],
        partner: int,
        refers_to: int,
        until: int,
        value_micros: int,
        occurred_at: int | None,
        parts: Parts,
    ) -> Entry:
        if len(self.written) >= MOST_ENTRIES:
            raise GroupFull
        first, number = holders[0] if holders else NOBODY, entry_id(self.group, len(self.written))
        members = tuple([commitment(who.member, who.secret, number) for who in holders])
        at = self.now if occurred_at is None else occurred_at
        head = (number, verb, self.now, at, partner, refers_to, until, value_micros, members)
        entry = Entry(*head, postings(Entry(*head, (), *parts), first.terms_of, first.debt_of), *parts)
        for place, who in enumerate(holders):
            who.apply(entry, place)
        if verb is Verb.MERGE:
            holders[1].absorb(first)
        body = encode(entry)
        hashed = entry_hash(self.programme, body)
        lenders = tuple({one.member for one in first.lent.values()}) if first.lent else ()
        self.written.append(Written(entry, body, hashed, tuple([who.member for who in holders]), lenders))
        return entry
