"""The whole rulebook over HTTP, on both databases: keys, dry runs, refusals with their facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from counterfoil.store.tables import metadata
from tests.features.seldom import RATE, SELDOM, TERMS, Scene, scene
from tests.gateway.stand import START, Stand, good, problem, stand

REPLAYED = "Idempotent-Replayed"


@pytest.fixture
def one(database_url: str, tmp_path: Path) -> Iterator[Scene]:
    with stand(tmp_path / "home", database_url, "A") as made:
        made.clock(START)
        made.add("B", terms=TERMS["B"])
        yield scene(made)


def everything(made: Stand) -> dict[str, list[Any]]:
    """All that the books keep, but for what only the sequencer and the worker write."""
    quiet = ("log_head", "log_group", "checkpoint", "memory", "settlement", "liability", "alembic_version",
             "counter", "invoice", "invoice_partner")  # fmt: skip
    names = [name for name in metadata.tables if name not in quiet]
    with made.app.state.gateway.engine.connect() as connection:
        return {name: sorted(map(repr, connection.execute(text(f'SELECT * FROM "{name}"')))) for name in names}


@pytest.mark.parametrize("route", sorted(SELDOM))
def test_a_dry_run_says_what_the_commit_says_and_a_key_is_answered_once(one: Scene, route: tuple[str, str]) -> None:
    who, path, body, other = SELDOM[route](one)
    before = everything(one.stand)
    tried = good(one.stand.post(who, path, {**body, "dry_run": True}, key=""))
    assert everything(one.stand) == before, "a dry run had an effect"
    done = one.stand.post(who, path, body, key="once")
    assert done.status_code == 201, done.text
    plain = {name: fact for name, fact in done.json().items() if name not in {"id", "counterfoil", "voucher"}}
    assert {name: fact for name, fact in tried.items() if name != "voucher"} == plain
    after = everything(one.stand)
    again = one.stand.post(who, path, body, key="once")
    assert (again.status_code, again.headers[REPLAYED], again.json()) == (201, "true", done.json())
    if other not in (body, {"dry_run": False}):
        problem(one.stand.post(who, path, other, key="once"), 422, "idempotency_key_reused", "Idempotency-Key")
    problem(one.stand.post(who, path, body, key=""), 400, "idempotency_key_missing", "Idempotency-Key")
    assert everything(one.stand) == after, "a replay or a refusal had an effect"
    if "counterfoil" in done.json():
        one.stand.verified(done.json())


def refused(
    one: Scene, who: str, path: str, body: dict[str, Any], status: int, code: str, field: str = ""
) -> dict[str, Any]:
    """The problem, and nothing changed but that the refusal is kept."""
    before = everything(one.stand)
    told: dict[str, Any] = problem(one.stand.post(who, path, body), status, code)
    assert not field or told["field"] == field
    kept = {name: rows for name, rows in everything(one.stand).items() if name != "request"}
    assert kept == {name: rows for name, rows in before.items() if name != "request"}, f"{code} changed something"
    return told


def earn(one: Scene, **more: Any) -> dict[str, Any]:
    return {"external_id": "new", "member": one.member, "points": 10, **more}


def test_refusals_of_earns_and_burns(one: Scene) -> None:
    refused(one, "A", "earns", earn(one, currency="GAMMA"), 404, "unknown_currency", "currency")
    refused(one, "B", "earns", earn(one, currency="ALPHA"), 409, "currency_not_accepted", "currency")
    refused(one, "B", "burns", earn(one, currency="ALPHA"), 409, "currency_not_accepted", "currency")
    refused(one, "A", "earns", earn(one, promotion="winter"), 404, "unknown_promotion", "promotion")
    told = refused(one, "A", "earns", earn(one, occurred_at="2025-12-01T10:00:01Z"), 400, "occurred_in_future")
    assert told["now"] == "2025-12-01T10:00:00.000000Z"
    refused(one, "A", "earns", earn(one, occurred_at="2023-11-01T10:00:00Z"), 409, "occurred_too_long_ago")
    refused(one, "A", "earns", earn(one, occurred_at="yesterday"), 400, "invalid_request", "occurred_at")
    refused(one, "A", "earns", earn(one, bonus=0), 400, "invalid_amount", "bonus")
    refused(one, "A", "burns", earn(one, currency="ALPHA", points=104), 409, "insufficient_points", "points")


def test_refusals_of_exchange(one: Scene) -> None:
    swap = {"external_id": "x", "member": one.member, "src": "ALPHA", "dst": "BETA", "points": 10}
    refused(one, "operator", "exchanges", {**swap, "points": 4}, 409, "increment_violation", "points")
    refused(one, "operator", "exchanges", {**swap, "points": 104}, 409, "insufficient_points", "points")
    refused(one, "operator", "exchanges", {**swap, "dst": "CP"}, 404, "unknown_rate")
    refused(one, "operator", "exchanges", {**swap, "dst": "GAMMA"}, 404, "unknown_currency", "dst")
    refused(one, "operator", "exchanges", {"external_id": "x", "quote": "none"}, 404, "unknown_quote", "quote")
    refused(one, "operator", "exchanges", {"external_id": "x"}, 400, "invalid_request")
    back = {"src": "BETA", "dst": "ALPHA", "in": 4, "out": 6, "increment": 4}
    told = refused(one, "operator", "rates", {"edges": [RATE, back]}, 409, "rate_cycle_arbitrage", "edges")
    assert (told["cycle"], told["product"], told["gain"]) == (["ALPHA", "BETA"], "6/5", "1/5")
    refused(one, "operator", "rates", {"edges": [RATE, RATE]}, 400, "invalid_request", "edges")
    quote = {"external_id": "q1", "member": one.member, "src": "ALPHA", "dst": "BETA", "points": 20, "ttl_seconds": 60}
    assert one.operator("quotes", quote)["given"] == 16
    one.operator("rates", {"edges": []})
    done = one.operator("exchanges", {"external_id": "x1", "quote": "q1"})  # the quote fixed the rate
    assert (done["taken"], done["given"], done["kept"]) == (20, 16, 0)
    refused(one, "operator", "exchanges", {"external_id": "x2", "quote": "q1"}, 409, "quote_used", "quote")
    one.operator("rates", {"edges": [RATE]})
    one.operator("quotes", {**quote, "external_id": "q2"})
    one.stand.clock("2025-12-01T10:01:00Z")
    refused(one, "operator", "exchanges", {"external_id": "x3", "quote": "q2"}, 409, "quote_expired", "quote")


def test_refusals_of_rewards(one: Scene) -> None:
    refused(
        one, "operator", "vouchers", {"external_id": "v", "member": one.member, "reward": "tea"}, 404, "unknown_reward"
    )
    refused(one, "A", f"vouchers/{one.voucher}/use", {}, 403, "wrong_partner", "voucher")
    refused(one, "B", "vouchers/vch_7fffffffffffffff/use", {}, 404, "unknown_voucher", "voucher")
    good(one.stand.post("B", f"vouchers/{one.voucher}/use", {}))
    refused(one, "B", f"vouchers/{one.voucher}/use", {}, 409, "reward_already_used", "voucher")
    bought = [
        one.operator("vouchers", {"external_id": f"w{at}", "member": one.member, "reward": "coffee"})["voucher"]
        for at in range(2)
    ]
    one.operator(f"vouchers/{bought[0]}/refund", {"external_id": "r"})
    refused(one, "B", f"vouchers/{bought[0]}/use", {}, 409, "reward_refunded", "voucher")
    one.stand.clock("2025-12-20T10:00:00Z")
    good(one.stand.client.post("/v1/jobs/expire", headers=one.stand.operator))
    refused(one, "B", f"vouchers/{bought[1]}/use", {}, 409, "reward_expired", "voucher")
    refused(one, "B", f"holds/hld_{bought[1][4:]}/capture", {"external_id": "c", "points": 1}, 404, "unknown_hold")


def test_refusals_of_disputes(one: Scene) -> None:
    refused(one, "operator", f"disputes/{one.burn}/ruling", {"valid": True}, 409, "not_disputed", "burn")
    own = one.stand.burn("B", one.member, 10, "partly")
    good(one.stand.post("B", "refunds", {"external_id": "rb", "burn": "partly", "points": 1}))
    refused(one, "operator", "disputes", {"burn": own["id"]}, 409, "nothing_to_dispute", "burn")
    one.operator("disputes", {"burn": one.burn})
    refused(one, "operator", "disputes", {"burn": one.burn}, 409, "already_disputed", "burn")
    one.operator(f"disputes/{one.burn}/ruling", {"valid": True})
    refused(one, "operator", f"disputes/{one.burn}/ruling", {"valid": True}, 409, "already_ruled", "burn")
    late = one.stand.burn("B", one.member, 10)["id"]
    one.stand.client.post("/v1/settlements", headers=one.stand.operator)  # on a Monday: the window ends on the 15th
    one.stand.clock("2025-12-15T22:59:59Z")
    good(one.stand.post("operator", "disputes", {"burn": late, "dry_run": True}, key=""))
    one.stand.clock("2025-12-15T23:00:00Z")
    told = refused(one, "operator", "disputes", {"burn": late}, 409, "dispute_window_closed", "burn")
    assert told["ended_at"] == "2025-12-15T23:00:00.000000Z"


def test_standing_of_partners(one: Scene) -> None:
    one.operator("partners/17/suspend", {})
    for path, body in (("earns", earn(one)), ("burns", earn(one)), ("holds", earn(one, ttl_seconds=60))):
        refused(one, "B", path, body, 403, "partner_suspended", "partner")
    refused(one, "B", f"vouchers/{one.voucher}/use", {}, 403, "partner_suspended", "partner")
    one.operator("partners/17/reinstate", {})
    one.operator("partners/17/exit", {"breakage_bp": 0})
    refused(one, "B", "earns", earn(one), 403, "partner_exited", "partner")
    refused(one, "operator", "partners/17/exit", {}, 403, "partner_exited", "partner")
    refused(one, "operator", "partners/99/exit", {}, 404, "unknown_partner", "partner")


def test_limits_on_packs_and_gifts(one: Scene) -> None:
    one.operator("packs", {"partner": 18, "points": 20, "reserve": 5, "alert_at": 12})
    told = refused(one, "C", "earns", earn(one, points=26), 409, "prefunding_exhausted", "points")
    assert (told["requested"], told["left"]) == (26, 25)
    assert good(one.stand.post("C", "earns", earn(one)))["alerts"] == [["C", 0]]
    limits = {"daily_points": 15, "daily_count": 2}
    good(one.stand.client.put("/v1/gift-limits", json=limits, headers=one.stand.operator))
    gift = {"sender": one.member, "recipient": one.other, "points": 10}
    good(one.stand.post("A", "transfers", {**gift, "external_id": "g1"}))
    refused(one, "A", "transfers", {**gift, "external_id": "g2"}, 409, "velocity_limit", "points")
    good(one.stand.post("A", "transfers", {**gift, "external_id": "g3", "points": 5}))
    one.stand.clock("2025-12-02T10:00:00Z")
    good(one.stand.post("A", "transfers", {**gift, "external_id": "g4"}))


def test_erasure(one: Scene) -> None:
    refused(one, "operator", f"members/{one.member}/erase", {}, 409, "erasure_not_due", "member")
    one.stand.earn("A", one.other, 70)
    one.stand.clock("2025-12-31T00:00:00+01:00")
    assert one.operator(f"members/{one.other}/erase", {})["forfeited"] == 70
    for path, body in (("earns", earn(one, member=one.other)), ("burns", earn(one, member=one.other))):
        refused(one, "A", path, body, 410, "member_erased", "member")
    with one.stand.app.state.gateway.engine.connect() as connection:
        number = int(one.other[4:], 16)
        ((secret,),) = connection.execute(text(f"SELECT secret FROM member WHERE id = {number}"))
        assert bytes(secret) == b""
        assert connection.execute(text(f"SELECT count(*) FROM identity WHERE member = {number}")).scalar_one() == 0


Plant = Callable[[pytest.MonkeyPatch], None]


def no_state(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("counterfoil.core.rulebook.rewards.unused", lambda _voucher: None)


def no_window(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("counterfoil.core.rulebook.disputes.BUSINESS_DAYS", 30)


@pytest.mark.parametrize(
    ("plant", "test"), [(no_state, test_refusals_of_rewards), (no_window, test_refusals_of_disputes)]
)
def test_canaries_are_caught(
    one: Scene, monkeypatch: pytest.MonkeyPatch, plant: Plant, test: Callable[[Scene], None]
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        test(one)
