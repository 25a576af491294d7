"""Replay of any prefix of requests gives the same state: on the books that have seen them nothing, on new ones the same."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from counterfoil.store import posting
from tests.faults.histories import TERMS
from tests.faults.test_model import Run
from tests.faults.till import House, open_house

SEED, COHORT, STEPS = 31, 4, 25
Request = tuple[str, dict[str, str], str, str]  # path, headers, body; what was answered


@dataclass
class Tape:
    """What was sent, in order, and what stood in the books after some of it."""

    house: House
    sent: list[Request] = field(default_factory=list)
    states: dict[int, list[str]] = field(default_factory=dict)

    def start(self) -> None:
        plain: Callable[..., httpx.Response] = self.house.client.request

        def request(method: str, path: str, **more: Any) -> httpx.Response:
            answer = plain(method, path, **more)
            if method == "POST":
                self.sent.append(
                    (path, dict(more["headers"]), json.dumps(more.get("json")), told(more.get("json"), answer))
                )
            return answer

        self.house.client.request = request  # type: ignore[method-assign, assignment]

    def stop(self) -> None:
        del self.house.client.request


def told(sent: Any, answer: httpx.Response) -> str:
    """An answer without what each request has anew; nothing of a dry run, which tells of its own moment."""
    body = answer.json()
    answers = body.get("answers", [{"body": body}])
    asked = sent["operations"] if "answers" in body else [sent or {}]
    kept = [one["body"] for one, op in zip(answers, asked, strict=True) if not op.get("dry_run")]
    return json.dumps([{name: fact for name, fact in one.items() if name != "request_id"} for one in kept])


def state(house: House, members: list[str]) -> list[str]:
    """What members have, and what every settlement and the open one come to, without ids."""
    views = [house.done("GET", f"/v1/members/{name}/{what}") for name in members for what in ("balance", "lots")]
    views += [house.done("GET", "/v1/settlements/preview")["exact"]]
    return [json.dumps({**view, "member": ""}, sort_keys=True) for view in views]


def lived(house: House, tape: Tape) -> list[str]:
    """A cohort's life; after every fifth step its state. The members, in order."""
    run = Run(house, SEED)
    members: list[str] = []
    plain = run.between

    def between(histories: list[Any]) -> None:
        members[:] = [name for one in histories for name in one.members]
        if not tape.sent:
            tape.start()
        if len(tape.sent) % 5 == 0:
            tape.stop()
            tape.states[len(tape.sent)] = state(house, members)
            tape.start()
        plain(histories)

    run.between = between  # type: ignore[method-assign]
    run.cohort(0, COHORT, STEPS)
    tape.stop()
    tape.states[len(tape.sent)] = state(house, members)
    return members


def replay(house: House, sent: list[Request], names: dict[str, str]) -> bool:
    """The same requests, with the names that things have here; whether all were answered as before."""
    same = True
    for path, headers, body, answer in sent:
        texts = [path, json.dumps(headers), body]
        for old, new in names.items():
            texts = [text.replace(old, new) for text in texts]
        got = house.client.post(texts[0], headers=json.loads(texts[1]), json=json.loads(texts[2]))
        same = told(json.loads(body), got) == answer and same
    return same


def twin(url: str, home: Path, old: House, tape: Tape, members: list[str], count: int) -> tuple[list[str], list[str]]:
    """The state of new books after a prefix of the tape, and what it is to be."""
    with open_house(home, url) as house:
        fresh = Run(house, SEED)
        assert fresh.now
        names = dict(zip(members, house.members(len(members)), strict=True))
        names |= {old.partners[name]: house.partners[name] for name in TERMS} | {old.operator: house.operator}
        replay(house, tape.sent[:count], names)
        return state(house, [names[name] for name in members]), tape.states[count]


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[], tuple[str, Path]]:
    count = iter(range(100))

    def made() -> tuple[str, Path]:
        number = next(count)
        return f"sqlite:///{tmp_path / f'twin{number}.db'}", tmp_path / f"twin{number}"

    return made


def test_any_prefix_of_requests_gives_the_same_state(
    database_url: str, tmp_path: Path, fresh: Callable[[], tuple[str, Path]], times: Callable[[int, int], int]
) -> None:
    with open_house(tmp_path / "home", database_url) as house:
        tape = Tape(house)
        members = lived(house, tape)
        before = house.everything()
        keyed = [one for one in tape.sent if "Idempotency-Key" in one[1] or one[0] == "/v1/batches"]
        dice = random.Random(SEED)
        for count in [len(keyed), *(dice.randrange(len(keyed)) for _ in range(3))]:
            assert replay(house, keyed[:count], {})
        assert house.everything() == before
        for count in [len(tape.sent), *dice.sample(sorted(tape.states), times(3, len(tape.states)))]:
            found, wanted = twin(*fresh(), house, tape, members, count)
            assert found == wanted, count


def test_canary_books_that_forget_keys_are_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_house(tmp_path / "home", f"sqlite:///{tmp_path / 'books.db'}") as house:
        tape = Tape(house)
        lived(house, tape)
        batches = [one for one in tape.sent if one[0] == "/v1/batches"]
        assert replay(house, batches, {})
        monkeypatch.setattr(posting._Named, "stored", lambda _self: {})
        assert not replay(house, batches, {})
