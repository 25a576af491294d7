"""Whatever happened: the documents of a settlement sum to its positions, without a gap in their numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from counterfoil.core import legs
from counterfoil.core.accounts import FIRST_PARTNER, settled_by
from counterfoil.core.entry import Place
from counterfoil.rehearsal.coalition import Coalition
from counterfoil.rehearsal.grammar import read
from counterfoil.rehearsal.host import running
from counterfoil.rehearsal.runner import run_scenario
from counterfoil.store import invoices, json_text, settlements
from counterfoil.store.engine import Engine, open_books
from tests.story import scenarist
from tests.story.stage import trouble


def played(path: Path, database: str) -> list[dict[str, Any]]:
    """The documents of a file's first scenario; what the second rulebook expects of its steps is another test's."""
    scenario = read(path, [])[0]
    with running(scenario.start["zone"], database) as host:
        coalition = Coalition.at(host)
        try:
            result = run_scenario(scenario, coalition)
        finally:
            coalition.close()
    assert result["findings"] == [], trouble(result)
    engine = open_books(database)
    try:
        return checked(engine)
    finally:
        engine.dispose()


def checked(engine: Engine) -> list[dict[str, Any]]:
    """All documents, held against the settlements they are of."""
    bodies = [json_text.loads(row.body) for row in invoices.page(engine, None, 0, 10_000)]
    for row in settlements.every(engine):
        totals = json_text.loads(row.totals)
        mine = [body for body in bodies if body["settlement"] == row.number]
        net: dict[str, int] = defaultdict(int)
        for owner, micros in totals["rounded"].items():
            if settled_by(int(owner)) >= FIRST_PARTNER:
                net[f"partner-{settled_by(int(owner))}"] += micros
        found: dict[str, int] = defaultdict(int)
        for body in mine:
            found[body["buyer"]["entity"]] += body["net_micros"]
        assert {who: n for who, n in found.items() if n} == {who: n for who, n in net.items() if n}
        used: Counter[int] = Counter()
        for body in mine:
            for line in body["lines"]:
                if (line["kind"], line["refund"]) == ("redemption", False):
                    used[body["buyer"]["partners"][0]["id"]] += line["points"]
        assert used == {int(n): points for n, points in totals["burned"].items()}
        corrected = {one["settlement"] for body in mine for one in body["corrects"]}
        assert corrected <= set(totals["refers_to"]) | repaid(mine)
    sound(bodies)
    gapless(bodies)
    return bodies


def repaid(bodies: list[dict[str, Any]]) -> set[int]:
    """Settlements named because a debt out of them was repaid: refunds do not refer to them in this one."""
    lines = [line for body in bodies for line in body["lines"] if line["corrects"]]
    return {line["corrects"] for line in lines if line["kind"] in {"issuance", "fee"}}


def sound(bodies: list[dict[str, Any]]) -> None:
    """Each document adds up by itself."""
    for body in bodies:
        assert body["net_micros"] == sum(line["amount_micros"] for line in body["lines"])
        assert body["net_micros"] % 10_000 == body["tax_micros"] % 10_000 == 0
        assert body["net_micros"] == sum(one["base_micros"] for one in body["taxes"])
        assert body["total_micros"] == body["net_micros"] + body["tax_micros"]
        assert body["kind"] == ("credit_note" if (body["net_micros"] or body["tax_micros"]) > 0 else "invoice")
        for line in body["lines"]:
            if line["unit_micros"]:
                assert abs(line["amount_micros"]) == line["points"] * line["unit_micros"]
        rounding = [line["amount_micros"] for line in body["lines"] if line["kind"] == "rounding"]
        assert len(rounding) <= 1
        assert all(abs(micros) < 10_000 * (1 + len(body["buyer"]["partners"])) for micros in rounding)


def gapless(bodies: list[dict[str, Any]]) -> None:
    """Each series counts from 1 without a gap, in order."""
    series: dict[str, list[int]] = defaultdict(list)
    for body in bodies:
        name, _, serial = body["number"].rpartition("-")
        series[name].append(int(serial))
    assert all(serials == list(range(1, len(serials) + 1)) for serials in series.values()), series


@pytest.mark.timeout(3_600)
@pytest.mark.usefixtures("quiet")
def test_random_histories_sum_to_their_positions(
    tmp_path: Path, fresh_schema: Callable[[], str], times: Callable[[int, int], int]
) -> None:
    corrections = 0
    for seed in range(1, times(2, 100) + 1):
        database = fresh_schema() if seed % 2 else f"sqlite:///{tmp_path / f'{seed}.db'}"
        made = played(scenarist.written(tmp_path, seed, closes=3), database)
        corrections += sum(1 for body in made if body["corrects"])
    assert corrections, "no history corrected a settlement that was closed"


@pytest.mark.usefixtures("quiet")
def test_canary_a_flow_left_out_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = legs.priced

    def without(*args: Any) -> Any:
        return ((leg, move) for leg, move in plain(*args) if move is None or move.target is not Place.BURNED)

    monkeypatch.setattr("counterfoil.core.invoices.priced", without)
    with pytest.raises(AssertionError):
        played(scenarist.written(tmp_path, 2, closes=3), f"sqlite:///{tmp_path / 'books.db'}")
