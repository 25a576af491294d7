"""Money that comes to a partner's collateral from outside: what it paid by bank, and what its estate pays.

In a sandbox, whose money has no worth, by itself. On a real chain the operator deposits what banks brought, with tokens of
its own, and an estate's administrator what the estate pays.
"""

from __future__ import annotations

from collections.abc import Mapping

from counterfoil.chain.client import Memory
from counterfoil.chain.outbox import Outbox
from counterfoil.chain.settlement import SettlementContract, deposit_test_money
from counterfoil.core.accounts import estate, settled_by
from counterfoil.core.rulebook.payments import Bank
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


def pay_estates(
    outbox: Outbox, contract: SettlementContract, number: int, rounded: Mapping[int, int], bank: Bank
) -> None:
    """Deposit what estates pay in settlement `number`, micros by owner; a partner by bank pays by bank.

    Safe to rerun: once per settlement.
    """
    estates = {
        settled_by(owner): -net for owner, net in rounded.items() if net < 0 and owner == estate(settled_by(owner))
    }
    paying = {n: micros for n, micros in estates.items() if bank.cash_at(n, number).account is None}
    if paying:
        deposit_test_money(outbox, contract, paying, f"estate:{number}")
