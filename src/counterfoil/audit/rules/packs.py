"""Prepaid packs: bought at the contract's price, drawn on in order, returned to last drawn first."""

from __future__ import annotations

from counterfoil.audit.rules.before import Before, Original
from counterfoil.audit.shapes import Wrong
from counterfoil.core.accounts import PREFUNDING, kept_for
from counterfoil.core.entry import Drawn, Entry, Paid
from counterfoil.core.limits import PrefundingExhausted
from counterfoil.core.rulebook import packs


def buy_pack(entry: Entry, before: Before) -> None:
    """What it costs is paid into the partner's prefunding."""
    kinds = [(block.pack, block.reserve) for block in entry.drawn]
    if kinds not in ([(0, 0)], [(0, 0), (0, 1)]):
        raise Wrong("a pack is one block of points and perhaps a reserve")
    contract = before.books.in_force(entry.partner, entry.at)
    if contract is None:
        return
    part, points = contract.part(entry.partner), entry.drawn[0].points
    cost = points * (part.paid_micros + part.fee_micros)
    if entry.paid != (Paid(entry.partner, kept_for(PREFUNDING, entry.partner), cost),):
        raise Wrong(f"{points} points in advance cost {cost} micros by the partner's contract")


def require_drawn(entry: Entry, before: Before) -> None:
    """An earn of a partner with packs draws on them for what it funds alone, and its lots say how much was prepaid."""
    held = before.books.packs.get(entry.partner)
    alone = [made for made in entry.lots if made.terms.funds.sole == entry.partner] if held else []
    blocks: tuple[Drawn, ...] = ()
    if held and alone:
        try:
            blocks = packs.draw(held, sum(made.points for made in alone))
        except PrefundingExhausted as error:
            raise Wrong(f"its packs hold {error.left} points") from error
    if entry.drawn != blocks:
        raise Wrong("it does not draw on the partner's packs in their order")
    left = packs.prepaid(blocks)
    for made in entry.lots:
        first = min(left, made.points) if made in alone else 0
        left -= first
        if made.terms.prepaid != first:
            raise Wrong("its lots do not say how many of their points were paid in advance")


def require_returned(entry: Entry, original: Original, before: Before) -> None:
    """What a refund recovers of points that packs paid returns to the blocks that its earn drew on, last drawn first."""
    points = packs.drawn_once(entry.moves, before.who.terms_of)
    blocks = packs.returned(original.drawn, original.returned, points) if original.drawn else ()
    if entry.drawn != blocks:
        raise Wrong("it does not return points to the packs that its earn drew on")
