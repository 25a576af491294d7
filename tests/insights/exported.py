"""Books in memory as the two exports would have them: settlements cut where a test says, headers made from the holdings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from counterfoil.core import netting
from counterfoil.core.files import ENTRIES, LIABILITIES, RULEBOOK, hashed, manifest_hash, pack_entry
from counterfoil.core.journal import Written
from counterfoil.core.settlement import NOTHING, Closing, Header, Supply, pack_supply
from counterfoil.insights.breakage import Assumptions
from counterfoil.insights.ledger import Exported, Ledger, read
from counterfoil.insights.liability import Figures, Report, report
from tests.core.books import PROGRAMME, ZONE, Books

NAMES = {16: "big", 17: "small", 18: "dear", 19: "later", 20: "share"}
CURRENCIES = {1: "CP", 2: "ALPHA", 3: "BETA"}
_RULES = {
    "zone": ZONE,
    "contracts": [{"partner": number, "name": name} for number, name in NAMES.items()],
    "currencies": [{"id": number, "name": name} for number, name in CURRENCIES.items()],
}
RULES = json.dumps(_RULES).encode()


@dataclass
class Closer:
    """`close` makes a settlement of what was written since the last; its C is what the members hold."""

    books: Books
    settlements: list[tuple[Header, list[Written]]] = field(default_factory=list)
    _size: int = 0

    def close(self) -> None:
        written = self.books.written[self._size :]
        self._size = len(self.books.written)
        nets: dict[int, int] = {}
        for one in written:
            netting.fold(one.entry.postings, nets)
        held, away = dict.fromkeys(CURRENCIES, 0), dict.fromkeys(CURRENCIES, 0)
        for who in self.books.members:
            for lot in who.lots.values():
                held[lot.terms.currency] += lot.available + lot.held
                away[lot.terms.currency] += lot.withdrawn
        manifest = manifest_hash(files(written))
        closing = Closing(
            PROGRAMME, len(self.settlements) + 1, NOTHING, self.books.now, self._size, NOTHING, NOTHING, manifest,
            netting.pack(netting.positions(nets).words()),
            pack_supply([Supply(number, NOTHING, held[number], 9 + away[number], 9) for number in held]),
        )  # fmt: skip
        self.settlements.append((Header(closing, 1, NOTHING, 0, NOTHING, b"", b""), written))

    def exported(self, last: int | None = None) -> list[Exported]:
        return [exported(header, written) for header, written in self.settlements[:last]]

    def ledger(self, last: int | None = None) -> Ledger:
        return read(self.exported(last), lambda _what, _done, _total: None)

    def report(self, last: int | None = None, assumptions: Assumptions | None = None) -> Report:
        return report(self.ledger(last), assumptions or Assumptions())


def files(written: Sequence[Written]) -> tuple:  # type: ignore[type-arg]
    entries = b"".join(pack_entry(one.body) for one in written)
    return hashed(ENTRIES, entries), hashed(LIABILITIES, b""), hashed(RULEBOOK, RULES)


def exported(header: Header, written: Sequence[Written]) -> Exported:
    def records() -> Iterator[tuple[bytes, int, int]]:
        for one in written:
            first, second, *_ = (*one.members, 0, 0)
            yield one.body, first, second

    return Exported(header, files(written), RULES, records())


def row(shown: Report, party: int | None, currency: int = 1) -> Figures:
    """A party's figures, or those of all."""
    found = next(one for one in shown.currencies if one.currency == currency)
    if party is None:
        assert found.total is not None
        return found.total
    return next(one for one in found.parties if one.party == party)
