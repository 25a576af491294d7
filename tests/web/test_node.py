"""The browser's verifiers under Node: their own tests, and the vectors they are held to."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE_TESTS = sorted(HERE.glob("*.test.mjs"))
OLDEST_NODE = 20
NEEDED = f"the pages' verifiers need Node {OLDEST_NODE} or newer to be tested"


@pytest.fixture(scope="module")
def node() -> str:
    """The Node to run; a machine without one has not tested the pages, and says so."""
    found = shutil.which("node")
    if found is None:
        pytest.fail(f"node is not on PATH: the pages' verifiers need Node {OLDEST_NODE} or newer to be tested")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < OLDEST_NODE:
        pytest.fail(f"node is {version}: {NEEDED}")
    return found


def test_there_are_node_tests() -> None:
    assert len(NODE_TESTS) >= 5


@pytest.mark.parametrize("file", NODE_TESTS, ids=lambda file: file.name.removesuffix(".test.mjs"))
def test_node(node: str, file: Path) -> None:
    run = subprocess.run([node, "--test", file], check=False, capture_output=True, text=True, timeout=150)
    assert run.returncode == 0, run.stdout + run.stderr


def test_vectors_are_what_python_makes() -> None:
    program = [sys.executable, str(HERE / "vectors.py")]
    made = subprocess.run(program, check=False, capture_output=True, text=True, timeout=150)
    assert made.returncode == 0, made.stderr
    assert made.stdout == (HERE / "vectors.json").read_text(encoding="utf-8")
