"""Own wallets on chain: what members withdrew is claimed for them once final, and what comes back is booked, each event once.

Nobody needs gas to get points: the operator pushes claims, and whoever claimed before is passed over. Events are read from
final blocks alone and are known by block hash and place, so reading them again books nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from counterfoil.chain.client import Memory
from counterfoil.chain.outbox import Outbox
from counterfoil.chain.points import Claim, Moved, claimed, moved, push_claims
from counterfoil.chain.settlement import SettlementContract
from counterfoil.core.accounts import OPERATOR
from counterfoil.core.claim_tree import ClaimTree
from counterfoil.core.holdings import Inconsistent
from counterfoil.core.operation import Operation
from counterfoil.store import registry, settlements
from counterfoil.store.engine import Engine

PUSHED = "claims:pushed"  # the last settlement whose claims were pushed
READ = "events:read"  # the last block whose events are booked
EVERY_SECONDS = 15  # on a chain that is not a sandbox's
AT_ONCE = 40  # claims in one tx
BLOCKS = 2_000  # whose events are asked for at once
_BOOKED = {"given_back": "give_back", "redeemed": "redeem"}
Post = Callable[[list[Operation]], object]


def tend(
    engine: Engine, memory: Memory, outbox: Outbox, contract: SettlementContract, post: Post,
    final_block: Callable[[], tuple[int, bytes]],
) -> None:  # fmt: skip
    """Do both, once something was withdrawn: before that the chain is not asked."""
    if settlements.has_claims(engine):
        push(engine, memory, outbox, contract)
        book(engine, memory, contract, post, final_block()[0])


def push(engine: Engine, memory: Memory, outbox: Outbox, contract: SettlementContract) -> None:
    """Claim for their accounts what the last final settlement made claimable. Safe to rerun."""
    before = int(memory.recall(PUSHED) or 0)
    with engine.connect() as connection:
        number = registry.load(connection).settled
        if number <= before:
            return
        tree = ClaimTree(settlements.claims(connection, number))
        fresh = settlements.claims(connection, number, after=before)
    due = []
    for leaf in fresh:
        account = "0x" + leaf.account.hex()
        if claimed(contract, account, leaf.currency) < leaf.cumulative:
            due.append(Claim(account, leaf.currency, leaf.cumulative, tuple(tree.path(leaf))))
    for start in range(0, len(due), AT_ONCE):
        push_claims(outbox, contract, due[start : start + AT_ONCE], f"claims:{number}:{start}")
    memory.remember(PUSHED, str(number))


def book(engine: Engine, memory: Memory, contract: SettlementContract, post: Post, final_block: int) -> None:
    """Book what came back on chain up to a final block. Raises Inconsistent for one that the books refuse."""
    first = int(memory.recall(READ) or 0) + 1
    while first <= final_block:
        last = min(final_block, first + BLOCKS - 1)
        found = [one for one in moved(contract, first, last) if one.kind in _BOOKED]
        if found:
            with engine.connect() as connection:
                programme = registry.load(connection)
            answers: Any = post([_operation(one, programme) for one in found])
            for one, answer in zip(found, answers[0], strict=True):
                if not answer.ok and answer.facts["code"] != "duplicate_external_id":  # that one was booked before
                    raise Inconsistent(f"the event {_reference(one)} cannot be booked: {answer.facts['detail']}")
        memory.remember(READ, str(last))
        first = last + 1


def _operation(one: Moved, programme: registry.Programme) -> Operation:
    more = {
        "account": one.account.lower(), "block": "0x" + one.block_hash.hex(), "index": one.place, "partner": one.partner,
    }  # fmt: skip
    return Operation(
        _BOOKED[one.kind], OPERATOR, external_id=_reference(one), points=one.amount,
        currency=programme.currency_name(one.currency), more=more,
    )  # fmt: skip


def _reference(one: Moved) -> str:
    return f"0x{one.block_hash.hex()}:{one.place}"
