"""Two members that are one person become one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from counterfoil.store.tables import member
from tests.features.test_acts import acts, operator
from tests.features.wallets import event, linked, withdraw
from tests.gateway.stand import START, Stand, good, problem, stand


@pytest.fixture
def one(database_url: str, tmp_path: Path) -> Iterator[Stand]:
    with stand(tmp_path / "home", database_url) as made:
        made.clock(START)
        made.earn("A", made.member(), 1)  # the programme is founded: what follows leaves acts
        yield made


def test_two_members_that_are_one_become_one(one: Stand) -> None:
    """Lots, holds, history, names and ids: whoever used the old ones goes on, and refunds find their sales."""
    old, new = one.member("card-1"), one.member("card-2")
    one.earn("A", old, 100, "sale")
    one.earn("B", new, 10)
    held = good(one.post("A", "holds", {"external_id": "h", "member": old, "points": 30, "ttl_seconds": 600}))
    body = {"into": new, "reason": "two cards, one person"}
    tried = good(one.post("operator", f"members/{old}/merge", {**body, "dry_run": True}))
    assert (tried["moved"], tried["available"]) == ({"available": 70, "held": 30, "pending": 0}, 80)
    assert (one.available(old), one.available(new)) == (70, 10)
    made = operator(one, f"members/{old}/merge", body)
    assert (made["into"], made["moved"], made["available"], made["money"]) == (new, tried["moved"], 80, [])
    assert one.read("operator", f"members/{old}/balance") == one.read("operator", f"members/{new}/balance")
    verbs = [row["verb"] for row in one.read("operator", f"members/{new}/entries")["data"]]
    assert [verbs.count(name) for name in ("earn", "hold", "merge")] == [2, 1, 1]
    assert one.member("card-1") == one.member("card-2") == new
    assert good(one.post("A", f"holds/{held['hold']}/capture", {"external_id": "c", "points": 20}))["available"] == 90
    back = good(one.post("A", "refunds", {"external_id": "r", "earn": "sale", "points": 40}))
    assert (back["recovered"], one.available(old)) == (40, 50)
    one.earn("A", old, 5)
    assert one.available(new) == 55
    acted = [row for row in acts(one) if row["verb"] == "merge"]
    assert [(row["reason"], row["about"], row["refers_to"]) for row in acted] == [
        (body["reason"], "posted", made["id"])
    ]
    for other in (old, new):
        problem(one.post("operator", f"members/{other}/merge", {"into": new}), 400, "invalid_recipient")
    assert one.settle()["state"] == "final"


def test_who_leaves_or_is_frozen_is_not_merged(one: Stand) -> None:
    old, new = one.member(), one.member()
    operator(one, f"members/{old}/freeze", {})
    problem(one.post("operator", f"members/{old}/merge", {"into": new}), 403, "member_frozen")
    operator(one, f"members/{old}/unfreeze", {})
    operator(one, f"members/{new}/erasure", {})
    told_ = problem(one.post("operator", f"members/{old}/merge", {"into": new}), 409, "member_leaving")
    assert (told_["field"], told_["member"]) == ("into", new)
    problem(one.post("operator", f"members/{old}/merge", {"into": "mbr_00000000000000ff"}), 404, "unknown_member")


def test_merged_twice_and_erased_nothing_is_left(one: Stand) -> None:
    """Of three names of one person the last stands for all; with it all secrets go."""
    first, second, third = one.member("c1"), one.member("c2"), one.member("c3")
    one.earn("A", first, 10)
    for gone, kept in ((first, second), (second, third)):
        operator(one, f"members/{gone}/merge", {"into": kept})
    assert [one.available(name) for name in (first, second, third)] == [10, 10, 10]
    operator(one, f"members/{first}/erasure", {})
    one.clock("2026-02-01T00:00:00Z")
    assert operator(one, f"members/{third}/erase", {})["forfeited"] == 10
    for name in (first, second, third):
        problem(
            one.post("A", "earns", {"external_id": f"late-{name}", "member": name, "points": 1}), 410, "member_erased"
        )
    with one.app.state.gateway.engine.connect() as connection:
        secrets = connection.execute(
            select(member.c.secret).where(member.c.id.in_([int(n[4:], 16) for n in (first, second)]))
        )
        assert {bytes(secret) for secret in secrets.scalars()} == {b""}


def test_accounts_on_chain_go_with_the_member(one: Stand) -> None:
    """What comes back from either account is the one member's, who goes on withdrawing to its own."""
    old, new = one.member(), one.member()
    first, second = linked(one, old, 1), linked(one, new, 2)
    one.earn("A", old, 100)
    withdraw(one, old, 60)
    operator(one, f"members/{old}/merge", {"into": new})
    for account in (first, second):
        back = operator(one, "returns", event(one, account, 20))
        assert back["status"] == "given_back"
    assert one.available(new) == 80
    assert one.read("operator", f"members/{old}/wallet") == one.read("operator", f"members/{new}/wallet")
    assert one.read("operator", f"members/{new}/wallet")["account"] == second
    lone = one.member()
    operator(one, f"members/{new}/merge", {"into": lone})
    assert one.read("operator", f"members/{lone}/wallet")["account"] == second
