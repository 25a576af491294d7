from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from counterfoil.audit.onchain import Chain
from tests.audit.coalition import Coalition, year
from tests.audit.seldom import furnish, seldom


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a coalition whose contract stands and whose books are empty: to be copied."""
    home = tmp_path_factory.mktemp("deployed") / "home"
    made = Coalition(home)
    made.deploy()
    made.end()
    return home


@pytest.fixture
def founded(deployed: Path, tmp_path: Path) -> Iterator[Callable[[], Coalition]]:
    """Each call gives a fresh coalition, deployed."""
    open_ones: list[Coalition] = []

    def found() -> Coalition:
        home = tmp_path / f"home{len(open_ones)}"
        shutil.copytree(deployed, home)
        open_ones.append(Coalition(home))
        return open_ones[-1]

    yield found
    for one in open_ones:
        one.end()


@pytest.fixture(scope="session")
def settled(deployed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Coalition, Path, Chain]]:
    """A coalition with all verbs in four settlements, its exports (not to be written to), and its chain."""
    home = tmp_path_factory.mktemp("settled") / "home"
    shutil.copytree(deployed, home)
    made = Coalition(home)
    year(made)
    yield made, made.export(home.parent / "ledger"), made.chain()
    made.end()


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Coalition, Path, Chain]]:
    """The same with the whole rulebook, in several currencies and two settlements more."""
    made = Coalition(tmp_path_factory.mktemp("whole") / "home")
    furnish(made)
    year(made)
    seldom(made)
    yield made, made.export(made.home.parent / "ledger"), made.chain()
    made.end()


@pytest.fixture
def copy(settled: tuple[Coalition, Path, Chain], tmp_path: Path) -> Path:
    """A copy of the exports to tamper with."""
    return Path(shutil.copytree(settled[1], tmp_path / "copy"))
