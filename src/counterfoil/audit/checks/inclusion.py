"""The sealed entries against the log, and the handles against the entries and liabilities they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from counterfoil.audit.case import Case, Lacks
from counterfoil.audit.evidence import Missing, records, settlement_name
from counterfoil.audit.fold import Fold
from counterfoil.audit.report import Finding
from counterfoil.core.encoding import decode, entry_hash
from counterfoil.core.errors import Unreadable
from counterfoil.core.files import ENTRIES, unpack_handles, unpack_leaf_handles
from counterfoil.core.log import Frontier
from counterfoil.core.settlement import unpack_supply

PACE = 5_000


def inclusion(case: Case) -> Iterator[Finding]:
    """The entries of each settlement hash to its leaves, in order, and give the log_root of its header."""
    folder, frontier, total = case.sealed_folder(), Frontier(), 0
    for number in case.headers:
        closing = case.require(number).header.closing
        name, first = settlement_name(number, ENTRIES), case.first_leaf(number)
        count, cut = 0, ""
        try:
            for body in records(folder, name):
                frontier.append(entry_hash(case.chain.programme, body))
                count += 1
                if not count % PACE:
                    case.progress("inclusion", first + count, case.log_size)
        except Missing:
            raise Lacks(name) from None  # `files` names it
        except Unreadable as error:
            cut = error.why
        total += count
        if cut or total != closing.log_size or frontier.root() != closing.log_root:
            yield _first_bad(case, number, cut)
            return
        case.included = number


def _first_bad(case: Case, number: int, cut: str) -> Finding:
    """The first record of a settlement that is not its leaf, and how the records around it explain it."""
    name, leaf = settlement_name(number, ENTRIES), case.first_leaf(number)
    size = case.headers[number].header.closing.log_size
    before = b""
    stream = _stream(case, number)
    body = next(stream, None)
    while body is not None and leaf < size and entry_hash(case.chain.programme, body) == case.leaf(leaf):
        before, body, leaf = body, next(stream, None), leaf + 1
    if body is None:
        text = cut or f"{name} ends before leaf {leaf} of {size}: an entry is missing"
        return case.finding("inclusion", text, number, leaf=leaf, entry=_id(before, 1) if before else None)
    if leaf >= size:
        text = f"{name} goes on behind the last leaf: an entry too many"
        return case.finding("inclusion", text, number, leaf=leaf, entry=_id(body))
    ahead = [entry_hash(case.chain.programme, one) for one, _ in zip([body, *stream], range(3), strict=False)]
    if case.good_leaves is not None and leaf >= case.good_leaves:
        text = "the entries are not those of the header; the log's leaves are not either"
    elif ahead[0] == case.leaf(leaf + 1):
        text = "an entry is missing here, or stands elsewhere"
    elif len(ahead) > 1 and ahead[1] == case.leaf(leaf):
        text = "an entry too many, or from elsewhere"
    else:
        text = "the entry does not hash to its leaf"
    return case.finding("inclusion", text, number, leaf=leaf, entry=_id(body))


def _stream(case: Case, number: int) -> Iterator[bytes]:
    try:
        yield from records(case.sealed_folder(), settlement_name(number, ENTRIES))
    except Unreadable:
        return


def _id(body: bytes, more: int = 0) -> int | None:
    """The id that a body announces: its second word. It may itself be what was altered."""
    return int.from_bytes(body[8:16], "big") + more if len(body) >= 16 else None


def handles(case: Case) -> Iterator[Finding]:
    """One pair per entry; whoever has one entry only has a liability, and whoever has a liability has an entry."""
    case.sealed_folder()
    known: dict[int, _Use] = {}
    for number in _included(case):
        yield from _pairs(case, number, known)
    liable: set[int] = set()
    for number in _included(case):
        name = settlement_name(number, "liability_handles")
        try:
            leaves = unpack_leaf_handles(case.sealed_folder().read(name, 2**40))
        except Missing:
            raise Lacks(name) from None
        for place, handle in enumerate(leaves):
            if handle not in known:
                text = f"{name}: record {place} names a member without any entry"
                yield case.finding("handles", text, number)
                raise Lacks(f"{name} of members with entries")
        liable.update(leaves)
    for handle, use in known.items():
        if use.count == 1 and handle not in liable and _outstanding(case, use) and _all_owed(case, use.number):
            place = use.leaf - case.first_leaf(use.number)
            name = settlement_name(use.number, "handles")
            text = f"{name}: record {place} names a member with no other entry and no liability"
            entry = entry_at(case, use.number, place)
            yield case.finding("handles", text, use.number, leaf=use.leaf, entry=entry)
            raise Lacks("handles that fit")
    case.handled = case.included


@dataclass(slots=True)
class _Use:
    """Where a handle is used first, and how often."""

    number: int
    leaf: int
    count: int = 0


def _included(case: Case) -> list[int]:
    return [number for number in case.headers if number <= case.included]


def _pairs(case: Case, number: int, known: dict[int, _Use]) -> Iterator[Finding]:
    """Count the handles of a settlement's entries; a finding and Lacks for a record that cannot be."""
    first, name = case.first_leaf(number), settlement_name(number, "handles")
    pairs = read_handles(case, number)
    if len(pairs) != case.headers[number].header.closing.log_size - first:
        yield case.finding("handles", f"{name} has {len(pairs)} pairs, not one per entry", number)
        raise Lacks(f"{name} with a pair per entry")
    for place, (pair, body) in enumerate(zip(pairs, _stream(case, number), strict=False)):
        if not pair[0] and not _memberless(body):
            entry = entry_at(case, number, place)
            text = f"{name}: record {place} names no member"
            yield case.finding("handles", text, number, leaf=first + place, entry=entry)
            raise Lacks(f"{name} with a member for each entry")
        for handle in pair:
            if handle:
                known.setdefault(handle, _Use(number, first + place)).count += 1


def _memberless(body: bytes) -> bool:
    """Whether an entry is about no member: a pack bought, a partner's default."""
    try:
        return not decode(body).members
    except Unreadable:
        return False


def _outstanding(case: Case, use: _Use) -> bool:
    """Whether an entry changes what its members have: one that only makes pending points does not."""
    place = use.leaf - case.first_leaf(use.number)
    body = next((one for index, one in enumerate(_stream(case, use.number)) if index == place), b"")
    try:
        entry = decode(body)
    except Unreadable:
        return True
    return any(Fold.change(entry, owner) for owner in range(len(entry.members)))


def _all_owed(case: Case, number: int) -> bool:
    """Whether the entries up to a settlement's end give its C: if not, a liability is omitted, and no handle wrong."""
    points = 0
    try:
        for one in range(1, number + 1):
            for body in records(case.sealed_folder(), settlement_name(one, ENTRIES)):
                entry = decode(body)
                points += sum(Fold.change(entry, owner) for owner in range(len(entry.members)))
        return points == sum(one.custodial for one in unpack_supply(case.headers[number].header.closing.supply))
    except Unreadable:
        return False


def read_handles(case: Case, number: int) -> list[tuple[int, int]]:
    """The handle pairs of a settlement's entries; raises Lacks, Unreadable."""
    name = settlement_name(number, "handles")
    try:
        return unpack_handles(case.sealed_folder().read(name, 2**40))
    except Missing:
        raise Lacks(name) from None
    except Unreadable as error:
        raise Unreadable(name, error.why) from error


def entry_at(case: Case, number: int, place: int) -> int | None:
    """The id of a settlement's entry by its place in the file."""
    for index, body in enumerate(_stream(case, number)):
        if index == place:
            return _id(body)
    return None
