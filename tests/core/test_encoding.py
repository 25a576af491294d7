"""One entry, one body: nothing but the canonical bytes is read, and no two bodies mean the same."""

from __future__ import annotations

import hashlib
import hmac
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from counterfoil.core.accounts import Kind, account
from counterfoil.core.encoding import commitment, decode, encode, entry_hash, tag, word
from counterfoil.core.entry import Entry, Place, Posting, Verb
from counterfoil.core.errors import Unreadable
from tests.core.generated import ENTRIES

PLAIN = Entry(7, Verb.BURN, 1, 2, 16, 0, 0, 0, (b"m" * 32,), (Posting(5 << 56, 3 << 56 | 16, 10, 1),))


def read(body: bytes) -> Entry | None:
    try:
        return decode(body)
    except Unreadable:
        return None


@given(ENTRIES)
def test_there_and_back(entry: Entry) -> None:
    body = encode(entry)
    assert decode(body) == entry
    assert encode(decode(body)) == body
    parts = (entry.members, entry.postings, entry.lots, entry.moves, entry.debts, entry.repaid, entry.paid, entry.drawn)
    widths = (4, 5, 11, 5, 5, 3, 3, 3)
    funding = sum(len(made.terms.funding) for made in entry.lots)
    tail = 72 if entry.wallet else 120 if entry.act else 0
    assert len(body) == tail + funding + 8 * (17 + sum(len(part) * w for part, w in zip(parts, widths, strict=True)))


@given(ENTRIES, st.data())
def test_a_flipped_bit_never_goes_unseen(entry: Entry, data: st.DataObject) -> None:
    body = encode(entry)
    bit = data.draw(st.integers(0, 8 * len(body) - 1))
    changed = bytearray(body)
    changed[bit // 8] ^= 1 << bit % 8
    other = read(bytes(changed))
    assert other != entry
    assert other is None or encode(other) == changed


@given(ENTRIES, st.integers(0, 2_000))
def test_a_cut_body_is_unreadable(entry: Entry, at: int) -> None:
    body = encode(entry)
    with pytest.raises(Unreadable):
        decode(body[: at % len(body)])


@given(ENTRIES, st.binary(min_size=1, max_size=200))
def test_an_extended_body_is_unreadable(entry: Entry, more: bytes) -> None:
    body = encode(entry)
    with pytest.raises(Unreadable):
        decode(body + more)
    assert read(more + body) != entry


@given(st.one_of(st.binary(max_size=900), st.lists(st.integers(0, 3), max_size=90).map(
    lambda words: b"".join(n.to_bytes(8, "big") for n in words))))  # fmt: skip
def test_junk_is_unreadable_or_canonical(junk: bytes) -> None:
    found = read(junk)
    assert found is None or encode(found) == junk


@given(ENTRIES, ENTRIES)
def test_two_entries_have_two_bodies(one: Entry, other: Entry) -> None:
    assert (encode(one) == encode(other)) == (one == other)


def test_every_bit_of_a_plain_entry_counts() -> None:
    body = encode(PLAIN)
    for bit in range(8 * len(body)):
        changed = bytearray(body)
        changed[bit // 8] ^= 1 << bit % 8
        assert read(bytes(changed)) != PLAIN


@pytest.mark.parametrize(
    ("at", "value", "why"),
    [
        (0, 0, "version 0, known is 1"),
        (0, 2, "version 2, known is 1"),
        (2, 0, "0 is not a valid Verb"),
        (2, 99, "99 is not a valid Verb"),
        (9, 0, "do not hold the parts"),
        (10, 2**16, "do not hold the parts"),
        (12, 2**63, "do not hold the parts"),
        (21, 0, "0 is not a valid Kind"),
        (22, 99 << 56, "99 is not a valid Kind"),
    ],
)
def test_why_a_body_is_unreadable(at: int, value: int, why: str) -> None:
    words = list(struct.unpack(f">{len(encode(PLAIN)) // 8}Q", encode(PLAIN)))
    words[at] = value
    with pytest.raises(Unreadable, match=why) as caught:
        decode(struct.pack(f">{len(words)}Q", *words))
    assert caught.value.what == "entry"


@pytest.mark.parametrize("amount", [-1, 2**128])
def test_an_amount_that_does_not_fit_is_not_written(amount: int) -> None:
    posting = Posting(account(Kind.PARTY, 1), account(Kind.PARTY, 16), amount, 0)
    with pytest.raises(struct.error):
        encode(replace(PLAIN, postings=(posting,)))


@pytest.mark.parametrize("name", ["id", "at", "occurred_at", "partner", "refers_to", "until", "value_micros"])
def test_a_word_that_does_not_fit_is_not_written(name: str) -> None:
    for value in (-1, 2**64):
        with pytest.raises(struct.error):
            encode(replace(PLAIN, **{name: value}))


@pytest.mark.parametrize("width", [0, 31, 33, 64])
def test_a_member_is_32_bytes(width: int) -> None:
    with pytest.raises(struct.error):
        encode(replace(PLAIN, members=(bytes(width),)))


def test_numbers_of_the_specification() -> None:
    assert [int(verb) for verb in Verb] == list(range(1, len(Verb) + 1))
    assert [int(place) for place in Place] == list(range(1, len(Place) + 1))
    assert (Verb.EARN, Verb.REFUND_EARN, Verb.REPAY, Verb.FUND) == (1, 6, 10, 12)
    assert (Place.AVAILABLE, Place.BURNED, Place.RENEWED, Place.ISSUED) == (1, 3, 8, 11)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=99))
def test_the_hash_covers_programme_and_body(programme: bytes, body: bytes) -> None:
    expected = hashlib.sha256(b"counterfoil.entry.v1".ljust(32, b"\0") + programme + body).digest()
    assert entry_hash(programme, body) == expected
    assert entry_hash(bytes(31) + b"\1", body) != entry_hash(bytes(32), body)


@given(st.integers(0, 2**64), st.binary(min_size=32, max_size=32), st.integers(0, 2**64 - 1))
def test_a_commitment_follows_the_specification(member: int, salt_key: bytes, entry: int) -> None:
    salt = hmac.new(salt_key, entry.to_bytes(8, "big"), hashlib.sha256).digest()
    preimage = b"counterfoil.entry.member.v1".ljust(32, b"\0") + member.to_bytes(32, "big") + salt
    assert commitment(member, salt_key, entry) == hashlib.sha256(preimage).digest()


def test_commitments_of_a_member_are_unlinkable() -> None:
    made = {commitment(1, b"k" * 32, entry) for entry in range(1_000)}
    made |= {commitment(2, b"k" * 32, entry) for entry in range(1_000)}
    made |= {commitment(1, b"K" * 32, entry) for entry in range(1_000)}
    assert len(made) == 3_000


def test_words_and_tags() -> None:
    assert (tag("ab"), word(258)) == (b"ab" + bytes(30), bytes(30) + b"\1\2")
    for value in (-1, 2**256):
        with pytest.raises(OverflowError):
            word(value)
    names = ["counterfoil.entry.v1", "counterfoil.entry.member.v1", "counterfoil.sum.leaf.v1",
             "counterfoil.sum.node.v1", "counterfoil.sum.empty.v1", "counterfoil.sum.member.v1",
             "counterfoil.manifest.v1"]  # fmt: skip
    tags = sorted(tag(name) for name in names)
    assert {len(one) for one in tags} == {32}
    assert all(a != b for a, b in pairwise(tags))
