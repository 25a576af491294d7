"""What must stand right behind an entry: entries of the other partners whose money it moves."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import structs

from counterfoil.audit.rules import Before
from counterfoil.audit.shapes import Wrong
from counterfoil.core import reserves
from counterfoil.core.entry import Entry, Move, Paid, Posting, Verb
from counterfoil.core.holdings import Holdings
from counterfoil.core.legs import others, postings


@dataclass(frozen=True, slots=True)
class Funded:
    """A funder's entry as it must be."""

    entry: int
    handle: int
    partner: int
    moves: tuple[Move, ...]
    postings: tuple[Posting, ...]


@dataclass(slots=True)
class Behind:
    """Entries that are due, in their order."""

    _due: list[Funded] = field(default_factory=list)

    def expect(self, entry: Entry, handle: int, who: Holdings, before: Before) -> None:
        """Work out the entries of other partners that must stand right behind this one: funders, then those it pays."""
        if entry.verb is Verb.MERGE:  # whose points they are is nothing to who funds them
            return
        for funder, moves in others(entry, who.terms_of):
            self._add(entry, handle, who, before, funder, moves, ())
        for partner, paid in before.others:
            self._add(entry, handle, who, before, partner, (), paid)
        if entry.lots or entry.moves:
            for partner, reserve in before.books.reserves.items():
                reserve.points += reserves.outstanding_change(entry, partner, who.terms_of)
                rest = reserves.last_point(partner, reserve)
                if rest:
                    self._add(entry, handle, who, before, partner, (), rest)

    def _add(
        self, entry: Entry, handle: int, who: Holdings, before: Before, partner: int, moves: tuple[Move, ...],
        paid: tuple[Paid, ...],
    ) -> None:  # fmt: skip
        """One entry more must follow; of a partner that left its reserve takes a part."""
        plain = structs.replace(
            entry, verb=Verb.FUND, partner=partner, moves=moves, lots=(), debts=(), repaid=(), paid=(), drawn=()
        )
        reserve = before.books.reserves.get(partner)
        if reserve is not None:
            paid += reserves.drawn(partner, reserve, moves, postings(plain, who.terms_of, who.debt_of))
            reserves.change(reserve, partner, paid)
        whole = postings(structs.replace(plain, paid=paid), who.terms_of, who.debt_of)
        self._due.append(Funded(entry.id, handle, partner, moves, whole))

    def take(self, entry: Entry, handle: int) -> None:
        """The next entry of another partner; raises Wrong unless it is the one that is due."""
        if not self._due:
            raise Wrong("no entry before it makes this partner pay or receive")
        due = self._due.pop(0)
        if Funded(entry.refers_to, handle, entry.partner, entry.moves, entry.postings) != due:
            raise Wrong(f"it is not what ent_{due.entry:016x} makes partner {due.partner} pay or receive")

    def require_none(self) -> None:
        """Raises Wrong if an entry that is due does not follow."""
        if self._due:
            due = self._due[0]
            raise Wrong(
                f"what ent_{due.entry:016x} makes partner {due.partner} pay or receive does not follow", due.entry
            )
