"""The ground other tests stand on: two engines, empty rooms, a server that keeps what it acknowledged."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.postgres import Server, dsn, own_server


def answer(url: str, *statements: str) -> object:
    """What the last statement says."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            for statement in statements[:-1]:
                connection.execute(text(statement))
            return connection.scalar(text(statements[-1]))
    finally:
        engine.dispose()


def test_both_engines_start_empty(database_url: str) -> None:
    said = answer(database_url, "CREATE TABLE room (amount BIGINT)", "SELECT count(*) FROM room")
    assert said == 0


def test_rooms_are_apart(fresh_schema: Callable[[], str], fresh_database: Callable[[], str]) -> None:
    for url in (fresh_schema(), fresh_schema(), fresh_database()):
        assert answer(url, "CREATE TABLE room (amount BIGINT)", "SELECT count(*) FROM room") == 0


def test_schemas_are_dropped(postgres: Server) -> None:
    with postgres.schema() as url:
        name = answer(url, "SELECT current_schema()")
    assert answer(postgres.url, f"SELECT to_regnamespace('{name}')") is None


def test_durability_is_on(postgres_url: str) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert answer(postgres_url, f"SELECT current_setting('{setting}')") == "on"


def test_a_crash_keeps_what_was_committed() -> None:
    with own_server() as server:
        answer(server.url, "CREATE TABLE room (amount BIGINT)", "INSERT INTO room VALUES (7) RETURNING 1")
        server.crash()
        server.start()
        assert answer(server.url, "SELECT amount FROM room") == 7


def test_pgbench_reaches_the_server(pgbench_path: Path, fresh_database: Callable[[], str]) -> None:
    subprocess.run([pgbench_path, "-i", "-q", dsn(fresh_database())], check=True, capture_output=True)
