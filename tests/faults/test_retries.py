"""Row 4, a retry with the same key: the same answer, byte for byte, and one effect, wherever and whenever it comes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from counterfoil.app import close
from counterfoil.store import bulk
from counterfoil.store.tables import request
from tests.faults.histories import DAY, text_of
from tests.faults.till import START, House, open_house, plain

BATCH = 100


@dataclass
class Asked:
    """An operation under its key, and its first answer as text."""

    operation: dict[str, Any]
    said: str = ""
    status: int = 0
    retries: int = 0

    def heard(self, status: int, body: dict[str, Any], *, replayed: bool) -> None:
        """An answer: the first of all is kept, every other must be it again."""
        text = json.dumps({name: value for name, value in body.items() if name != "request_id"})
        if not self.said:
            assert not replayed
            self.said, self.status = text, status
            return
        assert replayed, f"not told as a replay: {self.operation}"
        assert (status, text) == (self.status, self.said)
        self.retries += 1


@dataclass
class Shop:
    """Two gateways over the same books, the second one's home a copy of the first one's keys."""

    url: str
    folder: Path
    stack: ExitStack
    dice: random.Random = field(default_factory=lambda: random.Random(4))
    houses: list[House] = field(default_factory=list)

    def open(self) -> None:
        first = self.stack.enter_context(open_house(self.folder / "one", self.url))
        self.houses.append(first)
        for name in ("A", "B"):
            first.partner(name)
        first.clock(START)
        self.houses.append(self.stack.enter_context(open_house(self.folder / "two", self.url, like=first)))

    def restart(self) -> None:
        """The first gateway ends and comes again on the same books."""
        close(self.houses[0].app)
        self.houses[0] = self.stack.enter_context(open_house(self.folder / "one", self.url, like=self.houses[0]))

    def wishes(self, count: int) -> list[Asked]:
        """Operations of all verbs, some of them to be refused."""
        house, dice, found = self.houses[0], self.dice, []
        people = house.members(count // 10 + 2)
        house.batch([self.named("earn", member=who, points=10_000) for who in people])
        earned = [self.named("earn", member=dice.choice(people), points=50) for _ in range(count // 5)]
        house.batch(earned)
        for at in range(count):
            who, friend = dice.sample(people, 2)
            points = dice.choice([1, 7, 90_000_000])
            kinds = [
                ("earn", {"member": who, "points": 5}), ("burn", {"member": who, "points": points}),
                ("hold", {"member": who, "points": points, "ttl_seconds": 60}),
                ("transfer", {"sender": who, "recipient": friend, "points": points}),
                ("refund_earn", {"earn": dice.choice(earned)["external_id"], "points": dice.choice([1, 99])}),
            ]  # fmt: skip
            verb, fields = kinds[at % len(kinds)]
            found.append(Asked(self.named(verb, **fields)))
        return found

    def named(self, verb: str, **fields: Any) -> dict[str, Any]:
        name = self.houses[0].name()
        return {"verb": verb, "as": "A", "key": name, "external_id": name, **fields}

    def batched(self, house: House, asked: list[Asked]) -> None:
        for start in range(0, len(asked), BATCH):
            part = asked[start : start + BATCH]
            for one, answer in zip(part, house.batch([a.operation for a in part]), strict=True):
                one.heard(answer["status"], answer["body"], replayed=answer["replayed"])

    def alone(self, house: House, one: Asked) -> bytes:
        verb, partner, key = (one.operation[name] for name in ("verb", "as", "key"))
        fields = {name: value for name, value in one.operation.items() if name not in {"verb", "as", "key"}}
        answer = house.send(partner, verb, fields, key)
        replayed = answer.headers.get("Idempotent-Replayed") == "true"
        one.heard(answer.status_code, answer.json(), replayed=replayed)
        return plain(answer)

    def at_once(self, asked: list[Asked], threads: int) -> None:
        """Each key by several threads through both gateways, before anybody has its answer."""
        with ThreadPoolExecutor(threads) as pool:
            for one in asked:
                barrier, fields = Barrier(threads), dict(one.operation)
                verb, partner, key = (fields.pop(name) for name in ("verb", "as", "key"))

                def send(at: int) -> Any:
                    barrier.wait()  # noqa: B023 the round ends before the next begins
                    return self.houses[at % 2].send(partner, verb, fields, key)  # noqa: B023

                answers = list(pool.map(send, range(threads)))
                assert len({plain(answer) for answer in answers}) == 1
                assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
                one.heard(answers[0].status_code, answers[0].json(), replayed=False)
                one.retries += threads - 1


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    with ExitStack() as stack:
        shop = Shop(database_url, tmp_path, stack)
        shop.open()
        yield shop


def effects(house: House) -> int:
    ((entries,),) = house.rows("SELECT count(*) FROM entry WHERE verb <= 8")
    return int(entries)


def retry_everything(shop: Shop, keys: int) -> list[Asked]:
    """Nine tenths in batches, some twice inside one; a tenth alone; a tenth first sent by four threads at once."""
    asked = shop.wishes(keys)
    before = effects(shop.houses[0])
    together, single, twice = asked[: keys // 10], asked[keys // 10 : keys // 5], asked[keys // 5 : keys // 2]
    shop.at_once(together, 4)
    first = [shop.alone(shop.houses[0], one) for one in single]
    shop.batched(shop.houses[0], [one for one in twice for _again in range(2)])
    shop.batched(shop.houses[0], asked[keys // 2 :])
    accepted = sum(one.status == 201 for one in asked)
    assert 0 < accepted < keys
    assert effects(shop.houses[0]) - before == accepted, "not one effect for each accepted key"
    books = shop.houses[0].everything()

    def again(house: House, some: list[Asked]) -> None:
        shop.batched(house, some)
        assert [shop.alone(house, one) for one in single[::4]] == first[::4]
        assert house.everything() == books, "a retry changed the books"

    again(shop.houses[0], asked[::2])
    again(shop.houses[1], asked[1::2])
    shop.restart()
    again(shop.houses[0], asked[::3])
    later = shop.houses[0].gateway.now() + DAY
    assert shop.houses[0].clock(text_of(later)).status_code == 200
    books = shop.houses[0].everything()
    again(shop.houses[1], asked[::5])
    return asked


def test_2000_keys_are_answered_once_and_for_ever(shop: Shop, times: Callable[[int, int], int]) -> None:
    """1,000 on each database, each key 2 to 5 times (those of the at-once and the single ones more often)."""
    asked = retry_everything(shop, times(1_000, 25_000))
    assert min(one.retries for one in asked) >= 1


def test_canary_a_request_that_is_not_remembered_is_caught(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bulk.insert

    def forgetful(connection: Any, table: Any, rows: Any) -> None:
        whole(connection, table, [] if table is request else rows)

    monkeypatch.setattr(bulk, "insert", forgetful)
    with pytest.raises(AssertionError):
        retry_everything(shop, 50)


def test_canary_a_gateway_with_another_key_is_caught(shop: Shop) -> None:
    """A second gateway that signs with a key of its own answers other bytes."""
    other = shop.houses[1].gateway
    other.counterfoil = type(other.counterfoil)(b"\7" * 32)
    with pytest.raises(AssertionError):
        retry_everything(shop, 50)
