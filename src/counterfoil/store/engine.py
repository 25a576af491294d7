"""Engines: SQLite and PostgreSQL set up so that an acknowledged entry is on the disk, and one way to begin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from counterfoil.core.errors import Unreachable, Unreadable
from counterfoil.store import arrays

BUSY_MILLISECONDS = 30_000


__all__ = ["Connection", "Engine", "is_conflict", "migrate", "open_books", "writing"]


def open_books(url: str) -> Engine:
    """An engine with its tables migrated. Raises Unreadable for a bad URL, Unreachable for a database that is not there."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Unreadable("database", str(error)) from error
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise Unreadable("database", f"{parsed.get_backend_name()} is neither sqlite nor postgresql")
    try:
        engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    except NoSuchModuleError as error:
        raise Unreachable("database", str(error)) from error
    event.listen(engine, "handle_error", _translated)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                _assert_durable(connection)
            connection.commit()
            migrate(connection)
    except OperationalError as error:
        engine.dispose()
        raise Unreachable("database", str(error).splitlines()[0]) from error
    except BaseException:
        engine.dispose()
        raise
    return engine


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest revision."""
    config = Config()
    config.set_main_option("script_location", "counterfoil:store/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write; commits at the end. On SQLite it takes the write lock at once (BEGIN IMMEDIATE)."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.execution_options(counterfoil_begin="IMMEDIATE")
        with connection.begin():
            yield connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection whose statements all see the books at one instant."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":  # SQLite's transactions always do
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def _sqlite(url: Any) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_MILLISECONDS / 1000, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN would come too late: ours is below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        if connection.execute("PRAGMA synchronous").fetchone()[0] != 2:
            raise Unreachable("database", "SQLite does not keep synchronous=FULL")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('counterfoil_begin', 'DEFERRED')}")

    return engine


def _postgresql(url: Any) -> Engine:
    engine = create_engine(
        url, isolation_level="READ COMMITTED", pool_size=8, max_overflow=24, pool_pre_ping=True,
        connect_args={"prepare_threshold": 3},
    )  # fmt: skip
    event.listen(engine, "connect", lambda connection, _record: arrays.register(connection))
    return engine


def _assert_durable(connection: Connection) -> None:
    for setting in ("synchronous_commit", "fsync", "full_page_writes"):
        value = connection.execute(text(f"SHOW {setting}")).scalar_one()
        if value == "off":
            raise Unreachable("database", f"{setting} is {value}: an acknowledged entry could be lost")


def _translated(context: ExceptionContext) -> None:
    """A database that went away is Unreachable to everybody above; other errors stay the writer's to judge."""
    if context.is_disconnect or (context.connection is None and isinstance(context.sqlalchemy_exception, DBAPIError)):
        raise Unreachable("books", str(context.original_exception).splitlines()[0])


def is_conflict(error: DBAPIError) -> bool:
    """Whether a transaction failed for a reason that trying again may cure (unique, serialization, deadlock, lock)."""
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in {"23505", "40001", "40P01", "55P03"}
    return "locked" in str(error.orig) or "UNIQUE" in str(error.orig)
