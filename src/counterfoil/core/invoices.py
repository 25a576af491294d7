"""Invoices: from a settlement's entries to lines, from lines to documents whose sum is the position. Pure.

The lines of one legal entity make at most two documents a settlement: what happened in it, and apart from that what
corrects earlier settlements, which names the documents it corrects and keeps their tax. A document is an invoice if the entity
pays, a credit note if it is paid; amounts have the sign of positions (+ the entity receives, - it pays). The net of an
entity's documents is what its positions move, to the minor unit; tax comes on top and is paid by bank.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from counterfoil.core.accounts import OPERATOR, PREFUNDING, RESERVE, estate, kept_for, owner_of
from counterfoil.core.entities import OUTSIDE, Tax
from counterfoil.core.entry import Entry, Move, Place, Verb
from counterfoil.core.legs import DebtOf, TermsOf, priced
from counterfoil.core.units import BASIS_POINTS, CENT_MICROS, mul_div_half_even, rounded_half_even

INVOICE, CREDIT_NOTE = "invoice", "credit_note"
REFUNDS = {Verb.REFUND_EARN, Verb.REFUND_BURN, Verb.REFUND_REWARD, Verb.REPAY, Verb.DISPUTE, Verb.RULE}


class Kind(StrEnum):
    """What a line is for."""

    ISSUANCE = "issuance"  # the face of points issued, paid into the pool
    FEE = "fee"  # what the operator charges for points issued or used
    USE = "use"  # the face of points funded at use
    REDEMPTION = "redemption"  # points used here, paid out of the pool
    BREAKAGE = "breakage"  # points that ran out, paid back
    REWARD = "reward"  # a reward given
    EXCHANGE = "exchange"
    EXCHANGE_FEE = "exchange_fee"
    PACK = "pack"  # points bought in advance
    PREPAID = "prepaid"  # what a pack paid of the lines beside it
    EXIT_RESERVE = "exit_reserve"
    DISPUTE = "dispute"
    DEFAULT = "default"
    DIVIDEND = "dividend"
    ROUNDING = "rounding"


_PLAIN = {
    Verb.EXCHANGE: Kind.EXCHANGE, Verb.BUY_PACK: Kind.PACK, Verb.REFUND_EARN: Kind.PACK, Verb.USE_REWARD: Kind.REWARD,
    Verb.DEFAULT: Kind.DEFAULT, Verb.DIVIDEND: Kind.DIVIDEND, Verb.DISPUTE: Kind.DISPUTE, Verb.RULE: Kind.DISPUTE,
    Verb.EXIT: Kind.EXIT_RESERVE,
}  # fmt: skip
_CORRECTING = {Kind.PACK, Kind.PREPAID, Kind.EXIT_RESERVE, Kind.DISPUTE}  # of a refund, beside what is given back
_NO_PRICE = {Kind.BREAKAGE, Kind.PREPAID}  # a floored share, a sum


@dataclass(frozen=True, slots=True)
class Flow:
    """Micros a partner receives (+) or pays (-) for `points` (0: none are behind it); `refund`: given back."""

    kind: Kind
    refund: bool
    points: int
    micros: int


@dataclass(frozen=True, slots=True)
class Name:
    """What a line is about: lines of one name are one line. `corrects`: the earlier settlement, 0 for none."""

    partner: int
    corrects: int
    kind: Kind
    refund: bool
    unit_micros: int  # 0: no price per point

    def place(self) -> tuple[int, int, int, bool, int]:
        """Its order on a document."""
        return self.partner, self.corrects, list(Kind).index(self.kind), self.refund, self.unit_micros


@dataclass(slots=True)
class Lines:
    """Lines in the making: points and micros by name."""

    sums: dict[Name, tuple[int, int]] = field(default_factory=dict)

    def add(self, partner: int, corrects: int, flow: Flow) -> None:
        """Add a flow to its line."""
        unit = 0
        if flow.points and flow.kind not in _NO_PRICE and flow.micros % flow.points == 0:
            unit = abs(flow.micros) // flow.points
        name = Name(partner, corrects, flow.kind, flow.refund, unit)
        points, micros = self.sums.get(name, (0, 0))
        self.sums[name] = points + flow.points, micros + flow.micros

    def exact(self, partner: int) -> int:
        """Micros of a partner's lines."""
        return sum(micros for name, (_points, micros) in self.sums.items() if name.partner == partner)


def flows(entry: Entry, root: Entry, terms_of: TermsOf, debt_of: DebtOf) -> Iterator[Flow]:
    """What an entry makes its partner receive and pay. `root`: the entry itself, of a fund entry the one before it."""
    partner = entry.partner
    prefund, reserve = kept_for(PREFUNDING, partner), kept_for(RESERVE, partner)
    own = {partner, prefund, estate(partner)}
    for (debit, credit, amount, _unit), move in priced(entry, terms_of, debt_of):
        if amount == 0:
            continue
        payer, payee = (owner_of(debit), owner_of(credit)) if amount > 0 else (owner_of(credit), owner_of(debit))
        points, micros = move.points if move is not None else 0, abs(amount)
        if payer in own and payee in own:
            yield Flow(Kind.PACK, False, 0, -micros)
        elif payer in own or payee in own:
            who, other = (payer, payee) if payer in own else (payee, payer)
            signed = micros if who == payee else -micros
            kind, refund = (Kind.EXIT_RESERVE, False) if other == reserve else _kind(root, move, other, signed)
            yield Flow(kind, refund, points, signed)
            if who == prefund:
                yield Flow(Kind.PREPAID, refund, 0, -signed)


def _kind(root: Entry, move: Move | None, other: int, signed: int) -> tuple[Kind, bool]:
    """What money to or from `other` is for, and whether it is given back."""
    fee, swap, refund = other == OPERATOR, root.verb is Verb.EXCHANGE, False
    issued = Kind.FEE if fee else Kind.ISSUANCE
    if move is None:
        return Kind.EXCHANGE_FEE if swap and fee else _PLAIN[root.verb], False
    match move.target:
        case Place.AVAILABLE if move.source in {Place.ISSUED, Place.PENDING}:
            kind = (Kind.EXCHANGE_FEE if fee else Kind.EXCHANGE) if swap else issued
        case Place.BURNED | Place.REPAID if signed < 0:
            kind = Kind.FEE if fee else Kind.USE
        case Place.BURNED:
            kind = Kind.EXCHANGE if swap else Kind.REDEMPTION
        case Place.TAKEN | Place.REPAID:  # recovered for a refunded earn, from whatever lot
            kind, refund = issued, True
        case Place.AVAILABLE | Place.RENEWED:
            kind, refund = Kind.REDEMPTION if signed < 0 else Kind.FEE if fee else Kind.USE, True
        case target:
            assert target is Place.EXPIRED
            kind = Kind.BREAKAGE
    return kind, refund


def corrects(root: Entry, flow: Flow) -> bool:
    """Whether a flow takes back, in whole or in part, what an earlier entry booked."""
    return root.verb in REFUNDS and (flow.refund or flow.kind in _CORRECTING)


# --- documents --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is invoiced."""

    partner: int
    kind: Kind
    refund: bool
    corrects: int
    points: int
    unit_micros: int
    amount_micros: int
    tax: Tax


@dataclass(frozen=True, slots=True)
class TaxSum:
    """A rate's taxable sum and the tax on it, rounded half-even to the minor unit once per document."""

    tax: Tax
    base_micros: int
    tax_micros: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A document without its number. `corrects`: the settlements it corrects."""

    lines: tuple[Line, ...]
    taxes: tuple[TaxSum, ...]

    @property
    def net_micros(self) -> int:
        """What of the positions it stands for."""
        return sum(one.amount_micros for one in self.lines)

    @property
    def tax_micros(self) -> int:
        """Tax on top of it."""
        return sum(one.tax_micros for one in self.taxes)

    @property
    def kind(self) -> str:
        """The sign of the net decides; where packs paid everything, that of the tax."""
        return CREDIT_NOTE if (self.net_micros or self.tax_micros) > 0 else INVOICE

    @property
    def corrects(self) -> list[int]:
        """Earlier settlements, in order."""
        return sorted({one.corrects for one in self.lines if one.corrects})


def drafts(lines: Lines, settled: Mapping[int, int], taxes: Mapping[tuple[int, int], Sequence[Tax]]) -> list[Draft]:
    """The documents of one legal entity: of the settlement, then of what corrects earlier ones.

    `settled`: what each of its partners' positions moves, micros, rounded; `taxes`: the scheme in force by partner and
    settlement corrected (0: this one). The corrections are rounded alone, the settlement's document takes the rest.
    """
    every = [
        _line(name, *lines.sums[name], taxes) for name in sorted(lines.sums, key=Name.place) if any(lines.sums[name])
    ]
    now, earlier = ([one for one in every if bool(one.corrects) is past] for past in (False, True))
    whole, made = sum(settled.values()), []
    back = sum(one.amount_micros for one in earlier)
    rounded = rounded_half_even(back) if now else whole
    for some, target in ((now, whole - rounded if earlier else whole), (earlier, rounded)):
        if some:
            made.append(_draft(some, target))
    assert sum(one.net_micros for one in made) == whole
    return made


def _line(name: Name, points: int, micros: int, taxes: Mapping[tuple[int, int], Sequence[Tax]]) -> Line:
    scheme = taxes[name.partner, name.corrects]
    tax = next((one for one in scheme if name.kind in one.kinds), OUTSIDE)
    return Line(name.partner, name.kind, name.refund, name.corrects, points, name.unit_micros, micros, tax)


def _draft(lines: list[Line], target: int) -> Draft:
    """Closed by a rounding line."""
    rest = target - sum(one.amount_micros for one in lines)
    if rest:
        lines = [*lines, Line(0, Kind.ROUNDING, False, 0, 0, 0, rest, OUTSIDE)]
    return Draft(tuple(lines), tuple(tax_sums(lines)))


def tax_sums(lines: Iterable[Line]) -> Iterator[TaxSum]:
    """By rate, in order of appearance; what is outside the scope of tax last."""
    bases: dict[Tax, int] = {}
    for one in lines:
        bases[one.tax] = bases.get(one.tax, 0) + one.amount_micros
    for tax, base in sorted(bases.items(), key=lambda one: one[0] == OUTSIDE):
        yield TaxSum(tax, base, mul_div_half_even(base, tax.rate_bp, BASIS_POINTS * CENT_MICROS) * CENT_MICROS)
