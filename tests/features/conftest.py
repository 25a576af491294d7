from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.stand import START, Stand, stand


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Stand]:
    """A gateway of its own on SQLite, for a test that changes what others would see."""
    with stand(tmp_path / "home") as one:
        one.clock(START)
        yield one


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """One gateway for all tests of a file, which use members of their own."""
    with stand(tmp_path_factory.mktemp("shared")) as one:
        yield one


@pytest.fixture
def engines(database_url: str, tmp_path: Path) -> Iterator[Stand]:
    """The same on both databases."""
    with stand(tmp_path / "home", database_url) as one:
        one.clock(START)
        yield one
