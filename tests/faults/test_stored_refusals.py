"""Row 6, stored refusals: replayed even when their cause is gone; what the gateway failed at is not stored."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from counterfoil.core.errors import Refusal
from counterfoil.core.rulebook import due, refunds, verbs
from counterfoil.store import bulk, decide
from counterfoil.store import verbs as store_verbs
from counterfoil.store.tables import request
from counterfoil.store.writer import Result
from tests.faults.histories import text_of
from tests.faults.rivals import rivals
from tests.faults.till import House, plain

Case = tuple[str, dict[str, Any], Callable[[], object] | None]  # verb, fields, what removes the cause
MOST = 2**53 - 1


@pytest.fixture
def house(shared: House) -> House:
    return shared


def sql(house: House, statement: str) -> None:
    with house.engine.begin() as connection:
        connection.execute(text(statement))


def born(house: House, number: int) -> Callable[[], object]:
    columns = "secret, created_at, available, held, debt, frozen"
    query = (
        f"INSERT INTO member (id, {columns}) SELECT {number}, secret, created_at, 0, 0, 0, frozen FROM member LIMIT 1"
    )
    return lambda: sql(house, query)


def case(house: House, name: str) -> Case:  # noqa: PLR0911 one scene for each way to be refused
    one = {"external_id": house.name(), "points": 10}
    member, friend = house.members(2)
    sale, slip, later, number = house.name(), house.name(), house.name(), 77 + next(house.count)
    nobody = f"mbr_{number:016x}"
    if name.startswith("insufficient_points"):
        verb = name.partition(" ")[2]
        whom = {"sender": member, "recipient": friend} if verb == "transfer" else {"member": member}
        ttl = {"ttl_seconds": 60} if verb == "hold" else {}
        return verb, {**one, **whom, **ttl}, lambda: house.ok("A", "earn", member=member, points=10)
    house.ok("A", "earn", external_id=sale, member=member, points=100)
    if name.startswith("unknown_member"):
        places = {"member": ("earn", {"member": nobody}), "sender": ("transfer", {"sender": nobody, "recipient": friend}),
                  "recipient": ("transfer", {"sender": member, "recipient": nobody})}  # fmt: skip
        verb, who = places[name.partition(" ")[2]]
        cure = born(house, number)
        if verb == "transfer" and "sender" in name:
            return verb, {**one, **who}, lambda: (cure(), house.ok("A", "earn", member=nobody, points=10))
        return verb, {**one, **who}, cure
    house.ok("A", "burn", external_id=slip, member=member, points=10)
    if name == "unknown_earn":
        earn = {"external_id": later, "member": member, "points": 10}
        return "refund_earn", {**one, "earn": later}, lambda: house.ok("A", "earn", **earn)
    if name == "unknown_burn":
        burn = {"external_id": later, "member": member, "points": 10}
        return "refund_burn", {**one, "burn": later}, lambda: house.ok("A", "burn", **burn)
    if name == "unknown_hold":
        ((number,),) = house.rows("SELECT number FROM fence")
        coming = f"hld_{(number + 1) << 16:016x}"  # a refusal makes no group: the next one is the hold's
        return (
            "capture",
            {**one, "hold": coming},
            lambda: house.ok("A", "hold", member=member, points=10, ttl_seconds=60),
        )
    if name == "duplicate_external_id":
        return (
            "earn",
            {**one, "external_id": sale, "member": member},
            lambda: sql(house, f"DELETE FROM effect WHERE external_id = '{sale}'"),
        )
    if name == "refund_exceeds_original":
        return "refund_burn", {**one, "burn": slip, "points": 11}, None
    if name == "balance_limit":
        house.ok("A", "earn", member=friend, points=MOST)
        return "earn", {**one, "member": friend}, lambda: house.ok("A", "burn", member=friend, points=10)
    held = house.ok("A", "hold", member=member, points=20, ttl_seconds=60)["hold"]
    if name == "capture_exceeds_hold":
        return "capture", {**one, "hold": held, "points": 21}, None
    if name == "already_captured":
        house.ok("A", "capture", hold=held, points=10)
    elif name == "already_released":
        house.ok("A", "release", hold=held)
    else:
        assert name == "hold_expired"
        house.clock(text_of(house.gateway.now() + 60_000_000))
    return "capture", {**one, "hold": held}, None


CASES = [
    "insufficient_points burn", "insufficient_points hold", "insufficient_points transfer", "unknown_member member",
    "unknown_member sender", "unknown_member recipient", "unknown_earn", "unknown_burn", "unknown_hold",
    "duplicate_external_id", "refund_exceeds_original", "balance_limit", "capture_exceeds_hold", "already_captured",
    "already_released", "hold_expired",
]  # fmt: skip


RULEBOOK = {  # of the whole rulebook: tests/features/test_seldom.py
    "currency_not_accepted", "occurred_too_long_ago", "unknown_currency", "unknown_promotion",
    "programme_sunset",  # tests/features/test_acts.py
}  # fmt: skip


def test_every_refusal_the_books_can_store_is_here() -> None:
    forms = {"occurred_in_future"}  # told before anything is read, and stored like any other
    seldom = {"unknown_member", "unknown_hold", "unknown_earn", "unknown_burn"}
    known = {
        one.code
        for module in (decide, due, verbs, refunds, store_verbs)
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Refusal) and one is not Refusal
    }
    elsewhere = forms | RULEBOOK
    assert {name.partition(" ")[0] for name in CASES} == (known | seldom) - elsewhere


def replayed_after_the_cause_is_gone(house: House, name: str) -> None:
    (verb, fields, cure), key = case(house, name), house.name()
    first = house.send("A", verb, fields, key)
    assert first.json()["code"] == name.partition(" ")[0], first.text
    if cure is not None:
        cure()
    before = house.everything()
    for _ in range(2):
        again = house.send("A", verb, fields, key)
        assert plain(again) == plain(first)
        assert again.status_code == first.status_code
        assert again.headers["Idempotent-Replayed"] == "true"
    (batched,) = house.batch([{"verb": verb, "as": "A", "key": key, **fields}])
    assert batched["replayed"]
    assert house.everything() == before, "a replay had an effect"
    fresh = house.send("A", verb, fields, house.name())
    if cure is None:
        assert fresh.json()["code"] == first.json()["code"]
    else:
        assert fresh.status_code == 201, f"the cause was not gone: {fresh.text}"


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_is_replayed_after_its_cause_is_gone(house: House, name: str) -> None:
    replayed_after_the_cause_is_gone(house, name)


@pytest.mark.parametrize("point", ["writer.decided", "writer.written", "writer.before_commit"])
@pytest.mark.parametrize("code", ["internal_error", "unreachable"])
def test_what_the_gateway_failed_at_is_not_stored(
    house: House, monkeypatch: pytest.MonkeyPatch, point: str, code: str
) -> None:
    member, key = house.member(), house.name()
    house.ok("A", "earn", member=member, points=100)
    before, poster = house.everything(), house.gateway.writer._poster

    def fail(at: str) -> None:
        if at == point:
            raise RuntimeError(at) if code == "internal_error" else OperationalError(at, {}, Exception(at))

    burn = {"external_id": house.name(), "member": member, "points": 40}
    monkeypatch.setattr(poster, "crash", fail)
    for _ in range(2):
        failed = house.send("A", "burn", burn, key)
        assert (failed.status_code, failed.json()["code"]) == ({"unreachable": 503}.get(code, 500), code)
    assert house.everything() == before
    monkeypatch.setattr(poster, "crash", lambda _point: None)
    done = house.send("A", "burn", burn, key)
    assert done.status_code == 201
    assert "Idempotent-Replayed" not in done.headers
    assert house.available(member) == 60


def test_a_failure_after_the_commit_is_answered_by_the_retry(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    member, key, poster = house.member(), house.name(), house.gateway.writer._poster
    earn = {"external_id": house.name(), "member": member, "points": 40}

    def fail(at: str) -> None:
        if at == "writer.after_commit":
            raise RuntimeError(at)

    monkeypatch.setattr(poster, "crash", fail)
    assert house.send("A", "earn", earn, key).status_code == 500
    monkeypatch.setattr(poster, "crash", lambda _point: None)
    again = house.send("A", "earn", earn, key)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert house.available(member) == 40


@pytest.mark.parametrize("key", [None, "", "k" * 256, "tab\there", "k\u00e9y"])
def test_a_key_that_is_none_is_refused_and_nothing_is_stored(house: House, key: str | None) -> None:
    earn: dict[str, Any] = {"external_id": house.name(), "member": house.member(), "points": 40}
    before = house.everything()
    headers: dict[str, Any] = {} if key is None else {"Idempotency-Key": key.encode("latin-1")}
    answer = house.asked("POST", "/v1/earns", house.partners["A"], json=earn, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    assert house.everything() == before


def test_a_form_error_does_not_take_the_key(house: House) -> None:
    key = house.name()
    earn: dict[str, Any] = {"external_id": house.name(), "member": house.member(), "points": 40}
    wrong: list[dict[str, Any]] = [{**earn, "points": 0}, {**earn, "more": 1}, {**earn, "member": "x"}, {"points": 40}]
    before = house.everything()
    assert [house.send("A", "earn", one, key).status_code for one in wrong] == [400] * 4
    assert house.everything() == before
    assert house.send("A", "earn", earn, key).status_code == 201


def test_a_caller_who_hangs_up_stops_nobody_else(database_url: str) -> None:
    """A request that is cancelled while the writer works on it (asyncio.wrap_future hands that on): the next is answered."""
    with rivals(database_url, 1) as table:
        (member,) = table.members(1)
        earns, handed = [table.op("earn", member=member, points=1) for _ in range(2)], threading.Event()
        gone: list[Future[Result]] = []

        def hang_up(at: str) -> None:
            if at == "writer.decided" and handed.wait(10) and gone:
                gone.pop().cancel()

        table.writers[0]._poster.crash = hang_up
        gone.append(table.writers[0].submit(earns[:1]))
        handed.set()
        answers, _group = table.writers[0].submit(earns[1:]).result(timeout=10)
        assert answers[0].ok


def test_canary_refusals_that_are_not_stored_are_caught(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bulk.insert

    def only_effects(connection: Any, table: Any, rows: Any) -> None:
        whole(connection, table, [row for row in rows if row[3]] if table is request else rows)

    monkeypatch.setattr(bulk, "insert", only_effects)
    with pytest.raises(AssertionError):
        replayed_after_the_cause_is_gone(house, "insufficient_points burn")


def test_canary_a_failure_that_is_stored_is_caught(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is written in a commit of its own, before the entry: the retry finds an answer without an effect."""
    member, whole = house.member(), bulk.insert
    house.ok("A", "earn", member=member, points=100)

    def at_once(connection: Any, table: Any, rows: Any) -> None:
        whole(connection, table, rows)
        if table is request and rows:
            connection.connection.commit()

    monkeypatch.setattr(bulk, "insert", at_once)
    with pytest.raises(AssertionError):
        test_what_the_gateway_failed_at_is_not_stored(house, monkeypatch, "writer.before_commit", "internal_error")
