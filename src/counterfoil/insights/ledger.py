"""The ledger as exported: settlements 1 to n folded, each held against its header before the next is read.

What is checked: the files are those the manifest in the header names, there is an entry for each leaf, by currency the
points available and held are the header's C and those in wallets its W - R, and the pool's money is the header's word.
Whether the entries are right and the header final on chain is the auditor's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from counterfoil.core import netting
from counterfoil.core.accounts import POOL, RESERVED
from counterfoil.core.calendar import LAST_INSTANT, checked_zone
from counterfoil.core.encoding import decode
from counterfoil.core.errors import Unreadable
from counterfoil.core.files import ENTRIES, LIABILITIES, RULEBOOK, FileHash, Hasher, hashed, manifest_hash, pack_entry
from counterfoil.core.settlement import Header, unpack_supply
from counterfoil.core.units import rounded_half_even
from counterfoil.insights.fold import Fold, Habit, Key
from counterfoil.insights.stock import Stock
from counterfoil.insights.tally import Closed

PACE = 5_000
Progress = Callable[[str, int, int], None]  # what, done, of how many


@dataclass(frozen=True, slots=True)
class Exported:
    """A settlement in the exports. `records`: each entry's body and its two members' handles (0: none), streamed."""

    header: Header
    files: tuple[FileHash, ...]
    rulebook: bytes
    records: Iterator[tuple[bytes, int, int]]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What entries 1 to n add up to, as of the close of settlement n and of the one before."""

    header: Header
    rules: Published
    pool_micros: int
    before: dict[Key, Closed] = field(default_factory=dict)
    now: dict[Key, Closed] = field(default_factory=dict)
    stocks: dict[Key, Stock] = field(default_factory=dict)
    days_to_first_burn: dict[Key, Habit] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Published:
    """Of a rulebook: the zone, and names by number."""

    zone: str
    parties: dict[int, str]
    currencies: dict[int, str]

    def name_of(self, party: int) -> str:
        """A party's name; its number in words if the rulebook has none."""
        return self.parties.get(party) or RESERVED.get(party) or str(party)


def path(number: int, file: str) -> str:
    """A file of a settlement, as both exports name it."""
    return f"settlements/{number:06d}/{file}"


def read(settlements: Iterable[Exported], progress: Progress, total: int = 0) -> Ledger:
    """Fold settlements 1, 2, ... in order; `total`: how many entries they have. Raises Unreadable naming the file."""
    fold: Fold | None = None
    before: dict[Key, Closed] = {}
    now: dict[Key, Closed] = {}
    size, last, rules = 0, None, None
    for number, one in enumerate(settlements, 1):
        closing = one.header.closing
        if closing.number != number or closing.closed_at > LAST_INSTANT:
            raise Unreadable(path(number, "header.json"), f"is of settlement {closing.number} at {closing.closed_at}")
        if last is not None and last.closing.programme != closing.programme:
            raise Unreadable(path(number, "header.json"), "is of another programme than the one before")
        rules = _published(one, number)
        fold = fold or Fold(rules.zone)
        pool = fold.pool_micros
        size = _entries(fold, one, number, size, lambda done: progress("liability", done, total))
        _tally(fold, one, number, size, fold.pool_micros - pool)
        last, before, now = one.header, now, fold.closed(closing.closed_at)
    if fold is None or last is None or rules is None:
        raise Unreadable("settlements", "there is none in the export")
    stocks, days = fold.stocks(last.closing.closed_at), fold.days_to_first_burn()
    return Ledger(last, rules, fold.pool_micros, before, now, stocks, days)


def _entries(fold: Fold, one: Exported, number: int, leaf: int, progress: Callable[[int], None]) -> int:
    """Fold a settlement's entries, from a leaf of the log on; the leaf behind them."""
    name, hasher = path(number, ENTRIES), Hasher(ENTRIES)
    for body, first, _second in one.records:
        hasher.add(pack_entry(body))
        try:
            fold.apply(decode(body), first)
        except Unreadable as error:
            raise Unreadable(name, f"leaf {leaf}: {error.why}") from error
        except OverflowError as error:
            raise Unreadable(name, f"leaf {leaf}: an instant beyond the calendar") from error
        leaf += 1
        if not leaf % PACE:
            progress(leaf)
    if hasher.done() not in one.files:
        raise Unreadable(name, "is not the file of its header's manifest")
    return leaf


def _tally(fold: Fold, one: Exported, number: int, size: int, pool_micros: int) -> None:
    """The fold at a close against the header."""
    closing, name = one.header.closing, path(number, ENTRIES)
    if size != closing.log_size:
        raise Unreadable(name, f"ends at leaf {size}, the header's log at {closing.log_size}")
    try:
        supplies = unpack_supply(closing.supply)
        supply = {supply.currency: supply.custodial for supply in supplies}
        word = netting.unpack(closing.gross).get(POOL, 0)
    except Unreadable as error:
        raise Unreadable(path(number, "header.json"), str(error)) from error
    for currency in sorted(supply.keys() | fold.outstanding.keys()):
        found, said = fold.outstanding.get(currency, 0), supply.get(currency, 0)
        if found != said:
            raise Unreadable(name, f"{found} points of currency {currency} are outstanding, the header's C is {said}")
    for each in supplies:
        found, said = fold.withdrawn.get(each.currency, 0), each.withdrawn - each.returned
        if found != said:
            raise Unreadable(
                name, f"{found} points of currency {each.currency} are in wallets, the header's W - R is {said}"
            )
    if rounded_half_even(pool_micros) != word:
        raise Unreadable(name, f"the pool received {pool_micros} micros, the header's word is {word}")


def _published(one: Exported, number: int) -> Published:
    """What is needed of the rulebook; raises Unreadable unless it is the manifest's."""
    name = path(number, "rulebook.json")
    listed = {file.name for file in one.files}
    if listed != {ENTRIES, LIABILITIES, RULEBOOK} or manifest_hash(one.files) != one.header.closing.manifest:
        raise Unreadable(path(number, "header.json"), "the files listed are not those of its manifest")
    if hashed(RULEBOOK, one.rulebook) not in one.files:
        raise Unreadable(name, "is not the file of its header's manifest")
    try:
        data: dict[str, Any] = orjson.loads(one.rulebook)
        parties = {int(contract["partner"]): str(contract["name"]) for contract in data["contracts"]}
        currencies = {int(currency["id"]): str(currency["name"]) for currency in data["currencies"]}
        return Published(checked_zone(str(data["zone"])), parties, currencies)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreadable(name, f"is no rulebook: {error!r}") from error
