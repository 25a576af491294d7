"""The liability report as a command over exported folders: what the books hold, what the headers say."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from counterfoil.audit.terminal import silent
from counterfoil.core.accounts import POOL
from counterfoil.core.netting import unpack
from counterfoil.core.settlement import Header, unpack_supply
from counterfoil.core.units import rounded_half_even
from counterfoil.features.liability.routes import in_books
from counterfoil.insights.breakage import Assumptions
from counterfoil.insights.ledger import read
from counterfoil.insights.liability import report
from counterfoil.insights.written import written
from tests.audit.coalition import Coalition, year
from tests.audit.seldom import furnish, seldom
from tests.features.liability import command


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Coalition, Path]]:
    """The whole rulebook in six settlements, and the folders of its two exports."""
    made = Coalition(tmp_path_factory.mktemp("liability") / "home")
    furnish(made)
    year(made)
    seldom(made)
    yield made, made.export(made.home.parent / "ledger")
    made.end()


def reckoned(folder: Path, *more: str) -> dict[str, Any]:
    code, out, err = command(folder, *more)
    assert code == 0, err
    shown: dict[str, Any] = json.loads(out)
    return shown


def header(folder: Path, number: int) -> Header:
    content = (folder / f"public/settlements/{number:06d}/header.json").read_text()
    return Header.from_json(json.loads(content)["header"])


def test_figures_are_the_books_own(coalition: tuple[Coalition, Path]) -> None:
    """What the export gives is what the tables hold, lot by lot, in which the report does not look."""
    made, folder = coalition
    shown = reckoned(folder)
    query = """SELECT currency, issuer, sum(available), sum(held), sum(pending), sum(withdrawn), sum(expired)
        FROM lot GROUP BY 1, 2"""
    with made.engine.connect() as connection:
        rows = {(row[0], row[1]): tuple(row[2:]) for row in connection.execute(text(query))}
        owed = {row[0]: row[1] for row in connection.execute(text('SELECT issuer, sum("left") FROM debt GROUP BY 1'))}
    found = {
        (currency["currency"], one["party"]): one
        for currency in shown["currencies"]
        for one in currency["parties"]
        if one["to_date"]["issued"]
    }
    assert found.keys() == rows.keys()
    for key, one in found.items():
        assert (one["available"], one["held"], one["pending"], one["withdrawn"]) == rows[key][:4], key
        if key[0] == 1:
            assert one["debt"] == owed.get(key[1], 0)
    assert sum(one["to_date"]["expired"] for one in found.values()) >= sum(row[4] for row in rows.values()) > 0


def test_every_settlement_tallies_with_its_header(coalition: tuple[Coalition, Path]) -> None:
    _made, folder = coalition
    pool, closing = 0, 0
    for number in range(1, 9):
        shown, said = reckoned(folder, "--settlement", str(number)), header(folder, number).closing
        supply = {one.currency: one.tokens for one in unpack_supply(said.supply)}
        assert {one["currency"]: one["total"]["outstanding"] for one in shown["currencies"]} == supply
        assert {one["currency"]: one["supply"] for one in shown["currencies"]} == supply
        held = shown["coverage"]["pool_micros"]
        assert held == shown["coverage"]["funded_micros"]
        assert rounded_half_even(held - pool) == unpack(said.gross).get(POOL, 0)
        moved = shown["currencies"][0]["total"]["deferred_revenue"]
        assert moved["opening_micros"] == closing
        pool, closing = held, moved["closing_micros"]


def test_the_report_does_not_depend_on_the_handles(coalition: tuple[Coalition, Path], tmp_path: Path) -> None:
    made, folder = coalition
    again = made.export(tmp_path / "again")
    name = "sealed/settlements/000001/handles"
    assert (again / name).read_bytes() != (folder / name).read_bytes()
    assert command(again) == command(folder)
    assert reckoned(folder)["currencies"][0]["total"]["members_who_burned"] > 3


def test_the_books_give_what_their_exports_give(coalition: tuple[Coalition, Path]) -> None:
    """With every verb, several currencies, and members erased."""
    made, folder = coalition
    for number in (3, 6):
        shown = report(read(in_books(made.engine, number), silent), Assumptions())
        assert command(folder, "--settlement", str(number)) == (0, written(shown, "json"), "")


def test_csv_says_what_json_says(coalition: tuple[Coalition, Path], tmp_path: Path) -> None:
    _made, folder = coalition
    assert command(folder, "--format", "csv", "--out", str(tmp_path / "report.csv"))[:2] == (0, b"")
    content = (tmp_path / "report.csv").read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    shown = reckoned(folder)
    figures = {(one["currency"], one["party"], one["figure"]): one["value"] for one in rows}
    assert len(figures) == len(rows) > 200
    baker = next(one for one in shown["currencies"][0]["parties"] if one["name"] == "baker")
    assert figures["CP", "baker", "outstanding"] == str(baker["outstanding"])
    assert figures["CP", "baker", "deferred_revenue.closing_micros"] == str(baker["deferred_revenue"]["closing_micros"])
    assert figures["CP", "baker", "ages.31-90.points"] == str(baker["ages"][1]["points"])
    assert figures["CP", "coalition", "to_date.issued"] == str(shown["currencies"][0]["total"]["to_date"]["issued"])
    assert figures["CP", "", "concentration.herfindahl_bp"] == str(
        shown["currencies"][0]["concentration"]["herfindahl_bp"]
    )
    assert figures["", "", "coverage.coverage_bp"] == "10000"
    assert {one["settlement"] for one in rows} == {"8"}


BROKEN = {
    "public/settlements/000003/header.json": b"{",
    "public/settlements/000003/rulebook.json": b"{}",
    "sealed/settlements/000003/entries": b"\0\0\0\1",
    "sealed/settlements/000003/handles": b"\0" * 17,
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("how", ["missing", "cut", "replaced"])
def test_a_file_that_cannot_be_used_is_named(
    coalition: tuple[Coalition, Path], tmp_path: Path, name: str, how: str
) -> None:
    folder = shutil.copytree(coalition[1], tmp_path / "copy")
    if how == "missing":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(BROKEN[name] if how == "replaced" else (folder / name).read_bytes()[:-16])
    code, out, err = command(folder)
    assert (code, out) == (2, b"")
    assert err.startswith(f"counterfoil: {name.partition('/')[2]}")
    assert err.count("\n") == 1
    assert command(folder, "--settlement", "2")[0] == 0  # what comes before stands


@pytest.mark.parametrize("name", BROKEN)
def test_bytes_that_flip_are_said_in_a_line(
    coalition: tuple[Coalition, Path], tmp_path: Path, name: str, times: Callable[[int, int], int]
) -> None:
    """In the header and the handles some bytes do not matter to the report; nowhere is there a traceback."""
    folder, dice = shutil.copytree(coalition[1], tmp_path / "copy"), random.Random(name)
    whole, found = (folder / name).read_bytes(), set()
    for _ in range(times(25, 1_000)):
        content = bytearray(whole)
        for place in dice.sample(range(len(content)), dice.choice([1, 1, 8])):
            content[place] ^= dice.randrange(1, 256)
        (folder / name).write_bytes(content)
        code, out, err = command(folder, "--settlement", "3")
        assert (code, bool(out), err.count("\n")) in {(0, True, 0), (2, False, 1)}, err
        found.add(code)
    assert found <= {0, 2}
    assert 2 in found or name.endswith("handles")


def test_canary_a_planted_figure_is_caught(coalition: tuple[Coalition, Path], tmp_path: Path) -> None:
    """One point more in one lot of the sealed export."""
    folder = shutil.copytree(coalition[1], tmp_path / "copy")
    path = folder / "sealed/settlements/000001/entries"
    content = bytearray(path.read_bytes())
    place = content.index((1_000).to_bytes(8, "big"))
    content[place + 7] += 1
    path.write_bytes(content)
    code, _out, err = command(folder)
    assert (code, err) == (2, "counterfoil: settlements/000001/entries: is not the file of its header's manifest\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--settlement", "9"), "settlements/000009/header.json: is missing"),
        (("--estimate", "16"), "estimate"),
        (("--out", "/dev/null/report"), "/dev/null/report"),
        (("--sealed", "/nowhere"), "/nowhere: is not a folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    coalition: tuple[Coalition, Path], words: tuple[str, ...], said: str
) -> None:
    code, _out, err = command(coalition[1], *words)
    assert (code, err.count("\n")) == (2, 1)
    assert said in err


def test_a_pipe_that_closes_is_no_traceback(coalition: tuple[Coalition, Path]) -> None:
    import subprocess

    folder = coalition[1]
    words = [sys.executable, "-m", "counterfoil", "liability", "--sealed", str(folder / "sealed")]
    end, write = os.pipe()
    os.close(end)
    done = subprocess.run(
        [*words, "--public", str(folder / "public")], stdout=write, stderr=subprocess.PIPE, check=False
    )  # fmt: skip
    os.close(write)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
