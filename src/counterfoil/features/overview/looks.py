"""One look at books and chain for each part of the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from fastapi import Request

from counterfoil.chain.client import Reverted
from counterfoil.core.entry import group_of
from counterfoil.core.errors import CounterfoilError
from counterfoil.core.operation import Answer
from counterfoil.core.units import COALITION_CURRENCY
from counterfoil.features.overview import rules
from counterfoil.gateway.state import Gateway
from counterfoil.settlement.worker import Worker
from counterfoil.store import books, json_text, sequencer, settlements
from counterfoil.store.registry import Programme

SETTLEMENTS_SHOWN = 12
ENTRIES_SHOWN = 25


@dataclass(frozen=True, slots=True)
class Chain:
    """What the contract says now, or why it could not be asked."""

    address: str | None = None
    chain_id: int = 0
    counterfoil_key: str | None = None
    collateral: dict[int, int] = field(default_factory=dict)
    trouble: str | None = None


def chain(request: Request, parties: list[int]) -> Chain:
    """Ask the contract for its counterfoil key and the parties' collateral, unless the worker already says trouble."""
    worker = cast("Worker", request.app.state.worker)
    if worker.trouble is not None:
        return Chain(trouble=worker.trouble)
    try:
        contract = worker.cycle.contract()
        if contract is None:
            return Chain()
        return Chain(contract.address, contract.chain_id, contract.counterfoil_key(), contract.collateral(parties))
    except (CounterfoilError, Reverted) as error:
        return Chain(trouble=str(error))


@dataclass(frozen=True, slots=True)
class Settlement:
    """A settlement with its money before and after netting; None while it is being computed."""

    row: Any
    state: str
    supply: int | None = None
    change: int | None = None
    netting: rules.Netting | None = None


def settlement_of(row: Any, programme: Programme) -> Settlement:
    """From its row."""
    state = rules.STATES.get(row.state, row.state)
    if row.totals is None:
        return Settlement(row, state)
    totals = json_text.loads(row.totals)
    ours = totals["currencies"][str(COALITION_CURRENCY)]
    return Settlement(row, state, ours["supply"], ours["change"], rules.netting_of(totals, programme.name_of))


@dataclass(frozen=True, slots=True)
class Listed:
    """The settlements of one page of the list, newest first, and where the older ones go on."""

    shown: list[Settlement]
    numbers: list[int]
    chosen: Settlement | None
    unknown: str | None
    older: int | None
    ranges: list[rules.Range]
    final: int


def listed(gateway: Gateway, programme: Programme, asked: str | None, before: str | None) -> Listed:
    """The list, and the settlement asked for or else the latest that is closed."""
    rows = settlements.every(gateway.engine)[::-1]
    closed = [row for row in rows if row.totals is not None]
    number = rules.number_of(asked)
    found = next((row for row in closed if row.number == number), None)
    unknown = asked if asked and found is None else None
    found = found if found is not None or not closed else closed[0]
    limit = rules.number_of(before)
    fit = [row for row in rows if limit is None or row.number < limit]
    shown = fit[:SETTLEMENTS_SHOWN]
    return Listed(
        [settlement_of(row, programme) for row in shown], [row.number for row in closed],
        None if found is None else settlement_of(found, programme), unknown,
        shown[-1].number if len(fit) > len(shown) else None,
        [(row.number, row.first_leaf, row.log_size) for row in rows],
        max((row.number for row in rows if row.state == "final"), default=0),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    """A member's balance, lots and a page of history, or why there is none to see."""

    asked: str
    problem: str | None = None
    available: int = 0
    held: int = 0
    debt: int = 0
    lots: list[dict[str, Any]] = field(default_factory=list)
    entries: list[rules.EntryLine] = field(default_factory=list)
    following: str | None = None


def member(
    gateway: Gateway, programme: Programme, asked: str | None, after: str | None, ranges: list[rules.Range]
) -> Member | None:
    """The member asked for; None if nobody was."""
    if asked is None or not asked.strip():
        return None
    number = rules.member_of(asked)
    if number is None:
        return Member(asked.strip(), "That is not a member's id. It is mbr_ and sixteen characters, 0 to 9 and a to f.")
    who = books.holdings(gateway.engine, number, gateway.now())
    if who is None:
        return Member(asked.strip(), "These books know no member with this id. Check it against the partner's record.")
    start = rules.number_of(after, 2**63 - 1) or -1
    rows = books.rows_of(gateway.engine, who=who.member, after=start, limit=ENTRIES_SHOWN + 1)
    shown = rows[:ENTRIES_SHOWN]
    lots = [
        {"issuer": programme.name_of(lot.terms.issuer), "expires_at": lot.terms.expires_at,
         "available": lot.available, "held": lot.held}
        for lot in rules.open_lots(who)
    ]  # fmt: skip
    return Member(
        f"mbr_{number:016x}", None, who.available, who.held, who.debt, lots,
        [rules.entry_line(row, number, ranges, programme.name_of) for row in shown],
        str(shown[-1].entry.id) if len(rows) > len(shown) else None,
    )  # fmt: skip


def example(gateway: Gateway) -> str | None:
    """The newest entry in the log with the counterfoil its answer carried, to try the check with."""
    size, _root = sequencer.latest(gateway.engine)
    row = next(books.leaves(gateway.engine, size - 1, size), None) if size else None
    if row is None:
        return None
    groups = books.groups(gateway.engine, [group_of(row.entry.id)])
    (answer,) = gateway.bodies([Answer(ok=True, entry=row.entry.id, json=b"{}")], list(groups.values()))
    return answer.decode()
