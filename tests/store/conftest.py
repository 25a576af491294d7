from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.store.ground import Ground, ground


@pytest.fixture
def books(database_url: str) -> Iterator[Ground]:
    made = ground(database_url)
    yield made
    made.engine.dispose()
