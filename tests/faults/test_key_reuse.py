"""Row 5, a key used again with another body or by another partner: refused, or independent, and no second effect."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from counterfoil.features.points import rules
from tests.faults.till import House, place
from tests.features.seldom import SELDOM

ROUTES = {
    "earn": "/v1/earns", "burn": "/v1/burns", "hold": "/v1/holds", "capture": "/v1/holds/{hold}/capture",
    "release": "/v1/holds/{hold}/release", "refund_earn": "/v1/refunds", "refund_burn": "/v1/refunds",
    "transfer": "/v1/transfers",
}  # fmt: skip


@pytest.fixture
def house(shared: House) -> House:
    return shared


def wishes(house: House, partner: str) -> dict[str, list[dict[str, Any]]]:
    """For each verb three bodies that would all go through, the second and third differing from the first in one field."""
    members, tag = house.members(3), house.name()
    for at, member in enumerate(members):
        house.ok(partner, "earn", external_id=f"{tag}-e{at}", member=member, points=1_000)
        house.ok(partner, "burn", external_id=f"{tag}-b{at}", member=member, points=100)
    holds = [house.ok(partner, "hold", member=m, points=50, ttl_seconds=600)["hold"] for m in members * 2]
    one = {"external_id": f"{tag}-1", "points": 10}
    earn = {**one, "member": members[0]}
    capture, release = {**one, "hold": holds[0]}, {"hold": holds[3]}
    taken, given = {**one, "earn": f"{tag}-e0"}, {**one, "burn": f"{tag}-b0"}
    gift = {**one, "sender": members[0], "recipient": members[1]}
    more = {"points": 11}
    return {
        "earn": [earn, {**earn, **more}, {**earn, "valid_to": "2099-01-01"}],
        "burn": [earn, {**earn, **more}, {**earn, "member": members[1]}],
        "hold": [{**earn, "ttl_seconds": 60}, {**earn, "ttl_seconds": 61}, {**earn, **more, "ttl_seconds": 60}],
        "capture": [capture, {**capture, **more}, {**capture, "hold": holds[1]}],
        "release": [release, {"hold": holds[4]}, {"hold": holds[5]}],
        "refund_earn": [taken, {**taken, **more}, {**taken, "earn": f"{tag}-e1"}],
        "refund_burn": [given, {**given, **more}, {**given, "burn": f"{tag}-b1"}],
        "transfer": [gift, {**gift, **more}, {**gift, "recipient": members[2]}],
    }  # fmt: skip


def test_every_route_that_takes_a_key_is_here(house: House) -> None:
    document = house.app.openapi()
    keyed = {
        path
        for path, methods in document["paths"].items()
        for one in methods.get("post", {}).get("parameters", [])
        if one["name"] == "Idempotency-Key"
    }
    assert keyed == set(ROUTES.values()) | {path for _method, path in SELDOM}  # tests/features/test_seldom.py
    assert rules.SCOPES.keys() == ROUTES.keys()


def reuse(house: House, verb: str) -> None:
    """First a body under a key, then others under the same: alone and in a batch; then the other partner's own."""
    mine, theirs = wishes(house, "A"), wishes(house, "B")
    (first, *others), key = mine[verb], house.name()
    assert house.send("A", verb, first, key).status_code == 201
    before = house.everything()
    for fields in others:
        answer = house.send("A", verb, fields, key)
        assert (answer.status_code, answer.json().get("code")) == (422, "idempotency_key_reused"), answer.text
        assert answer.json()["field"] == "Idempotency-Key"
        assert "Idempotent-Replayed" not in answer.headers
    for other, bodies in mine.items():  # and with every other verb
        if other != verb:
            assert house.send("A", other, bodies[0], key).json().get("code") == "idempotency_key_reused"
    batched = house.batch([{"verb": verb, "as": "A", "key": key, **fields} for fields in [*others, first]])
    assert [one["status"] for one in batched] == [422, 422, 201]
    assert [one["replayed"] for one in batched] == [False, False, True]
    assert house.everything() == before, "a reused key had an effect"
    independent = house.send("B", verb, theirs[verb][0], key)
    assert independent.status_code == 201, independent.text
    assert "Idempotent-Replayed" not in independent.headers
    again = house.send("A", verb, first, key)
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("verb", ROUTES)
def test_a_key_with_another_body_is_refused_and_has_no_effect(house: House, verb: str) -> None:
    reuse(house, verb)


@pytest.mark.parametrize("verb", ROUTES)
def test_within_one_batch_too(house: House, verb: str) -> None:
    (first, other, _third), key = wishes(house, "A")[verb], house.name()
    same = {"verb": verb, "as": "A", "key": key}
    answers = house.batch([{**same, **first}, {**same, **other}, {**same, **first}])
    assert [one["status"] for one in answers] == [201, 422, 201]
    assert [one["replayed"] for one in answers] == [False, False, True]
    assert answers[2]["body"] == answers[0]["body"]


def test_how_the_json_is_written_is_not_another_body(house: House) -> None:
    first, key = wishes(house, "A")["earn"][0], house.name()
    made = house.send("A", "earn", first, key).json()
    turned = (
        "{ " + ",  ".join(f'"{name}" :{value!r}' for name, value in reversed(first.items())).replace("'", '"') + "}"
    )
    again = house.raw("A", place("earn", first)[0], key, content=turned.encode())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == made


@pytest.mark.parametrize("verb", ["earn", "transfer"])
def test_canary_a_digest_that_forgets_the_body_is_caught(
    house: House, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(rules, "digest_of", lambda _verb, _body: hashlib.sha256(b"").digest())
    with pytest.raises(AssertionError):
        reuse(house, verb)
