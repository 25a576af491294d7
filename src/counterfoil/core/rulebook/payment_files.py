"""Files of payments: the ids that banks see and send back, and which payments stand in which file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from counterfoil.core.rulebook.payments import Clearing, Payment, Try

TRANSFERS, DEBITS = "CT", "DD"  # kinds of files


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
    """Payments that a file asks for on one day over one of our accounts, under one scheme ("" for transfers)."""

    on: date
    scheme: str
    clearing: Clearing
    parts: list[tuple[Payment, Try]]

    @property
    def micros(self) -> int:
        """Their sum."""
        return sum(one.micros for _payment, one in self.parts)


def asked(payments: Iterable[Payment], kind: str, trial: int) -> list[Block]:
    """A file's blocks in order; the same whenever it is asked for."""
    blocks: dict[tuple[date, str, str], Block] = {}
    for payment in sorted(payments, key=lambda payment: payment.partner):
        one = payment.tries[trial - 1] if trial <= len(payment.tries) else None
        if one is None or one.on is None or (payment.amount_micros > 0) != (kind == TRANSFERS):
            continue
        if kind == DEBITS and not one.collectable:
            continue
        scheme = one.cash.mandate.scheme if kind == DEBITS and one.cash.mandate is not None else ""
        block = Block(one.on, scheme, one.clearing, [])
        blocks.setdefault((one.on, scheme, one.clearing.account.iban), block).parts.append((payment, one))
    return [block for _key, block in sorted(blocks.items(), key=lambda item: item[0])]
