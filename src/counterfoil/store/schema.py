"""A PostgreSQL schema of its own for one sandbox, dropped at the end."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from counterfoil.core.errors import Unreachable, Unreadable


@contextmanager
def own_schema(url: str) -> Iterator[str]:
    """A URL whose search path is a fresh schema. Raises Unreadable for a bad URL, Unreachable for no database."""
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(parsed, isolation_level="AUTOCOMMIT")
    except (ArgumentError, SQLAlchemyError) as error:
        raise Unreadable("database", str(error)) from error
    name = f"rehearsal_{secrets.token_hex(6)}"
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
    except SQLAlchemyError as error:
        raise Unreachable("database", str(error).splitlines()[0]) from error
    given = parsed.query.get("options", "")
    options = f"{given} -csearch_path={name}".strip()
    try:
        yield parsed.update_query_dict({"options": options}).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text("SET client_min_messages = warning"))
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        engine.dispose()


def is_postgresql(url: str) -> bool:
    """Whether a URL names PostgreSQL."""
    return url.startswith("postgres")
