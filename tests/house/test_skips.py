"""Canaries: a skip without leave fails a run, one with leave does not, and `long` waits for --long."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.house import tree

CONFTEST = """
import sys
sys.path.insert(0, {root!r})
from tests.house.skips import Skips

def pytest_configure(config):
    config.addinivalue_line("markers", "long: only with --long")
    config.pluginmanager.register(Skips(long={long}), "skips")
"""
Run = Callable[..., tuple[int, str]]
PLAIN = "def test_plain(): pass\n"
SKIPPED = "import pytest\n@pytest.mark.skip(reason={reason!r})\ndef test_it(): pass\n"


@pytest.fixture(params=[(), ("-p", "xdist.plugin", "--numprocesses=2")], ids=["alone", "in two processes"])
def run(request: pytest.FixtureRequest) -> Run:
    return partial(run_with, request.param)


def run_with(arguments: tuple[str, ...], folder: Path, text: str, *, long: bool = False) -> tuple[int, str]:
    (folder / "conftest.py").write_text(CONFTEST.format(root=str(tree.ROOT), long=long))
    (folder / "test_it.py").write_text(PLAIN + text)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir=."]
    bare = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # starts three times as fast
    done = subprocess.run(
        [*command, *arguments, "."], cwd=folder, check=False, capture_output=True, text=True, env=bare
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SKIPPED.format(reason="no time"), id="a test"),
        pytest.param("import pytest\npytest.skip('no', allow_module_level=True)\n", id="a module"),
        pytest.param("def test_it():\n import pytest\n pytest.importorskip('no_such')\n", id="a library"),
    ],
)
def test_a_skip_without_leave_fails_the_run(run: Run, tmp_path: Path, text: str) -> None:
    code, said = run(tmp_path, text)
    assert code != 0
    assert "SKIPPED WITHOUT LEAVE" in said


def test_a_skip_with_leave_is_shown_and_passes(run: Run, tmp_path: Path) -> None:
    code, said = run(tmp_path, SKIPPED.format(reason="COUNTERFOIL_CITUS_DSN is not set"))
    assert code == 0
    assert "as tests/house/skips.py allows: test_it.py::test_it" in said


@pytest.mark.parametrize(("long", "outcome"), [(False, "1 passed, 1 deselected"), (True, "2 passed")])
def test_long_tests_wait_for_their_option(run: Run, tmp_path: Path, long: bool, outcome: str) -> None:
    code, said = run(tmp_path, "import pytest\n@pytest.mark.long\ndef test_it(): pass\n", long=long)
    assert code == 0
    if "created: 2/2 workers" in said:  # the process that prints deselects nothing itself
        outcome = outcome.removesuffix(", 1 deselected")
    assert outcome in said
    assert ("left out without --long: test_it.py::test_it" in said) is not long
