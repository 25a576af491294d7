"""What is in wallets, over all members: lots by currency in burn order, each with the handle that withdrew it."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from counterfoil.core.holdings import Lot

_Key = tuple[int, int, tuple[int, int], int, int]


@dataclass(slots=True)
class InWallets:
    """Lots with points withdrawn and not given back; whoever withdrew a lot has it among its holdings."""

    holders: dict[tuple[int, int], int] = field(default_factory=dict)  # handle by lot
    _order: dict[int, list[_Key]] = field(default_factory=dict)  # burn keys by currency

    def add(self, handle: int, lot: Lot) -> None:
        """Points of a lot were withdrawn; it may be there already."""
        if (lot.entry, lot.index) not in self.holders:
            self.holders[lot.entry, lot.index] = handle
            insort(self._order.setdefault(lot.terms.currency, []), lot.burn_key())

    def remove(self, lot: Lot) -> None:
        """The last points of a lot came back."""
        del self.holders[lot.entry, lot.index]
        keys, key = self._order[lot.terms.currency], lot.burn_key()
        del keys[bisect_left(keys, key)]

    def merge(self, gone: int, kept: int) -> None:
        """What one handle withdrew is another's now."""
        self.holders = {name: kept if handle == gone else handle for name, handle in self.holders.items()}

    def of(self, currency: int) -> Iterator[tuple[int, int, int]]:
        """Handle, entry and index of each lot of a currency, in burn order."""
        for *_rest, entry, index in self._order.get(currency, ()):
            yield self.holders[entry, index], entry, index
