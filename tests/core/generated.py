"""Entries and members for property tests: every figure of an entry at random, in its word."""

from __future__ import annotations

from hypothesis import strategies as st
from msgspec.structs import replace

from counterfoil.core.accounts import Kind, account
from counterfoil.core.acts import About, Act, Role
from counterfoil.core.entry import IN_WALLETS, DebtMade, Drawn, Entry, LotMade, Move, Paid, Place, Posting, Repaid, Verb
from counterfoil.core.lots import Funding, LotTerms, pack_funding
from counterfoil.core.wallet import Wallet

WORDS = st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1), st.just(2**64 - 1))
HASHES = st.binary(min_size=32, max_size=32)
ACCOUNTS = st.builds(account, st.sampled_from(Kind), st.integers(0, 2**56 - 1))
POSTINGS = st.builds(Posting, ACCOUNTS, ACCOUNTS, st.integers(1, 2**128 - 1), WORDS)
SHORTS = st.integers(0, 2**16 - 1)
PARTS = st.builds(Funding, SHORTS, SHORTS, WORDS, WORDS, WORDS, WORDS, st.booleans(), SHORTS)
FUNDING = st.lists(PARTS, max_size=3).map(pack_funding)
TERMS = st.builds(LotTerms, *[WORDS] * 5, FUNDING, WORDS, WORDS, WORDS)
LOTS = st.builds(LotMade, WORDS, WORDS, TERMS)
PLACES = st.sampled_from(Place)
MOVES = st.builds(Move, WORDS, WORDS, PLACES, PLACES, WORDS)
DEBTS = st.builds(DebtMade, *[WORDS] * 5)
REPAID = st.builds(Repaid, *[WORDS] * 3)
PAID = st.builds(Paid, *[WORDS] * 3)
DRAWN = st.builds(Drawn, *[WORDS] * 3)


def several(one: st.SearchStrategy[object], most: int = 4) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(one, max_size=most).map(tuple)


WALLETS = st.builds(Wallet, st.binary(min_size=20, max_size=20), HASHES, WORDS)
_PLAIN: st.SearchStrategy[Entry] = st.builds(
    Entry, WORDS, st.sampled_from(Verb), WORDS, WORDS, WORDS, WORDS, WORDS, WORDS,
    several(HASHES, 2), several(POSTINGS), several(LOTS), several(MOVES), several(DEBTS), several(REPAID), several(PAID),
    several(DRAWN),
)  # fmt: skip
ACTS = st.builds(Act, st.sampled_from(About), WORDS, st.sampled_from(Role), HASHES, HASHES, HASHES)


def _whole(entry: Entry, act: Act, wallet: Wallet) -> Entry:
    """With what its verb calls for."""
    if entry.verb is Verb.ACT:
        return replace(entry, act=act)
    return replace(entry, wallet=wallet) if entry.verb in IN_WALLETS else entry


ENTRIES = st.builds(_whole, _PLAIN, ACTS, WALLETS)
