"""Caps and budgets under rivals: two writers on one set of books never give more than was set aside, nor less."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from counterfoil.core.accounts import OPERATOR
from counterfoil.core.operation import Operation
from counterfoil.core.rulebook.earning import Basket, EarnRule, Line
from counterfoil.store import earning
from counterfoil.store.kinds import Budget, Usage
from counterfoil.store.records import every
from tests.store.ground import A, Ground

BUDGET, DAY, MEMBER = 2_300, 1_700, 900
BASKET = Basket((Line(50_000_000),))


def rule(name: str, points: str, **more: object) -> EarnRule:
    return EarnRule(name, 0, 0, "campaign", points=points, salt="00" * 32, **more)  # type: ignore[arg-type]


def operator(verb: str, **more: object) -> Operation:
    points = more.pop("points", 0)
    assert isinstance(points, int)
    return Operation(verb, OPERATOR, points=points, more=more)


def sale(key: str, member: int) -> Operation:
    digest = hashlib.sha256(key.encode()).digest()
    return Operation("earn", A, key, digest, external_id=key, member=member, basket=BASKET)


@pytest.fixture
def set_up(books: Ground) -> Ground:
    answers, _group = books.poster().post([
        operator("set_budget", name="till", owner=OPERATOR, points=BUDGET),
        operator("publish_earn_rule", rule=rule("daily", "37", budget="till", per_day=DAY)),
        operator("publish_earn_rule", rule=rule("loyal", "23", budget="till", per_member=MEMBER)),
    ])  # fmt: skip
    assert all(answer.ok for answer in answers), [answer.facts for answer in answers]
    return books


def rush(books: Ground) -> list[dict[str, int]]:
    """What each sale earned by rule: 120 sales of two members, two writers at once, each sale waiting for the one before."""

    def till(place: int) -> list[dict[str, int]]:
        given = []
        with books.writer() as writer:
            for number in range(60):
                ((answer,), _group) = writer.submit([sale(f"s{place}-{number}", books.members[number % 2])]).result(60)
                assert answer.ok, answer.facts
                given.append({line["rule"]: line["points"] for line in answer.facts["explanation"]})
        return given

    with ThreadPoolExecutor(2) as tills:
        return [one for given in tills.map(till, range(2)) for one in given]


def test_two_writers_give_exactly_what_was_set_aside(set_up: Ground) -> None:
    given = rush(set_up)
    daily, loyal = (sum(one.get(name, 0) for one in given) for name in ("daily", "loyal"))
    assert daily <= DAY
    assert loyal <= 2 * MEMBER
    assert daily + loyal == BUDGET
    with set_up.engine.connect() as connection:
        ((_name, held),) = every(connection, Budget)
        used = {name: one.points for name, one in every(connection, Usage)}
    assert held.spent == BUDGET
    assert used.pop(":daily:2025-12-01") == daily
    assert sum(used.values()) == loyal
    assert set(used) == {f"{member}:loyal" for member in set_up.members[:2]}


def test_canary_without_counting_more_is_given(set_up: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(earning.Priced, "keep", lambda _self: None)
    assert sum(sum(one.values()) for one in rush(set_up)) > BUDGET
