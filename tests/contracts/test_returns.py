"""Back into custody, and what the books may say about it: W and R only grow, R never exceeds what came back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.claims import REF, Wallets, member
from tests.contracts.programme import PARTNERS, ids, refused, supply, words


def giving(wallets: Wallets, amount: int, currency: int = 1) -> Any:
    return wallets.programme.settlement.functions.giveBack(currency, amount, REF)


def redeeming(wallets: Wallets, partner: int, amount: int, currency: int = 1) -> Any:
    return wallets.programme.settlement.functions.redeem(currency, partner, amount, REF)


@pytest.fixture
def holding(wallets: Wallets) -> Wallets:
    """The first member has claimed its 100."""
    wallets.fund(0)
    wallets.claim(0)
    return wallets


def test_given_back_into_custody(holding: Wallets) -> None:
    p = holding.programme
    receipt = holding.send(giving(holding, 30), member(0))
    assert p.events(receipt) == [("GivenBack", {"account": member(0), "currency": 1, "amount": 30, "ref": REF})]
    assert (holding.balance(member(0)), holding.balance(p.points().address)) == (70, 5_030)
    assert p.read("totals", 1) == [140, 0, 30]
    assert p.points().functions.totalSupply().call() == 5_140  # nothing is booked yet


def test_redeemed_at_a_partner(holding: Wallets) -> None:
    p = holding.programme
    receipt = holding.send(redeeming(holding, 18, 45), member(0))
    assert p.events(receipt) == [
        ("Redeemed", {"account": member(0), "currency": 1, "partner": 18, "amount": 45, "ref": REF}),
    ]  # fmt: skip
    assert (holding.balance(member(0)), p.read("totals", 1)) == (55, [140, 0, 45])


def test_once_booked_the_supply_is_custody_plus_withdrawn_less_returned(holding: Wallets) -> None:
    p, leaves = holding.programme, holding.tree.leaves
    holding.send(giving(holding, 30), member(0))
    holding.send(redeeming(holding, 18, 45), member(0))
    holding.withdraw(leaves, custody=(5_030, 300), back=(75, 0))  # the 45 are burned in the books
    assert p.read("totals", 1) == [140, 75, 75]
    assert p.points().functions.totalSupply().call() == 5_030 + 140 - 75
    assert holding.balance(p.points().address) == 5_030


def test_a_part_may_be_booked_later(holding: Wallets) -> None:
    p, leaves = holding.programme, holding.tree.leaves
    holding.send(giving(holding, 30), member(0))
    holding.withdraw(leaves, custody=(5_010, 300), back=(10, 0))
    assert holding.balance(p.points().address) == 5_010 + 20  # custody and what is not booked yet
    holding.withdraw(leaves, custody=(5_030, 300), back=(30, 0))
    assert holding.balance(p.points().address) == 5_030


def test_no_more_is_booked_than_came_back(holding: Wallets) -> None:
    holding.send(giving(holding, 30), member(0))
    with refused("NotReturned", 1, 30, 31):
        propose(holding, 140, 31)
    propose(holding, 140, 30)


def test_withdrawn_and_returned_never_fall(holding: Wallets) -> None:
    holding.send(giving(holding, 30), member(0))
    holding.withdraw(holding.tree.leaves, back=(30, 0))
    with refused("WithdrawnFalls", 1, 140, 139):
        propose(holding, 139, 30)
    with refused("ReturnedFalls", 1, 30, 29):
        propose(holding, 140, 29)
    with refused("WithdrawnFalls", 1, 140, 0):
        propose(holding, 0, 0)
    with refused("WrongClaimRoot", bytes(32), 147):  # once open, claims stay open
        propose(holding, 140, 30, claimRoot=bytes(32))


def propose(wallets: Wallets, w: int, r: int, **changes: Any) -> None:
    """To be wrapped in `refused`, or not."""
    p = wallets.programme
    values = {"claimRoot": wallets.tree.root, "supply": supply((1, 5_000, w, r), (7, 300, 7, 0))} | changes
    p.proposing(p.header(**values)).call({"from": p.operator})


def test_nothing_cannot_be_given_back(holding: Wallets) -> None:
    for call in (giving(holding, 0), redeeming(holding, 18, 0)):
        with refused("ZeroAmount"):
            holding.fails(call, member(0))


def test_nobody_gives_back_what_it_has_not(holding: Wallets) -> None:
    for call in (giving(holding, 101), redeeming(holding, 18, 101)):
        with refused("ERC20InsufficientBalance", member(0), 100, 101):
            holding.fails(call, member(0))
    with refused("ERC20InsufficientBalance", member(0), 0, 2**128 + 1):  # an amount that a counter would cut
        holding.fails(giving(holding, 2**128 + 1, 7), member(0))
    with refused("UnknownCurrency", 2):
        holding.fails(giving(holding, 1, 2), member(0))


@pytest.mark.parametrize("partner", [0, 1, 2, 15, 21])
def test_points_are_redeemed_at_partners_alone(holding: Wallets, partner: int) -> None:
    with refused("UnknownPartner", partner):
        holding.fails(redeeming(holding, partner, 1), member(0))


def test_not_at_a_suspended_one(holding: Wallets) -> None:
    nets = words({16: 9_500, 17: -9_500})
    holding.withdraw(holding.tree.leaves, positions=nets, gross=nets, defaults=ids(17))
    with refused("SuspendedPartner", 17):
        holding.fails(redeeming(holding, 17, 1), member(0))
    for partner in set(PARTNERS) - {17}:
        holding.send(redeeming(holding, partner, 1), member(0))


def test_points_move_between_holders_but_not_into_custody(holding: Wallets) -> None:
    points = holding.programme.points()
    holding.send(points.functions.transfer(member(5), 10), member(0))
    assert holding.balance(member(5)) == 10
    for place in (points.address, holding.programme.settlement.address):
        with refused("NotARecipient", place):
            holding.fails(points.functions.transfer(place, 1), member(0))
