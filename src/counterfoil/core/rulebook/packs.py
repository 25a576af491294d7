"""Prepaid packs: points and fee paid in advance. An earn draws on the packs in order of purchase, then on their reserves.

A reserve is a block of credit: its points are paid as they are drawn. What a refund recovers returns to the block that was
drawn last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from counterfoil.core.accounts import PREFUNDING, kept_for
from counterfoil.core.entry import Drawn, Entry, Move, Paid, Place, Verb
from counterfoil.core.journal import Journal
from counterfoil.core.legs import TermsOf
from counterfoil.core.limits import PrefundingExhausted
from counterfoil.core.lots import Funding


class Pack(Struct):
    """A pack as it stands: `entry` bought it; `alert_at` fires once, when no more than that is left."""

    entry: int
    points: int
    left: int
    reserve: int = 0
    reserve_left: int = 0
    alert_at: int = 0
    alerted: bool = False


def buy(journal: Journal, partner: int, part: Funding, points: int, reserve: int) -> Entry:
    """Points and fee paid in advance by the partner's contract."""
    paid = (Paid(partner, kept_for(PREFUNDING, partner), points * (part.paid_micros + part.fee_micros)),)
    blocks = (Drawn(0, 0, points),) + ((Drawn(0, 1, reserve),) if reserve else ())
    return journal.post(Verb.BUY_PACK, (), partner=partner, paid=paid, drawn=blocks)


def draw(packs: Sequence[Pack], points: int) -> tuple[Drawn, ...]:
    """Which blocks an earn of `points` draws on; all or nothing. Raises PrefundingExhausted. Changes nothing."""
    blocks = [(pack.entry, 0, pack.left) for pack in packs] + [(pack.entry, 1, pack.reserve_left) for pack in packs]
    drawn, rest = [], points
    for entry, reserve, left in blocks:
        part = min(rest, left)
        rest -= part
        if part:
            drawn.append(Drawn(entry, reserve, part))
    if rest:
        raise PrefundingExhausted(points, points - rest)
    return tuple(drawn)


def returned(drawn: Sequence[Drawn], before: int, points: int) -> tuple[Drawn, ...]:
    """Which blocks `points` more return to, last drawn first, after `before` of an earn's points returned."""
    parts = []
    for block in reversed(drawn):
        free = max(0, block.points - before)
        before -= min(before, block.points)
        part = min(free, points)
        points -= part
        if part:
            parts.append(Drawn(block.pack, block.reserve, part))
    return tuple(parts)


def drawn_once(moves: Iterable[Move], terms_of: TermsOf) -> int:
    """Points taken back that may have come from packs: of lots that their issuer funds alone, or of other lots instead."""
    points = 0
    for move in moves:
        terms = terms_of(move.entry, move.index)
        if move.target is Place.REPAID or (move.source is not Place.EXPIRED and terms.funds.sole == terms.issuer):
            points += move.points
    return points


def change(packs: Sequence[Pack], blocks: Sequence[Drawn], sign: int) -> None:
    """Take blocks from packs (-1) or put them back (1)."""
    by_entry = {pack.entry: pack for pack in packs}
    for block in blocks:
        pack = by_entry[block.pack]
        if block.reserve:
            pack.reserve_left += sign * block.points
        else:
            pack.left += sign * block.points
        assert 0 <= pack.left <= pack.points and 0 <= pack.reserve_left <= pack.reserve  # noqa: PT018 one fact


def prepaid(blocks: Sequence[Drawn]) -> int:
    """Points of blocks that were paid in advance."""
    return sum(block.points for block in blocks if not block.reserve)


def alerts(packs: Sequence[Pack]) -> list[int]:
    """Places of packs that have come down to their level just now; they will not alert again."""
    found = []
    for place, pack in enumerate(packs):
        if not pack.alerted and pack.left <= pack.alert_at:
            pack.alerted = True
            found.append(place)
    return found
