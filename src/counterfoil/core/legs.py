"""From an entry's parts to its postings: the one table that says who is debited and credited for each verb.

The rulebook writes entries with it and the auditor recomputes them with it. An entry moves the money of its own partner
and of the reserved parties; what its moves make other funders of the lots pay or receive, `others` gives: an entry of
their own (verb FUND) for each, with the same moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import structs

from counterfoil.core.accounts import (
    FIRST_PARTNER,
    OPERATOR,
    POOL,
    PREFUNDING,
    REWARD_ESCROW,
    SUSPENSE,
    Kind,
    account,
    kept_for,
    party,
)
from counterfoil.core.entry import DebtMade, Entry, Move, Place, Posting, Verb
from counterfoil.core.lots import Funding, LotTerms
from counterfoil.core.units import BASIS_POINTS, MONEY, mul_div_down

Leg = tuple[int, int, int, int]  # debit, credit, amount, unit
TermsOf = Callable[[int, int], LotTerms]
DebtOf = Callable[[int, int], DebtMade]

_AVAILABLE, _HELD, _DEBT = account(Kind.AVAILABLE, 0), account(Kind.HELD, 0), account(Kind.DEBT, 0)
_PENDING = account(Kind.PENDING, 0)
_ISSUED = account(Kind.ISSUED, 0)
_WALLETS = account(Kind.WALLETS, 0)
_PLACES = {Place.AVAILABLE: _AVAILABLE, Place.HELD: _HELD}
_POOL, _OPERATOR, _ESCROW, _SUSPENSE = (party(one) for one in (POOL, OPERATOR, REWARD_ESCROW, SUSPENSE))
_REWARDS = {Verb.BUY_REWARD, Verb.REFUND_REWARD}
ISSUING = {Verb.EARN, Verb.EXCHANGE, Verb.ADJUST}  # verbs that make points
_NO_FLOW = {Verb.FUND, Verb.MERGE}  # their moves are another entry's, or move no money
_ISSUES = {Place.ISSUED, Place.PENDING}  # points come from there when their money is due
_OWN = {Place.AVAILABLE, Place.PENDING}
_USES = {Place.BURNED, Place.REPAID, Place.HELD, Place.GIFTED}  # moves in which only what is owed can move


def postings(entry: Entry, terms_of: TermsOf, debt_of: DebtOf) -> tuple[Posting, ...]:
    """The postings that `entry`'s parts call for, equal sides merged, in the order they arise; amounts of 0 left out."""
    sums: dict[tuple[int, int, int], int] = {}
    for debit, credit, amount, unit in _legs(entry, terms_of, debt_of):
        if amount > 0:
            side = (debit, credit, unit)
            sums[side] = sums[side] + amount if side in sums else amount
        elif amount:
            side = (credit, debit, unit)
            sums[side] = sums[side] - amount if side in sums else -amount
    return tuple([Posting(debit, credit, amount, unit) for (debit, credit, unit), amount in sums.items()])


def others(entry: Entry, terms_of: TermsOf) -> Iterator[tuple[int, tuple[Move, ...]]]:
    """Partners other than the entry's own whose money its moves move, in order of number, each with those moves.

    What its own terms make another partner pay or receive (`paid`) the rulebook posts itself.
    """
    found: dict[int, list[Move]] = {}
    for move, terms, _mine in _flows(entry, terms_of):
        parts = terms.funds
        if parts.sole == entry.partner or (move.target in _USES and not parts.owes):
            continue
        for part in parts.parts:
            own = part.party == entry.partner or part.party < FIRST_PARTNER
            if not own and any(amount for _debit, _credit, amount, _unit in _funding(part, move, party(part.party))):
                found.setdefault(part.party, []).append(move)
    for number in sorted(found):
        yield number, tuple(found[number])


def priced(entry: Entry, terms_of: TermsOf, debt_of: DebtOf) -> Iterator[tuple[Leg, Move | None]]:
    """The partner's money in an entry, leg by leg, each with the move it is for: what `postings` merges, taken apart.

    An amount may be 0 or negative (then its sides are the other way round). None: no points are behind it.
    """
    if entry.verb is Verb.FUND:
        for move in entry.moves:
            part = terms_of(move.entry, move.index).funds.part(entry.partner)
            if part is not None:
                for leg in _funding(part, move, party(part.party)):
                    yield leg, move
    else:
        for move, terms, mine in _flows(entry, terms_of):
            for leg in _partner(entry, move, terms, mine, terms_of, debt_of):
                yield leg, move
            part = terms.funds.part(entry.partner)
            if part is not None:
                for leg in _funding(part, move, mine):
                    yield leg, move
        if entry.drawn and entry.verb is Verb.REFUND_EARN:
            for leg in _to_packs(entry, terms_of):
                yield leg, None
    for money in entry.paid:
        yield (party(money.debit), party(money.credit), money.micros, MONEY), None


def _flows(entry: Entry, terms_of: TermsOf) -> Iterator[tuple[Move, LotTerms, int]]:
    """The entry's moves with their lots' terms, after one for the points of each lot that it issues as available.

    The third is whose money its partner's part moves: its own, or of points paid for in advance its prefunding's.
    """
    if entry.verb in _NO_FLOW:
        return
    mine = party(entry.partner)
    if entry.verb in ISSUING:
        for index, made in enumerate(entry.lots):
            if not made.terms.available_at:
                move = Move(entry.id, index, Place.ISSUED, Place.AVAILABLE, made.points)
                if made.terms.prepaid:
                    yield from _parted(entry, move, made.terms, made.terms.prepaid)
                else:
                    yield move, made.terms, mine
    left = sum([block.points for block in entry.drawn if not block.reserve]) if entry.moves else 0
    for move in entry.moves:
        terms = terms_of(move.entry, move.index)
        if terms.prepaid and entry.verb is Verb.ACTIVATE:
            yield from _parted(entry, move, terms, terms.prepaid)
        elif (
            left and move.target is Place.TAKEN and move.source is Place.AVAILABLE and terms.funds.sole == entry.partner
        ):
            yield from _parted(entry, move, terms, left)
            left -= min(left, move.points)
        else:
            yield move, terms, mine


def _parted(entry: Entry, move: Move, terms: LotTerms, prepaid: int) -> Iterator[tuple[Move, LotTerms, int]]:
    """A move in two: the points paid for in advance, and the rest."""
    first = min(prepaid, move.points)
    yield structs.replace(move, points=first), terms, party(kept_for(PREFUNDING, entry.partner))
    if move.points > first:
        yield structs.replace(move, points=move.points - first), terms, party(entry.partner)


def _legs(entry: Entry, terms_of: TermsOf, debt_of: DebtOf) -> Iterator[Leg]:
    if entry.verb is Verb.FUND:
        for move in entry.moves:
            part = terms_of(move.entry, move.index).funds.part(entry.partner)
            if part is not None:
                yield from _funding(part, move, party(part.party))
    else:
        for move, terms, mine in _flows(entry, terms_of):
            yield from _points(entry, move, terms)
            yield from _partner(entry, move, terms, mine, terms_of, debt_of)
            for part in terms.funds.parts:
                if part.party == entry.partner:
                    yield from _funding(part, move, mine)
                elif part.party < FIRST_PARTNER:
                    yield from _funding(part, move, party(part.party))
        yield from _without_moves(entry, debt_of)
        if entry.verb is Verb.MERGE:
            yield from _merged(entry, terms_of, debt_of)
        if entry.drawn and entry.verb is Verb.REFUND_EARN:
            yield from _to_packs(entry, terms_of)
    for money in entry.paid:
        yield party(money.debit), party(money.credit), money.micros, MONEY


def _to_packs(entry: Entry, terms_of: TermsOf) -> Iterator[Leg]:
    """For points recovered from other lots than the earn's own the partner puts the packs' price back itself."""
    returned = sum(block.points for block in entry.drawn if not block.reserve)
    mine = [m for m in entry.moves if m.source in _OWN and m.target is not Place.REPAID]
    own = sum(m.points for m in mine if terms_of(m.entry, m.index).funds.sole == entry.partner)
    part = terms_of(entry.refers_to, 0).funds.part(entry.partner) if returned > own else None
    if part is not None:
        price = part.paid_micros + part.fee_micros * part.fee_refundable  # as its own points bring back
        yield party(entry.partner), party(kept_for(PREFUNDING, entry.partner)), (returned - own) * price, MONEY


def _without_moves(entry: Entry, debt_of: DebtOf) -> Iterator[Leg]:
    """Points that are made pending, debts that are made or dropped."""
    if entry.verb is Verb.EARN:
        for made in entry.lots:
            if made.terms.available_at:
                yield _ISSUED | made.terms.issuer, _PENDING, made.points, made.terms.currency
    if entry.verb is Verb.ERASE:
        for dropped in entry.repaid:
            debt = debt_of(dropped.entry, dropped.index)
            yield account(Kind.ISSUED, debt.issuer), _DEBT, dropped.points, debt.currency
    for owed in entry.debts:
        yield account(Kind.DEBT, owed.owner), account(Kind.ISSUED, owed.issuer), owed.points, owed.currency


def _merged(entry: Entry, terms_of: TermsOf, debt_of: DebtOf) -> Iterator[Leg]:
    """All points and debts of the member at place 0, to the one at place 1."""
    for move in entry.moves:
        word = _PENDING if move.source is Place.PENDING else _PLACES[move.source]
        yield word, word | 1, move.points, terms_of(move.entry, move.index).currency
    for carried in entry.repaid:
        yield _DEBT | 1, _DEBT, carried.points, debt_of(carried.entry, carried.index).currency


def _points(entry: Entry, move: Move, terms: LotTerms) -> Iterator[Leg]:
    """What a move does to points."""
    points, unit = move.points, terms.currency
    match move.target:
        case Place.BURNED:
            yield _PLACES[move.source], account(Kind.BURNED, entry.partner), points, unit
        case Place.HELD:
            yield _AVAILABLE, _HELD, points, unit
        case Place.WITHDRAWN:
            yield _AVAILABLE, _WALLETS, points, unit
        case _ if move.source is Place.WITHDRAWN:
            yield _WALLETS, _AVAILABLE, points, unit
        case Place.AVAILABLE if move.source is Place.ISSUED:
            yield _ISSUED | terms.issuer, _AVAILABLE, points, unit
        case Place.AVAILABLE if move.source is Place.PENDING:
            yield _PENDING, _AVAILABLE, points, unit
        case Place.AVAILABLE if move.source is Place.HELD:
            yield _HELD, _AVAILABLE, points, unit
        case Place.AVAILABLE | Place.RENEWED:
            yield account(Kind.BURNED, entry.partner), _AVAILABLE, points, unit
        case Place.TAKEN if move.source is Place.AVAILABLE:
            yield _AVAILABLE, account(Kind.ISSUED, terms.issuer), points, unit
        case Place.CANCELLED:
            yield _PENDING, account(Kind.ISSUED, terms.issuer), points, unit
        case Place.REPAID:
            yield _AVAILABLE, _DEBT if entry.repaid else account(Kind.ISSUED, entry.partner), points, unit
        case Place.GIFTED:
            yield _AVAILABLE, account(Kind.AVAILABLE, 1), points, unit
        case Place.EXPIRED:
            source = _AVAILABLE if move.source is Place.AVAILABLE else account(Kind.BURNED, entry.partner)
            yield source, account(Kind.EXPIRED, terms.issuer), points, unit
        case _:  # expired points excused by a refund
            pass


def _partner(entry: Entry, move: Move, terms: LotTerms, mine: int, terms_of: TermsOf, debt_of: DebtOf) -> Iterator[Leg]:
    """What the entry's partner is paid for points used there, or pays back for points restored; of a reward, the escrow."""
    match move.target:
        case Place.BURNED | Place.REPAID:
            sign = 1
        case Place.AVAILABLE | Place.RENEWED if move.source is Place.BURNED:
            sign = -1
        case _:
            return
    face, points = terms.funds.face_micros, move.points
    value = entry.value_micros if entry.value_micros and face else face  # a brand's own currency has no face
    if entry.verb in _REWARDS:
        value, mine = face, _ESCROW
    elif entry.verb is Verb.RULE:
        mine = _SUSPENSE
    yield _POOL, mine, sign * value * points, MONEY
    yield _POOL, _OPERATOR, sign * (face - value) * points, MONEY  # the margin
    if move.target is Place.REPAID:  # the fee of the refunded earn, whichever lot the points come from
        if entry.repaid:
            fee = debt_of(entry.repaid[0].entry, entry.repaid[0].index).fee_micros
        else:
            fee = fee_back(terms_of(entry.refers_to, 0), entry.partner)
        yield _OPERATOR, mine, fee * points, MONEY


def fee_back(terms: LotTerms, partner: int) -> int:
    """The fee, micros per point, that a refund of a lot gives back to its issuer."""
    part = terms.funds.part(partner)
    return part.fee_micros if part is not None and part.fee_refundable else 0


def _funding(part: Funding, move: Move, who: int) -> Iterator[Leg]:
    """What a move of points makes one of their funders, whose money is `who`'s, pay (debit) or receive."""
    points = move.points
    match move.target:
        case Place.AVAILABLE if move.source in _ISSUES:
            yield who, _POOL, part.paid_micros * points, MONEY
            yield who, _OPERATOR, part.fee_micros * points, MONEY
        case Place.BURNED | Place.REPAID:
            yield who, _POOL, part.owed_micros * points, MONEY
            yield who, _OPERATOR, part.use_fee_micros * points, MONEY
        case Place.AVAILABLE | Place.RENEWED if move.source is Place.BURNED:
            yield _POOL, who, part.owed_micros * points, MONEY
            yield _OPERATOR, who, part.use_fee_micros * points * part.fee_refundable, MONEY
        case Place.TAKEN if move.source is Place.AVAILABLE:
            yield _POOL, who, part.paid_micros * points, MONEY
            yield _OPERATOR, who, part.fee_micros * points * part.fee_refundable, MONEY
        case Place.EXPIRED:
            source, whole = _POOL, part.paid_micros * points
            if move.source is Place.BURNED:  # of a reward never used: its face waits in escrow
                source, whole = _ESCROW, (part.paid_micros + part.owed_micros) * points
            kept = mul_div_down(whole, part.breakage_operator_bp, BASIS_POINTS)
            yield source, _OPERATOR, kept, MONEY
            yield source, who, whole - kept, MONEY
        case _:
            pass
