"""Migrations: what they make is what the tables say, and books of the revision before come through with what they hold."""

from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, make_url

from counterfoil.store.engine import migrate, open_books
from counterfoil.store.tables import metadata


def to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "counterfoil:store/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    connection.commit()


def test_the_migrations_make_the_tables(database_url: str) -> None:
    engine = open_books(database_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert differences == []


def test_lots_of_the_revision_before_have_nothing_in_wallets(database_url: str) -> None:
    url = make_url(database_url)
    engine = create_engine(url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url)
    with engine.connect() as connection:
        to(connection, "0003")
        funding = "x''" if engine.dialect.name == "sqlite" else "''::bytea"
        names = 'entry, "index", member, points, currency, issuer, earned_at, expires_at, available_at, funding, origin_entry'
        rest = "origin_index, prepaid, available, held, burned, expired, pending"
        connection.exec_driver_sql(
            f"INSERT INTO lot ({names}, {rest}) VALUES (1, 0, 7, 10, 1, 16, 0, 9, 0, {funding}, 0, 0, 0, 4, 3, 2, 1, 0)"
        )
        connection.commit()
        migrate(connection)
        migrate(connection)  # twice is once
        query = "SELECT points, available, held, burned, expired, pending, withdrawn FROM lot"
        assert [tuple(row) for row in connection.exec_driver_sql(query)] == [(10, 4, 3, 2, 1, 0, 0)]
        assert connection.exec_driver_sql("SELECT count(*) FROM claim_leaf").scalar_one() == 0
    engine.dispose()
