"""A programme's successor: points are swapped one for one, partners take their collateral out."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.chain.artifacts import Artifact, load
from tests.contracts.changes import changed
from tests.contracts.claims import Leaf, Tree, Wallets, member
from tests.contracts.programme import Programme, config, deployed, refused
from tests.contracts.test_collateral import paid, request, withdraw


def migrating(wallets: Wallets, amount: int, currency: int = 1) -> Any:
    return wallets.programme.settlement.functions.migrate(currency, amount)


@pytest.fixture(params=[False, True], ids=["open", "closed"])
def moved(wallets: Wallets, request: pytest.FixtureRequest) -> tuple[Wallets, Wallets]:
    """The old programme and the new one, in whose claim tree the old contract has what its members hold outside."""
    old = wallets.programme
    wallets.fund(0, 1)
    for place in (0, 1, 3):
        wallets.claim(place)
    new = deployed(old.chain, predecessor=old.settlement.address, closedLoop=request.param)
    outside: list[Leaf] = [(old.settlement.address, 1, 140), (member(4), 1, 1)]
    after = Wallets(new, Tree(outside))
    after.withdraw(outside)
    changed(old, "setSuccessor", new.settlement.address)
    after.send(after.claiming(outside[0]))
    return wallets, after


def test_points_are_swapped_one_for_one(moved: tuple[Wallets, Wallets]) -> None:
    old, new = moved
    p = old.programme
    assert new.balance(p.settlement.address) == 140
    receipt = old.send(migrating(old, 60), member(0))
    assert p.events(receipt) == [("Migrated", {
        "account": member(0), "currency": 1, "amount": 60, "successor": new.programme.settlement.address,
    })]  # fmt: skip
    assert (old.balance(member(0)), new.balance(member(0))) == (40, 60)
    assert new.balance(p.settlement.address) == 80
    assert p.read("totals", 1) == [140, 0, 60]  # back in custody, for the books to end
    old.withdraw(old.tree.leaves, custody=(5_000, 300), back=(60, 0))
    assert p.points().functions.totalSupply().call() == 5_000 + 140 - 60


def test_all_of_it_and_no_more(moved: tuple[Wallets, Wallets]) -> None:
    old, new = moved
    with refused("ERC20InsufficientBalance", member(0), 100, 101):
        old.fails(migrating(old, 101), member(0))
    with refused("ZeroAmount"):
        old.fails(migrating(old, 0), member(0))
    old.send(migrating(old, 100), member(0))
    old.send(migrating(old, 25), member(1))
    assert new.balance(old.programme.settlement.address) == 15
    new.send(new.programme.settlement.functions.giveBack(1, 100, bytes(32)), member(0))  # at home in the new one
    assert new.programme.read("totals", 1) == [141, 0, 100]


def test_what_the_successor_did_not_hand_over_cannot_be_swapped(wallets: Wallets) -> None:
    p = wallets.programme
    wallets.fund(0)
    wallets.claim(0)
    new = deployed(p.chain, predecessor=p.settlement.address)
    changed(p, "setSuccessor", new.settlement.address)
    with refused("ERC20InsufficientBalance", p.settlement.address, 0, 10):
        wallets.fails(migrating(wallets, 10), member(0))
    assert wallets.balance(member(0)) == 100  # nothing was taken


def test_without_a_successor_nothing_is_swapped(wallets: Wallets) -> None:
    wallets.fund(0)
    with refused("NoSuccessor"):
        wallets.fails(migrating(wallets, 10), member(0))


def test_a_false_successor_cannot_name_what_is_held_for_others(wallets: Wallets, odd_money: Artifact) -> None:
    """The points that others may still claim here, or the collateral."""
    p = wallets.programme
    wallets.fund(0)
    wallets.claim(0)
    changed(p, "setSuccessor", p.settlement.address)
    with refused("NotASuccessors", p.points().address):
        wallets.fails(migrating(wallets, 10), member(0))

    money = p.chain.deploy(odd_money, 6, 0)
    odd = Programme(p.chain, money, p.chain.deploy(load("Settlement"), config(p.chain, money.address)))
    other = Wallets(odd, Tree([(member(0), 1, 100)]))
    odd.deposit(17, 5_000)
    other.withdraw([(member(0), 1, 100), (member(2), 7, 7)])
    other.claim(0)
    changed(odd, "setSuccessor", money.address)
    with refused("NotASuccessors", money.address):
        other.fails(migrating(other, 10), member(0))


def test_a_successor_without_this_currency(wallets: Wallets) -> None:
    p = wallets.programme
    wallets.fund(0)
    wallets.claim(0)
    new = deployed(p.chain, currencies=[])
    changed(p, "setSuccessor", new.settlement.address)
    with refused("SafeERC20FailedOperation", "0x" + "0" * 40):
        wallets.fails(migrating(wallets, 10), member(0))


def test_partners_leave_with_all_of_their_collateral(programme: Programme) -> None:
    """The end of a programme: floors fall to nothing, the last settlement is final, everybody asks."""
    p = programme
    for partner in p.partners:
        changed(p, "setFloor", partner, 0)
        request(p, 2**100, partner)
    request(p, 2**100, 2)
    p.settle()
    for party in (2, *p.partners):
        withdraw(p, party)
    assert (p.read("totalCollateral"), paid(p)) == (0, 60_000)
    assert p.money.functions.balanceOf(p.settlement.address).call() == 0
