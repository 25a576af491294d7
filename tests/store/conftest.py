from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.store.ground import Ground, ground
from tests.store.wallets import ACCOUNTS, linked


@pytest.fixture
def books(database_url: str) -> Iterator[Ground]:
    made = ground(database_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def here(database_url: str) -> Iterator[Ground]:
    made = ground(database_url)
    for member, account in zip(made.members, ACCOUNTS, strict=True):
        linked(made, member, account)
    yield made
    made.engine.dispose()
