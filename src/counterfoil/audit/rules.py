"""What each verb must do to a member's holdings: the moves, lots and debts it has to have, from the state before it.

The writer decides with `core.rulebook`; here each rule is told again, from SPEC.md, as what is expected of a given entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec import structs

from counterfoil.audit.published import Rules
from counterfoil.audit.shapes import Wrong
from counterfoil.core.calendar import valid_until
from counterfoil.core.entry import DebtMade, Entry, LotMade, LotTerms, Move, Place, Repaid, Verb
from counterfoil.core.holdings import Holdings, Lot, take

Parts = tuple[tuple[int, int, int], ...]  # lot's entry, index, points


@dataclass(slots=True)
class Original:
    """An earn or burn that may be refunded: whose it was, what it burned (in order), what was refunded so far."""

    partner: int
    handle: int
    points: int
    burned: Parts | None  # None: it is an earn
    refunded: int = 0


@dataclass(frozen=True, slots=True)
class Before:
    """The state an entry meets: the first member, their own lots of a refunded earn, the original, the rulebook."""

    who: Holdings
    own: list[Lot]
    original: Original | None
    rules: Rules | None
    terms: Mapping[tuple[int, int], tuple[int, int, int]]  # by partner and version of the contract


def require_rule(entry: Entry, before: Before) -> None:
    """Raises Wrong unless the entry does exactly what its verb must do on that state."""
    _RULES[entry.verb](entry, before)


def _earn(entry: Entry, before: Before) -> None:
    for made in entry.lots:
        t = made.terms
        if t.issuer != entry.partner:
            raise Wrong(f"partner {entry.partner} makes points of issuer {t.issuer}")
        if t.origin_entry or t.origin_index:
            raise Wrong("an earned lot continues another")
        if before.rules is None:
            continue
        known = before.terms.get((t.issuer, t.contract))
        if known is None:
            raise Wrong(f"version {t.contract} of partner {t.issuer}'s contract is in no rulebook")
        if known != (t.face_micros, t.fee_micros, t.breakage_operator_bp):
            raise Wrong(f"its terms are not those of version {t.contract} of the contract")


def _burn(entry: Entry, before: Before) -> None:
    _expect(entry, take(before.who.usable(entry.at), _points(entry), Place.AVAILABLE, Place.BURNED), "burn order")


def _hold(entry: Entry, before: Before) -> None:
    if entry.until <= entry.at:
        raise Wrong("a hold that has lapsed when it is made")
    _expect(entry, take(before.who.usable(entry.at), _points(entry), Place.AVAILABLE, Place.HELD), "burn order")


def _capture(entry: Entry, before: Before) -> None:
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
    _expect(entry, expected, "the hold")


def _release(entry: Entry, before: Before) -> None:
    parts = _held(entry, before)
    _expect(entry, [Move(e, i, Place.HELD, Place.AVAILABLE, points) for e, i, points in parts], "the hold")


def _held(entry: Entry, before: Before) -> Parts:
    hold = before.who.holds.get(entry.refers_to)
    if hold is None:
        raise Wrong(f"this member has no open hold ent_{entry.refers_to:016x}: a hold ends once")
    if hold.partner != entry.partner:
        raise Wrong(f"the hold is partner {hold.partner}'s")
    return hold.parts


def _refund_earn(entry: Entry, before: Before) -> None:
    original, own = _refunded(entry, before, earned=True), before.own
    points = _points(entry) + sum(owed.points for owed in entry.debts)
    _limit(original, points)
    taken = take(sorted(own, key=Lot.burn_key), points, Place.AVAILABLE, Place.TAKEN)
    rest = points - _sum(taken)
    excused = min(rest, sum(lot.expired for lot in own))
    others = [lot for lot in before.who.usable(entry.at) if lot.origin[0] != entry.refers_to]
    taken += take(others, rest - excused, Place.AVAILABLE, Place.TAKEN)
    owed = points - _sum(taken) - excused
    _expect(entry, taken, "own lots first, then burn order", entry.moves[: len(taken)])
    if any(move.source is not Place.EXPIRED for move in entry.moves[len(taken) :]):
        raise Wrong("it takes more than is to be recovered")
    mine = {(lot.entry, lot.index) for lot in own}
    if any((move.entry, move.index) not in mine for move in entry.moves[len(taken) :]):
        raise Wrong("it excuses points of another earn")
    if _sum(list(entry.moves[len(taken) :])) != excused:
        raise Wrong(f"{excused} points had run out and are excused, the entry has another number")
    first = next(lot for lot in own if (lot.entry, lot.index) == (entry.refers_to, 0))
    t = first.terms
    debts = (DebtMade(0, owed, t.currency, t.issuer, t.fee_micros),) if owed else ()
    if entry.debts != debts:
        raise Wrong(f"{owed} points are owed, the entry's debts are others")


def _refund_burn(entry: Entry, before: Before) -> None:
    original, points = _refunded(entry, before, earned=False), _points(entry)
    _limit(original, points)
    skip, left = original.refunded, points
    moves: list[Move] = []
    lots: list[LotMade] = []
    for number, index, used in reversed(original.burned or ()):
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
            lots.append(LotMade(0, part, _graced(entry, lot, before.rules, len(lots))))
    _expect(entry, moves, "last used first")
    if entry.lots != tuple(lots):
        raise Wrong("its lots with grace are not those of what it gives back")


def _graced(entry: Entry, lot: Lot, rules: Rules | None, index: int) -> LotTerms:
    """Terms of a lot given back after its last day; without a rulebook its new last day is taken as it is."""
    if rules is not None:
        expires_at = valid_until(entry.at, rules.grace_days, rules.zone)
    else:
        expires_at = entry.lots[index].terms.expires_at if index < len(entry.lots) else 0
    number, place = lot.origin
    return structs.replace(lot.terms, expires_at=expires_at, origin_entry=number, origin_index=place)


def _refunded(entry: Entry, before: Before, *, earned: bool) -> Original:
    original = before.original
    if original is None or (original.burned is None) != earned or original.handle != before.who.member:
        raise Wrong(f"ent_{entry.refers_to:016x} is no {'earn' if earned else 'burn'} of this member")
    if original.partner != entry.partner:
        raise Wrong(f"it refunds what partner {original.partner} did")
    return original


def _limit(original: Original, points: int) -> None:
    if original.refunded + points > original.points:
        raise Wrong(f"it refunds {points} points, {original.points - original.refunded} were left to refund")


def _transfer(entry: Entry, before: Before) -> None:
    lots = sorted(before.who.usable(entry.at), key=Lot.gift_key)
    _expect(entry, take(lots, _points(entry), Place.AVAILABLE, Place.GIFTED), "gift order")
    expected = tuple(
        LotMade(1, m.points, structs.replace(before.who.lots[m.entry, m.index].terms, origin_entry=0, origin_index=0))
        for m in entry.moves
    )
    if entry.lots != expected:
        raise Wrong("the receiver's lots do not mirror what was given")


def _expire(entry: Entry, before: Before) -> None:
    lots = [
        lot for lot in before.who.lots.values()
        if lot.available and lot.terms.expires_at == entry.occurred_at and lot.terms.funder == entry.partner
    ]  # fmt: skip
    moves = [
        Move(lot.entry, lot.index, Place.AVAILABLE, Place.EXPIRED, lot.available)
        for lot in sorted(lots, key=Lot.burn_key)
    ]
    _expect(entry, moves, "what this partner funded and runs out then")


def _repay(entry: Entry, before: Before) -> None:
    open_debts = [key for key, debt in before.who.debts.items() if debt.left]
    if not open_debts:
        raise Wrong("this member owes nothing")
    name = min(open_debts)
    debt = before.who.debts[name]
    moves = take(before.who.usable(entry.occurred_at), debt.left, Place.AVAILABLE, Place.REPAID)
    if entry.repaid != (Repaid(*name, _sum(moves)),) or entry.refers_to != name[0]:
        raise Wrong("it does not repay the oldest debt with what is free")
    if entry.partner != debt.made.issuer:
        raise Wrong(f"the debt is owed to partner {debt.made.issuer}")
    _expect(entry, moves, "burn order")


_RULES: dict[Verb, Callable[[Entry, Before], None]] = {
    Verb.EARN: _earn, Verb.BURN: _burn, Verb.HOLD: _hold, Verb.CAPTURE: _capture, Verb.RELEASE: _release,
    Verb.REFUND_EARN: _refund_earn, Verb.REFUND_BURN: _refund_burn, Verb.TRANSFER: _transfer,
    Verb.EXPIRE: _expire, Verb.REPAY: _repay,
}  # fmt: skip


def _expect(entry: Entry, moves: list[Move], order: str, given: tuple[Move, ...] | None = None) -> None:
    if (entry.moves if given is None else given) == tuple(moves):
        return
    raise Wrong(f"its moves are not what they must be ({order}): {_brief(moves)} expected")


def _brief(moves: list[Move]) -> str:
    shown = ", ".join(f"{m.points} of ent_{m.entry:016x}.{m.index}" for m in moves[:3])
    return shown + (", ..." if len(moves) > 3 else "") if moves else "nothing"


def _points(entry: Entry) -> int:
    return _sum(list(entry.moves))


def _sum(moves: list[Move]) -> int:
    return sum(move.points for move in moves)
