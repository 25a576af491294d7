"""Own wallets: points leave for an account on chain and come back, from whoever has the tokens then.

In wallets they do not run out, and no money moves: the pool backs them as before. What comes back is first what the same
member withdrew, then what others did, each in burn order; what of it is past its last day is valid 30 more days.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from counterfoil.core.calendar import valid_until
from counterfoil.core.entry import Entry, LotMade, Move, Place, Verb
from counterfoil.core.holdings import Holdings, Lot
from counterfoil.core.journal import Journal
from counterfoil.core.rulebook.due import room, settle_up
from counterfoil.core.rulebook.refunds import GRACE_DAYS
from counterfoil.core.rulebook.verbs import from_lots
from counterfoil.core.units import COALITION_CURRENCY
from counterfoil.core.wallet import Wallet

Lent = Sequence[tuple[Holdings, Lot]]  # lots with points in wallets, each with the member that withdrew them


class Return(Struct, frozen=True):
    """Points that came back on chain, from an account and by an event of it."""

    points: int
    wallet: Wallet
    currency: int = COALITION_CURRENCY


def withdraw(
    journal: Journal, who: Holdings, points: int, wallet: Wallet, currency: int = COALITION_CURRENCY
) -> Entry:  # fmt: skip
    """Points go to an account, in burn order. Raises InsufficientPoints."""
    settle_up(journal, who)
    moves = from_lots(who.usable(journal.now, currency), points, Place.WITHDRAWN)
    return journal.post(Verb.WITHDRAW, (who,), partner=0, moves=moves, wallet=wallet)


def give_back(journal: Journal, who: Holdings, lent: Lent, back: Return, zone: str) -> Entry:
    """Points come back to the member who has the account; `lent`: what others withdrew, in burn order.

    There must be enough in wallets. Raises BalanceLimit.
    """
    settle_up(journal, who)
    entry = _given_back(journal, who, lent, back, zone)
    settle_up(journal, who)
    return entry


def redeem(
    journal: Journal, who: Holdings, lent: Lent, back: Return, zone: str, partner: int, value_micros: int = 0
) -> Entry:  # fmt: skip
    """Giving back and a burn in one: what came back is used before anything else, a debt included, can take it.

    The partner is paid as for a burn. Raises BalanceLimit.
    """
    settle_up(journal, who)
    given = _given_back(journal, who, lent, back, zone)
    entry = journal.post(
        Verb.REDEEM, (who,), partner=partner, refers_to=given.id, value_micros=value_micros, moves=used(given)
    )
    settle_up(journal, who)
    return entry


def used(given: Entry) -> tuple[Move, ...]:
    """The moves that use up what a giving back brought, in its order."""
    moves, made = [], iter(range(len(given.lots)))
    for move in given.moves:
        name = (move.entry, move.index) if move.target is Place.AVAILABLE else (given.id, next(made))
        moves.append(Move(*name, Place.AVAILABLE, Place.BURNED, move.points))
    return tuple(moves)


def _given_back(journal: Journal, who: Holdings, lent: Lent, back: Return, zone: str) -> Entry:
    room(who, back.points, back.currency)
    grace, moves, lots = valid_until(journal.now, GRACE_DAYS, zone), list[Move](), list[LotMade]()
    left = back.points
    for holder, lot in [*((who, one) for one in who.withdrawn(back.currency)), *lent]:
        part = min(left, lot.withdrawn)
        if not part:
            continue
        left -= part
        past, target = lot.terms.expires_at <= journal.now, Place.AVAILABLE
        if holder is not who:
            target, who.lent[lot.entry, lot.index] = Place.GIFTED, holder
            terms = structs.replace(lot.terms.given(), expires_at=grace) if past else lot.terms.given()
            lots.append(LotMade(0, part, terms))
        elif past:
            target = Place.RENEWED
            lots.append(LotMade(0, part, lot.terms.renewed(grace, lot.origin)))
        moves.append(Move(lot.entry, lot.index, Place.WITHDRAWN, target, part))
    assert not left
    entry = journal.post(Verb.GIVE_BACK, (who,), partner=0, moves=tuple(moves), lots=tuple(lots), wallet=back.wallet)
    who.lent = {}
    return entry
