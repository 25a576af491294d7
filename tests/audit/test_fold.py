"""The fold against entries that a lying operator logged and had signed: hashes hold, so only the rules can tell."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from counterfoil.audit.fold import Fold, read
from counterfoil.audit.onchain import Chain
from counterfoil.audit.published import read_rules
from counterfoil.audit.shapes import Wrong
from counterfoil.core.encoding import encode, entry_hash
from counterfoil.core.entry import DebtMade, Entry, LotMade, Place, Posting, Verb
from counterfoil.core.files import unpack_entries, unpack_handles
from counterfoil.core.legs import postings
from counterfoil.core.lots import LotTerms, pack_funding
from tests.audit.coalition import Coalition

Settled = tuple[Coalition, Path, Chain]
Row = tuple[int, bytes, int, int]  # settlement, body, first and second handle
Outcome = tuple[list[tuple[int, int]], dict[tuple[int, int], int]]


def rows(ledger: Path) -> list[Row]:
    found: list[Row] = []
    for folder in sorted((ledger / "sealed/settlements").iterdir()):
        bodies = unpack_entries((folder / "entries").read_bytes())
        pairs = unpack_handles((folder / "handles").read_bytes())
        found += [(int(folder.name), body, *pair) for body, pair in zip(bodies, pairs, strict=True)]
    return found


def folded(ledger: Path, made: list[Row]) -> Outcome:
    """Points by handle in the end, micros by settlement and party; raises Wrong."""
    fold, nets, number = Fold(), dict[tuple[int, int], int](), 0
    for settlement, body, first, second in made:
        if settlement != number:
            number = settlement
            path = ledger / f"public/settlements/{number:06d}/rulebook.json"
            fold.begin(frozenset({1}), read_rules(path.read_bytes(), b"\x07" * 32))
        fold.apply(read(body), first, second, entry_hash(b"\x07" * 32, body))
        for party, net in fold.nets.items():
            nets[number, party] = net
    fold.end_of_group()
    points = [(handle, one.points) for handle in sorted(fold.holders) for one in fold.totals(handle).values()]
    return points, nets


def funded(made: LotMade, name: str, change: int) -> LotMade:
    """The lot with other money per point in its first funder's part."""
    first, *rest = made.terms.funds.parts
    bent = replace(first, **{name: getattr(first, name) + change})
    return replace(made, terms=replace(made.terms, funding=pack_funding([bent, *rest])))


def mutations(entry: Entry) -> Iterator[Entry]:
    """One part changed, everything else as it was."""
    for change in (1, -1, 10**6):
        for i, move in enumerate(entry.moves):
            moves = list(entry.moves)
            if move.source is not Place.EXPIRED:  # a refund of more or fewer that ran out is another honest refund
                moves[i] = replace(move, points=move.points + change)
                yield replace(entry, moves=tuple(moves))
            moves[i] = replace(move, index=move.index + change) if move.index + change >= 0 else move
            yield replace(entry, moves=tuple(moves))
        for i, made in enumerate(entry.lots):
            for bent in (
                replace(made, points=made.points + change),
                funded(made, "paid_micros", change),
                funded(made, "owed_micros", abs(change)),
                funded(made, "fee_micros", change),
                replace(made, terms=replace(made.terms, issuer=made.terms.issuer + 1)),
            ):
                yield replace(entry, lots=(*entry.lots[:i], bent, *entry.lots[i + 1 :]))
        for debt in entry.debts:
            yield replace(entry, debts=(replace(debt, points=debt.points + change),))
            yield replace(entry, debts=(replace(debt, fee_micros=debt.fee_micros + change),))
        for paid in entry.repaid:
            yield replace(entry, repaid=(replace(paid, points=paid.points + change),))
    for verb in Verb:
        yield replace(entry, verb=verb)
    for other in (entry.moves[1:], entry.moves[::-1], entry.moves * 2):
        yield replace(entry, moves=other)
    if entry.verb is not Verb.TRANSFER:  # anybody may pass a gift on
        yield replace(entry, partner=entry.partner + 1)
    yield replace(entry, refers_to=entry.refers_to + (1 << 16))
    yield replace(entry, lots=entry.lots * 2)
    yield replace(entry, debts=(*entry.debts, DebtMade(0, 1, 1, 16, 0)))


def with_postings(entry: Entry, honest: Fold, handle: int) -> Entry:
    """As the liar would write it: legs that fit the bent parts, where there are any."""
    who = honest.holders.get(handle)
    closed = {name: lot for name, (owner, lot) in honest.closed.items() if owner == handle}

    def terms_of(number: int, index: int) -> LotTerms:
        return ({**closed, **who.lots} if who else closed)[number, index].terms

    def debt_of(number: int, index: int) -> DebtMade:
        assert who is not None
        return who.debts[number, index].made

    try:
        return replace(entry, postings=postings(entry, terms_of, debt_of))
    except (KeyError, IndexError, AssertionError):
        return entry


def test_every_bent_entry_is_wrong_or_tells_in_the_sums(settled: Settled) -> None:
    ledger = settled[1]
    made = rows(ledger)
    honest = folded(ledger, made)
    bent, passed = 0, []
    for at, (number, body, first, second) in enumerate(made):
        entry, before = read(body), Fold()
        before.begin(frozenset({1}), None)
        for _number, earlier, one, two in made[:at]:
            before.apply(read(earlier), one, two, entry_hash(b"\x07" * 32, earlier))
        for change in mutations(entry):
            lie = with_postings(change, before, first)
            if lie == entry:
                continue
            bent += 1
            try:
                outcome = folded(ledger, [*made[:at], (number, encode(lie), first, second), *made[at + 1 :]])
            except Wrong:
                continue
            if outcome == honest:
                passed.append(f"{entry}\n{lie}")
    assert bent > 750
    assert "\n".join(passed) == ""


def words(body: bytes) -> list[int]:
    return list(struct.unpack(f">{len(body) // 8}Q", body))


def test_no_body_whatever_makes_the_fold_stumble(settled: Settled, times: Callable[[int, int], int]) -> None:
    ledger, dice = settled[1], random.Random(5)
    made = rows(ledger)
    for _ in range(times(1_500, 50_000)):
        at = dice.randrange(len(made))
        number, body, first, second = made[at]
        w = words(body)
        for _change in range(dice.choice((1, 1, 2, 5))):
            w[dice.randrange(len(w))] = dice.choice(
                (0, 1, 2, 16, 2**53, 2**63, 2**64 - 1, dice.getrandbits(64), dice.choice(w))
            )
        with suppress(Wrong):
            folded(ledger, [*made[:at], (number, struct.pack(f">{len(w)}Q", *w), first, second), *made[at + 1 :]])


@pytest.mark.parametrize("verb", [Verb.CAPTURE, Verb.RELEASE])
def test_a_hold_ends_once(settled: Settled, verb: Verb) -> None:
    ledger = settled[1]
    made = rows(ledger)
    at, entry = next((i, read(row[1])) for i, row in enumerate(made) if read(row[1]).verb is verb)
    again = encode(replace(entry, id=entry.id + 1))
    with pytest.raises(Wrong, match="a hold ends once"):
        folded(ledger, [*made[: at + 1], (made[at][0], again, *made[at][2:]), *made[at + 1 :]])


@pytest.mark.parametrize("amount", [0, 2**64, 2**127])
def test_postings_of_any_amount(settled: Settled, amount: int) -> None:
    """Amounts have 128 bits: what does not follow from the parts is wrong, however large."""
    ledger = settled[1]
    made = rows(ledger)
    number, body, first, second = made[0]
    entry = read(body)
    assert isinstance(entry.lots[0], LotMade)
    lie = replace(entry, postings=(*entry.postings, Posting(1 << 56 | 16, 1 << 56 | 1, amount, 0)))
    with pytest.raises(Wrong):
        folded(ledger, [(number, encode(lie), first, second), *made[1:]])
