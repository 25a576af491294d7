"""From the folders of the two exports to the settlements that a report is folded from."""

from __future__ import annotations

from collections.abc import Iterator

from counterfoil.audit import evidence
from counterfoil.audit.evidence import Folder, settlement_name
from counterfoil.core.errors import Unreadable
from counterfoil.core.files import ENTRIES, unpack_handles
from counterfoil.insights.ledger import Exported

PAIR, PAIRS = 16, 4_096  # bytes of an entry's two handles; how many are read at once


def in_folders(public: Folder, sealed: Folder, last: int) -> Iterator[Exported]:
    """Settlements 1 to `last`, read as they are asked for. Raises Unreadable naming the file."""
    for number in range(1, last + 1):
        one = evidence.signed(public, number)
        rulebook = public.read(settlement_name(number, "rulebook.json"))
        yield Exported(one.header, one.files, rulebook, _records(sealed, number))


def newest(public: Folder) -> int:
    """The last settlement of a public export. Raises Unreadable."""
    numbers = evidence.settlement_numbers(public)
    if not numbers:
        raise Unreadable("settlements", "the export has none")
    return numbers[-1]


def _records(sealed: Folder, number: int) -> Iterator[tuple[bytes, int, int]]:
    pairs, name = _handles(sealed, number), settlement_name(number, "handles")
    for body in evidence.records(sealed, settlement_name(number, ENTRIES)):
        pair = next(pairs, None)
        if pair is None:
            raise Unreadable(name, "has fewer pairs than there are entries")
        yield body, *pair
    if next(pairs, None) is not None:
        raise Unreadable(name, "has more pairs than there are entries")


def _handles(sealed: Folder, number: int) -> Iterator[tuple[int, int]]:
    name = settlement_name(number, "handles")
    file, _size = sealed.open(name)
    with file:
        while content := file.read(PAIR * PAIRS):
            try:
                yield from unpack_handles(content)
            except Unreadable as error:
                raise Unreadable(name, error.why) from error
