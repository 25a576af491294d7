"""Acts of the operator: they change no points and no money, but every rulebook that is published follows from one."""

from __future__ import annotations

from counterfoil.audit.rules.before import Before, expect, points_of, taken
from counterfoil.audit.shapes import Wrong
from counterfoil.core.accounts import OPERATOR
from counterfoil.core.acts import NOTHING, About
from counterfoil.core.entry import Entry, Place, Verb, group_of
from counterfoil.core.rulebook.adjustments import OPERATOR_TERMS
from counterfoil.core.rulebook.contracts import alone
from counterfoil.core.rulebook.merging import everything
from counterfoil.core.units import COALITION_CURRENCY


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
        books.unacted.discard(entry.refers_to)
    elif made.about in {About.MEMBER, About.LOOK_UP} and not entry.members:
        raise Wrong("it concerns a member and names none")


OPERATORS = {
    Verb.ADJUST,
    Verb.RULE,
    Verb.DEFAULT,
    Verb.DIVIDEND,
    Verb.EXIT,
    Verb.ERASE,
    Verb.MERGE,
}  # verbs that leave an act


class Unacted(Wrong):
    """A change of the rules, or an entry of the operator's, without its act."""

    check = "acts"


def adjust(entry: Entry, before: Before) -> None:
    """Points given as of an earn, or taken as of a burn, at the budget's owner; an act right behind says who did it."""
    if entry.moves:
        if entry.lots:
            raise Wrong("it gives and takes at once")
        expect(entry, taken(entry, before, points_of(entry), Place.BURNED), "burn order")
        return
    if len(entry.lots) != 1:
        raise Wrong("it makes more than one lot")
    terms = entry.lots[0].terms
    contract = OPERATOR_TERMS if entry.partner == OPERATOR else before.books.in_force(entry.partner, entry.at)
    if (terms.issuer, terms.earned_at, terms.currency) != (entry.partner, entry.at, COALITION_CURRENCY):
        raise Wrong("its lot is not of the budget's owner, made now, in the coalition's currency")
    if terms.available_at or terms.prepaid or terms.origin_entry or terms.origin_index:
        raise Wrong("its lot waits, is prepaid or continues another")
    if contract is not None and terms.funding != alone(contract, entry.partner):
        raise Wrong("its funding is not that of the budget's owner")


def merge(entry: Entry, before: Before) -> None:
    """All that the first member has, and nothing else: lots in burn order, debts oldest first."""
    moves, debts = everything(before.who)
    expect(entry, list(moves), "all that the member has")
    if entry.repaid != debts:
        raise Wrong("the debts it carries over are not all that the member has")
