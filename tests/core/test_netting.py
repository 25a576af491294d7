from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.accounts import OPERATOR, Kind, account, party
from counterfoil.core.entry import Posting
from counterfoil.core.errors import Unreadable
from counterfoil.core.netting import fold, pack, positions, unpack
from counterfoil.core.units import CENT_MICROS, MONEY

PARTIES = st.one_of(st.integers(1, 6), st.integers(16, 2**16 - 1))
MICROS = st.integers(1, 10**18)
TRANSFERS = st.lists(st.tuples(PARTIES, PARTIES, MICROS), max_size=30)
WORDS = st.dictionaries(st.integers(1, 2**16 - 2), st.integers(-(2**111), 2**111 - 1).filter(bool), max_size=12)


def nets_of(transfers: list[tuple[int, int, int]]) -> dict[int, int]:
    nets: dict[int, int] = {}
    fold([Posting(party(a), party(b), amount, MONEY) for a, b, amount in transfers], nets)
    return nets


@given(TRANSFERS)
def test_money_nets_to_zero_by_party(transfers: list[tuple[int, int, int]]) -> None:
    nets = nets_of(transfers)
    assert sum(nets.values()) == 0
    for number, net in nets.items():
        received = sum(amount for _, payee, amount in transfers if payee == number)
        assert net == received - sum(amount for payer, _, amount in transfers if payer == number)


def test_points_are_no_money() -> None:
    nets: dict[int, int] = {}
    fold([Posting(account(Kind.ISSUED, 16), account(Kind.AVAILABLE, 0), 9, 1)], nets)
    assert nets == {}


@given(TRANSFERS)
def test_rounding_closes_the_sum(transfers: list[tuple[int, int, int]]) -> None:
    nets = nets_of(transfers)
    found = positions(nets)
    assert found.exact == {number: net for number, net in sorted(nets.items()) if net}
    for number, net in found.exact.items():
        cents = int((Decimal(net) / CENT_MICROS).quantize(Decimal(1), ROUND_HALF_EVEN))
        assert found.rounded.get(number, 0) == cents * CENT_MICROS
    assert sum(found.rounded.values()) + found.rounding == 0
    assert abs(found.rounding) * 2 <= CENT_MICROS * len(found.exact)
    words = found.words()
    assert sum(words.values()) == 0
    assert all(net % CENT_MICROS == 0 and net for net in words.values())
    assert list(words) == sorted(words)
    others = {number: net for number, net in words.items() if number != OPERATOR}
    assert others == {number: net for number, net in found.rounded.items() if number != OPERATOR}
    assert unpack(pack(words)) == words


def test_only_the_operator_bears_the_rounding() -> None:
    found = positions({16: 4_999, 17: 4_999, 18: -9_998})
    assert found.rounded == {18: -10_000}
    assert found.rounding == 10_000
    assert found.words() == {2: 10_000, 18: -10_000}


def test_nets_that_do_not_close_are_no_positions() -> None:
    with pytest.raises(AssertionError):
        positions({16: 1})


@given(WORDS)
def test_packed_words_are_canonical(words: dict[int, int]) -> None:
    closing = -sum(words.values())
    whole = {**words, 2**16 - 1: closing}
    try:
        packed = pack(whole)
    except OverflowError:
        assert not -(2**111) <= closing < 2**111
        return
    assert unpack(packed) == {number: net for number, net in sorted(whole.items()) if net}
    assert pack(unpack(packed)) == packed
    assert len(packed) == 16 * len(unpack(packed))


def record(number: int, net: int) -> bytes:
    return number.to_bytes(2, "big") + net.to_bytes(14, "big", signed=True)


@pytest.mark.parametrize(
    "packed",
    [
        record(16, 1), record(16, 1) + record(17, -2), record(17, 1) + record(16, -1),
        record(16, 1) + record(16, -1), record(16, 0), record(16, 1) + record(17, 0) + record(18, -1),
        record(0, 1) + record(16, -1), (record(16, 1) + record(17, -1))[:-1], b"\0",
        record(16, 1) + record(17, -1) + b"\0",
        record(16, 2**111 - 1) + record(17, -(2**111)),
    ],
)  # fmt: skip
def test_what_is_not_canonical_is_unreadable(packed: bytes) -> None:
    with pytest.raises(Unreadable):
        unpack(packed)


@given(st.binary(max_size=100))
def test_junk_is_unreadable_or_canonical(junk: bytes) -> None:
    try:
        words = unpack(junk)
    except Unreadable:
        return
    assert pack(words) == junk


@pytest.mark.parametrize("net", [2**111, -(2**111) - 1])
def test_a_net_beyond_its_word_is_not_packed(net: int) -> None:
    with pytest.raises(OverflowError):
        pack({16: net})
    assert unpack(pack({16: 2**111 - 1, 17: 1 - 2**111}))[16] == 2**111 - 1
