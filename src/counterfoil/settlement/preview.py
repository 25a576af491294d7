"""Preview: what a close would give at this instant, without closing. What fell due counts, whether or not a job ran."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

from counterfoil.chain.client import latest_block
from counterfoil.chain.settlement import SettlementContract
from counterfoil.core import netting
from counterfoil.core.journal import Journal
from counterfoil.core.reserves import Reserve
from counterfoil.core.rulebook.due import settle_up
from counterfoil.store import books, json_text, registry, sequencer, settlements
from counterfoil.store.engine import Engine
from counterfoil.store.records import recorded
from counterfoil.store.settlements import Fold

DUE_BATCH = 500


@dataclass(frozen=True, slots=True)
class Preview:
    """The open settlement's number, its positions so far, and by currency the supply and its change."""

    number: int
    positions: netting.Positions
    supply: dict[int, int]
    change: dict[int, int]


def preview(engine: Engine, now: int) -> Preview:
    """The positions and supply that `close` would fix if it ran now."""
    size, _root = sequencer.sequence(engine)
    with engine.connect() as connection:
        programme = registry.load(connection)
        reserves = {n: recorded(connection, Reserve, str(n)) for n in programme.exited}
    last = settlements.one(engine, programme.open_settlement - 1)
    fold = settlements.fold(engine, last.log_size if last is not None else 0, size)
    journal = Journal(programme.programme, 0, now, reserves={n: deepcopy(one) for n, one in reserves.items() if one})
    _due(engine, journal, fold, now)
    totals = json_text.loads(last.totals)["currencies"] if last is not None and last.totals else {}
    change = {number: fold.supply_change(number) for number in programme.currency_numbers()}
    supply = {number: totals.get(str(number), {"supply": 0})["supply"] + more for number, more in change.items()}
    return Preview(programme.open_settlement, netting.positions(fold.nets), supply, change)


def missing(engine: Engine, contract: SettlementContract, words: Mapping[int, int]) -> dict[int, int]:
    """Micros that parties lack for these words, once what was closed before is final."""
    block, _hash = latest_block(contract.w3)
    final, held = contract.final(block).number, contract.collateral(words, block)
    for row in settlements.every(engine):
        if row.number > final and row.totals:
            for number, net in netting.unpack(bytes.fromhex(json_text.loads(row.totals)["gross"][2:])).items():
                if number in held:
                    held[number] += net
    return {number: -(held[number] + net) for number, net in words.items() if held[number] + net < 0}


def _due(engine: Engine, journal: Journal, fold: Fold, now: int) -> None:
    """Fold what is due for every member as the close would post it."""
    after = 0
    while members := books.due_members(engine, now, DUE_BATCH, after):
        for number, who in books.undue(engine, members).items():
            settle_up(journal, who)
            for one in journal.written:
                fold.add(books.Row(one.entry, one.body, one.hash, number, None, None, None))
            journal.written.clear()
        after += len(members)
