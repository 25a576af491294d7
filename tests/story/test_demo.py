"""The demo as anybody runs it, and its figures to the point and the micro-unit; interrupted, it goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from counterfoil.features.liability.command import reckoned
from counterfoil.rehearsal.demo import _tables, stale
from counterfoil.rehearsal.history import PARTNERS
from tests.house import tree
from tests.story import oracle

NAMES = [name for name, _rate, _departments in PARTNERS]


def command(home: Path, *flags: str) -> list[str]:
    figures = home.with_suffix(".json")
    return [
        sys.executable, "-m", "counterfoil.rehearsal.demo", "--home", str(home), "--json", str(figures), *flags,
    ]  # fmt: skip


def run(home: Path, seconds: int, *flags: str) -> tuple[dict[str, Any], str]:
    done = subprocess.run(
        command(home, *flags), check=False, capture_output=True, text=True, timeout=seconds, cwd=home.parent
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    figures: dict[str, Any] = json.loads(home.with_suffix(".json").read_text(encoding="utf-8"))
    return figures, done.stdout


def assert_shape(figures: dict[str, Any]) -> None:
    numbers = ("members", "baskets", "earns", "burns", "issued", "burned", "outstanding", "supply")
    assert set(figures) == {*numbers, "settlements", "findings", "forgery"}
    assert all(type(figures[name]) is int for name in numbers)
    for number, one in enumerate(figures["settlements"], 1):
        money = ("pool_micros", "operator_micros", "rounding_micros")
        assert set(one) == {"number", "partners", *money, "tx"}
        assert one["number"] == number
        assert one["tx"].startswith("0x")
        assert len(one["tx"]) == 66
        assert list(one["partners"]) == NAMES
        for row in one["partners"].values():
            assert set(row) == {"issued", "burned", "net_micros", "settled_micros"}
            assert all(type(value) is int for value in row.values())
        assert sum(row["settled_micros"] for row in one["partners"].values()) + sum(one[name] for name in money) == 0
    forgery = figures["forgery"]
    assert set(forgery) == {"member", "points", "findings", "entry", "settlement", "header"}
    assert forgery["points"] == 100
    assert forgery["member"].startswith("mbr_")
    assert forgery["entry"].startswith("ent_")
    assert forgery["settlement"] in {one["number"] for one in figures["settlements"]}
    assert forgery["header"].startswith("0x")
    assert any(one["entry"] == forgery["entry"] for one in forgery["findings"])


def assert_figures(figures: dict[str, Any], *, year: bool) -> None:
    """The demo's figures are the oracle's, the supply is the liability, the audit is clean and the forgery is not."""
    assert_shape(figures)
    expected = oracle.compute(year)
    settlements = [{name: value for name, value in one.items() if name != "tx"} for one in figures["settlements"]]
    found = {name: figures[name] for name in expected if name != "settlements"}
    assert {**found, "settlements": settlements} == expected
    assert figures["supply"] == figures["outstanding"]
    assert figures["findings"] == []


def assert_liability(exports: Path, figures: dict[str, Any]) -> None:
    """The liability report over the demo's exports has the same points, covered to the micro-unit."""
    (one,) = json.loads(reckoned(exports / "public", exports / "sealed", None, 0, [], "json"))["currencies"]
    flows = one["total"]["to_date"]
    found = {"issued": flows["issued"], "burned": flows["burned"], "outstanding": one["total"]["outstanding"]}
    assert {**found, "supply": one["supply"]} == {name: figures[name] for name in (*found, "supply")}
    parties = {row["name"]: row for row in one["parties"]}
    for name in NAMES:  # a settlement's figures by partner are burns at its tills, the report's of its own points too
        sold = [settlement["partners"][name] for settlement in figures["settlements"]]
        assert sum(row["issued"] for row in sold) == parties[name]["to_date"]["issued"]
        assert sum(row["burned"] for row in sold) == parties[name]["to_date"]["burned_here"]


@pytest.mark.timeout(900)
def test_the_default_weeks_interrupted_twice(tmp_path: Path) -> None:
    """SIGINT while the baskets go through, SIGKILL later on, then to the end: the same figures as if nothing had been."""
    home = tmp_path / "home"
    books = home / "gateway" / "books.db"
    for number, how in enumerate((signal.SIGINT, signal.SIGKILL), 1):
        process = subprocess.Popen(
            command(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path, start_new_session=True
        )
        deadline = time.monotonic() + 300
        while entries(books) < number * 6_000:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(how)
        process.wait(60)
        assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
        assert ended(home), "a process of the demo lives on"
        assert not home.with_suffix(".json").exists()
    figures, said = run(home, 600)
    assert_figures(figures, year=False)
    assert "0 failed, 0 not run, 0 findings" in " ".join(said.split())
    assert len(list((home / "pictures").glob("*.svg"))) == 2
    assert_liability(home / "exports", figures)

    again, _ = run(home, 300)  # and once more: everything is there, nothing happens twice
    assert again["settlements"] == figures["settlements"]
    assert {name: again[name] for name in ("earns", "burns", "issued", "burned", "supply")} == {
        name: figures[name] for name in ("earns", "burns", "issued", "burned", "supply")
    }


def entries(books: Path) -> int:
    """How many stand in the books, read from outside."""
    import sqlite3

    if not books.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{books}?mode=ro", uri=True, timeout=5) as connection:
            return int(connection.execute("SELECT count(*) FROM entry").fetchone()[0])
    except sqlite3.OperationalError:  # its tables are being made
        return 0


def ended(home: Path) -> bool:
    """Whether within a moment no process is left that was started with this folder."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not any(str(home).encode() in words for words in command_lines()):
            return True
        time.sleep(0.1)
    return False


def command_lines() -> list[bytes]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                found.append((entry / "cmdline").read_bytes())
            except OSError:
                continue
    return found


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_the_year(tmp_path: Path) -> None:
    figures, _said = run(tmp_path / "home", 7_000, "--year")
    assert_figures(figures, year=True)
    assert len(figures["settlements"]) == 13


def test_the_command_is_the_scripts(tmp_path: Path) -> None:
    script = (tree.ROOT / "scripts" / "demo").read_text(encoding="utf-8")
    assert "counterfoil.rehearsal.demo" in script
    done = subprocess.run([*command(tmp_path / "home"), "--nonsense"], check=False, capture_output=True, text=True)
    assert done.returncode == 2


def test_what_another_version_kept_is_stale_and_anything_else_is_none(tmp_path: Path) -> None:
    assert not stale(tmp_path)
    (tmp_path / "tables.sha256").write_text("0" * 64)
    assert not stale(tmp_path), "somebody's own folder is never taken for a run"
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "operator.api-key").write_text("cf_")
    assert stale(tmp_path)
    (tmp_path / "tables.sha256").write_text(_tables())
    assert not stale(tmp_path)
