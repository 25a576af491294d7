"""Open: points go anywhere but into custody. Closed, for ever: only to who has claimed that currency before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.claims import Tree, Wallets, member
from tests.contracts.programme import Programme, deployed, refused


@pytest.fixture
def closed(programme: Programme) -> Wallets:
    p = deployed(programme.chain, closedLoop=True)
    wallets = Wallets(p, Tree([(member(0), 1, 100)]))
    wallets.withdraw([(member(0), 1, 100), (member(1), 1, 40), (member(0), 7, 9), (member(2), 7, 7)])
    wallets.fund(0, 1)
    return wallets


def sending(wallets: Wallets, place: int, amount: int, currency: int = 1) -> Any:
    return wallets.programme.points(currency).functions.transfer(member(place), amount)


def test_the_policy_is_fixed_at_deployment(closed: Wallets, programme: Programme) -> None:
    assert (closed.programme.read("closedLoop"), programme.read("closedLoop")) == (True, False)
    assert (closed.programme.points().functions.closedLoop().call(),
            programme.points().functions.closedLoop().call()) == (True, False)  # fmt: skip


def test_open_points_go_to_anyone(wallets: Wallets) -> None:
    wallets.claim(0)
    wallets.fund(0)
    wallets.send(sending(wallets, 5, 10), member(0))
    assert wallets.balance(member(5)) == 10


def test_closed_points_go_to_members_alone(closed: Wallets) -> None:
    closed.claim(0)
    for place in (1, 5):  # one that may claim and has not, one that never could
        with refused("NotAMember", member(place)):
            closed.fails(sending(closed, place, 10), member(0))
    closed.claim(1)
    closed.send(sending(closed, 1, 10), member(0))
    assert closed.balance(member(1)) == 50


def test_a_member_of_another_currency_is_none_of_this(closed: Wallets) -> None:
    for place, currency in ((0, 1), (0, 7), (2, 7)):
        closed.claim(place, currency)
    with refused("NotAMember", member(2)):
        closed.fails(sending(closed, 2, 1), member(0))
    closed.send(sending(closed, 2, 1, 7), member(0))


def test_a_claim_goes_to_members_alone(closed: Wallets) -> None:
    leaf = closed.leaf(0)
    to = [closed.programme.settlement.functions.claimTo(member(n), *leaf[1:], closed.tree.proof(leaf)) for n in (1, 0)]
    with refused("NotAMember", member(1)):
        closed.fails(to[0], member(0))
    closed.send(to[1], member(0))  # to itself: the claim makes it a member
    assert closed.balance(member(0)) == 100


def test_a_spender_is_bound_too(closed: Wallets) -> None:
    closed.claim(0)
    closed.send(closed.programme.points().functions.approve(closed.programme.anyone, 50), member(0))
    with refused("NotAMember", member(5)):
        closed.fails(closed.programme.points().functions.transferFrom(member(0), member(5), 1))


def test_members_give_back_and_redeem(closed: Wallets) -> None:
    closed.claim(0)
    call = closed.programme.settlement.functions
    closed.send(call.giveBack(1, 10, bytes(32)), member(0))
    closed.send(call.redeem(1, 16, 20, bytes(32)), member(0))
    assert closed.balance(member(0)) == 70
