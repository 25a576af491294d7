"""The liability report of a settlement: typed figures, of the whole coalition or of one partner.

A partner's has its own points alone, and of the coalition what is public: the supply, and what the pool holds for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.core.calendar import text_instant
from counterfoil.core.settlement import unpack_supply
from counterfoil.core.units import BASIS_POINTS, mul_div_half_even
from counterfoil.insights.breakage import Assumptions, Basis, Matured
from counterfoil.insights.deferral import Movement, movement
from counterfoil.insights.fold import Habit
from counterfoil.insights.ledger import Ledger
from counterfoil.insights.stock import Band, Stock
from counterfoil.insights.sums import together
from counterfoil.insights.tally import Closed, Flows


@dataclass(frozen=True, slots=True)
class Method:
    """How the figures come about, so that the report can be read alone."""

    default_breakage_bp: int
    estimates_given: tuple[str, ...]
    breakage: str = (
        "expired / (burned + expired), rounded down to a basis point, over an issuer's cohorts (points earned in one month of "
        "the programme's zone) whose last valid day has passed; the default where there is none; an estimate given first"
    )
    deferred_revenue: str = (
        "proportional (IFRS 15 B44-B47): recognised to date = deferred x burned / (issued x (1 - breakage)), rounded down, at "
        "most deferred; deferred = face of the points issued less those taken back; a breakage below what ran out counts as "
        "that; catch-up = what the changed estimate makes of the points so far"
    )
    bands: str = (
        "days of 24 hours, whole days since the earn rounded down, as of the close; what is past and held is first, "
        "what is in wallets never runs out there"
    )
    rates: str = "basis points, half-even; null where nothing stands below the line"
    days_to_first_burn: str = (
        "whole days from a member's first earn to its first burn of the issuer's points, lower median"
    )


@dataclass(frozen=True, slots=True)
class Coverage:
    """The pool against what it must hold for points outstanding; `face` adds what is owed only at use."""

    pool_micros: int
    funded_micros: int
    coverage_bp: int | None
    unfunded_micros: int | None
    face_coverage_bp: int | None


@dataclass(frozen=True, slots=True)
class Breakage:
    """The estimate, what it rests on, the one of the settlement before, and the matured cohorts."""

    estimate_bp: int
    basis: Basis
    before_bp: int
    matured_cohorts: int
    matured_burned: int
    matured_expired: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one party in one currency; of all of them where `party` is null, then without an estimate of its own."""

    party: int | None
    name: str
    outstanding: int
    available: int
    held: int
    withdrawn: int
    pending: int
    debt: int
    funded_micros: int
    unfunded_micros: int
    share_bp: int | None
    redemption_rate_bp: int | None
    cross_brand_share_bp: int | None
    members_who_burned: int
    days_to_first_burn: int | None
    to_date: Flows
    in_settlement: Flows
    ages: tuple[Band, ...]
    runs_out: tuple[Band, ...]
    breakage: Breakage | None
    deferred_revenue: Movement


@dataclass(frozen=True, slots=True)
class Concentration:
    """Who issued what is outstanding: the largest share, and the sum of the squared shares (10000: one issuer alone)."""

    largest_issuer: int
    largest_share_bp: int
    herfindahl_bp: int


@dataclass(frozen=True, slots=True)
class Currency:
    """One currency: its supply, and who issued or took it."""

    currency: int
    name: str
    supply: int
    concentration: Concentration | None
    total: Figures | None
    parties: tuple[Figures, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Of settlement n, as of its close, bound to its header."""

    version: int
    programme: str
    settlement: int
    closed_at: str
    header: str
    zone: str
    method: Method
    coverage: Coverage
    currencies: tuple[Currency, ...]


def report(ledger: Ledger, assumptions: Assumptions, only: int | None = None) -> Report:
    """The report; `only`: as that partner may see it."""
    closing = ledger.header.closing
    supplies = {one.currency: one.tokens for one in unpack_supply(closing.supply)}
    return Report(
        1, "0x" + closing.programme.hex(), closing.number, text_instant(closing.closed_at),
        "0x" + ledger.header.hash().hex(), ledger.rules.zone,
        Method(assumptions.default_bp, tuple(str(one) for one in assumptions.given)), _coverage(ledger, only),
        tuple(_currency(ledger, assumptions, number, supply, only) for number, supply in sorted(supplies.items())),
    )  # fmt: skip


def _coverage(ledger: Ledger, only: int | None) -> Coverage:
    whole = together(ledger.stocks.values(), Stock())
    funded, face = whole.funded_micros, whole.funded_micros + whole.unfunded_micros
    pool, hidden = ledger.pool_micros, only is not None
    return Coverage(
        pool, funded, _bp(pool, funded), None if hidden else whole.unfunded_micros, None if hidden else _bp(pool, face)
    )


def _currency(ledger: Ledger, assumptions: Assumptions, number: int, supply: int, only: int | None) -> Currency:
    parties = sorted(party for currency, party in ledger.stocks if currency == number)
    shown = [party for party in parties if only in {None, party}]
    rows = tuple(_figures(ledger, assumptions, number, party, supply) for party in shown)
    total = None if only is not None else _total(ledger, number, supply, rows)
    concentration = None if total is None else _concentration(rows, total.outstanding)
    return Currency(number, ledger.rules.currencies.get(number, str(number)), supply, concentration, total, rows)


def _concentration(rows: tuple[Figures, ...], outstanding: int) -> Concentration | None:
    if not outstanding:
        return None
    largest = max(rows, key=lambda row: row.outstanding)  # of equal ones the first by number
    squares = sum(row.outstanding * row.outstanding for row in rows)
    assert largest.party is not None
    return Concentration(
        largest.party, mul_div_half_even(largest.outstanding, BASIS_POINTS, outstanding),
        mul_div_half_even(squares, BASIS_POINTS, outstanding * outstanding),
    )  # fmt: skip


def _figures(ledger: Ledger, assumptions: Assumptions, currency: int, party: int, supply: int) -> Figures:
    key, settlement = (currency, party), ledger.header.closing.number
    before, now = ledger.before.get(key, Closed()), ledger.now.get(key, Closed())
    estimate, basis = assumptions.estimate(party, settlement, now.matured)
    was = estimate  # no points before, no estimate that could have changed
    if before.rights.issued:
        was, _basis = assumptions.estimate(party, settlement - 1, before.matured)
    breakage = Breakage(estimate, basis, was, *_counts(now.matured))
    moved = movement(before.rights, was, now.rights, estimate)
    return _row(
        (party, ledger.rules.name_of(party)), ledger.stocks[key], (now.flows, now.flows.less(before.flows)),
        ledger.days_to_first_burn.get(key, Habit()), supply, breakage, moved,
    )  # fmt: skip


def _total(ledger: Ledger, currency: int, supply: int, rows: tuple[Figures, ...]) -> Figures:
    held = together((one for (number, _party), one in ledger.stocks.items() if number == currency), Stock())
    flows = together((row.to_date for row in rows), Flows()), together((row.in_settlement for row in rows), Flows())
    return _row(
        (None, "coalition"), held, flows, ledger.days_to_first_burn.get((currency, 0), Habit()), supply, None,
        together((row.deferred_revenue for row in rows), Movement()),
    )  # fmt: skip


def _row(
    party: tuple[int | None, str], held: Stock, flows: tuple[Flows, Flows], habit: Habit, supply: int,
    breakage: Breakage | None, moved: Movement,
) -> Figures:  # fmt: skip
    to_date, since = flows
    return Figures(
        *party, held.outstanding, held.available, held.held, held.withdrawn, held.pending, held.debt, held.funded_micros,
        held.unfunded_micros, _bp(held.outstanding, supply), _bp(to_date.burned, to_date.issued),
        _bp(to_date.burned_elsewhere, to_date.burned), habit.members, habit.days,
        to_date, since, tuple(held.ages), tuple(held.runs_out), breakage, moved,
    )  # fmt: skip


def _counts(known: Matured) -> tuple[int, int, int]:
    return known.cohorts, known.burned, known.expired


def _bp(part: int, whole: int) -> int | None:
    return mul_div_half_even(part, BASIS_POINTS, whole) if whole else None
