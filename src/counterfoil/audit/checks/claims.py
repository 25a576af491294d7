"""The claim tree of each settlement: rebuilt, its sum W, no leaf less than before."""

from __future__ import annotations

from collections.abc import Iterator

from counterfoil.audit.case import Case, Lacks
from counterfoil.audit.evidence import Missing, settlement_name
from counterfoil.audit.report import Finding
from counterfoil.core.claim_tree import ClaimTree, Leaf, fallen, read_leaves, totals
from counterfoil.core.errors import Unreadable
from counterfoil.core.files import CLAIMS
from counterfoil.core.settlement import Supply, unpack_supply


def claims(case: Case) -> Iterator[Finding]:
    """Root and W are the header's; what was withdrawn to an account, and what came back, never becomes less."""
    before: list[Leaf] = []
    supplies_before: dict[int, Supply] = {}
    for number in case.headers:
        closing = case.require(number).header.closing
        try:
            leaves = leaves_of(case, number)
            supplies = {one.currency: one for one in unpack_supply(closing.supply)}
        except Missing as missing:
            yield case.finding("claims", str(missing), number)
            raise Lacks(settlement_name(number, CLAIMS)) from None
        except Unreadable as error:
            yield case.finding("claims", str(error), number)
            raise Lacks(f"{settlement_name(number, CLAIMS)} that can be read") from None
        root = ClaimTree(leaves).root
        if root != closing.claim_root:
            text = f"its leaves give the claim root 0x{root.hex()}, the header has 0x{closing.claim_root.hex()}"
            yield case.finding("claims", text, number)
            raise Lacks("claim leaves that agreed before")
        for one in fallen(before, leaves):
            text = f"0x{one.account.hex()} had {one.cumulative} of currency {one.currency} ever withdrawn, and has less now"
            yield case.finding("claims", text, number)
        sums = totals(leaves)
        for currency in sorted({*sums, *supplies}):
            said = supplies.get(currency, Supply(currency, b"", 0))
            if sums.get(currency, 0) != said.withdrawn:
                text = f"currency {currency}: the leaves sum to {sums.get(currency, 0)}, the header's W is {said.withdrawn}"
                yield case.finding("claims", text, number)
            if said.returned < supplies_before.get(currency, said).returned or said.returned > said.withdrawn:
                text = f"currency {currency}: R is {said.returned}; it never falls, and is never more than W"
                yield case.finding("claims", text, number)
        before, supplies_before = leaves, supplies


def leaves_of(case: Case, number: int) -> list[Leaf]:
    """The leaves that a settlement published. Raises Missing, Unreadable."""
    name = settlement_name(number, CLAIMS)
    data = case.public.json(name)
    if data.get("version") != 1:
        raise Unreadable(name, "version must be 1")
    return read_leaves(data.get("claims"))
