"""What every test may stand on: both databases, how often to repeat, and a run that hides no skip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest

from tests.house.skips import Skips
from tests.postgres import Server, server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the long counts, and the tests marked `long`")


def pytest_configure(config: pytest.Config) -> None:
    long = bool(config.getoption("--long"))
    config.pluginmanager.register(Skips(long=long), "counterfoil-skips")
    # a machine under load is slow, and slowness is no finding; a run without --long is reproducible
    hypothesis.settings.register_profile("gate", deadline=None, derandomize=True, database=None)
    hypothesis.settings.register_profile("long", deadline=None, max_examples=5_000)
    hypothesis.settings.load_profile("long" if long else "gate")


@pytest.fixture(scope="session")
def times(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """`times(200, 5_000)`: 200 in the gate, 5,000 with --long."""
    long = bool(request.config.getoption("--long"))
    return lambda gate, with_long: with_long if long else gate


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The PostgreSQL all tests share; it starts with the first test that asks."""
    with server() as running:
        yield running


@pytest.fixture(scope="session")
def postgres_url(postgres: Server) -> str:
    """The shared server's own database: a test works in `fresh_schema` or `fresh_database` instead."""
    return postgres.url


@pytest.fixture(scope="session")
def pgbench_path(postgres: Server) -> Path:
    return postgres.pgbench_path


@pytest.fixture
def fresh_schema(postgres: Server) -> Iterator[Callable[[], str]]:
    """Each call gives the URL of a new, empty schema."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(postgres.schema())


@pytest.fixture
def fresh_database(postgres: Server) -> Iterator[Callable[[], str]]:
    """Each call gives the URL of a new, empty database: slower than a schema, alone with its locks."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(postgres.database())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The same test on both engines: a file beside the test, or a schema of its own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'books.db'}"
        return
    shared: Server = request.getfixturevalue("postgres")
    with shared.schema() as url:
        yield url
