"""Row 7, kill -9 while a settlement is closed, computed, sent and made final: one number, one tx each, one supply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from counterfoil.chain.signer import Signer
from counterfoil.store import json_text, registry, settlements
from counterfoil.store.tables import party
from tests.faults.killed import Victims, victims
from tests.faults.rivals import Rivals, rivals
from tests.faults.victim import SIGNERS

# What one settlement is killed at, in order. There are two rows, because a tx that was killed once it was mined is
# never told as `proposed` or `finalized` again.
SENT = ["settlement.before_propose", "settlement.tx_stored", "settlement.proposed", "settlement.before_finalize",
        "settlement.tx_stored", "settlement.finalized"]  # fmt: skip
MINED = ["settlement.tx_mined", "settlement.tx_mined"]
SENT_BY_A_SETTLEMENT = 2
DEPLOYED = 4 + 4  # two contracts, a mint, an approval; a deposit of each party
SENT_AT_FIRST = DEPLOYED + SENT_BY_A_SETTLEMENT


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    with victims(tmp_path_factory.mktemp("victims")) as running:
        yield running


@pytest.fixture
def table(database_url: str) -> Iterator[Rivals]:
    with rivals(database_url, 1) as table:
        yield table


class Coalition:
    """Books with trade in them, a chain in a file that only the forks open."""

    def __init__(self, table: Rivals, zygote: Victims, folder: Path) -> None:
        self.table, self.zygote, self.folder = table, zygote, str(folder)
        self.url = table.engine.url.render_as_string(hide_password=False)
        self.member = table.members(1)[0]
        self.number, self.sent = 0, 0

    @property
    def engine(self) -> Engine:
        return self.table.engine

    def trade(self) -> None:
        earn = self.table.op("earn", member=self.member, points=10)
        self.table.done(earn, self.table.op("burn", member=self.member, points=3, partner=self.table.partners[1]))

    def run(self, point: str = "", count: int = 1, plant: str | None = None) -> dict[str, Any] | None:
        args: dict[str, Any] = {"database": self.url, "folder": self.folder, "point": point, "count": count}
        if point:
            self.zygote.killed("settle", plant=plant, **args)
            return None
        shown: dict[str, Any] = self.zygote.done("settle", plant=plant, **args)
        return shown

    def close(self, *, killed: bool, plant: str | None = None) -> None:
        """A close; killed before and after its commit, and while its closing is computed."""
        self.number += 1
        close: dict[str, Any] = {"database": self.url, "now": registry.now(self.engine)}
        compute: dict[str, Any] = {"database": self.url, "number": self.number}
        if not killed:
            assert self.zygote.done("close", point="", **close) == self.number
            return
        self.zygote.killed("close", plant=plant, point="settlement.closing", **close)
        assert settlements.one(self.engine, self.number) is None, "half a close"
        assert self.open_settlement() == self.number
        self.zygote.killed("close", point="settlement.closed", **close)
        assert self.state() == "closing"
        assert self.open_settlement() == self.number + 1
        self.trade()  # what comes now belongs to the next one
        self.zygote.killed("compute", point="settlement.computed", **compute)
        assert self.state() == "closing"
        self.zygote.done("compute", point="", **compute)
        assert self.state() == "closed"

    def open_settlement(self) -> int:
        with self.engine.connect() as connection:
            return registry.load(connection).open_settlement

    def state(self) -> str:
        row: Any = settlements.one(self.engine, self.number)
        return str(row.state)

    def final(self, shown: dict[str, Any] | None) -> None:
        """The chain and the books say the same, once."""
        assert shown is not None
        rows: list[Any] = settlements.every(self.engine)
        assert [row.number for row in rows] == list(range(1, self.number + 1))
        assert {row.state for row in rows} == {"final"}
        assert [row.first_leaf for row in rows[1:]] == [row.log_size for row in rows[:-1]]
        totals = json_text.loads(rows[-1].totals)
        assert shown["last"] == self.number
        assert shown["supply"] == totals["currencies"]["1"]["supply"]
        for row in rows:
            rounded = json_text.loads(row.totals)["rounded"]
            assert shown["words"].get(str(row.number), {}) == rounded, "words moved on chain"
        self.table.ledger.follow(self.engine)
        moved = sum(sum(words.values()) for words in shown["words"].values())
        assert moved == 0
        expected = self.sent + SENT_BY_A_SETTLEMENT if self.sent else SENT_AT_FIRST
        assert shown["sent"] == expected, "a tx was sent twice"
        self.sent = shown["sent"]

    def founded(self) -> None:
        """The contract stands after a first settlement."""
        self.trade()
        self.close(killed=False)
        self.final(self.run())


@pytest.fixture
def coalition(table: Rivals, zygote: Victims, tmp_path: Path) -> Coalition:
    for number, secret in zip(table.partners, SIGNERS, strict=True):
        address = Signer(secret).address.lower()
        with table.engine.begin() as connection:
            connection.execute(party.update().where(party.c.id == number).values(signer=address))
    return Coalition(table, zygote, tmp_path)


def killed_settlement(coalition: Coalition, points: list[str], plant: str | None = None) -> None:
    coalition.trade()
    coalition.close(killed=points is SENT)
    for point in points:
        coalition.run(point, plant=plant)
    coalition.final(coalition.run())


def test_a_close_killed_closes_once(coalition: Coalition, times: Callable[[int, int], int]) -> None:
    """Three kills each: before the commit, after it, and before the closing's own. Ranges join, supply is what is left."""
    for _ in range(times(50, 500)):
        coalition.trade()
        coalition.close(killed=True)
    rows: list[Any] = settlements.every(coalition.engine)
    assert [row.number for row in rows] == list(range(1, coalition.number + 1))
    assert [row.first_leaf for row in rows[1:]] == [row.log_size for row in rows[:-1]]
    coalition.table.ledger.follow(coalition.engine)
    who = coalition.table.ledger.members[coalition.member]
    totals = json_text.loads(rows[-1].totals)["currencies"]["1"]
    assert totals["supply"] == who.available - 7  # the last trade is the next one's


def test_a_settlement_killed_at_every_step_settles_once(coalition: Coalition, times: Callable[[int, int], int]) -> None:
    """Of one coalition: closes that are each killed at nine points, then others twice once their tx was mined.

    25 of the one and 13 of the other on each database: 50 kills at a point over both, 100 at a stored tx.
    """
    coalition.founded()
    for _ in range(times(25, 500)):
        killed_settlement(coalition, SENT)
    for _ in range(times(13, 250)):
        killed_settlement(coalition, MINED)


@pytest.mark.parametrize("point", ["settlement.tx_stored", "settlement.tx_mined"])
def test_a_deployment_killed_at_every_tx_is_one_deployment(coalition: Coalition, point: str) -> None:
    """Money, contract, the mint, approval and a deposit for each party: every tx killed once, none sent twice."""
    coalition.trade()
    coalition.close(killed=False)
    for kills in range(SENT_AT_FIRST):
        # a tx that an earlier process sent is told as mined again, until the contract itself can be asked
        again = kills if point == "settlement.tx_mined" and kills <= DEPLOYED else 0
        coalition.run(point, count=again + 1)
    coalition.final(coalition.run())


def test_canary_an_outbox_that_forgets_is_caught(coalition: Coalition) -> None:
    coalition.trade()
    coalition.close(killed=False)
    coalition.run("settlement.tx_mined", plant="forget_tx")
    with pytest.raises(AssertionError, match="sent twice"):
        coalition.final(coalition.run())


def test_canary_a_close_in_two_commits_is_caught(coalition: Coalition) -> None:
    coalition.trade()
    with pytest.raises(AssertionError, match="half a close"):
        coalition.close(killed=True, plant="close_in_two")
