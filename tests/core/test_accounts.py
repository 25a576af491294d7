from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.accounts import (
    FIRST_PARTNER,
    LAST_PARTY,
    MEMBER_KINDS,
    RESERVED,
    Kind,
    account,
    kind_of,
    owner_of,
    party,
)
from counterfoil.core.entry import entry_id, group_id, group_of, place_of


@given(st.sampled_from(Kind), st.integers(0, 2**56 - 1))
def test_an_account_tells_its_kind_and_owner(kind: Kind, owner: int) -> None:
    word = account(kind, owner)
    assert 0 < word < 2**64
    assert (kind_of(word), owner_of(word)) == (kind, owner)
    assert word == int(kind) * 2**56 + owner


def test_money_has_one_kind() -> None:
    assert {party(n) for n in (1, 16, LAST_PARTY)} == {account(Kind.PARTY, n) for n in (1, 16, LAST_PARTY)}


@pytest.mark.parametrize("word", [0, 99 << 56, 255 << 56])
def test_no_kind(word: int) -> None:
    with pytest.raises(ValueError, match="is not a valid Kind"):
        kind_of(word)


def test_numbers_of_the_specification() -> None:
    assert [int(kind) for kind in Kind] == list(range(1, len(Kind) + 1))
    assert {Kind.AVAILABLE, Kind.HELD, Kind.DEBT, Kind.PENDING} == MEMBER_KINDS
    assert (Kind.PARTY, Kind.AVAILABLE, Kind.DEBT, Kind.PENDING) == (1, 5, 7, 8)
    assert sorted(RESERVED) == [1, 2, 3, 4, 5, 6]
    assert max(RESERVED) < FIRST_PARTNER == 16


@given(st.integers(0, 2**11 - 1), st.integers(0, 2**36 - 1), st.integers(0, 2**16 - 1))
def test_an_id_is_shard_group_and_place(shard: int, number: int, place: int) -> None:
    group = group_id(shard, number)
    made = entry_id(group, place)
    assert made == shard * 2**52 + number * 2**16 + place < 2**63
    assert (group_of(made), place_of(made)) == (group, place)
    assert group < 2**53
