"""Runs revisions on the connection that `open_books` hands in; one process at a time on PostgreSQL."""

from alembic import context
from sqlalchemy import text

from counterfoil.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
with context.begin_transaction():
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(61616)"))
    context.run_migrations()
