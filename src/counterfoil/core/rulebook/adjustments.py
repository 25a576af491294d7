"""Adjustments: points given without a sale, or taken without a use, at the cost of the party whose budget it is."""

from __future__ import annotations

from counterfoil.core.entry import Entry, LotMade, Place, Verb
from counterfoil.core.holdings import Holdings
from counterfoil.core.journal import Journal
from counterfoil.core.lots import LotTerms
from counterfoil.core.rulebook.contracts import Contract, alone
from counterfoil.core.rulebook.due import room, settle_up
from counterfoil.core.rulebook.verbs import from_lots
from counterfoil.core.units import COALITION_CURRENCY

OPERATOR_TERMS = Contract(0, fee_micros=0)  # of points that the operator gives: the default face, and no fee to itself


def give(journal: Journal, who: Holdings, owner: int, contract: Contract, points: int, expires_at: int) -> Entry:
    """A lot as of an earn at the owner of the budget, which funds it alone. Raises BalanceLimit."""
    settle_up(journal, who)
    room(who, points)
    terms = LotTerms(COALITION_CURRENCY, owner, journal.now, expires_at, 0, alone(contract, owner))
    entry = journal.post(Verb.ADJUST, (who,), partner=owner, lots=(LotMade(0, points, terms),))
    settle_up(journal, who)
    return entry


def take_back(journal: Journal, who: Holdings, owner: int, points: int) -> Entry:
    """Points used in burn order as at the owner of the budget, which gets their face. Raises InsufficientPoints."""
    settle_up(journal, who)
    moves = from_lots(who.usable(journal.now), points, Place.BURNED)
    return journal.post(Verb.ADJUST, (who,), partner=owner, moves=moves)
