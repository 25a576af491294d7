"""Row 2, double spend: twelve threads use the same points at once, over two gateways and over twelve."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text

from counterfoil.core.accounts import OPERATOR
from counterfoil.core.calendar import end_of_day, local_day
from counterfoil.core.holdings import Inconsistent
from counterfoil.core.operation import Answer, Operation
from counterfoil.store import bulk, posting, state
from tests.faults.rivals import START, THREADS, Rivals, rivals

ALL, ZONE = 100, "Europe/Warsaw"
SIDE_ROUNDS = 50  # of each of the four other races: 200 more


@pytest.fixture
def table(fresh_schema: Callable[[], str]) -> Iterator[Rivals]:
    with rivals(fresh_schema()) as several:
        yield several


def won(answers: list[Answer], operations: list[Operation]) -> Counter[str]:
    """How many of each verb went through."""
    return Counter(op.verb for op, answer in zip(operations, answers, strict=True) if answer.ok)


def gateways(round_: int) -> int:
    return 2 if round_ % 2 else THREADS


def earned(table: Rivals, count: int, **fields: object) -> tuple[list[int], list[Operation]]:
    members = table.members(count)
    earns = [table.op("earn", member=number, points=ALL, **fields) for number in members]
    table.done(*earns)
    return members, earns


def burn_rounds(table: Rivals, rounds: int) -> None:
    members, _earns = earned(table, rounds)
    for round_, member in enumerate(members):
        burns = [table.op("burn", member=member, points=ALL) for _ in range(THREADS)]
        answers = table.race(burns, gateways(round_))
        assert won(answers, burns) == {"burn": 1}, round_
        codes = {answer.facts["code"] for answer in answers if not answer.ok}
        assert codes == {"insufficient_points"}
        assert table.balance(member) == (0, 0, 0)


def test_of_twelve_burns_one_wins(table: Rivals, times: Callable[[int, int], int]) -> None:
    burn_rounds(table, times(200, 5_000))


def test_burn_against_transfer(table: Rivals, times: Callable[[int, int], int]) -> None:
    members, _earns = earned(table, times(SIDE_ROUNDS, 5_000))
    for round_, member in enumerate(members):
        friend = table.members(1)[0]
        burns = [table.op("burn", member=member, points=ALL) for _ in range(THREADS // 2)]
        gifts = [table.op("transfer", member=member, recipient=friend, points=ALL) for _ in burns]
        mixed = [one for pair in zip(burns, gifts, strict=True) for one in pair]
        went = won(table.race(mixed, gateways(round_)), mixed)
        assert went.total() == 1, went
        assert table.balance(member) == (0, 0, 0)
        assert friend not in table.ledger.members or table.balance(friend) == (ALL * went["transfer"], 0, 0)


def test_burn_against_expiry(table: Rivals, times: Callable[[int, int], int]) -> None:
    """The clock moves past the last valid day and the job runs while they burn: used or run out, never both."""
    now, seen = START, Counter[str]()
    lead = 0.0  # seconds by which the clock goes before the race; led by the outcomes to where both happen
    for round_ in range(times(SIDE_ROUNDS, 5_000)):
        today = local_day(now, ZONE)
        (member,), _earns = earned(table, 1, valid_to=today)
        burns = [table.op("burn", member=member, points=ALL) for _ in range(THREADS - 1)]
        end = end_of_day(today, ZONE)
        clock = threading.Timer(max(0, -lead), table.at, [end])
        job = Operation("due", OPERATOR, member=member)
        mixed = [*burns[:6], job, *burns[6:]]
        clock.start()
        time.sleep(max(0, lead))
        went = won(table.race(mixed, gateways(round_)), mixed)
        clock.join()
        table.done(job)
        assert table.balance(member) == (0, 0, 0)
        (lot,) = table.ledger.members[member].lots.values()
        assert (lot.burned, lot.expired) == ((ALL, 0) if went["burn"] else (0, ALL))
        assert went["burn"] <= 1
        seen["burned" if went["burn"] else "expired"] += 1
        lead += 0.002 if went["burn"] else -0.002
        now = end
    assert set(seen) == {"burned", "expired"}, f"the race was none: {seen}"


def test_burn_against_refund(table: Rivals, times: Callable[[int, int], int]) -> None:
    """The earn is taken back while they burn: who comes second gets a debt or a refusal."""
    members, earns = earned(table, times(SIDE_ROUNDS, 5_000))
    for round_, (member, earn) in enumerate(zip(members, earns, strict=True)):
        burns = [table.op("burn", member=member, points=ALL) for _ in range(THREADS // 2)]
        name = earn.external_id or ""
        backs = [table.op("refund_earn", original=name, points=ALL) for _ in burns]
        mixed = [one for pair in zip(burns, backs, strict=True) for one in pair]
        answers = table.race(mixed, gateways(round_))
        went = won(answers, mixed)
        assert went["refund_earn"] == 1
        (recovered,) = [answer.facts["recovered"] for answer in answers if answer.ok and "recovered" in answer.facts]
        assert recovered == (0 if went["burn"] else ALL)
        assert table.balance(member) == (0, 0, ALL if went["burn"] else 0)


def test_burn_against_capture_and_release(table: Rivals, times: Callable[[int, int], int]) -> None:
    members, _earns = earned(table, times(SIDE_ROUNDS, 5_000))
    for round_, member in enumerate(members):
        (held,) = table.done(table.op("hold", member=member, points=ALL, ttl_seconds=60))
        captures = [table.op("capture", hold=held.entry, points=ALL) for _ in range(5)]
        releases = [table.op("release", hold=held.entry) for _ in range(2)]
        burns = [table.op("burn", member=member, points=ALL) for _ in range(5)]
        mixed = [*captures[:3], *releases, *burns, *captures[3:]]
        went = won(table.race(mixed, gateways(round_)), mixed)
        assert went["capture"] + went["release"] == 1, went
        assert went["burn"] <= went["release"], went
        left = 0 if went["capture"] or went["burn"] else ALL
        assert table.balance(member) == (left, 0, 0)


def blind_update(connection: Connection, table: Any, keys: Any, columns: Any, rows: Any) -> None:
    """What bulk.update does, without asking whether the rows are as they were decided on."""
    for row in rows:
        sets = ", ".join(f'"{name}" = :c{at}' for at, name in enumerate(columns))
        where = " AND ".join(f'"{name}" = :k{at}' for at, name in enumerate(keys))
        values = {f"k{at}": row[at] for at in range(len(keys))}
        values |= {f"c{at}": row[len(keys) + at] for at in range(len(columns))}
        connection.execute(text(f'UPDATE "{table.name}" SET {sets} WHERE {where}'), values)


def no_lock(_table: Rivals, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fence is read, not taken."""
    monkeypatch.setattr(posting, "_LOCK", "")


def no_repeat(_table: Rivals, monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates do not repeat what they were decided on."""
    monkeypatch.setattr(bulk, "update", blind_update)


def early_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members are read before the fence is taken, as a gateway with a cache of balances would."""
    plain_fence: Any = posting._take_fence
    plain_load: Any = state.State.load

    def late_fence(connection: Connection) -> Any:
        early = state.State()
        everybody = [row[0] for row in bulk.ask_sql(connection, "SELECT id FROM member")()]
        plain_load(early, connection, state.ask(connection, everybody)(), START)
        connection.info["early"] = early
        time.sleep(0.01)
        return plain_fence(connection)

    def remembered(self: state.State, connection: Connection, rows: Any, _now: int, **_light: Any) -> None:
        early = connection.info["early"]
        for number in [row[0] for row in rows]:
            self.members[number] = early.members[number]
            self.images[number] = early.images[number]

    monkeypatch.setattr(posting, "_take_fence", late_fence)
    monkeypatch.setattr(state.State, "load", remembered)


@pytest.mark.parametrize("one", [no_lock, no_repeat], ids=lambda plant: plant.__name__)
def test_either_line_of_defence_holds_alone(
    table: Rivals, one: Callable[[Rivals, pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fence and repeated values: without one of them a burn may fail aloud, and still only one wins."""
    members, _earns = earned(table, 10)
    one(table, monkeypatch)
    for round_, member in enumerate(members):
        burns = [table.op("burn", member=member, points=ALL) for _ in range(THREADS)]
        answers = table.race(burns, gateways(round_), aloud=True)
        assert won(answers, burns)["burn"] <= 1
        available, held, debt = table.balance(member)
        assert (available, held, debt) == (0 if won(answers, burns)["burn"] else ALL, 0, 0)


def test_canary_reading_before_the_fence_spends_twice(table: Rivals, monkeypatch: pytest.MonkeyPatch) -> None:
    early_read(monkeypatch)
    no_repeat(table, monkeypatch)
    with pytest.raises((AssertionError, Inconsistent)):  # spent twice, or seen on reading: sums and lots of two moments
        burn_rounds(table, 10)
