"""The rules of documents: they sum to the positions to the cent, keep tax apart, and say what they correct."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.entities import (
    OUTSIDE,
    Belongs,
    Profile,
    Tax,
    completed,
    entity_at,
    in_force,
    own_entity,
    spans,
)
from counterfoil.core.invoices import Draft, Flow, Kind, Line, Lines, drafts, tax_sums
from counterfoil.core.units import CENT_MICROS, rounded_half_even

VAT = Tax("VAT", "S", 2_200, ("fee",))
OLD = Tax("VAT", "S", 2_000, ("fee",))
KINDS = [kind for kind in Kind if kind is not Kind.ROUNDING]
FLOWS = st.lists(
    st.tuples(
        st.sampled_from([16, 17, 18]), st.sampled_from([0, 0, 1, 2]),
        st.builds(Flow, st.sampled_from(KINDS), st.booleans(), st.integers(0, 50), st.integers(-(10**9), 10**9)),
    ),
    max_size=12,
)  # fmt: skip


def made(flows: list[tuple[int, int, Flow]]) -> tuple[Lines, dict[int, int], list[Draft]]:
    lines = Lines()
    for partner, corrects, flow in flows:
        lines.add(partner, corrects, flow)
    partners = {name.partner for name in lines.sums}
    settled = {partner: rounded_half_even(lines.exact(partner)) for partner in partners}
    taxes = {(name.partner, name.corrects): [OLD if name.corrects else VAT] for name in lines.sums}
    return lines, settled, drafts(lines, settled, taxes)


@given(FLOWS)
def test_documents_sum_to_the_rounded_positions(flows: list[tuple[int, int, Flow]]) -> None:
    lines, settled, found = made(flows)
    assert sum(one.net_micros for one in found) == sum(settled.values())
    for one in found:
        assert one.net_micros % CENT_MICROS == 0
        assert one.kind == ("credit_note" if (one.net_micros or one.tax_micros) > 0 else "invoice")
        rounding = [line for line in one.lines if line.kind is Kind.ROUNDING]
        assert [line.amount_micros for line in rounding] == [
            one.net_micros - sum(line.amount_micros for line in one.lines if line.kind is not Kind.ROUNDING)
        ][: len(rounding)]
        # each partner's rounding is half a cent at most, and so is the correction's, which is rounded alone
        assert all(abs(line.amount_micros) <= CENT_MICROS * (len(settled) + 1) // 2 for line in rounding)
    booked = sum(line.amount_micros for one in found for line in one.lines if line.kind is not Kind.ROUNDING)
    assert booked == sum(lines.exact(partner) for partner in settled)


@given(FLOWS)
def test_what_corrects_stands_apart(flows: list[tuple[int, int, Flow]]) -> None:
    _lines, _settled, found = made(flows)
    assert len(found) <= 2
    for one in found:
        corrects = {bool(line.corrects) for line in one.lines if line.kind is not Kind.ROUNDING}
        assert len(corrects) <= 1
        assert one.corrects == sorted({line.corrects for line in one.lines if line.corrects})
        rates = {line.tax for line in one.lines if line.kind is Kind.FEE}
        assert rates <= ({OLD} if True in corrects else {VAT})


@given(FLOWS)
def test_tax_is_apart_from_the_net_and_rounded_once(flows: list[tuple[int, int, Flow]]) -> None:
    for one in made(flows)[2]:
        assert sum(each.base_micros for each in one.taxes) == one.net_micros
        for each in one.taxes:
            exact = Fraction(each.base_micros * each.tax.rate_bp, 10_000)
            assert abs(each.tax_micros - exact) <= Fraction(CENT_MICROS, 2)
            assert each.tax_micros % CENT_MICROS == 0
        assert all(line.tax == OUTSIDE for line in one.lines if line.kind is not Kind.FEE)


@pytest.mark.parametrize(("base", "tax"), [(250_000, 60_000), (-250_000, -60_000), (208_333, 50_000), (1, 0)])
def test_tax_is_rounded_half_even_in_one_step(base: int, tax: int) -> None:
    """24 % of 0.25 is 0.06; of 0.208333 it is 0.04999992: rounded to micros first it would be the tie 0.05."""
    (one,) = tax_sums([Line(16, Kind.FEE, False, 0, 0, 0, base, Tax("VAT", "S", 2_400, ("fee",)))])
    assert (one.base_micros, one.tax_micros) == (base, tax)


def test_a_price_per_point_is_a_line_of_its_own() -> None:
    lines = Lines()
    for micros in (-30_000, -60_000, -24_690):
        lines.add(16, 0, Flow(Kind.ISSUANCE, False, 3, micros))
    lines.add(16, 0, Flow(Kind.ISSUANCE, False, 6, -60_000))
    lines.add(16, 0, Flow(Kind.BREAKAGE, False, 3, 20_001))
    told = {(name.kind, name.unit_micros): sums for name, sums in lines.sums.items()}
    assert told == {
        (Kind.ISSUANCE, 10_000): (9, -90_000), (Kind.ISSUANCE, 20_000): (3, -60_000),
        (Kind.ISSUANCE, 8_230): (3, -24_690), (Kind.BREAKAGE, 0): (3, 20_001),
    }  # fmt: skip


def test_what_sums_to_nothing_leaves_no_line() -> None:
    lines = Lines()
    lines.add(16, 0, Flow(Kind.DISPUTE, False, 0, -500))
    lines.add(16, 0, Flow(Kind.DISPUTE, False, 0, 500))
    assert drafts(lines, {16: 0}, {(16, 0): []}) == []


def test_versions_hold_from_their_instant() -> None:
    versions = [(5, "a"), (9, "b")]
    assert [in_force(versions, at) for at in (4, 5, 8, 9, 99)] == [None, "a", "a", "b", "b"]
    belongs = Belongs([(5, "x"), (9, "y")])
    assert [entity_at(belongs, 16, at) for at in (4, 5, 9)] == ["partner-16", "x", "y"]
    assert entity_at(None, 16, 4) == own_entity(16)
    assert spans(belongs, 16) == [("partner-16", 0, 5), ("x", 5, 9), ("y", 9, None)]
    assert spans(Belongs([(0, "x")]), 16) == [("x", 0, None)]


def test_what_a_buyer_leaves_open_is_as_the_seller_has_it() -> None:
    seller = Profile("S", taxes=(VAT,), invoice_series="A", payment_days=5, payment=("IBAN",), currency="PLN")
    plain = completed(Profile("B"), seller)
    assert (plain.taxes, plain.invoice_series, plain.credit_note_series) == ((VAT,), "A", "CN")
    assert (plain.payment_days, plain.payment, plain.currency) == (5, (), "PLN")
    own = completed(Profile("B", taxes=(), invoice_series="B", payment_days=0, currency="EUR"), seller)
    assert (own.taxes, own.invoice_series, own.payment_days, own.currency) == ((), "B", 0, "PLN")
