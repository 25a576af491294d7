"""Exchange: points of one currency for points of another, by a rate both sides have published."""

from __future__ import annotations

from msgspec import Struct

from counterfoil.core.accounts import OPERATOR, POOL
from counterfoil.core.entry import Entry, LotMade, Paid, Place, Verb
from counterfoil.core.holdings import Holdings, take
from counterfoil.core.journal import Journal
from counterfoil.core.limits import IncrementViolation, InsufficientPoints
from counterfoil.core.lots import LotTerms
from counterfoil.core.rulebook.due import room, settle_up
from counterfoil.core.rulebook.verbs import Agree


class Swap(Struct, frozen=True):
    """What is swapped: `offered` points of `src`, of which `taken` give `given` of the lot's currency.

    `partner` is the brand whose entry it is; `receiver` the brand that issues what is given, if it is another one: it is
    paid `price_micros`, and the operator the fee.
    """

    src: int
    offered: int
    taken: int
    given: int
    terms: LotTerms
    partner: int
    receiver: int = 0
    price_micros: int = 0
    fee_micros: int = 0
    value_micros: int = 0


def exchange(journal: Journal, who: Holdings, swap: Swap, agree: Agree | None = None) -> Entry:
    """Consume lots in burn order and make a new one. Raises InsufficientPoints, IncrementViolation, BalanceLimit."""
    settle_up(journal, who)
    free = who.free(swap.src)
    if swap.offered > free:
        raise InsufficientPoints(swap.offered, free)
    if not swap.given:
        raise IncrementViolation(swap.offered)
    room(who, swap.given, swap.terms.currency)
    moves = tuple(take(who.usable(journal.now, swap.src), swap.taken, Place.AVAILABLE, Place.BURNED))
    if agree is not None:
        agree(moves)
    paid = []
    if swap.receiver:  # through the pool, which keeps nothing: so each brand's own entries give its position
        paid += [Paid(swap.partner, POOL, swap.price_micros), Paid(swap.partner, OPERATOR, swap.fee_micros)]
    entry = journal.post(
        Verb.EXCHANGE, (who,), partner=swap.partner, value_micros=swap.value_micros,
        lots=(LotMade(0, swap.given, swap.terms),), moves=moves, paid=tuple(one for one in paid if one.micros),
    )  # fmt: skip
    if swap.receiver and swap.price_micros:
        received = (Paid(POOL, swap.receiver, swap.price_micros),)
        journal.post(Verb.FUND, (who,), partner=swap.receiver, refers_to=entry.id, paid=received)
    settle_up(journal, who)
    return entry
