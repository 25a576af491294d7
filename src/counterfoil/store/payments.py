"""Payments by bank and lines of statements as committed, for who only reads."""

from __future__ import annotations

from sqlalchemy import Connection

from counterfoil.core.rulebook.payments import Line, Payment
from counterfoil.store.kinds import Cashbook, Due
from counterfoil.store.records import recorded, recorded_all


def of_settlement(connection: Connection, settlement: int) -> list[Payment]:
    """The payments of a final settlement, by partner."""
    due = recorded(connection, Due, str(settlement))
    return recorded_all(connection, Payment, [f"{settlement}-{n}" for n in due.partners] if due is not None else [])


def unpaid(connection: Connection) -> list[Payment]:
    """All that is still to be paid, oldest first."""
    book = recorded(connection, Cashbook, "")
    return recorded_all(connection, Payment, book.open if book is not None else [])


def banked(connection: Connection) -> dict[int, int]:
    """Micros received from each partner by bank, less those paid to it."""
    return (recorded(connection, Cashbook, "") or Cashbook()).banked


def failing(connection: Connection, now: int, zone: str) -> list[int]:
    """Partners whose grace is over and for whom no waterfall has started."""
    return sorted({one.partner for one in unpaid(connection) if not one.failed_in and one.overdue(now, zone)})


def lines(connection: Connection, after: int, limit: int, *, unmatched: bool) -> list[Line]:
    """Lines of statements by number, after one."""
    book = recorded(connection, Cashbook, "") or Cashbook()
    numbers = [n for n in book.unmatched if n > after] if unmatched else range(after + 1, book.lines)
    return recorded_all(connection, Line, [str(n) for n in numbers[:limit]])
