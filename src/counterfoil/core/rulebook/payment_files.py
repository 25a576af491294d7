"""Files of payments: the ids that banks see and send back, and which payments stand in which file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from counterfoil.core.rulebook.payments import Payment, Try


def names_in(text: str, short: str) -> list[str]:
    """The payments named by ids of ours in a text, in order: records' names."""
    found = re.findall(rf"(?<![0-9A-Z-]){re.escape(short)}-(\d{{1,10}}-\d{{1,5}})(?:-\d+)?(?![0-9A-Z-])", text.upper())
    return list(dict.fromkeys(found))


def read_end_to_end(text: str, short: str) -> tuple[str, int] | None:
    """The payment's name and the file that an id of ours names."""
    found = re.fullmatch(rf"{re.escape(short)}-(\d{{1,10}}-\d{{1,5}})(?:-(\d{{1,4}}))?", text)
    return None if found is None else (found[1], int(found[2] or 1))


def batch_of(settlement: int, kind: str, trial: int, short: str) -> str:
    """The id of a file: kind CT or DD. Its blocks add `-` and their place."""
    return f"{short}-{settlement}-{kind}{trial}"


def read_batch(text: str, short: str) -> tuple[int, str, int, int] | None:
    """Settlement, kind, file and block that an id of ours names; block 0: the whole file."""
    found = re.fullmatch(rf"{re.escape(short)}-(\d{{1,10}})-(CT|DD)(\d{{1,4}})(?:-(\d{{1,4}}))?", text)
    return None if found is None else (int(found[1]), found[2], int(found[3]), int(found[4] or 0))


class Block(Struct, frozen=True):
    """Payments that a file asks for on one day under one scheme ("" for transfers), with their micros."""

    on: date
    scheme: str
    parts: list[tuple[Payment, int]]
    at: int

    @property
    def micros(self) -> int:
        """Their sum."""
        return sum(micros for _one, micros in self.parts)


def asked(payments: Iterable[Payment], kind: str, trial: int) -> list[Block]:
    """A file's blocks in order; the same whenever it is asked for."""
    method = "pay" if kind == "CT" else "collect"
    blocks: dict[tuple[date, str], list[tuple[Payment, Try]]] = {}
    for one in sorted(payments, key=lambda one: one.partner):
        wanted = one.tries[trial - 1] if trial <= len(one.tries) else None
        if one.method == method and wanted is not None and wanted.on is not None:
            scheme = one.cash.mandate.scheme if kind == "DD" and one.cash.mandate is not None else ""
            blocks.setdefault((wanted.on, scheme), []).append((one, wanted))
    return [
        Block(on, scheme, [(one, wanted.micros) for one, wanted in parts], max(wanted.at for _one, wanted in parts))
        for (on, scheme), parts in sorted(blocks.items(), key=lambda item: item[0])
    ]
