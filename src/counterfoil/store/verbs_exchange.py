"""Exchange: rates published, quotes given, points swapped."""

from __future__ import annotations

from counterfoil.core.calendar import LAST_INSTANT, local_day, text_instant
from counterfoil.core.entry import Entry
from counterfoil.core.errors import InvalidRequest, UnknownQuote, UnknownRate
from counterfoil.core.exchange import Edge, arbitrage
from counterfoil.core.holdings import Holdings
from counterfoil.core.limits import IncrementViolation, VelocityLimit
from counterfoil.core.lots import LotTerms
from counterfoil.core.operation import Operation
from counterfoil.core.refusals import QuoteExpired, QuoteUsed, RateCycleArbitrage
from counterfoil.core.rulebook import swaps
from counterfoil.core.rulebook.contracts import alone
from counterfoil.core.units import COALITION_CURRENCY
from counterfoil.store.budgets import above_face
from counterfoil.store.desk import Desk, currency_number
from counterfoil.store.kinds import Quote, Rates, Velocity

Facts = dict[str, object]


def publish_rates(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """A new rate table, in force from an instant that was announced; the first one from now on.

    Raises UnknownCurrency, RateCycleArbitrage, InvalidRequest.
    """
    edges = [Edge(**edge) for edge in op.asked["edges"]]
    for edge in edges:
        currency_number(desk, edge.src, "edges"), currency_number(desk, edge.dst, "edges")
    found = arbitrage(edges)
    if found is not None:
        cycle, product = found
        raise RateCycleArbitrage(cycle, str(product), str(product - 1))
    rates = desk.records.find(Rates, "") or Rates([])
    earliest = desk.journal.now + (desk.programme.notice_micros if rates.tables else 0)
    since = int(op.asked.get("since") or 0) or earliest
    if since < earliest:
        raise InvalidRequest("since", f"must be {text_instant(earliest)} or later: changes are announced")
    held = [table for table in rates.tables if table[0] < since]
    made = Rates([*held, (since, edges)])
    desk.was = desk.records.put("", made)
    desk.revise(rates=made)
    return None, {"since": text_instant(since), "edges": len(edges)}


def quote(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """Fix a ratio for a member for a time. Raises UnknownRate, IncrementViolation."""
    who = desk.spender(op.member)
    edge = _edge(desk, op.asked["src"], op.asked["dst"])
    taken, given = edge.swap(op.points)
    if not given:
        raise IncrementViolation(op.points)
    until = min(desk.journal.now + op.ttl_seconds * 1_000_000, LAST_INSTANT)
    name = f"{op.partner}:{op.external_id}"
    desk.records.keep(name, Quote(who.member, edge, op.points, until))
    desk.take(op.effect, 0)
    return None, {
        "points": op.points,
        "taken": taken,
        "kept": op.points - taken,
        "given": given,
        "expires_at": text_instant(until),
    }


def exchange(desk: Desk, op: Operation) -> tuple[Entry, Facts]:
    """Swap by a quote, or by the rate in force."""
    who = desk.spender(op.member) if op.member else None
    name, kept = str(op.asked.get("quote") or ""), None
    if name:
        kept = desk.records.find(Quote, f"{op.partner}:{name}")
        if kept is None or (who is not None and desk.known(kept.member) is not who):
            raise UnknownQuote(name)
        who = desk.spender(kept.member)
        if kept.used:
            raise QuoteUsed(name)
        if kept.until <= desk.journal.now:
            raise QuoteExpired(name, text_instant(kept.until))
        edge, points = kept.edge, kept.points
    else:
        edge, points = _edge(desk, str(op.asked["src"]), str(op.asked["dst"])), op.points
    assert who is not None
    swap = _swap(desk, edge, points)
    contract = desk.programme.parties[swap.partner].contract_at(desk.journal.now)
    counted = _counted(desk, who, edge, swap.taken)
    entry = swaps.exchange(desk.journal, who, swap, above_face(desk, contract, who) if swap.value_micros else None)
    if counted is not None:
        desk.records.keep(*counted)
    if kept is not None:
        kept.used = True
        desk.records.keep(f"{op.partner}:{name}", kept)
    taken, given = edge.swap(points)
    facts: Facts = {"points": points, "taken": taken, "kept": points - taken, "given": given}
    return entry, {
        **facts,
        "src": edge.src,
        "dst": edge.dst,
        "available": _free(who, currency_number(desk, edge.dst, "dst")),
    }


def _swap(desk: Desk, edge: Edge, points: int) -> swaps.Swap:
    """A brand's own points into the coalition's: an earn funded by that brand; the other way: a burn there."""
    taken, given = edge.swap(points)
    src, dst = currency_number(desk, edge.src, "src"), currency_number(desk, edge.dst, "dst")
    now, programme = desk.journal.now, desk.programme
    ours = COALITION_CURRENCY
    payer = programme.currencies[src].issuer if src != ours else programme.currencies[dst].issuer
    issuer = programme.currencies[dst].issuer if dst != ours else payer
    contract = programme.parties[issuer].contract_at(now)
    expires_at = contract.expires_at(now, programme.zone)
    terms = LotTerms(dst, issuer, now, expires_at, 0, alone(contract, issuer) if dst == ours else b"")
    if ours in {src, dst}:
        value = contract.redemption_micros or 0 if src == ours else 0
        return swaps.Swap(src, points, taken, given, terms, payer, value_micros=value)
    price, fee = edge.price(given)
    return swaps.Swap(src, points, taken, given, terms, payer, issuer, price, fee)


def _counted(desk: Desk, who: Holdings, edge: Edge, points: int) -> tuple[str, Velocity] | None:
    """What the member's local day over an edge comes to, to be kept once it is swapped; raises VelocityLimit."""
    if edge.daily_points is None:
        return None
    day = local_day(desk.journal.now, desk.programme.zone)
    name = f"{who.member}:{day}:{edge.src}>{edge.dst}"
    held = desk.records.find(Velocity, name) or Velocity(0, 0)
    if held.points + points > edge.daily_points:
        raise VelocityLimit(f"points exchanged from {edge.src} to {edge.dst}", edge.daily_points, held.points)
    return name, Velocity(held.points + points, held.count + 1)


def _edge(desk: Desk, src: str, dst: str) -> Edge:
    currency_number(desk, src, "src"), currency_number(desk, dst, "dst")
    rates = desk.records.find(Rates, "")
    edge = rates.edge(src, dst, desk.journal.now) if rates is not None else None
    if edge is None:
        raise UnknownRate(f"{src} to {dst}")
    return edge


def _free(who: Holdings, currency: int) -> int:
    return who.free(currency)
