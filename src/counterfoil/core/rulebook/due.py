"""What time brings, at its instant: pending points become available, a lapsed hold is released, a past lot runs out, and
what became free repays debts.

"Past points and lapsed holds are unusable whether or not the job ran": every decision about a member first posts what
fell due, so the job only brings forward what the next operation would do, and running it twice does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from counterfoil.core.entry import Move, Place, Repaid, Verb
from counterfoil.core.holdings import Hold, Holdings, Lot, take
from counterfoil.core.journal import Journal
from counterfoil.core.limits import BalanceLimit
from counterfoil.core.units import COALITION_CURRENCY, MAX_POINTS


def settle_up(journal: Journal, who: Holdings) -> None:
    """Post what is due for a member up to `journal.now`, in time order; at one instant activations, holds, rewards, lots."""
    first = who.next_due()
    while first is not None and first <= journal.now:
        pending = [lot for lot in who.lots.values() if lot.pending and lot.terms.available_at == first]
        ended = [hold for hold in who.holds.values() if hold.state == "open" and hold.until == first]
        lapsed = [hold for hold in ended if hold.cost_micros is None]
        if pending:
            _activate(journal, who, pending, first)
            _repay(journal, who, first)
        elif lapsed:
            release(journal, who, min(lapsed, key=lambda hold: hold.entry), occurred_at=first)
            _repay(journal, who, first)
        elif ended:
            _expire_reward(journal, who, min(ended, key=lambda hold: hold.entry), first)
        else:
            past = [lot for lot in who.lots.values() if lot.available and lot.terms.expires_at == first]
            _expire(journal, who, past, first)
        first = who.next_due()
    if who.debts:
        _repay(journal, who, journal.now)


def room(who: Holdings, points: int, currency: int = COALITION_CURRENCY) -> None:
    """Raises BalanceLimit if a member's points of a currency would leave the range JSON carries exactly."""
    if currency == COALITION_CURRENCY:
        outstanding = who.available + who.held + sum([lot.pending for lot in who.lots.values() if lot.pending])
    else:
        sums = who.sums(currency)
        outstanding = sums.available + sums.held + sums.pending
    if outstanding + points > MAX_POINTS:
        raise BalanceLimit(outstanding)


def release(journal: Journal, who: Holdings, hold: Hold, occurred_at: int) -> int:
    """Give back all of an open hold; what of it is past runs out right behind. Returns the entry's id."""
    moves = tuple(Move(e, i, Place.HELD, Place.AVAILABLE, points) for e, i, points in hold.parts)
    entry = journal.post(
        Verb.RELEASE, (who,), partner=hold.partner, refers_to=hold.entry, occurred_at=occurred_at, moves=moves
    )
    return entry.id


def _activate(journal: Journal, who: Holdings, lots: list[Lot], at: int) -> None:
    for issuer, theirs in _by_issuer(lots):
        moves = [Move(lot.entry, lot.index, Place.PENDING, Place.AVAILABLE, lot.pending) for lot in theirs]
        journal.post(Verb.ACTIVATE, (who,), partner=issuer, occurred_at=at, moves=tuple(moves))


def _expire(journal: Journal, who: Holdings, lots: list[Lot], at: int) -> None:
    for issuer, theirs in _by_issuer(lots):
        moves = [Move(lot.entry, lot.index, Place.AVAILABLE, Place.EXPIRED, lot.available) for lot in theirs]
        journal.post(Verb.EXPIRE, (who,), partner=issuer, occurred_at=at, moves=tuple(moves))


def _expire_reward(journal: Journal, who: Holdings, voucher: Hold, at: int) -> None:
    moves = tuple(Move(e, i, Place.BURNED, Place.EXPIRED, points) for e, i, points in voucher.parts)
    journal.post(
        Verb.EXPIRE_REWARD, (who,), partner=voucher.partner, refers_to=voucher.entry, occurred_at=at, moves=moves
    )


def _by_issuer(lots: list[Lot]) -> Iterator[tuple[int, list[Lot]]]:
    def issuer(lot: Lot) -> int:
        return lot.terms.issuer

    for number, theirs in groupby(sorted(lots, key=lambda lot: (issuer(lot), lot.burn_key())), key=issuer):
        yield number, list(theirs)


def _repay(journal: Journal, who: Holdings, at: int) -> None:
    """Oldest debt first, from what is free at the instant: never a debt beside available points."""
    for name in sorted(key for key, debt in who.debts.items() if debt.left):
        debt = who.debts[name]
        moves = take(who.usable(at, debt.made.currency), debt.left, Place.AVAILABLE, Place.REPAID)
        if not moves:
            continue
        paid = Repaid(*name, sum(move.points for move in moves))
        journal.post(
            Verb.REPAY, (who,), partner=debt.made.issuer, refers_to=name[0], occurred_at=at,
            moves=tuple(moves), repaid=(paid,),
        )  # fmt: skip
