"""What the partner's signer makes of claims: the tree rebuilt, none fell, and the tokens that the contract will make.

Leaves come from the gateway, and are trusted as far as they give the claim roots: of the header at hand, and of the last
final one, whose hash the contract has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from counterfoil.audit.difference import Difference, same
from counterfoil.chain.settlement import Final, SettlementContract
from counterfoil.core.claim_tree import ClaimTree, Leaf, fallen, read_leaves, totals
from counterfoil.core.settlement import Header, Supply, unpack_supply

Ask = Callable[[str], Any]  # a path of the gateway: the JSON it answers


def claims(ask: Ask, contract: SettlementContract, header: Header, waiting: Any, final: Final) -> Iterator[Difference]:
    """Where the header's claims, or the supply that follows from them, are not what this partner finds."""
    closing = header.closing
    leaves, supplies = _leaves(ask, closing.number), unpack_supply(closing.supply)
    yield from same("claim_root", ClaimTree(leaves).root.hex(), closing.claim_root.hex())
    sums, currencies = totals(leaves), contract.currencies()
    yield from same("supply", [(c, sums.get(c, 0)) for c in currencies], [(s.currency, s.withdrawn) for s in supplies])
    before, held = list[Leaf](), dict[int, Supply]()
    if final.number:
        last = Header.from_json(ask(f"/v1/settlements/{final.number}")["header"])
        yield from same("previous_header", final.header.hex(), last.hash().hex())
        before, held = _leaves(ask, final.number), {s.currency: s for s in unpack_supply(last.closing.supply)}
        yield from same("previous_claim_root", ClaimTree(before).root.hex(), last.closing.claim_root.hex())
    for one in fallen(before, leaves):
        yield Difference("claims", f"at least {one.as_json()}", "less")
    for supply in supplies:
        was = held.get(supply.currency, Supply(supply.currency, b"", 0))
        if not was.returned <= supply.returned <= supply.withdrawn:
            yield Difference("returned", f"{was.returned} to {supply.withdrawn}", str(supply.returned))
    yield from _change(contract, supplies, held, waiting)


def _change(
    contract: SettlementContract, supplies: list[Supply], held: dict[int, Supply], waiting: Any
) -> Iterator[Difference]:
    """The tokens there are, and what is added or taken for C + W - R: as the last header and the settlement say."""
    tokens = {supply.currency: contract.supply(supply.currency) for supply in supplies}
    yield from same("tokens", {c: held[c].tokens if c in held else 0 for c in tokens}, tokens)
    change = [supply.tokens - tokens[supply.currency] for supply in supplies]
    yield from same("change", sorted(filter(None, change)), sorted(waiting["change"].values()))


def _leaves(ask: Ask, number: int) -> list[Leaf]:
    return read_leaves(ask(f"/v1/settlements/{number}/claim-leaves")["claims"])
