"""What time brings, at its instant: a lapsed hold is released, a past lot runs out, what became free repays debts.

"Past points and lapsed holds are unusable whether or not the job ran": every decision about a member first posts what
fell due, so the job only brings forward what the next operation would do, and running it twice does nothing.
"""

from __future__ import annotations

from itertools import groupby

from counterfoil.core.entry import Move, Place, Repaid, Verb
from counterfoil.core.errors import BalanceLimit
from counterfoil.core.holdings import Hold, Holdings, Lot, take
from counterfoil.core.journal import Journal
from counterfoil.core.units import MAX_POINTS


def settle_up(journal: Journal, who: Holdings) -> None:
    """Post what is due for a member up to `journal.now`, in time order (at one instant: holds, then lots)."""
    first = who.next_due()
    while first is not None and first <= journal.now:
        holds = [hold for hold in who.holds.values() if hold.state == "open" and hold.until <= journal.now]
        lots = [lot for lot in who.lots.values() if lot.available and lot.terms.expires_at <= journal.now]
        lapse = min(holds, key=lambda hold: (hold.until, hold.entry), default=None)
        end = min((lot.terms.expires_at for lot in lots), default=None)
        if lapse is not None and (end is None or lapse.until <= end):
            release(journal, who, lapse, occurred_at=lapse.until)
            _repay(journal, who, lapse.until)
        elif end is not None:
            _expire(journal, who, [lot for lot in lots if lot.terms.expires_at == end], end)
        first = who.next_due()
    if who.debts:
        _repay(journal, who, journal.now)


def room(who: Holdings, points: int) -> None:
    """Raises BalanceLimit if a member's outstanding points would leave the range JSON carries exactly."""
    outstanding = who.available + who.held
    if outstanding + points > MAX_POINTS:
        raise BalanceLimit(outstanding)


def release(journal: Journal, who: Holdings, hold: Hold, occurred_at: int) -> int:
    """Give back all of an open hold; what of it is past runs out right behind. Returns the entry's id."""
    moves = tuple(Move(e, i, Place.HELD, Place.AVAILABLE, points) for e, i, points in hold.parts)
    entry = journal.post(
        Verb.RELEASE, (who,), partner=hold.partner, refers_to=hold.entry, occurred_at=occurred_at, moves=moves
    )
    return entry.id


def _expire(journal: Journal, who: Holdings, lots: list[Lot], at: int) -> None:
    def funder(lot: Lot) -> int:
        return lot.terms.funder

    for partner, theirs in groupby(sorted(lots, key=lambda lot: (funder(lot), lot.burn_key())), key=funder):
        moves = [Move(lot.entry, lot.index, Place.AVAILABLE, Place.EXPIRED, lot.available) for lot in theirs]
        journal.post(Verb.EXPIRE, (who,), partner=partner, occurred_at=at, moves=tuple(moves))


def _repay(journal: Journal, who: Holdings, at: int) -> None:
    """Oldest debt first, from what is free at the instant: never a debt beside available points."""
    for name in sorted(key for key, debt in who.debts.items() if debt.left):
        debt = who.debts[name]
        moves = take(who.usable(at), debt.left, Place.AVAILABLE, Place.REPAID)
        if not moves:
            return
        paid = Repaid(*name, sum(move.points for move in moves))
        journal.post(
            Verb.REPAY, (who,), partner=debt.made.issuer, refers_to=name[0], occurred_at=at,
            moves=tuple(moves), repaid=(paid,),
        )  # fmt: skip
