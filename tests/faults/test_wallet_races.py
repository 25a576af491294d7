"""Row 2, double spend, with wallets: twelve threads withdraw, burn and give back the same points at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import DBAPIError

from counterfoil.core.accounts import OPERATOR
from counterfoil.core.holdings import Inconsistent
from counterfoil.core.operation import Answer, Operation
from counterfoil.core.units import NEVER
from counterfoil.store import bulk, posting
from tests.faults.rivals import THREADS, Rivals, rivals
from tests.faults.test_double_spend import ALL, blind_update, earned, gateways, won

ROUNDS = 40  # of each race


@pytest.fixture
def table(fresh_schema: Callable[[], str]) -> Iterator[Rivals]:
    with rivals(fresh_schema()) as several:
        yield several


def account_of(member: int) -> str:
    return f"0x{member:040x}"


def linked(table: Rivals, members: list[int]) -> None:
    for member in members:
        plain = Operation("wallet_nonce", OPERATOR, member=member, more={})
        (given,) = table.done(plain)
        more = {"account": account_of(member), "nonce": given.facts["nonce"], "expires_at": NEVER, "not_before": 0}
        table.done(replace(plain, verb="link_wallet", more=more))


def withdrawal(table: Rivals, member: int) -> Operation:
    return table.op("withdraw", partner=OPERATOR, member=member, points=ALL, more={})


def came_back(table: Rivals, member: int, points: int, event: int) -> Operation:
    block = f"0x{5:064x}"
    more = {"account": account_of(member), "block": block, "index": event, "partner": 0}
    plain = table.op("give_back", partner=OPERATOR, points=points, more=more)
    return replace(plain, external_id=f"{block}:{event}")


def away(table: Rivals) -> int:
    with table.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT coalesce(sum(withdrawn), 0) FROM lot").scalar_one())


def burn_rounds(table: Rivals, rounds: int) -> None:
    members, _earns = earned(table, rounds)
    linked(table, members)
    for round_, member in enumerate(members):
        burns = [table.op("burn", member=member, points=ALL) for _ in range(THREADS // 2)]
        mixed = [one for burn in burns for one in (burn, withdrawal(table, member))]
        before = away(table)
        went = won(table.race(mixed, gateways(round_)), mixed)
        assert went.total() == 1, went
        assert table.balance(member) == (0, 0, 0)
        assert away(table) - before == ALL * went["withdraw"]


def test_burn_against_withdrawal(table: Rivals, times: Callable[[int, int], int]) -> None:
    burn_rounds(table, times(ROUNDS, 2_000))


def return_rounds(table: Rivals, rounds: int) -> None:
    """Twelve members say at once that they have the tokens; there are only so many."""
    members, _earns = earned(table, 2)
    friends = table.members(THREADS)
    linked(table, [*members, *friends])
    for round_ in range(rounds):
        table.done(table.op("earn", member=members[0], points=ALL), withdrawal(table, members[0]))
        backs = [came_back(table, friend, ALL, 100 * round_ + place) for place, friend in enumerate(friends)]
        answers = table.race(backs, gateways(round_))
        assert statuses(answers) == {"given_back": 1, "suspense": THREADS - 1}
        assert away(table) == 0
        assert sum(table.balance(friend)[0] for friend in friends) == ALL * (round_ + 1)


def statuses(answers: list[Answer]) -> Counter[str]:
    return Counter(str(answer.facts.get("status") or answer.facts["code"]) for answer in answers)


def test_no_more_comes_back_than_left(table: Rivals, times: Callable[[int, int], int]) -> None:
    return_rounds(table, times(ROUNDS, 2_000))


def test_one_event_is_booked_once(table: Rivals, times: Callable[[int, int], int]) -> None:
    members, _earns = earned(table, 1)
    linked(table, members)
    table.done(withdrawal(table, members[0]))
    for round_ in range(times(ROUNDS, 2_000)):
        answers = table.race([came_back(table, members[0], 1, round_) for _ in range(THREADS)], gateways(round_))
        assert statuses(answers) == {"given_back": 1, "duplicate_external_id": THREADS - 1}
        assert table.balance(members[0])[0] == round_ + 1


def no_lock(patch: pytest.MonkeyPatch) -> None:
    """The fence is read, not taken, and updates do not repeat what they were decided on."""
    patch.setattr(posting, "_LOCK", "")
    patch.setattr(bulk, "update", blind_update)


@pytest.mark.parametrize("race", [burn_rounds, return_rounds])
def test_canary_without_a_fence_somebody_wins_twice(
    table: Rivals, monkeypatch: pytest.MonkeyPatch, race: Callable[[Rivals, int], None]
) -> None:
    no_lock(monkeypatch)
    with pytest.raises((AssertionError, DBAPIError, Inconsistent)):
        race(table, 30)
