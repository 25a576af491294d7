"""Acts of the operator: they change no points and no money, but every rulebook that is published follows from one."""

from __future__ import annotations

from counterfoil.audit.rules.before import Before
from counterfoil.audit.shapes import Wrong
from counterfoil.core.acts import NOTHING, About
from counterfoil.core.entry import Entry, group_of


def act(entry: Entry, before: Before) -> None:
    """It changes the rulebook as it stood, or stands in the group of what it speaks of, with that entry's hash."""
    made, books = entry.act, before.books
    assert made is not None
    if made.about is About.RULEBOOK:
        if books.rulebook not in {None, made.before}:
            raise Unacted("the rulebook was changed without an act before this one")
        books.rulebook = made.after
    elif made.about is About.POSTED:
        if group_of(entry.refers_to) != group_of(entry.id) or books.hashes.get(entry.refers_to) != made.after:
            raise Wrong("it speaks of an entry that is not the one in its group")
        if made.before != NOTHING:
            raise Wrong("what an entry changes stands in that entry")
    elif made.about in {About.MEMBER, About.LOOK_UP} and not entry.members:
        raise Wrong("it concerns a member and names none")


class Unacted(Wrong):
    """A change of the rules without its act."""

    check = "acts"
