"""Disputes: a burn's money waits in suspense until a ruling; denied, its points go back to their lots."""

from __future__ import annotations

from counterfoil.core.accounts import POOL, SUSPENSE, owner_of
from counterfoil.core.calendar import business_day_after, end_of_day, local_day
from counterfoil.core.entry import Entry, Paid, Verb
from counterfoil.core.holdings import Holdings
from counterfoil.core.journal import Journal
from counterfoil.core.rulebook.due import room, settle_up
from counterfoil.core.rulebook.refunds import burned, restored
from counterfoil.core.units import MONEY

BUSINESS_DAYS = 10


def window_ends(closed_at: int, zone: str) -> int:
    """The first instant too late: after the tenth Monday to Friday that follows the local day of close."""
    return end_of_day(business_day_after(local_day(closed_at, zone), BUSINESS_DAYS), zone)


def amount(burn: Entry) -> int:
    """What the partner was paid from the pool for a burn, micros."""
    paid = 0
    for one in burn.postings:
        if one.unit == MONEY and owner_of(one.debit) == POOL and owner_of(one.credit) == burn.partner:
            paid += one.amount
    return paid


def dispute(journal: Journal, who: Holdings, burn: Entry) -> Entry:
    """Its money moves to suspense."""
    paid = (Paid(burn.partner, SUSPENSE, amount(burn)),)
    return journal.post(Verb.DISPUTE, (who,), partner=burn.partner, refers_to=burn.id, paid=paid)


def rule(journal: Journal, who: Holdings, burn: Entry, zone: str, *, valid: bool) -> Entry:
    """The burn stands: the partner is paid again. It does not: the pool is, and the points go back with grace."""
    settle_up(journal, who)
    if valid:
        paid = (Paid(SUSPENSE, burn.partner, amount(burn)),)
        return journal.post(Verb.RULE, (who,), partner=burn.partner, refers_to=burn.id, paid=paid)
    used = burned(burn.moves)
    room(who, sum(move.points for move in used), who.terms_of(used[0].entry, used[0].index).currency)
    parts = [(move.entry, move.index, move.points) for move in reversed(used)]
    moves, lots = restored(who, parts, journal.now, zone)
    entry = journal.post(
        Verb.RULE,
        (who,),
        partner=burn.partner,
        refers_to=burn.id,
        value_micros=burn.value_micros,
        moves=moves,
        lots=lots,
    )
    settle_up(journal, who)
    return entry
