"""Own wallets over time, on both databases: closings, brands' currencies, erasure, debts, exits."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.core.operation import Operation
from counterfoil.core.rulebook.contracts import Contract
from counterfoil.core.units import MAX_POINTS
from counterfoil.store import json_text, registry, settlements
from tests.store.ground import NOON, A, B, Ground, change, earn, enrolled
from tests.store.wallets import ACCOUNTS, DAY, ask, came_back, done, leaves, operation, withdrawn


def totals(here: Ground) -> dict[str, Any]:
    row: Any = settlements.every(here.engine)[-1]
    found: dict[str, Any] = json_text.loads(row.totals)["currencies"]["1"]
    return {name: points for name, points in found.items() if name != "depth"}


def test_closings_count_what_left_and_what_came_back(here: Ground) -> None:
    ann, bob, _cleo = here.members
    ask(here, earn("a", ann, 100), earn("b", bob, 50))
    done(here, "withdraw", member=ann, points=60, name="w1")
    assert leaves(here) == {ACCOUNTS[0]: 60}
    assert totals(here) == {"custodial": 90, "withdrawn": 60, "returned": 0, "supply": 150, "change": 150}
    done(here, "withdraw", member=ann, points=10, name="w2")
    done(here, "withdraw", member=bob, points=50, name="w3")
    ask(here, came_back(ACCOUNTS[1], 55, 1), came_back(ACCOUNTS[0], 5, 2, partner=A))
    assert leaves(here) == {ACCOUNTS[0]: 70, ACCOUNTS[1]: 50}
    assert totals(here) == {"custodial": 85, "withdrawn": 120, "returned": 60, "supply": 145, "change": -5}
    assert leaves(here) == {ACCOUNTS[0]: 70, ACCOUNTS[1]: 50}  # cumulative for ever
    assert totals(here)["change"] == 0
    with here.engine.connect() as connection:  # the older tree is still to be had
        assert [one.cumulative for one in settlements.claims(connection, 1)] == [60]


def test_brands_own_currencies_have_leaves_of_their_own(here: Ground) -> None:
    ann, bob, _cleo = here.members
    change(here.engine, "add_currency", name="ROSE", issuer=B)
    ask(here, Operation("earn", B, external_id="r", member=ann, points=40, currency="ROSE"), earn("a", ann, 10))
    left = done(here, "withdraw", member=ann, points=30, name="w1", currency="ROSE")
    assert (left["currency"], left["available"]) == ("ROSE", 10)
    done(here, "withdraw", member=ann, points=10, name="w2")
    back = ask(here, came_back(ACCOUNTS[1], 5, 1, partner=A, currency="ROSE"))[0].facts
    assert back["not_redeemed"] == "currency_not_accepted"
    assert ask(here, came_back(ACCOUNTS[1], 5, 2, partner=B, currency="ROSE"))[0].facts["status"] == "redeemed"
    assert bob != ann
    assert ask(here, came_back(ACCOUNTS[1], 1, 3, currency="TULIP"))[0].facts["code"] == "unknown_currency"


def test_erasure_leaves_what_is_in_wallets_and_forgets_whose_account_it_was(here: Ground) -> None:
    ann, bob, _cleo = here.members
    ask(here, earn("a", ann, 100))
    done(here, "withdraw", member=ann, points=60, name="w1")
    done(here, "request_erasure", member=ann)
    registry.set_clock(here.engine, NOON + 31 * DAY)
    assert done(here, "erase", member=ann)["forfeited"] == 40
    assert withdrawn(here) == [(ann, 60)]
    assert ask(here, came_back(ACCOUNTS[0], 10, 1))[0].facts["why"] == "unlinked_account"
    assert here.rows("SELECT name FROM record WHERE kind = 'wallets'") != []
    assert [
        name for (name,) in here.rows("SELECT name FROM record WHERE kind IN ('wallets', 'nonce')") if str(ann) in name
    ] == []
    (back,) = ask(here, came_back(ACCOUNTS[1], 60, 2))  # whoever has the tokens
    assert back.facts["available"] == 60
    assert bob
    assert withdrawn(here) == []


def test_a_late_refund_of_what_was_withdrawn_is_a_debt(here: Ground) -> None:
    ann, _bob, _cleo = here.members
    ask(here, earn("a", ann, 100))
    done(here, "withdraw", member=ann, points=100, name="w1")
    (refunded,) = ask(here, Operation("refund_earn", A, external_id="r", points=30, original="e-a"))
    assert (refunded.facts["recovered"], refunded.facts["debt"]) == (0, 30)
    assert ask(here, came_back(ACCOUNTS[0], 100, 1))[0].facts["available"] == 70


def test_many_lots_are_read_in_burn_order(here: Ground) -> None:
    """More than one reading asks for at first."""
    ann, bob, _cleo = here.members
    ask(here, *(earn(f"a{place}", ann, 1) for place in range(200)))
    done(here, "withdraw", member=ann, points=200, name="w1")
    (back,) = ask(here, came_back(ACCOUNTS[1], 150, 1))
    assert back.facts["available"] == 150
    assert len(withdrawn(here)) == 50
    assert bob


def test_more_lots_than_an_entry_may_have_wait_in_suspense(here: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, _bob, _cleo = here.members
    ask(here, *(earn(f"a{place}", ann, 1) for place in range(20)))
    done(here, "withdraw", member=ann, points=20, name="w1")
    monkeypatch.setattr("counterfoil.store.verbs_wallets.MOST_LOTS", 10)
    assert ask(here, came_back(ACCOUNTS[1], 11, 1))[0].facts["why"] == "too_many_lots"
    assert ask(here, came_back(ACCOUNTS[1], 10, 2))[0].facts["status"] == "given_back"


def test_who_left_keeps_a_reserve_for_points_in_wallets(here: Ground) -> None:
    ann, _bob, _cleo = here.members
    later = enrolled(here.engine, "C", Contract(1, issuance_bp=0))  # owes the face when points are used
    ask(here, earn("a", ann, 100, later))
    done(here, "withdraw", member=ann, points=70, name="w1")
    done(here, "exit_partner", partner=later, breakage_bp=0)
    assert here.rows("SELECT data FROM record WHERE kind = 'reserve'") == [('{"micros":1000000,"points":100}',)]
    ask(here, came_back(ACCOUNTS[0], 70, 1, partner=A))
    assert here.rows("SELECT data FROM record WHERE kind = 'reserve'") == [('{"micros":230000,"points":30}',)]


def test_a_refused_assignment_leaves_the_return_waiting(here: Ground) -> None:
    ann, bob, _cleo = here.members
    ask(here, earn("a", ann, 10), earn("b", bob, MAX_POINTS))
    done(here, "withdraw", member=ann, points=10, name="w1")
    (stray,) = ask(here, came_back("0x" + "9" * 40, 5, 1))
    (full,) = ask(here, operation("assign_return", member=bob, reference=stray.facts["reference"]))
    assert full.facts["code"] == "balance_limit"
    assert ask(here, came_back(ACCOUNTS[1], 5, 2))[0].facts["why"] == "balance_limit"
    assert done(here, "assign_return", member=ann, reference=stray.facts["reference"])["status"] == "given_back"
