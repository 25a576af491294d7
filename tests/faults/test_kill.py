"""Row 7, kill -9 at the gateway, the writer, the jobs and the sequencer: the client retries, nothing is lost or doubled."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from counterfoil.core.log import Tree
from counterfoil.store import books, sequencer
from tests.faults.histories import DAY, text_of
from tests.faults.killed import Victims, victims
from tests.faults.ledger import Ledger
from tests.faults.till import House, place

BEFORE = ["api.received", "writer.decided", "writer.written", "writer.before_commit"]
AFTER = ["writer.after_commit", "api.answering"]


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    with victims(tmp_path_factory.mktemp("victims")) as running:
        yield running


class Till:
    """A client that counts along: what a member must have, and one effect for each of its keys."""

    def __init__(self, house: House, zygote: Victims) -> None:
        self.house, self.zygote, self.dice = house, zygote, random.Random(7)
        self.url = house.engine.url.render_as_string(hide_password=False)
        self.ledger = Ledger({number: name for name, number in house.numbers.items()})
        self.member, self.friend = house.members(2)
        self.points = {self.member: 0, self.friend: 0}
        self.sales: list[str] = []
        self.earn(10_000)
        self.follow()

    def earn(self, points: int, **more: Any) -> None:
        self.house.ok("A", "earn", member=self.member, points=points, **more)
        self.points[self.member] += points

    def follow(self) -> int:
        """Gapless, stored = folded, and exactly what the client counted. The number of new entries."""
        new = self.ledger.follow(self.house.engine)
        for name, points in self.points.items():
            who = self.ledger.members.get(int(name[4:], 16))
            assert (who.available if who else 0) == points, "lost or doubled"
        return len(new)

    def operation(self) -> tuple[str, dict[str, Any], dict[str, int]]:
        """A verb, its fields, and the change it must make once."""
        name, points = self.house.name(), self.dice.randint(1, 40)
        one = {"external_id": name, "points": points}
        gift = {**one, "sender": self.member, "recipient": self.friend}
        ways: list[tuple[str, dict[str, Any], dict[str, int]]] = [
            ("earn", {**one, "member": self.member}, {self.member: points}),
            ("burn", {**one, "member": self.member}, {self.member: -points}),
            ("hold", {**one, "member": self.member, "ttl_seconds": 600}, {self.member: -points}),
            ("transfer", gift, {self.member: -points, self.friend: points}),
        ]
        return self.dice.choice(ways)

    def killed_and_retried(self, point: str, plant: str | None = None) -> None:
        verb, fields, change = self.operation()
        path, body = place(verb, fields)
        key = self.house.name()
        headers = {"Authorization": f"Bearer {self.house.partners['A']}", "Idempotency-Key": key}
        home = str(self.house.home)
        self.zygote.killed(
            "api", plant=plant, database=self.url, folder=home, point=point, path=path, headers=headers, body=body
        )
        if point in AFTER:
            self.apply(change)
        assert self.follow() == (point in AFTER), f"{point}: {verb}"
        again = self.house.send("A", verb, fields, key)
        assert again.status_code == 201, again.text
        assert ("Idempotent-Replayed" in again.headers) == (point in AFTER)
        if point in BEFORE:
            self.apply(change)
        assert self.follow() == (point in BEFORE)
        assert self.house.send("A", verb, fields, key).content  # and once more, for good measure
        assert self.follow() == 0

    def apply(self, change: dict[str, int]) -> None:
        for name, points in change.items():
            self.points[name] += points


@pytest.fixture
def till(shared: House, zygote: Victims) -> Till:
    return Till(shared, zygote)


@pytest.mark.parametrize("point", [*BEFORE, *AFTER])
def test_a_gateway_killed_at_any_point_loses_and_doubles_nothing(
    till: Till, point: str, times: Callable[[int, int], int]
) -> None:
    for _ in range(times(50, 500)):
        till.killed_and_retried(point)


@pytest.mark.parametrize("point", ["writer.decided", "writer.written", "writer.before_commit", "writer.after_commit"])
def test_the_expiry_job_killed_expires_once(till: Till, point: str, times: Callable[[int, int], int]) -> None:
    """13 kills at each of the writer's points, so that the job too has its 50."""
    house = till.house
    for _ in range(times(13, 125)):
        today = house.gateway.now()
        house.clock(text_of(today + 2 * DAY))
        house.done("POST", "/v1/jobs/expire")  # what other tests held has lapsed by now
        till.points[till.member] = house.available(till.member)
        till.earn(30, valid_to=text_of(today + 2 * DAY)[:10])
        till.follow()
        house.clock(text_of(today + 4 * DAY))
        till.zygote.killed("expire", database=till.url, point=point, now=house.gateway.now())
        done = point == "writer.after_commit"
        till.points[till.member] -= 30 * done
        assert till.follow() == done
        house.done("POST", "/v1/jobs/expire")
        till.points[till.member] -= 30 * (not done)
        assert till.follow() == (not done)


@pytest.mark.parametrize("point", ["sequencer.before_commit", "sequencer.after_commit"])
def test_the_sequencer_killed_appends_once(till: Till, point: str, times: Callable[[int, int], int]) -> None:
    engine = till.house.engine
    size, _root = sequencer.sequence(engine)
    for _ in range(times(50, 500)):
        till.earn(1)
        till.zygote.killed("sequence", database=till.url, point=point)
        assert sequencer.latest(engine)[0] == size + (point == "sequencer.after_commit")
        size += 1
        assert sequencer.sequence(engine)[0] == size
        assert sequencer.sequence(engine)[0] == size
    till.follow()
    hashes = books.leaf_hashes(engine, 0, size)
    assert len(hashes) == size
    tree = Tree(hashes)
    assert [(at, root) for at, root in sequencer.checkpoints(engine) if tree.root(at) != root] == []
    gaps = till.house.rows(
        'SELECT count(*) FROM log_group l JOIN entry_group g ON g.id = l."group" LEFT JOIN log_group n'
        ' ON n."group" = l."group" + 1 WHERE n.first IS NOT NULL AND n.first <> l.first + g.count'
    )
    assert gaps == [(0,)]


def test_canary_entries_committed_early_are_caught(till: Till) -> None:
    with pytest.raises(AssertionError, match=r"member's sums|lots|lost or doubled|pool"):
        till.killed_and_retried("writer.written", plant="commit_early")
