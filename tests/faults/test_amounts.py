"""Row 14, units and ranges: every amount field of every verb, alone and in a batch, against values that are none."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from pydantic import Field

from counterfoil.features.points import bodies
from tests.faults.till import House, place

MOST = 2**53 - 1
FIELDS = [
    ("earn", "points"), ("burn", "points"), ("hold", "points"), ("hold", "ttl_seconds"), ("capture", "points"),
    ("refund_earn", "points"), ("refund_burn", "points"), ("transfer", "points"),
]  # fmt: skip
# as they stand in the JSON text; None: the field is left out
BAD: list[str | None] = [
    None, "0", "-0", "-1", "1.0", "-1.0", "0.0", "1.5", "0.1", "1e2", "1E0", "1e0", "1e-1", "1e15", "4.9e-324", "true",
    "false", "null", '"1"', '""', '" 1"', '"0x1"', '"1e2"', '"NaN"', '"true"', '"\\u0661"', "[]", "[1]", "{}",
    '{"points":1}', "9007199254740992", "9007199254740991.0", "-9007199254740991", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "18446744073709551615", "18446744073709551616",
    "-9223372036854775809", "1" + "0" * 40, "1" + "0" * 300, "1e308", "1e309", "-1e309", "1" + "0" * 400, "-" + "9" * 5000,
    "NaN", "Infinity", "-Infinity",
]  # fmt: skip
UNREADABLE = ["0x1", "01", "+1", ".5", "1.", "1_000", "1n", "'1'", "undefined", ""]
PERIODS = ["9999-12-31", "1969-12-31", "0001-01-01"]
NO_DAYS = ["0", "86400", '"2030-13-01"', '"2030-02-30"', '""', '"tomorrow"', "true", "[]", '"10000-01-01"']


@pytest.fixture
def house(shared: House) -> House:
    return shared


def good(house: House) -> dict[str, dict[str, Any]]:
    """For each verb fields that would go through."""
    member, friend = house.members(2)
    house.ok("A", "earn", external_id="earned", member=member, points=1_000)
    house.ok("A", "burn", external_id="burned", member=member, points=100)
    held = house.ok("A", "hold", member=member, points=100, ttl_seconds=3_600)["hold"]
    own = {"external_id": "own", "points": 1}
    return {
        "earn": {**own, "member": member}, "burn": {**own, "member": member},
        "hold": {**own, "member": member, "ttl_seconds": 60}, "capture": {**own, "hold": held},
        "refund_earn": {**own, "earn": "earned"}, "refund_burn": {**own, "burn": "burned"},
        "transfer": {**own, "sender": member, "recipient": friend},
    }  # fmt: skip


def spelt(fields: dict[str, Any], field: str, value: str | None) -> str:
    """The JSON text with one value as it is given."""
    rest = {name: one for name, one in fields.items() if name != field}
    text = json.dumps(rest)
    return text if value is None else f'{text[:-1]}, "{field}": {value}}}'


def refused(answer: Any, codes: set[str], field: str | None) -> None:
    """A problem document, as RFC 9457 and DESIGN.md have it."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem(answer.status_code, answer.json(), codes, field)
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def problem(status: int, body: dict[str, Any], codes: set[str], field: str | None) -> None:
    assert (status, body["status"]) == (400, 400), body
    assert body.get("code") in codes, body
    assert {"type", "title", "detail", "request_id", "field"} <= body.keys(), body
    assert field is None or body["field"] == field, body


def alone(house: House, verb: str, fields: dict[str, Any], field: str, value: str | None) -> Any:
    path, body = place(verb, fields)
    return house.raw("A", path, "the-key", content=spelt(body, field, value).encode())


def good_of(house: House) -> dict[str, dict[str, Any]]:
    kept: dict[str, dict[str, Any]] | None = getattr(house.app.state, "good", None)
    if kept is None:
        kept = house.app.state.good = good(house)
    return kept


def in_batch(house: House, verb: str, text: str) -> Any:
    operation = f'{{"verb": "{verb}", "key": "the-key", {text[1:]}'
    return house.raw("A", "/v1/batches", None, content=f'{{"operations": [{operation}]}}'.encode())


def refuse_all(house: House, verb: str, field: str) -> int:
    amount = "invalid_amount" if field == "points" else "invalid_request"
    fields, count = good_of(house)[verb], 0
    before = house.everything()
    for value in [*BAD, *UNREADABLE]:
        text = spelt(fields, field, value)
        codes = {amount} if value in BAD else {"invalid_request"}
        refused(alone(house, verb, fields, field, value), codes, field if value in BAD else "body")
        several = in_batch(house, verb, text)
        if several.status_code == 200:
            (answer,) = several.json()["answers"]
            problem(answer["status"], answer["body"], codes, field)
            assert answer["body"]["request_id"] == several.headers["X-Request-Id"]
        else:
            assert value not in BAD, "one bad amount refused the whole batch"
            refused(several, {"invalid_request"}, "body")
        count += 2
    assert house.everything() == before, "something changed"
    return count


@pytest.mark.parametrize(("verb", "field"), FIELDS)
def test_what_is_no_amount_is_refused_and_changes_nothing(house: House, verb: str, field: str) -> None:
    assert refuse_all(house, verb, field) >= 80


@pytest.mark.parametrize("points", [1, MOST])
def test_the_least_and_the_most_are_amounts(house: House, points: int) -> None:
    """2^53 - 1 goes the whole way: earned, given, held, captured, given back, taken back."""
    member, friend = house.members(2)
    sale, slip = house.name(), house.name()
    before = house.done("POST", "/v1/settlements")["supply"].get("CP", 0)
    earned = house.ok("A", "earn", external_id=sale, member=member, points=points)
    assert {"party": "pool", "amount_micros": points * 10_000} in earned["money"]
    house.ok("A", "transfer", sender=member, recipient=friend, points=points)
    held = house.ok("A", "hold", member=friend, points=points, ttl_seconds=31_622_400)["hold"]
    house.ok("A", "capture", external_id=slip, hold=held, points=points)
    house.ok("A", "refund_burn", burn=slip, points=points)
    assert house.available(friend) == points
    answer = house.ok("A", "refund_earn", earn=sale, points=points)
    assert answer["debt"] == points
    assert house.balance(member)["balance"] == -points
    shown = house.done("POST", "/v1/settlements")
    assert shown["supply"]["CP"] - before == points


def test_a_balance_stays_below_two_to_the_53(house: House) -> None:
    member, friend = house.members(2)
    house.ok("A", "earn", member=member, points=MOST)
    house.ok("A", "earn", member=friend, points=1)
    house.ok("A", "hold", member=member, points=10, ttl_seconds=60)  # held points count
    before = house.everything()["lot"]
    over = house.send("A", "earn", {"external_id": house.name(), "member": member, "points": 1}, house.name())
    assert (over.status_code, over.json()["code"]) == (409, "balance_limit")
    gift = {"external_id": house.name(), "sender": friend, "recipient": member, "points": 1}
    assert house.send("A", "transfer", gift, house.name()).json()["code"] == "balance_limit"
    assert house.everything()["lot"] == before


@pytest.mark.parametrize("day", PERIODS)
def test_the_last_valid_day_has_an_end(house: House, day: str) -> None:
    """Any calendar day either is taken or is refused as a day; neither it nor its neighbours in a batch fail."""
    member = house.member()
    earn = {"external_id": house.name(), "member": member, "points": 5, "valid_to": day}
    answer = house.send("A", "earn", earn, house.name())
    assert answer.status_code in {201, 400}, answer.text
    if answer.status_code == 400:
        refused(answer, {"invalid_request"}, "valid_to")
    plain = {"verb": "earn", "as": "A"}
    fine = {**plain, "key": house.name(), "external_id": house.name(), "member": member, "points": 7}
    both = [{**plain, "key": house.name(), **earn, "external_id": house.name()}, fine]
    assert house.batch(both)[1]["status"] == 201


@pytest.mark.parametrize("value", NO_DAYS)
def test_what_is_no_day_is_refused(house: House, value: str) -> None:
    earn = {"external_id": house.name(), "member": house.member(), "points": 5}
    before = house.everything()
    answer = house.raw("A", "/v1/earns", house.name(), content=spelt(earn, "valid_to", value).encode())
    refused(answer, {"invalid_request"}, "valid_to")
    assert house.everything() == before


class Lax(bodies.Burn):
    """Any number will do, as a float."""

    points: Annotated[float, Field(gt=0)]  # type: ignore[assignment]  # that is the planted fault


def test_canary_float_amounts_are_caught(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    good_of(house)
    monkeypatch.setitem(bodies.MODELS, "burn", Lax)
    with pytest.raises(AssertionError):
        refuse_all(house, "burn", "points")


def test_canary_an_amount_without_an_upper_end_is_caught(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(bodies.Earn):
        points: Annotated[int, Field(strict=True, ge=1)]

    good_of(house)
    monkeypatch.setitem(bodies.MODELS, "earn", Endless)
    with pytest.raises(AssertionError):
        refuse_all(house, "earn", "points")
