"""Books without a gateway: a programme with partners and members, and operations to post."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from counterfoil.core.accounts import OPERATOR
from counterfoil.core.operation import Operation
from counterfoil.core.rulebook.contracts import Contract
from counterfoil.store import registry
from counterfoil.store.engine import Engine, open_books
from counterfoil.store.posting import Poster
from counterfoil.store.writer import Writer

NOON = 1_764_583_200_000_000  # 2025-12-01T10:00:00Z
A, B = 16, 17


@dataclass
class Ground:
    engine: Engine
    members: list[int] = field(default_factory=list)

    def poster(self) -> Poster:
        return Poster(self.engine)

    @contextmanager
    def writer(self) -> Iterator[Writer]:
        writer = Writer(self.poster())
        try:
            yield writer
        finally:
            writer.close()

    def count(self, table: str) -> int:
        with self.engine.connect() as connection:
            return int(connection.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]


def earn(key: str, member: int, points: int = 10, partner: int = A, **more: Any) -> Operation:
    digest = hashlib.sha256(f"{member} {points}".encode()).digest()
    return Operation("earn", partner, key, digest, external_id=f"e-{key}", member=member, points=points, **more)


def burn(key: str, member: int, points: int, partner: int = A) -> Operation:
    digest = hashlib.sha256(f"burn {member} {points}".encode()).digest()
    return Operation("burn", partner, key, digest, external_id=f"b-{key}", member=member, points=points)


def change(engine: Engine, verb: str, points: int = 0, **more: Any) -> dict[str, Any]:
    """A change of the programme by its operator: the facts."""
    (answer,), _group = Poster(engine).post([Operation(verb, OPERATOR, points=points, more=more)])
    assert answer.ok, answer.facts
    return answer.facts


def enrolled(engine: Engine, name: str, contract: Contract | None = None, signer: str | None = None) -> int:
    """A new partner's number."""
    made = change(engine, "add_partner", name=name, contracts=[contract or Contract(1)], signer=signer)
    return int(made["partner"])


def ground(url: str, members: int = 3) -> Ground:
    engine = open_books(url)
    registry.found(engine, zone="Europe/Warsaw", livemode=False, entropy=b"\x07" * 32)
    registry.set_clock(engine, NOON)
    for name in "AB":
        enrolled(engine, name)
    made = registry.add_members(engine, A, [f"m{place}" for place in range(members)], NOON)
    return Ground(engine, [number for number, _new in made])
