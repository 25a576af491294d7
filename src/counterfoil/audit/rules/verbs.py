"""What a partner asks for: earn, burn, hold, capture, release, gift."""

from __future__ import annotations

from msgspec import structs

from counterfoil.audit.rules.before import Before, Parts, expect, points_of, require_value, taken
from counterfoil.audit.rules.packs import require_drawn
from counterfoil.audit.shapes import Wrong
from counterfoil.core.accounts import FIRST_PARTNER
from counterfoil.core.entry import Entry, LotMade, Move, Place
from counterfoil.core.holdings import Lot, take
from counterfoil.core.lots import LotTerms
from counterfoil.core.rulebook.contracts import Contract, alone, joint
from counterfoil.core.rulebook.verbs import MOST_LOTS
from counterfoil.core.units import COALITION_CURRENCY


def earn(entry: Entry, before: Before) -> None:
    """Lots for the base and for bonuses, at the terms of the moment of sale."""
    require_drawn(entry, before)
    if len(entry.lots) > MOST_LOTS:
        raise Wrong(f"an earn makes {len(entry.lots)} lots, at most {MOST_LOTS} are allowed")
    if len({(t.currency, t.expires_at, t.available_at) for t in map(_terms, entry.lots)}) > 1:
        raise Wrong("an earn makes a base and bonuses, alike but for their funding")
    for made in entry.lots:
        t = made.terms
        if t.issuer != entry.partner:
            raise Wrong(f"partner {entry.partner} makes points of issuer {t.issuer}")
        if t.origin_entry or t.origin_index:
            raise Wrong("an earned lot continues another")
        if t.earned_at != entry.occurred_at or 0 < t.available_at <= entry.at:
            raise Wrong("a lot is earned when it was sold, and pending until a later instant")
        if t.currency != COALITION_CURRENCY:
            if t.funding:
                raise Wrong("a brand's own currency has no funding")
        elif before.books.rules is not None:
            _require_funding(entry, t, before)


def _terms(made: LotMade) -> LotTerms:
    return made.terms


def _require_funding(entry: Entry, terms: LotTerms, before: Before) -> None:
    """A lot is funded by its issuer's contract alone, or by a promotion's parties, each by the contract it names."""
    assert before.books.rules is not None
    contracts: dict[int, Contract] = {}
    for part in terms.funds.parts:
        own = before.books.in_force(entry.partner, entry.occurred_at)
        known = own if part.party < FIRST_PARTNER else before.books.contracts.get((part.party, part.contract))
        if known is None:
            raise Wrong(f"version {part.contract} of partner {part.party}'s contract is in no rulebook")
        contracts[part.party] = known
    own_part = terms.funds.part(entry.partner)
    if own_part is not None and terms.funding == alone(contracts[entry.partner], entry.partner):
        return
    for shares in before.books.rules.promotions.values():
        if set(shares) == set(contracts) and terms.funding == joint(shares, contracts):
            return
    raise Wrong("its funding is neither that of its issuer's contract nor a promotion's")


def burn(entry: Entry, before: Before) -> None:
    require_value(entry, before)
    expect(entry, taken(entry, before, points_of(entry), Place.BURNED), "burn order")


def hold(entry: Entry, before: Before) -> None:
    if entry.until <= entry.at:
        raise Wrong("a hold that has lapsed when it is made")
    expect(entry, taken(entry, before, points_of(entry), Place.HELD), "burn order")


def capture(entry: Entry, before: Before) -> None:
    require_value(entry, before)
    parts = _held(entry, before)
    if entry.at >= before.who.holds[entry.refers_to].until:
        raise Wrong("it captures a hold that has lapsed")
    left = sum(move.points for move in entry.moves if move.target is Place.BURNED)
    if not left:
        raise Wrong("it captures nothing")
    expected = []
    for lot, index, points in parts:
        used = min(points, left)
        left -= used
        if used:
            expected.append(Move(lot, index, Place.HELD, Place.BURNED, used))
        if points > used:
            expected.append(Move(lot, index, Place.HELD, Place.AVAILABLE, points - used))
    expect(entry, expected, "the hold")


def release(entry: Entry, before: Before) -> None:
    parts = _held(entry, before)
    expect(entry, [Move(e, i, Place.HELD, Place.AVAILABLE, points) for e, i, points in parts], "the hold")


def _held(entry: Entry, before: Before) -> Parts:
    hold = before.who.holds.get(entry.refers_to)
    if hold is None or hold.cost_micros is not None:
        raise Wrong(f"this member has no open hold ent_{entry.refers_to:016x}: a hold ends once")
    if hold.partner != entry.partner:
        raise Wrong(f"the hold is partner {hold.partner}'s")
    return hold.parts


def transfer(entry: Entry, before: Before) -> None:
    first = before.who.lots[entry.moves[0].entry, entry.moves[0].index]
    lots = sorted(before.who.usable(entry.at, first.terms.currency), key=Lot.gift_key)
    expect(entry, take(lots, points_of(entry), Place.AVAILABLE, Place.GIFTED), "gift order")
    expected = tuple(
        LotMade(
            1,
            m.points,
            structs.replace(
                before.who.lots[m.entry, m.index].terms, available_at=0, origin_entry=0, origin_index=0, prepaid=0
            ),
        )
        for m in entry.moves
    )
    if entry.lots != expected:
        raise Wrong("the receiver's lots do not mirror what was given")
