from __future__ import annotations

import pytest

from tests.contracts.programme import (
    FLOOR,
    OPERATOR_ID,
    PARTNERS,
    WINDOW,
    Programme,
    deployed,
    ids,
    refused,
    settled,
    supply,
    words,
)


def test_a_settlement_from_proposal_to_supply(programme: Programme) -> None:
    header = programme.header()
    programme.propose(header)
    receipt = programme.finalize(header)

    hash_, closing = programme.message(header).body, programme.message(header, "Closing").body
    assert programme.read("lastNumber") == 1
    assert programme.read("lastHeader") == hash_
    assert programme.read("lastClosing") == closing
    assert programme.read("logSize") == 8
    assert programme.read("proposal") == [bytes(32), 0, 0]
    assert [programme.read("collateral", party) for party in (OPERATOR_ID, 16, 17, 18)] == [
        10_030, 10_070, 9_900, 10_000,
    ]  # fmt: skip
    assert programme.events(receipt) == [
        (
            "PositionsSettled",
            {
                "number": 1,
                "settled": settled(OPERATOR_ID, 30, 10_030) + settled(16, 70, 10_070) + settled(17, -100, 9_900),
            },
        ),
        ("SupplySet", {"number": 1, "currency": 1, "supply": 5_000}),
        ("SupplySet", {"number": 1, "currency": 7, "supply": 300}),
        ("Finalized", {"number": 1, "headerHash": hash_, "closingHash": closing, "logSize": 8}),
    ]


def test_supply_follows_the_books_up_and_down(programme: Programme) -> None:
    for bonus, miles in ((5_000, 300), (4_000, 300), (0, 10**24), (1, 0)):
        programme.settle(supply=supply((1, bonus), (7, miles)))
        for currency, owed in ((1, bonus), (7, miles)):
            points = programme.points(currency)
            assert points.functions.totalSupply().call() == owed
            assert points.functions.balanceOf(points.address).call() == owed  # all of it in custody


def test_each_settlement_names_the_one_before(programme: Programme) -> None:
    first = programme.settle()
    second = programme.settle()
    assert (second["number"], second["previousHeader"]) == (2, programme.message(first).body)
    assert second["previousClosing"] == programme.message(first, "Closing").body
    assert programme.read("lastHeader") == programme.message(second).body


def test_the_log_may_stand_still(programme: Programme) -> None:
    programme.settle()
    programme.settle(logSize=8)
    assert programme.read("logSize") == 8


def test_nothing_to_move_is_settled_too(programme: Programme) -> None:
    programme.settle(gross=b"", positions=b"")
    assert programme.read("lastNumber") == 1


def test_the_window_ends_to_the_second(programme: Programme) -> None:
    header = programme.header()
    programme.propose(header)
    proposed_at = programme.read("proposal")[2]
    tester = programme.chain.tester
    tester.time_travel(proposed_at + WINDOW - 1)
    finalizing = programme.settlement.functions.finalize(tuple(header.values()))
    with refused("WindowOpen", proposed_at + WINDOW):
        finalizing.call({"from": programme.anyone})
    tester.time_travel(proposed_at + WINDOW)
    programme.finalize(header, wait=False)


def test_without_a_window_finalize_may_follow_at_once(programme: Programme) -> None:
    sandbox = deployed(programme.chain, windowSeconds=0)
    header = sandbox.header()
    sandbox.propose(header)
    sandbox.finalize(header, wait=False)
    assert sandbox.read("lastNumber") == 1


def test_a_default_suspends_and_shrinks_the_quorum(programme: Programme) -> None:
    nets = words({16: 9_500, 17: -9_500})
    header = programme.header(positions=nets, gross=nets, defaults=ids(17))
    programme.propose(header)
    receipt = programme.finalize(header)
    assert ("PartnerSuspended", {"number": 1, "id": 17}) in programme.events(receipt)
    assert (programme.read("suspended", 17), programme.read("collateral", 17)) == (True, 500)
    assert (programme.read("quorum"), programme.read("partners")) == (3, list(PARTNERS))

    following = programme.header(positions=b"")
    with refused("NotASigner", 17):
        programme.proposing(following, programme.sign(following, 16, 17, 18)).call({"from": programme.operator})
    programme.propose(following, programme.sign(following, 16, 18, 19))


def test_a_suspended_partner_can_default_again(programme: Programme) -> None:
    programme.settle(positions=words({16: 9_500, 17: -9_500}), defaults=ids(17))
    header = programme.header(positions=words({16: 500, 17: -500}), defaults=ids(17))
    programme.propose(header, programme.sign(header, 16, 18, 19))
    receipt = programme.finalize(header)
    names = [name for name, _ in programme.events(receipt)]
    assert "PartnerSuspended" not in names
    assert (programme.read("collateral", 17), programme.read("quorum")) == (0, 3)


def test_a_top_up_in_the_window_cures_a_default_and_blocks_nothing(programme: Programme) -> None:
    nets = words({16: 9_500, 17: -9_500})
    header = programme.header(positions=nets, defaults=ids(17))
    programme.propose(header)
    programme.deposit(17, FLOOR)
    receipt = programme.finalize(header)
    assert ("DefaultCured", {"number": 1, "id": 17}) in programme.events(receipt)
    assert (programme.read("suspended", 17), programme.read("collateral", 17)) == (False, 500 + FLOOR)


def test_a_credit_below_the_floor_is_no_default(programme: Programme) -> None:
    poor = deployed(programme.chain, windowSeconds=0)
    nets = words({16: 9_500, 17: -9_500})
    first = poor.header(positions=nets, defaults=ids(17))
    poor.propose(first)
    poor.finalize(first, wait=False)
    back = poor.header(positions=words({16: -10, 17: 10}))
    poor.propose(back, poor.sign(back, 16, 18, 19))
    poor.finalize(back, wait=False)
    assert poor.read("collateral", 17) == 510


def test_the_last_micro_unit_can_be_paid_by_a_reserved_party(programme: Programme) -> None:
    programme.settle(positions=words({OPERATOR_ID: -10_000, 16: 10_000}))
    assert programme.read("collateral", OPERATOR_ID) == 0


@pytest.mark.parametrize("suspended", [1, 2, 3, 4, 5])
def test_with_every_partner_suspended_nothing_can_be_proposed(programme: Programme, suspended: int) -> None:
    defaulting = PARTNERS[:suspended]
    nets = words({OPERATOR_ID: 9_500 * suspended} | dict.fromkeys(defaulting, -9_500))
    programme.settle(positions=nets, defaults=ids(*defaulting))
    required = [4, 3, 2, 2, 1, 1][suspended]
    assert programme.read("quorum") == required
    following = programme.header(positions=b"")
    with refused("BelowQuorum", required, 0):
        programme.proposing(following, b"").call({"from": programme.operator})
