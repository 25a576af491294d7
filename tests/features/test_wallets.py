"""Own wallets over HTTP, on both databases: an account is linked by its signature, points leave and come back, with proofs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from counterfoil.core.claim_tree import ClaimTree, Leaf, read_leaves, verify
from counterfoil.features.wallets import rules
from tests.features.wallets import BLOCK, account_of, asked, event, key_of, link, linked, signed, withdraw
from tests.gateway.stand import START, Stand, good, problem, stand
from tests.settlement.opened import Opened

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def one(database_url: str, tmp_path: Path) -> Iterator[Stand]:
    with stand(tmp_path / "home", database_url) as made:
        made.clock(START)
        Opened.stand_in(made.app.state.worker.cycle)
        yield made


def refused(one: Stand, member: str, body: dict[str, Any], field: str) -> None:
    problem(link(one, member, body), 422, "sign_in_refused", field)


def test_an_account_is_linked_by_its_own_signature(one: Stand) -> None:
    ann, bob = one.member(), one.member()
    assert one.read("operator", f"members/{ann}/wallet") == {
        "member": ann,
        "account": None,
        "since": None,
        "history": [],
    }
    body = asked(one, ann, key_of(1))
    assert body["message"].startswith("localhost:8080 wants you to sign in with your Ethereum account:\n0x")
    told = good(link(one, ann, body))
    assert (told["account"], told["since"]) == (account_of(key_of(1)), "2025-12-01T10:00:00.000000Z")
    refused(one, ann, body, "nonce")  # once
    refused(one, bob, body, "nonce")  # and not for anybody else
    one.clock("2025-12-01T10:05:00Z")
    assert linked(one, ann, 2) == account_of(key_of(2))
    shown = one.read("operator", f"members/{ann}/wallet")
    assert [(entry["account"], entry["until"]) for entry in shown["history"]] == [
        (account_of(key_of(1)), "2025-12-01T10:05:00.000000Z"), (account_of(key_of(2)), None),
    ]  # fmt: skip
    problem(link(one, bob, asked(one, bob, key_of(2))), 409, "wallet_taken", "member")
    linked(one, bob, 1)  # which ann left
    path = f"/v1/members/{ann}/wallet"
    assert one.client.delete(path, headers=one.operator).status_code == 204
    problem(one.client.delete(path, headers=one.operator), 409, "wallet_not_linked", "member")
    assert one.read("operator", f"members/{ann}/wallet")["account"] is None
    problem(one.get("operator", "/v1/members/mbr_7fffffffffffffff/wallet"), 404, "unknown_member")
    acts = [act["verb"] for act in one.read("operator", "acts", limit=100)["data"]]
    assert acts.count("link_wallet") == 0  # before the first entry a programme is being founded
    one.earn("A", ann, 10)
    linked(one, ann, 3)
    assert [act["verb"] for act in one.read("operator", "acts", limit=100)["data"]][-1] == "link_wallet"


def test_what_is_not_this_accounts_fresh_word_is_refused(one: Stand) -> None:
    """Fault 34 of sign-in messages: another signer, page, chain, statement, account; high s; compact; too late."""
    ann = one.member()
    fine = asked(one, ann, key_of(1))
    text, key = fine["message"], key_of(1)

    def altered(old: str, new: str) -> dict[str, str]:
        assert old in text
        changed = text.replace(old, new)
        return {"message": changed, "signature": signed(changed, key)}

    refused(one, ann, {**fine, "signature": signed(text, key_of(2))}, "signature")
    refused(one, ann, {**fine, "signature": signed(text + " ", key)}, "signature")
    made = Account.sign_message(encode_defunct(text=text), key)
    high = made.r.to_bytes(32, "big") + (ORDER - made.s).to_bytes(32, "big") + bytes([55 - made.v])
    refused(one, ann, {**fine, "signature": "0x" + high.hex()}, "signature")
    low_v = bytes(made.signature)[:64] + bytes([made.v - 27])
    refused(one, ann, {**fine, "signature": "0x" + low_v.hex()}, "signature")
    for short in (fine["signature"][:-2], "0x" + bytes(made.signature)[:64].hex(), ""):
        problem(link(one, ann, {**fine, "signature": short}), 400, "invalid_request", "signature")
    refused(one, ann, altered("localhost:8080 wants", "evil.example wants"), "domain")
    refused(one, ann, altered("localhost:8080 wants", "localhost:8081 wants"), "domain")
    refused(one, ann, altered("localhost:8080 wants", "https://localhost:8080 wants"), "scheme")
    refused(one, ann, altered("URI: http://localhost:8080/wallet", "URI: http://localhost:8080/other"), "uri")
    refused(one, ann, altered("Chain ID: ", "Chain ID: 1"), "chain_id")
    refused(one, ann, altered("my membership", "your membership"), "statement")
    refused(one, ann, altered("Nonce: ", "Nonce: f"), "nonce")
    refused(one, ann, altered("Version: 1", "Version: 2"), "message")
    refused(one, ann, altered("Expiration Time", "Not Before"), "expiration_time")
    refused(one, ann, altered("2025-12-01T10:10:00", "2025-12-01T10:00:00"), "expiration_time")  # already past
    late = f"{text}\nNot Before: 2025-12-01T10:00:01Z"
    refused(one, ann, {"message": late, "signature": signed(late, key)}, "not_before")
    one.clock("2025-12-01T10:10:00Z")
    refused(one, ann, fine, "nonce")  # its time is over
    assert one.read("operator", f"members/{ann}/wallet")["history"] == []
    linked(one, ann, 1)


def test_canary_without_its_domain_a_message_for_another_page_would_do(
    one: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "expect", lambda *_asked: None)
    with pytest.raises(AssertionError):
        test_what_is_not_this_accounts_fresh_word_is_refused(one)


def proven(one: Stand, account: str) -> dict[str, str]:
    """What an account can claim by currency, each proof checked against the root."""
    told = one.read("", f"withdrawals/{account}/proof")
    found = {}
    for claim in told["data"]:
        leaf = Leaf(bytes.fromhex(account[2:]), claim["currency"], int(claim["cumulative"]))
        path = [bytes.fromhex(node[2:]) for node in claim["proof"]]
        assert verify(leaf, path, bytes.fromhex(told["root"][2:]))
        found[claim["name"]] = claim["cumulative"]
    leaves = one.read("", f"settlements/{told['settlement']}/claim-leaves")
    assert leaves["root"] == told["root"] == "0x" + ClaimTree(read_leaves(leaves["claims"])).root.hex()
    header = one.read("operator", f"settlements/{told['settlement']}")["header"]
    assert header["claim_root"] == told["root"]
    return found


def test_withdrawn_settled_and_proven(one: Stand) -> None:
    ann, bob = one.member(), one.member()
    one.earn("A", ann, 500)
    one.earn("B", bob, 80)
    problem(
        one.post("operator", "withdrawals", {"external_id": "w", "member": ann, "points": 1}), 409, "wallet_not_linked"
    )
    mine, theirs = linked(one, ann, 1), linked(one, bob, 2)
    made = withdraw(one, ann, 200)
    one.verified(made)
    assert (made["account"], made["available"], made["lots"]) == (mine, 300, [["A", 200]])
    problem(one.get("", f"/v1/withdrawals/{mine}/proof"), 404, "not_found", "account")  # not final yet
    shown = one.settle()
    assert (shown["state"], shown["supply"], shown["change"]) == ("final", {"CP": 580}, {"CP": 580})
    assert proven(one, mine) == {"CP": "200"}
    withdraw(one, ann, 50)
    withdraw(one, bob, 80)
    assert one.read("operator", "settlements/preview")["supply"] == {"CP": 580}
    assert proven(one, mine) == {"CP": "200"}
    assert one.settle()["supply"] == {"CP": 580}
    assert (proven(one, mine), proven(one, theirs)) == ({"CP": "250"}, {"CP": "80"})
    linked(one, ann, 3)
    withdraw(one, ann, 7)
    one.settle()
    own = one.read("operator", f"members/{ann}/withdrawals")
    assert sorted((claim["account"], claim["cumulative"]) for claim in own["data"]) == sorted(
        [(mine, "250"), (account_of(key_of(3)), "7")]
    )
    problem(one.get("", "/v1/settlements/9/claim-leaves"), 404, "unknown_settlement")
    history = [entry for entry in one.read("operator", f"members/{ann}/entries")["data"] if entry["verb"] == "withdraw"]
    assert (history[-1]["partner"], history[-1]["points"]) == (None, {"available": -7})


def test_what_comes_back_is_booked_once_for_each_event(one: Stand) -> None:
    ann = one.member()
    one.earn("A", ann, 500)
    mine = linked(one, ann, 1)
    withdraw(one, ann, 200)
    body = event(one, mine, 60)
    first = one.post("operator", "returns", body, key="once")
    assert good(first)["status"] == "given_back"
    assert one.post("operator", "returns", body, key="once").json() == first.json()
    told = problem(one.post("operator", "returns", body, key="again"), 409, "duplicate_external_id")
    assert (told["external_id"], told["entry"]) == (f"{BLOCK}:{body['index']}", first.json()["id"])
    assert one.available(ann) == 360
    checksum = Account.from_key(key_of(1)).address
    assert good(one.post("operator", "returns", event(one, checksum, 40)))["available"] == 400
    one.settle()
    assert one.read("operator", "settlements/1")["supply"] == {"CP": 500}


def test_redeemed_at_a_partner_that_sees_it_as_a_burn(one: Stand) -> None:
    ann = one.member()
    one.earn("A", ann, 500)
    mine = linked(one, ann, 1)
    withdraw(one, ann, 200)
    b = one.sides["B"].id
    made = good(one.post("operator", "returns", event(one, mine, 60, partner=b)))
    assert (made["status"], made["partner"], made["lots"]) == ("redeemed", "B", [["A", 60]])
    assert {money["party"]: money["amount_micros"] for money in made["money"]} == {"B": 600_000, "pool": -600_000}
    (seen,) = one.read("B", "entries")["data"]
    assert (seen["verb"], seen["external_id"], seen["member"]) == ("redeem", made["reference"], ann)
    assert one.read("A", "entries")["data"][-1]["verb"] == "earn"
    refund = {"external_id": "r", "burn": made["reference"], "points": 10}
    assert good(one.post("B", "refunds", refund))["available"] == 310
    one.settle()
    assert one.read("B", "settlements/1")["burned"] == {"B": 60}
    (listed,) = one.read("B", "invoices")["data"]
    lines = one.read("B", f"invoices/{listed['number']}")["lines"]
    assert sum(line["amount_micros"] for line in lines) == 500_000  # 60 points paid, 10 taken back
    assert [move["verb"] for move in one.read("B", "entries")["data"]] == ["redeem", "refund_burn"]
    suspended = one.client.post(f"/v1/partners/{b}/suspend", json={}, headers={**one.operator, "Idempotency-Key": "s"})
    good(suspended)
    kept = good(one.post("operator", "returns", event(one, mine, 20, partner=b)))
    assert (kept["status"], kept["not_redeemed"], kept["available"]) == ("given_back", "partner_suspended", 330)


def test_what_is_nobodys_waits_and_is_assigned(one: Stand) -> None:
    ann = one.member()
    one.earn("A", ann, 500)
    linked(one, ann, 1)
    withdraw(one, ann, 200)
    stranger = account_of(key_of(9))
    told = good(one.post("operator", "returns", event(one, stranger, 60)))
    assert (told["status"], told["why"]) == ("suspense", "unlinked_account")
    assert "counterfoil" not in told
    beyond = good(one.post("operator", "returns", event(one, account_of(key_of(1)), 201)))
    assert beyond["why"] == "beyond_wallets"
    waiting = one.read("operator", "returns", state="waiting")["data"]
    assert {(entry["reference"], entry["points"]) for entry in waiting} == {
        (told["reference"], 60),
        (beyond["reference"], 201),
    }
    path = f"returns/{told['reference']}/assignment"
    problem(one.post("operator", path, {"member": "mbr_7fffffffffffffff"}), 404, "unknown_member")
    assert good(one.post("operator", path, {"member": ann, "reason": "proved it"}))["available"] == 360
    problem(one.post("operator", path, {"member": ann}), 409, "return_assigned", "reference")
    problem(
        one.post("operator", f"returns/{BLOCK}:999999/assignment", {"member": ann}), 404, "unknown_return", "reference"
    )
    assert [entry["state"] for entry in one.read("operator", "returns", state="assigned")["data"]] == ["assigned"]
    assert one.read("operator", "acts", limit=100)["data"][-1]["verb"] == "assign_return"


def test_a_currency_that_is_none(one: Stand) -> None:
    ann = one.member()
    one.earn("A", ann, 5)
    linked(one, ann, 1)
    problem(
        one.post("operator", "withdrawals", {"external_id": "w", "member": ann, "points": 1, "currency": "ROSE"}),
        404, "unknown_currency", "currency",
    )  # fmt: skip


def test_an_erased_member_has_no_account_and_wallets_live_on(one: Stand) -> None:
    ann, bob = one.member(), one.member()
    one.earn("A", ann, 100)
    mine, theirs = linked(one, ann, 1), linked(one, bob, 2)
    withdraw(one, ann, 60)
    good(one.post("operator", f"members/{ann}/erasure", {}))
    one.clock("2026-01-01T10:00:00Z")
    assert good(one.post("operator", f"members/{ann}/erase", {}))["forfeited"] == 40
    assert one.read("operator", f"members/{ann}/wallet")["history"] == []
    problem(one.client.post(f"/v1/members/{ann}/wallet/nonce", headers=one.operator), 410, "member_erased")
    one.settle()
    assert proven(one, mine) == {"CP": "60"}
    assert good(one.post("operator", "returns", event(one, theirs, 60)))["available"] == 60  # passed on


def test_a_live_programme_needs_a_page_of_its_own(tmp_path: Path) -> None:
    with stand(tmp_path / "plain", livemode=True) as plain:
        ann = plain.member()
        path = f"/v1/members/{ann}/wallet/nonce"
        problem(plain.client.post(path, headers=plain.operator), 422, "sign_in_refused", "uri")
    with stand(tmp_path / "paged", livemode=True, wallet_page="https://points.example/wallet") as paged:
        ann = paged.member()
        given = good(paged.client.post(f"/v1/members/{ann}/wallet/nonce", headers=paged.operator))
        assert (given["domain"], given["uri"], given["message"]) == (
            "points.example",
            "https://points.example/wallet",
            None,
        )
        linked(paged, ann, 1)
