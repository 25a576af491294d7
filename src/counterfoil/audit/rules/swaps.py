"""Exchange between currencies, by a published rate."""

from __future__ import annotations

from counterfoil.audit.published import Rules
from counterfoil.audit.rules.before import Before, expect, points_of, require_value, taken
from counterfoil.audit.shapes import Wrong
from counterfoil.core.accounts import OPERATOR, POOL
from counterfoil.core.entry import Entry, Paid, Place
from counterfoil.core.exchange import Edge
from counterfoil.core.rulebook.contracts import alone
from counterfoil.core.units import COALITION_CURRENCY


def exchange(entry: Entry, before: Before) -> None:
    """Points taken in burn order at a rate once published; the lot given is new; brands settle the price."""
    points = points_of(entry)
    expect(entry, taken(entry, before, points, Place.BURNED), "burn order")
    src = before.who.lots[entry.moves[0].entry, entry.moves[0].index].terms.currency
    if len(entry.lots) != 1 or entry.lots[0].terms.currency == src:
        raise Wrong("an exchange gives one lot of another currency")
    made = entry.lots[0]
    dst, t = made.terms.currency, made.terms
    if t.earned_at != entry.at or t.available_at or t.origin_entry or t.origin_index:
        raise Wrong("the lot given is not new")
    rules = before.books.rules
    if rules is None:
        return
    issuers = {src: rules.issuers.get(src, 0), dst: rules.issuers.get(dst, 0)}
    payer = issuers[src] or issuers[dst]
    if entry.partner != payer or t.issuer != (issuers[dst] or payer):
        raise Wrong("it is not between the brands whose currencies these are")
    if COALITION_CURRENCY in issuers:
        _coalition(entry, before, dst)
        return
    edge = next((one for one in _edges(rules, src, dst) if one.swap(points) == (points, made.points)
                 and entry.paid == _paid(one, payer, made.points)), None)  # fmt: skip
    if edge is None:
        raise Wrong(f"no rate ever published gives {made.points} for {points} at that price")
    price, _fee = edge.price(made.points)
    if price:
        before.others.append((t.issuer, (Paid(POOL, t.issuer, price),)))


def _coalition(entry: Entry, before: Before, dst: int) -> None:
    """Into the coalition's currency: an earn funded by that brand; out of it: a burn there."""
    rules, made, points = before.books.rules, entry.lots[0], points_of(entry)
    assert rules is not None
    src = before.who.lots[entry.moves[0].entry, entry.moves[0].index].terms.currency
    if entry.paid or not any(one.swap(points) == (points, made.points) for one in _edges(rules, src, dst)):
        raise Wrong(f"no rate ever published gives {made.points} for {points}")
    contract = rules.in_force(entry.partner, entry.at)
    if dst != COALITION_CURRENCY:
        require_value(entry, before)
        if made.terms.funding:
            raise Wrong("a brand's own currency has no funding")
    elif contract is not None and made.terms.funding != alone(contract, entry.partner):
        raise Wrong("its funding is not that of the brand's contract")


def _edges(rules: Rules, src: int, dst: int) -> list[Edge]:
    names = rules.currencies.get(src), rules.currencies.get(dst)
    return [one for one in rules.edges if (one.src, one.dst) == names]


def _paid(edge: Edge, payer: int, given: int) -> tuple[Paid, ...]:
    price, fee = edge.price(given)
    paid = (Paid(payer, POOL, price), Paid(payer, OPERATOR, fee))
    return tuple(one for one in paid if one.micros)
