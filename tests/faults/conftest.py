"""What every fault test stands on: quiet logs, for a planted fault is loud, and one gateway for many small tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import structlog

from tests.faults.till import START, House, open_house
from tests.postgres import Server


@pytest.fixture(autouse=True, scope="package")
def quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway on each database with partners A and B, for all tests of a file: names come from `house.name()`."""
    home: Path = tmp_path_factory.mktemp("shared")
    with ExitStack() as stack:
        url = f"sqlite:///{home / 'books.db'}"
        if request.param == "postgresql":
            server: Server = request.getfixturevalue("postgres")
            url = stack.enter_context(server.schema())
        house = stack.enter_context(open_house(home / "home", url))
        house.partner("A")
        house.partner("B")
        house.clock(START)
        yield house
