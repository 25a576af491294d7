"""The liability tree of each settlement: root and sum as in the header, and nobody moved who need not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from counterfoil.audit.case import Case, Lacks
from counterfoil.audit.evidence import Missing, settlement_name
from counterfoil.audit.report import Finding
from counterfoil.core.errors import Unreadable
from counterfoil.core.files import LIABILITIES, unpack_leaf_handles, unpack_liabilities
from counterfoil.core.settlement import unpack_supply
from counterfoil.core.sum_tree import Liability, SumTree

_WHOLE = 2**40  # bytes: a file of the export may be as large as memory holds


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf and whose it is."""

    currency: int
    one: Liability
    handle: int


def liabilities(case: Case) -> Iterator[Finding]:
    """Root and C are the header's; a handle has one leaf per currency, which stays while its balance does."""
    case.sealed_folder()
    before: dict[tuple[int, int], Liability] = {}
    for number in case.headers:
        closing = case.require(number).header.closing
        case.progress("liabilities", number, len(case.headers))
        try:
            supplies = unpack_supply(closing.supply)
            trees = _trees(case, number)
        except Unreadable as error:
            yield case.finding("liabilities", str(error), number)
            raise Lacks(f"{settlement_name(number, LIABILITIES)} that can be read") from None
        found: set[int] = set()
        for supply in supplies:
            depth, leaves = trees.pop(supply.currency, (0, []))
            root = SumTree(supply.currency, depth, leaves).root
            if (root.hash, root.sum) != (supply.root, supply.custodial):
                text = f"the leaves sum to {root.sum} under another root; the header's C is {supply.custodial}"
                yield case.finding("liabilities", text, number)
                found.add(supply.currency)
        for currency in trees:
            yield case.finding("liabilities", f"currency {currency} is not in the header", number)
        now: dict[tuple[int, int], Liability] = {}
        for leaf in read_leaves(case, number):
            name = (leaf.handle, leaf.currency)
            if name in now:
                text = f"a member has two liabilities, at places {now[name].place} and {leaf.one.place}"
                yield case.finding("liabilities", text, number)
                return
            now[name] = leaf.one
            text = _moved(before.get(name), leaf.one)
            if text:
                yield case.finding("liabilities", text, number)
                return
        if found:
            raise Lacks("liabilities that agreed before")
        before = now


def _moved(old: Liability | None, new: Liability) -> str:
    if old is None:
        return ""
    if old.balance == new.balance and old != new:
        return f"the liability at place {old.place} did not change and is now another leaf, at place {new.place}"
    if old.balance != new.balance and old.commitment == new.commitment:
        return f"the liability at place {new.place} changed and kept its salt"
    return ""


def read_leaves(case: Case, number: int) -> Iterator[Leaf]:
    """A settlement's leaves with their handles. Raises Lacks, Unreadable."""
    name = settlement_name(number, "liability_handles")
    trees = _trees(case, number)
    try:
        handles = unpack_leaf_handles(case.sealed_folder().read(name, _WHOLE))
    except Missing:
        raise Lacks(name) from None
    if len(handles) != sum(len(leaves) for _depth, leaves in trees.values()):
        raise Unreadable(name, "does not hold one handle per leaf")
    owners = iter(handles)
    for currency, (_depth, leaves) in trees.items():
        for one in leaves:
            yield Leaf(currency, one, next(owners))


def _trees(case: Case, number: int) -> dict[int, tuple[int, list[Liability]]]:
    name = settlement_name(number, LIABILITIES)
    try:
        return unpack_liabilities(case.sealed_folder().read(name, _WHOLE))
    except Missing:
        raise Lacks(name) from None  # `files` names it
    except Unreadable as error:
        raise Unreadable(name, error.why) from error
