"""Lies about what is in wallets: leaves left out, lowered or put elsewhere, what came back counted twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from counterfoil.core.claim_tree import Leaf
from counterfoil.core.entry import Entry, Move, Place
from counterfoil.core.holdings import take
from counterfoil.core.rulebook import wallets
from counterfoil.store import settlements
from tests.audit.coalition import BAKER, Coalition
from tests.audit.plants import earned
from tests.audit.seldom import event, linked

Patch = pytest.MonkeyPatch


def away(made: Coalition) -> tuple[str, str]:
    """Two members with points in wallets, settled; the accounts. The first still has some of the baker's left."""
    made.open_claims()
    ann, bob = earned(made)
    accounts = linked(made, ann, "a"), linked(made, bob, "b")
    made.act("withdraw", member=ann, points=110)
    made.act("withdraw", member=bob, points=20)
    made.settle()
    return accounts


def taken_away(made: Coalition) -> None:
    away(made)


def withdrawn(made: Coalition) -> int:
    made.open_claims()
    ann, _bob = earned(made)
    linked(made, ann, "a")
    entry = made.act("withdraw", member=ann, points=110)
    made.settle()
    return entry


def came_back(made: Coalition) -> int:
    account, _other = away(made)
    made.wait(15)  # the grocer's points are past
    entry = made.act("give_back", points=125, account=account, partner=0, **event(made))
    made.settle()
    return entry


def came_back_twice(made: Coalition) -> int:
    account, _other = away(made)
    once = event(made)
    made.act("give_back", points=30, account=account, partner=0, **once)
    entry = made.act("give_back", points=30, account=account, partner=0, **once)
    made.settle()
    return entry


def counted(made: Coalition) -> None:
    account, _other = away(made)
    made.act("give_back", points=30, account=account, partner=0, **event(made))
    made.settle()


def redeemed(made: Coalition) -> int:
    account, _other = away(made)
    entry = made.act("redeem", points=30, account=account, partner=BAKER, **event(made))
    made.settle()
    return entry


def omitted_leaf(patch: Patch) -> None:
    """The smallest claim is in neither the tree, the file nor W."""
    honest = settlements.claims

    def fewer(source: Any, number: int) -> list[Leaf]:
        leaves = sorted(honest(source, number), key=lambda one: one.cumulative)
        return leaves[1:]

    patch.setattr(settlements, "claims", fewer)


def lowered_leaf(patch: Patch) -> None:
    """What one account could claim moves to another's: W stays."""
    honest = settlements.claims

    def moved(source: Any, number: int) -> list[Leaf]:
        leaves = sorted(honest(source, number), key=lambda one: one.cumulative)
        if number < 3 or len(leaves) < 2:
            return leaves
        low, high, *rest = leaves
        return [replace(low, cumulative=low.cumulative - 1), replace(high, cumulative=high.cumulative + 1), *rest]

    patch.setattr(settlements, "claims", moved)


def without_leaf(patch: Patch) -> None:
    """Small withdrawals are booked and never reach the tree."""
    honest = settlements.move_claims
    patch.setattr(settlements, "move_claims", lambda connection, number, found: honest(
        connection, number, {name: points for name, points in found.items() if points > 100}
    ))  # fmt: skip


def redirected(patch: Patch) -> None:
    """What is withdrawn goes to an account of somebody else."""
    honest = settlements.move_claims
    patch.setattr(settlements, "move_claims", lambda connection, number, found: honest(
        connection, number, {(b"\xee" * 20, currency): points for (_account, currency), points in found.items()}
    ))  # fmt: skip


def counted_twice(patch: Patch) -> None:
    """R grows by twice what came back."""
    honest = settlements.Fold.add

    def add(self: settlements.Fold, one: Any) -> None:
        before = dict(self.returned)
        honest(self, one)
        for currency, points in self.returned.items():
            self.returned[currency] += points - before.get(currency, 0)

    patch.setattr(settlements.Fold, "add", add)


def honest_books(_patch: Patch) -> None:
    """The operator itself names one event twice, by two names."""


def late_first(patch: Patch) -> None:
    patch.setattr(
        wallets, "from_lots", lambda lots, points, target: tuple(take(lots[::-1], points, Place.AVAILABLE, target))
    )


def long_grace(patch: Patch) -> None:
    patch.setattr(wallets, "GRACE_DAYS", 60)


def partly_used(patch: Patch) -> None:
    """Not all that came back is used: a point stays the member's."""
    honest = wallets.used

    def other(given: Entry) -> tuple[Move, ...]:
        (first, *_rest) = honest(given)
        return (structs.replace(first, points=first.points - 1),)

    patch.setattr(wallets, "used", other)
