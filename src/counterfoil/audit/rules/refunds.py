"""What a partner takes back: an earn, or a burn it was paid for."""

from __future__ import annotations

from msgspec import structs

from counterfoil.audit.published import Rules
from counterfoil.audit.rules.before import Before, Original, Parts, expect, points_in, points_of
from counterfoil.audit.rules.packs import require_returned
from counterfoil.audit.shapes import Wrong
from counterfoil.core.calendar import valid_until
from counterfoil.core.entry import DebtMade, Entry, LotMade, Move, Place
from counterfoil.core.holdings import Lot, at, take
from counterfoil.core.lots import LotTerms


def refund_earn(entry: Entry, before: Before) -> None:
    original, own = _refunded(entry, before, earned=True), before.own
    points = points_of(entry) + sum(owed.points for owed in entry.debts)
    _limit(original, points)
    first = next(lot for lot in own if (lot.entry, lot.index) == (entry.refers_to, 0))
    moves: list[Move] = []
    for source, target in (
        (Place.PENDING, Place.CANCELLED), (Place.AVAILABLE, Place.TAKEN), (Place.EXPIRED, Place.TAKEN),
    ):  # fmt: skip
        moves += _proportional(own, points - points_in(moves), source, target)
    others = [
        lot for lot in before.who.usable(entry.at, first.terms.currency) if lot.origin[0] != entry.refers_to
    ]  # fmt: skip
    moves += take(others, points - points_in(moves), Place.AVAILABLE, Place.REPAID)
    expect(entry, moves, "own lots first, base and bonuses in proportion, then burn order")
    require_returned(entry, original, before)
    owed, part = points - points_in(moves), first.terms.funds.part(entry.partner)
    fee = part.fee_micros if part is not None and part.fee_refundable else 0
    debts = (DebtMade(0, owed, first.terms.currency, entry.partner, fee),) if owed else ()
    if entry.debts != debts:
        raise Wrong(f"{owed} points are owed, the entry's debts are others")


def _proportional(own: list[Lot], points: int, source: Place, target: Place) -> list[Move]:
    """Of each lot the earn made, by what is left there; what the floors leave, one point each by largest rest, ties first."""
    groups: dict[int, list[Lot]] = {}
    for lot in sorted(own, key=Lot.burn_key):
        groups.setdefault(lot.origin[1], []).append(lot)
    left = {index: sum(at(lot, source) for lot in groups[index]) for index in sorted(groups)}
    total = sum(left.values())
    whole = min(points, total)
    if not whole:
        return []
    shares = {index: whole * part // total for index, part in left.items()}
    short = whole - sum(shares.values())
    for index in sorted(left, key=lambda one: (-(whole * left[one] % total), one))[:short]:
        shares[index] += 1
    return [move for index, share in shares.items() for move in take(groups[index], share, source, target)]


def refund_burn(entry: Entry, before: Before) -> None:
    original, points = _refunded(entry, before, earned=False), points_of(entry)
    _limit(original, points)
    if entry.value_micros != original.value_micros:
        raise Wrong(f"it takes {entry.value_micros} micros a point back, {original.value_micros} were paid")
    given_back(entry, before, original.burned or (), original.refunded, points)


def given_back(entry: Entry, before: Before, burned: Parts, skip: int, left: int) -> None:
    """Raises Wrong unless the entry restores what was used, last used first, past lots with grace."""
    moves: list[Move] = []
    lots: list[LotMade] = []
    for number, index, used in reversed(burned):
        free = max(0, used - skip)
        skip -= min(skip, used)
        part = min(free, left)
        left -= part
        lot = before.who.lots.get((number, index))
        if not part or lot is None:
            continue
        past = lot.terms.expires_at <= entry.at
        moves.append(Move(number, index, Place.BURNED, Place.RENEWED if past else Place.AVAILABLE, part))
        if past:
            lots.append(LotMade(0, part, graced(entry, lot, before.books.rules, len(lots))))
    expect(entry, moves, "last used first")
    if entry.lots != tuple(lots):
        raise Wrong("its lots with grace are not those of what it gives back")


def graced(entry: Entry, lot: Lot, rules: Rules | None, index: int) -> LotTerms:
    """Terms of a lot given back after its last day; without a rulebook its new last day is taken as it is."""
    if rules is not None:
        expires_at = valid_until(entry.at, rules.grace_days, rules.zone)
    else:
        expires_at = entry.lots[index].terms.expires_at if index < len(entry.lots) else 0
    number, place = lot.origin
    return structs.replace(
        lot.terms, expires_at=expires_at, available_at=0, origin_entry=number, origin_index=place, prepaid=0
    )  # fmt: skip


def _refunded(entry: Entry, before: Before, *, earned: bool) -> Original:
    original = before.original
    if (
        original is None
        or (original.burned is None) != earned
        or before.books.now_of(original.handle) != before.who.member
    ):
        raise Wrong(f"ent_{entry.refers_to:016x} is no {'earn' if earned else 'burn'} of this member")
    if original.partner != entry.partner:
        raise Wrong(f"it refunds what partner {original.partner} did")
    return original


def _limit(original: Original, points: int) -> None:
    if original.refunded + points > original.points:
        raise Wrong(f"it refunds {points} points, {original.points - original.refunded} were left to refund")
