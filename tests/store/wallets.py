"""Members with accounts on chain, and events that bring points back."""

from __future__ import annotations

from typing import Any

from counterfoil.core.accounts import OPERATOR
from counterfoil.core.claim_tree import Leaf
from counterfoil.core.operation import Answer, Operation
from counterfoil.core.units import NEVER
from counterfoil.settlement import closing
from counterfoil.store import registry, settlements
from tests.store.ground import Ground

DAY = 86_400_000_000
ACCOUNTS = ["0x" + digit * 40 for digit in "123"]


def ask(here: Ground, *operations: Operation) -> list[Answer]:
    """In one transaction."""
    return here.poster().post(operations)[0]


def done(here: Ground, verb: str, *, member: int = 0, points: int = 0, **more: Any) -> dict[str, Any]:
    (answer,) = ask(here, operation(verb, member=member, points=points, **more))
    assert answer.ok, answer.facts
    return {**answer.facts, "entry": answer.entry}


def operation(
    verb: str, *, member: int = 0, points: int = 0, name: str | None = None, hold: int = 0, **more: Any
) -> Operation:
    dry_run, currency = more.pop("dry_run", False), more.pop("currency", "CP")
    return Operation(
        verb,
        OPERATOR,
        member=member,
        points=points,
        external_id=name,
        hold=hold,
        dry_run=dry_run,
        currency=currency,
        more=more,
    )


def linked(here: Ground, member: int, account: str) -> None:
    given = done(here, "wallet_nonce", member=member)
    done(here, "link_wallet", member=member, account=account, nonce=given["nonce"], expires_at=NEVER, not_before=0)


def came_back(account: str, points: int, event: int, **more: Any) -> Operation:
    """An event of the chain: its name is the block's hash and its index there."""
    block, verb = f"0x{7:064x}", "redeem" if more.get("partner") else "give_back"
    return operation(verb, points=points, name=f"{block}:{event}", account=account, block=block, index=event, **more)


def withdrawn(here: Ground) -> list[tuple[Any, ...]]:
    return here.rows("SELECT member, withdrawn FROM lot WHERE withdrawn > 0 ORDER BY entry")


def leaves(here: Ground) -> dict[str, int]:
    """Close, and what the claim tree then has."""
    number = settlements.close(here.engine, registry.now(here.engine))
    closing.compute(here.engine, number)
    with here.engine.connect() as connection:
        found: list[Leaf] = settlements.claims(connection, number)
    return {"0x" + one.account.hex(): one.cumulative for one in found}
