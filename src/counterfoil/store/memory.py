"""What the chain side must remember, durably, in the same database as the books: chain.client.Memory."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError

from counterfoil.store.engine import writing
from counterfoil.store.tables import memory


@dataclass(frozen=True, slots=True)
class BooksMemory:
    """Names and texts; each call is its own commit."""

    engine: Engine

    def recall(self, name: str) -> str | None:
        """The text kept under a name."""
        with self.engine.connect() as connection:
            return connection.execute(select(memory.c.value).where(memory.c.name == name)).scalar_one_or_none()

    def claim(self, name: str, value: str) -> str:
        """Keep a text unless one is kept under that name: the first comer's stands, and is the answer."""
        try:
            with writing(self.engine) as connection:
                connection.execute(insert(memory).values(name=name, value=value))
        except IntegrityError:
            return self.recall(name) or self.claim(name, value)
        return value

    def remember(self, name: str, value: str) -> None:
        """Keep a text, instead of what was there."""
        with writing(self.engine) as connection:
            connection.execute(delete(memory).where(memory.c.name == name))
            connection.execute(insert(memory).values(name=name, value=value))

    def forget(self, name: str) -> None:
        """Drop a name."""
        with writing(self.engine) as connection:
            connection.execute(delete(memory).where(memory.c.name == name))
