"""What accounts can claim: anyone may ask, as anyone may read the leaves in the public export."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel

from counterfoil.core.claim_tree import ClaimTree, leaves_json
from counterfoil.core.errors import NotFound, UnknownSettlement
from counterfoil.features.wallets.bodies import ADDRESS, EXAMPLE
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import Gateway, gateway_of
from counterfoil.settlement.worker import Worker
from counterfoil.store import settlements

router = APIRouter(prefix="/v1", tags=["wallets"])
AccountId = Annotated[str, Path(pattern=ADDRESS, examples=[EXAMPLE])]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
TREES_KEPT = 2


class Proofs(BaseModel):
    """What was ever withdrawn to accounts, as of the last final settlement, each with its path to the claim root."""

    settlement: int
    root: str
    contract: str | None
    data: list[dict[str, Any]]


class ClaimLeaves(BaseModel):
    """[account, currency, cumulative], sorted."""

    settlement: int
    root: str
    claims: list[tuple[str, int, str]]


@dataclass(slots=True)
class Trees:
    """The claim trees asked for last, by settlement: they never change."""

    known: dict[int, ClaimTree] = field(default_factory=dict)

    def tree(self, gateway: Gateway, number: int) -> ClaimTree:
        """The tree of a settlement."""
        found = self.known.get(number)
        if found is None:
            with gateway.engine.connect() as connection:
                found = ClaimTree(settlements.claims(connection, number))
            while len(self.known) >= TREES_KEPT:
                self.known.pop(next(iter(self.known)), None)
            self.known[number] = found
        return found


@router.get("/withdrawals/{account}/proof", response_model=Proofs, responses=declared(404))
def proof(request: Request, account: AccountId) -> Proofs:
    """What was ever withdrawn to an account, by currency, with the proofs that the contract takes. For anyone."""
    found = proofs_of(request, [account.lower()])
    if not found.data:
        raise NotFound("account", account.lower())
    return found


@router.get("/settlements/{number}/claim-leaves", response_model=ClaimLeaves, responses=declared(404))
def leaves(request: Request, number: Number) -> ClaimLeaves:
    """All leaves of a settlement's claim tree, as the public export has them. For anyone."""
    gateway = gateway_of(request)
    row: Any = settlements.one(gateway.engine, number)
    if row is None or row.totals is None:
        raise UnknownSettlement(str(number))
    tree = _trees(request).tree(gateway, number)
    return ClaimLeaves.model_validate(
        {"settlement": number, "root": "0x" + tree.root.hex(), "claims": leaves_json(tree.leaves)}
    )


def proofs_of(request: Request, accounts: list[str]) -> Proofs:
    gateway = gateway_of(request)
    programme, contract = gateway.known(), worker_of(request).cycle.contract()
    tree = _trees(request).tree(gateway, programme.settled)
    data: list[dict[str, Any]] = []
    for account in accounts:
        for number in programme.currency_numbers():
            leaf = tree.find(bytes.fromhex(account[2:]), number)
            if leaf is not None:
                path = ["0x" + node.hex() for node in tree.path(leaf)]
                data.append({
                    "account": account, "currency": number, "name": programme.currency_name(number),
                    "cumulative": str(leaf.cumulative), "proof": path,
                })  # fmt: skip
    address = contract.address if contract is not None else None
    return Proofs(settlement=programme.settled, root="0x" + tree.root.hex(), contract=address, data=data)


def _trees(request: Request) -> Trees:
    return cast("Trees", request.app.state.trees)


def worker_of(request: Request) -> Worker:
    """The settlement worker of this process."""
    return cast("Worker", request.app.state.worker)
