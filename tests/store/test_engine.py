"""Opening books: durable or not at all, tables made from nothing, a schema for a sandbox and gone again."""

from __future__ import annotations

import gc
import sqlite3
import warnings
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import inspect, make_url, text
from sqlalchemy.exc import IntegrityError

from counterfoil.core.errors import Unreachable, Unreadable
from counterfoil.store import registry, tables
from counterfoil.store.engine import open_books, writing
from counterfoil.store.schema import is_postgresql, own_schema
from tests.postgres import Server, dsn
from tests.store.ground import Ground


def test_tables_from_nothing_are_those_of_the_code(database_url: str) -> None:
    engine = open_books(database_url)
    found = inspect(engine)
    assert set(found.get_table_names()) == {*tables.metadata.tables, "alembic_version"}
    for name, table in tables.metadata.tables.items():
        columns = {one["name"]: one for one in found.get_columns(name)}
        assert list(columns) == [column.name for column in table.columns], name  # bulk inserts go by place
        for column in table.columns:
            assert bool(columns[column.name]["nullable"]) is bool(column.nullable), (name, column.name)
        keys = found.get_pk_constraint(name)["constrained_columns"]
        assert keys == [column.name for column in table.primary_key.columns], name
        indexes = {one["name"] for one in found.get_indexes(name) if not one.get("duplicates_constraint")}
        assert {index.name for index in table.indexes} <= indexes, name
    engine.dispose()


def test_opening_again_changes_nothing(database_url: str) -> None:
    first = open_books(database_url)
    founded = registry.found(first, zone="Europe/Warsaw", livemode=False)
    again = open_books(database_url)
    assert registry.found(again, zone="Asia/Tokyo", livemode=True) == founded
    first.dispose()
    again.dispose()


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://x/y", "oracle://", "sqlite+nothing:///x"])
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises((Unreadable, Unreachable)):
        open_books(url)


@pytest.mark.parametrize(
    "url", ["postgresql://127.0.0.1:9/none?connect_timeout=2", "sqlite:////no/such/folder/books.db"]
)
def test_a_database_that_is_not_there(url: str) -> None:
    with pytest.raises(Unreachable) as caught:
        open_books(url)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "books.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises((Unreachable, Unreadable)):
        open_books(f"sqlite:///{tmp_path / 'books.db'}")


def test_sqlite_is_durable(tmp_path: Path) -> None:
    engine = open_books(f"sqlite:///{tmp_path / 'books.db'}")
    for _ in range(3):  # each connection anew
        with engine.connect() as connection:
            pragmas = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("synchronous", "journal_mode", "foreign_keys")
            }
        assert pragmas == {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}
        engine.dispose()


def test_sqlite_takes_the_write_lock_at_once(tmp_path: Path) -> None:
    engine = open_books(f"sqlite:///{tmp_path / 'books.db'}")
    with writing(engine):
        other = sqlite3.connect(tmp_path / "books.db", timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()
    engine.dispose()


@pytest.mark.parametrize("setting", ["synchronous_commit=off"])
def test_a_postgresql_that_may_lose_is_refused(fresh_schema: Callable[[], str], setting: str) -> None:
    url = make_url(fresh_schema())
    options = f"{url.query.get('options', '')} -c{setting}"
    lax = url.update_query_dict({"options": options}).render_as_string(hide_password=False)
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always")
        with pytest.raises(Unreachable, match="synchronous_commit is off"):
            open_books(lax)
        gc.collect()
    assert [str(one.message) for one in left if "still open" in str(one.message)] == []  # no connection is left behind


@pytest.mark.parametrize("setting", ["local", "remote_write", "on"])
def test_a_postgresql_that_keeps_is_taken(fresh_schema: Callable[[], str], setting: str) -> None:
    url = make_url(fresh_schema())
    options = f"{url.query.get('options', '')} -csynchronous_commit={setting}"
    open_books(url.update_query_dict({"options": options}).render_as_string(hide_password=False)).dispose()


def test_plain_postgresql_urls_work(fresh_schema: Callable[[], str]) -> None:
    engine = open_books(dsn(fresh_schema()))
    assert engine.dialect.driver == "psycopg"
    engine.dispose()


def test_writing_commits_or_nothing(books: Ground) -> None:
    with writing(books.engine) as connection:
        connection.execute(text("UPDATE programme SET revision = 77"))
    with pytest.raises(ZeroDivisionError), writing(books.engine) as connection:
        connection.execute(text(f"UPDATE programme SET revision = {88 // connection.closed}"))
    with pytest.raises(IntegrityError), writing(books.engine) as connection:
        connection.execute(text("UPDATE programme SET revision = 88, zone = NULL"))
    assert books.rows("SELECT revision FROM programme") == [(77,)]


def test_a_schema_of_its_own_comes_and_goes(postgres: Server) -> None:
    def schemas() -> set[str]:
        with psycopg.connect(dsn(postgres.url)) as admin:
            rows = admin.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rehearsal_%'").fetchall()
        return {str(row[0]) for row in rows}

    before = schemas()
    with own_schema(dsn(postgres.url)) as url, own_schema(postgres.url) as other:
        assert url != other
        engine = open_books(url)
        registry.found(engine, zone="Europe/Warsaw", livemode=False)
        engine.dispose()
        assert len(schemas() - before) == 2
    assert schemas() == before
    with pytest.raises(RuntimeError), own_schema(postgres.url):
        raise RuntimeError
    assert schemas() == before


@pytest.mark.parametrize("url", ["nonsense", "postgresql://127.0.0.1:9/none?connect_timeout=2", "postgresql+odd://x/y"])
def test_no_schema_there(url: str) -> None:
    with pytest.raises((Unreadable, Unreachable)), own_schema(url):
        pass


def test_which_urls_are_postgresql() -> None:
    assert is_postgresql("postgresql://x")
    assert is_postgresql("postgresql+psycopg://x")
    assert is_postgresql("postgres://x")
    assert not is_postgresql("sqlite:///x")
