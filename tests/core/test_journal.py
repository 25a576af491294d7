"""A group in the making: numbers, commitments, bytes and hashes of what was posted."""

from __future__ import annotations

import pytest

from counterfoil.core.encoding import commitment, decode, encode, entry_hash
from counterfoil.core.entry import Verb, entry_id, group_of
from counterfoil.core.holdings import Holdings
from counterfoil.core.journal import GroupFull, Journal
from tests.core.books import DAY, PROGRAMME, Books


def test_what_is_written_is_what_was_posted() -> None:
    books = Books()
    books.earn(books.ann, 10, days=2)
    books.earn(books.ann, 10, 17, days=2)
    books.gift(books.ann, books.bob, 4)
    books.now += 3 * DAY
    books.burn(books.bob, 1) if books.bob.usable(books.now) else books.due(books.bob)
    books.due(books.ann)
    assert len(books.written) == 6
    holders = {who.member: who for who in books.members}
    for one in books.written:
        assert decode(one.body) == one.entry
        assert encode(one.entry) == one.body
        assert entry_hash(PROGRAMME, one.body) == one.hash
        expected = [commitment(m, holders[m].secret, one.entry.id) for m in one.members]
        assert list(one.entry.members) == expected
    numbers = [one.entry.id for one in books.written]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == entry_id(group_of(numbers[-2]), 1)  # each funder's expiry, in one group


def test_a_group_holds_no_more_than_its_ids() -> None:
    journal = Journal(PROGRAMME, 5, 0)
    who = Holdings(1)
    journal.written = [journal.post(Verb.EARN, (who,), partner=16)] * 2**16  # type: ignore[list-item]
    with pytest.raises(GroupFull):
        journal.post(Verb.EARN, (who,), partner=16)
