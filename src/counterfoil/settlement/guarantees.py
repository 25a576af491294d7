"""Guarantees of partners by bank: what came in through the bank makes their collateral whole again.

In a sandbox, whose money has no worth, by itself. On a real chain the operator deposits, with tokens of its own.
"""

from __future__ import annotations

from counterfoil.chain.client import Memory
from counterfoil.chain.outbox import Outbox
from counterfoil.chain.settlement import SettlementContract, deposit_test_money
from counterfoil.store import payments
from counterfoil.store.engine import Engine

_DEPOSITED = "guarantee:{}"


def replenish(engine: Engine, memory: Memory, outbox: Outbox, contract: SettlementContract) -> None:
    """Deposit test money for what banks brought since the last time. Safe to rerun: a deposit is named by its running total."""
    with engine.connect() as connection:
        banked = payments.banked(connection)
    for partner, micros in sorted(banked.items()):
        before = int(memory.recall(_DEPOSITED.format(partner)) or 0)
        if micros > before:
            deposit_test_money(outbox, contract, {partner: micros - before}, f"guarantee:{partner}:{micros}")
            memory.remember(_DEPOSITED.format(partner), str(micros))
