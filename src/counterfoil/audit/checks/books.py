"""The books again: entries, lots, balances, pool and positions, settlement by settlement."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from counterfoil.audit.case import Case, Lacks
from counterfoil.audit.checks.claims import leaves_of
from counterfoil.audit.checks.files import rules_of
from counterfoil.audit.checks.inclusion import read_handles
from counterfoil.audit.checks.liabilities import Leaf, read_leaves
from counterfoil.audit.evidence import Missing, records, settlement_name
from counterfoil.audit.fold import SKEW, Fold, Total, read
from counterfoil.audit.report import Finding
from counterfoil.audit.shapes import Misshapen, Wrong
from counterfoil.core import netting
from counterfoil.core.accounts import POOL
from counterfoil.core.entry import Entry
from counterfoil.core.errors import Unreadable
from counterfoil.core.files import CLAIMS, ENTRIES
from counterfoil.core.settlement import unpack_supply

PACE = 500
NAMED = 3  # differences named per settlement: the rest would say the same


@dataclass(slots=True)
class _State:
    """The fold, each handle's totals as of the last close, and their sum of outstanding x face."""

    fold: Fold = field(default_factory=Fold)
    totals: dict[int, dict[int, Total]] = field(default_factory=dict)
    outstanding_micros: int = 0


def refolded(case: Case) -> Iterator[Finding]:
    """Fold every entry; at each close compare balances, pool and positions. Stops at the first entry that is wrong."""
    case.sealed_folder()
    state = _State()
    for number in case.headers:
        case.require(number)
        if number > case.included:
            raise Lacks(f"{settlement_name(number, ENTRIES)} as in the log")
        wrong = _entries(case, number, state.fold)
        if wrong is not None:
            yield wrong
            raise Lacks(f"{settlement_name(number, ENTRIES)} without the entry that is wrong")
        yield from _acts(case, number, state.fold)
        yield from _positions(case, number, state.fold)
        _total(state)
        yield from _overdue(case, number, state.fold)
        if state.fold.pool != state.outstanding_micros and "pool" not in case.lacks:
            text = f"the pool holds {state.fold.pool} micros, the points outstanding {state.outstanding_micros}"
            yield case.finding("pool", text, number)
            case.lacks["pool"] = "a pool that agreed before"
        if "balances" not in case.lacks:
            yield from _balances(case, number, state)
        if "wallets" not in case.lacks:
            yield from _wallets(case, number, state.fold)


def _entries(case: Case, number: int, fold: Fold) -> Finding | None:
    """Fold a settlement's entries; the finding of the first that is wrong."""
    if number > case.handled:
        raise Lacks(f"{settlement_name(number, 'handles')} that fit the entries")
    closing, first = case.headers[number].header.closing, case.first_leaf(number)
    opened_at = case.headers[number - 1].header.closing.closed_at if number > 1 else 0
    try:
        currencies = frozenset(supply.currency for supply in unpack_supply(closing.supply))
    except Unreadable:
        raise Lacks("supply words that can be read") from None  # `supply` names them
    fold.begin(currencies, rules_of(case, number))
    entry: Entry | None = None
    leaf = first
    pairs = read_handles(case, number)
    try:
        for (one, two), body in zip(
            pairs, records(case.sealed_folder(), settlement_name(number, ENTRIES)), strict=False
        ):
            entry = None
            entry = read(body)
            if not opened_at - SKEW <= entry.at <= closing.closed_at + SKEW:
                raise Misshapen("its instant is not within its settlement")
            fold.apply(entry, one, two, case.leaf(leaf) or b"")
            leaf += 1
            if not leaf % PACE:
                case.progress("refold", leaf, case.log_size)
        fold.end_of_group()
    except Wrong as wrong:
        if wrong.entry is not None:
            return case.finding(wrong.check, str(wrong), number, entry=wrong.entry)
        known = entry.id if entry is not None else None
        return case.finding(wrong.check, str(wrong), number, entry=known, leaf=leaf)
    fold.pool += fold.nets.get(POOL, 0)
    return None


def _acts(case: Case, number: int, fold: Fold) -> Iterator[Finding]:
    """The rulebook published with a settlement is the one that the acts up to its end have made."""
    try:
        published = hashlib.sha256(case.public.read(settlement_name(number, "rulebook.json"))).digest()
    except Missing:
        case.lacks["acts"] = settlement_name(number, "rulebook.json")
        return
    if fold.books.rulebook not in {None, published}:
        yield case.finding("acts", "the rulebook changed and no act of the operator says so", number)
    fold.books.rulebook = published


def _positions(case: Case, number: int, fold: Fold) -> Iterator[Finding]:
    """The gross words are those of the entries, each party rounded alone, the rounding with the operator."""
    try:
        said = netting.unpack(case.headers[number].header.closing.gross)
    except Unreadable as error:
        yield case.finding("positions", str(error), number)
        return
    words = netting.positions(fold.nets).words()
    for party in sorted(words.keys() | said.keys()):
        if words.get(party, 0) != said.get(party, 0):
            text = f"party {party}: its entries give {words.get(party, 0)} micros, the header {said.get(party, 0)}"
            yield case.finding("positions", text, number)
            return


def _total(state: _State) -> None:
    """Bring totals up to date for who moved in the settlement that ends."""
    for handle in state.fold.touched:
        state.outstanding_micros -= sum(one.paid_micros for one in state.totals.pop(handle, {}).values())
        now = state.fold.totals(handle)
        if now:
            state.totals[handle] = now
            state.outstanding_micros += sum(one.paid_micros for one in now.values())


def _overdue(case: Case, number: int, fold: Fold) -> Iterator[Finding]:
    closed_at = case.headers[number].header.closing.closed_at
    for handle in fold.holders:
        text = fold.overdue(handle, closed_at)
        if text is not None:
            yield case.finding("refold", text[0], number, entry=text[1])
            return


def _balances(case: Case, number: int, state: _State) -> Iterator[Finding]:
    """Each handle's points are those of its leaf: none omitted, none without points, none twice."""
    owed = {(handle, c): one.points for handle, by in state.totals.items() for c, one in by.items() if one.points}
    wrong = 0
    try:
        leaves = list(read_leaves(case, number))
    except Unreadable:
        case.lacks["balances"] = f"{settlement_name(number, 'liabilities')} that can be read"  # `liabilities` names it
        return
    except Lacks as lacks:
        case.lacks["balances"] = lacks.needs
        return
    for leaf in leaves:
        points = owed.pop((leaf.handle, leaf.currency), 0)
        if points != leaf.one.balance:
            if wrong < NAMED:
                yield _unequal(case, number, leaf, points)
            wrong += 1
    for (handle, _currency), points in owed.items():
        if wrong < NAMED:
            entry, index = _culprit(case, number, handle, points)
            text = f"omitted liability: a member is owed {points} points and has no leaf"
            yield case.finding("balances", text, number, entry=entry, leaf=index)
        wrong += 1
    if wrong:
        case.lacks["balances"] = "balances that agreed before"


def _wallets(case: Case, number: int, fold: Fold) -> Iterator[Finding]:
    """What was withdrawn to each account by the entries is its leaf, and what came back is R."""
    books, supplies = fold.books, unpack_supply(case.headers[number].header.closing.supply)
    try:
        said = {(one.account, one.currency): one.cumulative for one in leaves_of(case, number)}
    except Unreadable:
        case.lacks["wallets"] = f"{settlement_name(number, CLAIMS)} that can be read"  # `claims` names it
        return
    wrong = []
    for name in sorted(said.keys() | books.withdrawn.keys()):
        ours, theirs = books.withdrawn.get(name, 0), said.get(name, 0)
        if ours != theirs:
            text = (
                f"the entries withdrew {ours} of currency {name[1]} to 0x{name[0].hex()}, its claim leaf has {theirs}"
            )
            wrong.append(text if theirs else f"omitted claim leaf: {text}")
    for one in supplies:
        if one.returned != books.returned.get(one.currency, 0):
            back = books.returned.get(one.currency, 0)
            wrong.append(f"currency {one.currency}: the entries gave back {back}, the header's R is {one.returned}")
    for text in wrong[:NAMED]:
        yield case.finding("wallets", text, number)
    if wrong:
        case.lacks["wallets"] = "claim leaves that agreed before"


def _unequal(case: Case, number: int, leaf: Leaf, points: int) -> Finding:
    entry, index = _culprit(case, number, leaf.handle, points - leaf.one.balance)
    text = f"the liability at place {leaf.one.place} is {leaf.one.balance}, the entries give {points}"
    return case.finding("balances", text, number, entry=entry, leaf=index)


def _culprit(case: Case, number: int, handle: int, difference: int) -> tuple[int | None, int | None]:
    """The first entry of a handle that changed its points by just this difference, with its leaf index."""
    bodies = records(case.sealed_folder(), settlement_name(number, ENTRIES))
    for place, (pair, body) in enumerate(zip(read_handles(case, number), bodies, strict=False)):
        if handle in pair:
            entry = read(body)
            change = Fold.change(entry, pair.index(handle))
            if difference in {change, -change}:
                return entry.id, case.first_leaf(number) + place
    return None, None
