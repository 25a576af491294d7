"""Form of a rate table. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def duplicate(pairs: Sequence[tuple[str, str]]) -> str | None:
    """What is wrong with the pairs of a table's edges, if anything is."""
    for src, dst in pairs:
        if src == dst:
            return f"{src} cannot be exchanged for itself"
        if pairs.count((src, dst)) > 1:
            return f"{src} to {dst} stands twice"
    return None
