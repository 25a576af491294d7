"""Own wallets in the books, on both databases: links, withdrawals, what comes back, suspense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from counterfoil.core.entry import Verb
from counterfoil.core.holdings import Holdings
from counterfoil.core.operation import Operation
from counterfoil.core.units import NEVER
from counterfoil.store import books, registry
from tests.store.ground import NOON, A, B, Ground, burn, earn
from tests.store.wallets import ACCOUNTS, ask, came_back, done, leaves, linked, operation, withdrawn


def posted(here: Ground) -> list[Verb]:
    return [row.entry.verb for row in books.rows_of(here.engine, limit=500)]


def test_there_and_back(here: Ground) -> None:
    ann, bob, _cleo = here.members
    ask(here, earn("a", ann, 100), earn("b", bob, 50, B))
    left = done(here, "withdraw", member=ann, points=60, name="w1")
    assert (left["account"], left["available"], left["lots"], left["money"]) == (ACCOUNTS[0], 40, [["A", 60]], [])
    assert withdrawn(here) == [(ann, 60)]
    assert here.rows(f"SELECT available FROM member WHERE id = {ann}") == [(40,)]
    (answer,) = ask(here, operation("withdraw", member=ann, points=41, name="w2"))
    assert answer.facts["code"] == "insufficient_points"
    done(here, "withdraw", member=bob, points=50, name="w3")
    (back,) = ask(here, came_back(ACCOUNTS[0], 70, 1))  # ten of them were the other's
    assert (back.facts["status"], back.facts["available"]) == ("given_back", 110)
    assert withdrawn(here) == [(bob, 40)]
    (again,) = ask(here, came_back(ACCOUNTS[0], 70, 1))
    assert (again.facts["code"], again.facts["entry"]) == ("duplicate_external_id", f"ent_{back.entry:016x}")


def test_several_in_one_transaction(here: Ground) -> None:
    """Each sees what the one before it did, though the database hears of it later."""
    ann, bob, cleo = here.members
    answers = ask(
        here, earn("a", ann, 30), operation("withdraw", member=ann, points=20, name="w1"), earn("b", bob, 30, B),
        operation("withdraw", member=bob, points=30, name="w2"), came_back(ACCOUNTS[2], 25, 1), burn("c", cleo, 5),
        came_back(ACCOUNTS[0], 25, 2), came_back(ACCOUNTS[1], 1, 3),
    )  # fmt: skip
    assert [answer.ok for answer in answers] == [True] * 8
    assert [answer.facts.get("status") for answer in answers[4:]] == ["given_back", None, "given_back", "suspense"]
    assert [answer.facts["available"] for answer in (answers[4], answers[6])] == [25, 35]
    assert withdrawn(here) == []
    balances = {number: here.rows(f"SELECT available FROM member WHERE id = {number}")[0][0] for number in here.members}
    assert balances == {ann: 35, bob: 0, cleo: 20}


def test_a_dry_run_says_the_same_and_leaves_nothing(here: Ground) -> None:
    ann, bob, _cleo = here.members
    ask(here, earn("a", ann, 100), earn("b", bob, 50, B))
    done(here, "withdraw", member=ann, points=60, name="w1")
    done(here, "withdraw", member=bob, points=50, name="w2")
    for asked in (
        operation("withdraw", member=ann, points=5, name="w3"), came_back(ACCOUNTS[0], 70, 1),
        came_back(ACCOUNTS[1], 10, 2, partner=A), came_back("0x" + "9" * 40, 10, 3),
    ):  # fmt: skip
        before = (here.count("entry"), here.count("record"), here.count("effect"), withdrawn(here))
        more = {**asked.asked, "dry_run": True}
        tried = ask(
            here, operation(asked.verb, member=asked.member, points=asked.points, name=asked.external_id, **more)
        )[0]
        assert (here.count("entry"), here.count("record"), here.count("effect"), withdrawn(here)) == before
        real = ask(here, asked)[0]
        assert {n: f for n, f in tried.facts.items() if n != "given_back"} == {
            n: f for n, f in real.facts.items() if n != "given_back"
        }


def test_redeemed_at_a_partner_and_refunded(here: Ground) -> None:
    ann, _bob, _cleo = here.members
    ask(here, earn("a", ann, 100, B))
    done(here, "withdraw", member=ann, points=60, name="w1")
    (made,) = ask(here, came_back(ACCOUNTS[0], 40, 1, partner=A))
    assert (made.facts["status"], made.facts["partner"], made.facts["lots"]) == ("redeemed", "A", [["B", 40]])
    assert {one["party"]: one["amount_micros"] for one in made.facts["money"]} == {"A": 400_000, "pool": -400_000}
    assert posted(here)[-2:] == [Verb.GIVE_BACK, Verb.REDEEM]
    refund = Operation("refund_burn", A, external_id="r", points=40, original=made.facts["reference"])
    (refunded,) = ask(here, refund)
    assert refunded.facts["available"] == 80
    (other,) = ask(here, came_back(ACCOUNTS[0], 20, 2, partner=A))
    assert done(here, "dispute", hold=other.entry)["verb"] == "dispute"


def test_a_partner_that_may_not_burn_gets_nothing_and_the_member_keeps_it(here: Ground) -> None:
    ann, _bob, _cleo = here.members
    ask(here, earn("a", ann, 100, B))
    done(here, "withdraw", member=ann, points=60, name="w1")
    done(here, "suspend", partner=A)
    (made,) = ask(here, came_back(ACCOUNTS[0], 40, 1, partner=A))
    assert (made.facts["status"], made.facts["not_redeemed"], made.facts["money"]) == (
        "given_back", "partner_suspended", [],
    )  # fmt: skip
    assert ask(here, came_back(ACCOUNTS[0], 10, 2, partner=99))[0].facts["not_redeemed"] == "unknown_partner"
    done(here, "freeze", member=ann)
    assert ask(here, came_back(ACCOUNTS[0], 10, 3, partner=B))[0].facts["not_redeemed"] == "member_frozen"
    (refused,) = ask(here, operation("withdraw", member=ann, points=1, name="w2"))
    assert refused.facts["code"] == "member_frozen"


def test_what_cannot_be_booked_waits_in_suspense_and_is_assigned(here: Ground) -> None:
    ann, bob, _cleo = here.members
    ask(here, earn("a", ann, 100))
    done(here, "withdraw", member=ann, points=60, name="w1")
    nobody = "0x" + "9" * 40
    (stray,) = ask(here, came_back(nobody, 40, 1, partner=B))
    assert (stray.ok, stray.entry) == (True, 0)
    assert (stray.facts["status"], stray.facts["why"], stray.facts["state"]) == (
        "suspense",
        "unlinked_account",
        "waiting",
    )
    (more,) = ask(here, came_back(ACCOUNTS[0], 61, 2))
    assert more.facts["why"] == "beyond_wallets"
    assert withdrawn(here) == [(ann, 60)]
    assert ask(here, came_back(nobody, 40, 1, partner=B))[0].facts["code"] == "duplicate_external_id"
    name = stray.facts["reference"]
    assigned = done(here, "assign_return", member=bob, reference=name)
    assert (assigned["status"], assigned["member"]) == ("redeemed", f"mbr_{bob:016x}")
    assert posted(here)[-3:] == [Verb.GIVE_BACK, Verb.REDEEM, Verb.ACT]
    (back,) = ask(here, Operation("refund_burn", B, external_id="r", points=5, original=name))
    assert back.facts["available"] == 5
    (argued,) = ask(here, operation("dispute", hold=assigned["entry"]))
    assert argued.facts["code"] == "nothing_to_dispute"  # it was refunded in part
    (twice,) = ask(here, operation("assign_return", member=bob, reference=name))
    assert twice.facts["code"] == "return_assigned"
    (beyond,) = ask(here, operation("assign_return", member=ann, reference=more.facts["reference"]))
    assert beyond.facts["code"] == "return_assigned"
    (unknown,) = ask(here, operation("assign_return", member=ann, reference="none"))
    assert unknown.facts["code"] == "unknown_return"


def test_a_link_takes_its_nonce_once_and_in_time(here: Ground) -> None:
    ann, bob, _cleo = here.members
    given = done(here, "wallet_nonce", member=ann)
    fine = {"account": "0x" + "a" * 40, "nonce": given["nonce"], "expires_at": NEVER, "not_before": 0}

    def refused(member: int = ann, **more: Any) -> dict[str, Any]:
        (answer,) = ask(here, operation("link_wallet", member=member, **{**fine, **more}))
        assert not answer.ok
        return answer.facts

    assert refused(nonce="0" * 32)["field"] == "nonce"
    assert refused(bob)["code"] == "sign_in_refused"  # of another member
    assert refused(expires_at=NOON)["field"] == "expiration_time"
    assert refused(not_before=NOON + 1)["field"] == "not_before"
    assert refused(account=ACCOUNTS[1])["code"] == "wallet_taken"
    done(here, "link_wallet", member=ann, **fine)
    assert refused()["field"] == "nonce"  # used
    fine["nonce"] = done(here, "wallet_nonce", member=ann)["nonce"]
    older = fine["nonce"]
    fine["nonce"] = done(here, "wallet_nonce", member=ann)["nonce"]
    assert refused(nonce=older)["field"] == "nonce"
    registry.set_clock(here.engine, NOON + 600_000_000)
    assert refused()["field"] == "nonce"  # ended


def test_linking_anew_redirects_only_later_withdrawals(here: Ground) -> None:
    ann, bob, _cleo = here.members
    ask(here, earn("a", ann, 100))
    done(here, "withdraw", member=ann, points=10, name="w1")
    linked(here, ann, "0x" + "a" * 40)
    done(here, "withdraw", member=ann, points=20, name="w2")
    linked(here, bob, ACCOUNTS[0])  # ann left it
    ask(here, earn("b", bob, 100))
    done(here, "withdraw", member=bob, points=5, name="w3")
    assert leaves(here) == {ACCOUNTS[0]: 15, "0x" + "a" * 40: 20}  # one leaf for an account, whoever withdrew
    assert ask(here, came_back(ACCOUNTS[0], 3, 1))[0].facts["member"] == f"mbr_{bob:016x}"
    done(here, "unlink_wallet", member=bob)
    (none,) = ask(here, operation("withdraw", member=bob, points=5, name="w4"))
    assert none.facts["code"] == "wallet_not_linked"
    assert ask(here, operation("unlink_wallet", member=bob))[0].facts["code"] == "wallet_not_linked"


def unseen(patch: pytest.MonkeyPatch) -> None:
    """What comes back does not wait until what was decided before is written."""
    patch.setattr("counterfoil.store.posting.ALONE", set())


def others_first(patch: pytest.MonkeyPatch) -> None:
    """The member's own are not taken first."""
    patch.setattr(Holdings, "withdrawn", lambda _self, _currency: [])


@pytest.mark.parametrize(
    ("plant", "test"), [(unseen, test_several_in_one_transaction), (others_first, test_there_and_back)]
)
def test_canaries_are_caught(
    here: Ground, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None],
    test: Callable[[Ground], None],
) -> None:  # fmt: skip
    plant(monkeypatch)
    with pytest.raises((AssertionError, KeyError)):
        test(here)
