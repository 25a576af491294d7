"""Several gateways over one set of books, without the HTTP: what races, races in the database."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from msgspec.structs import replace

from counterfoil.core.calendar import parse_instant
from counterfoil.core.operation import Answer, Operation
from counterfoil.store import registry
from counterfoil.store.engine import Engine, open_books
from counterfoil.store.posting import Poster
from counterfoil.store.writer import Writer
from tests.faults.ledger import Ledger
from tests.store.ground import enrolled

THREADS = 12
START = parse_instant("2025-01-01T11:00:00Z", "start")
DAY = 86_400_000_000


@dataclass
class Rivals:
    """Two engines as two machines have them, writers over both, and the fold that watches."""

    engines: list[Engine]
    writers: list[Writer]
    partners: list[int]
    ledger: Ledger
    pool: ThreadPoolExecutor
    count: Iterator[int] = field(default_factory=itertools.count)

    @property
    def engine(self) -> Engine:
        return self.engines[0]

    def members(self, count: int) -> list[int]:
        return [number for number, _new in registry.add_members(self.engine, 2, [None] * count, START)]

    def op(self, verb: str, **fields: object) -> Operation:
        """An operation under names of its own, by the first partner unless named."""
        name = f"{verb}-{next(self.count)}"
        plain = Operation(verb, self.partners[0], key=name, digest=name.encode().ljust(32, b"."))
        if verb != "release":
            plain = replace(plain, external_id=name)
        return replace(plain, **fields)

    def done(self, *operations: Operation) -> list[Answer]:
        """Posted in one transaction; each must succeed."""
        answers, _group = self.writers[0].submit(operations).result()
        assert all(answer.ok for answer in answers), answers
        return answers

    def race(self, operations: Sequence[Operation], gateways: int, *, aloud: bool = False) -> list[Answer]:
        """One thread for each operation, all let go at once, over so many gateways; some may fail if `aloud`."""
        barrier = threading.Barrier(len(operations))

        def run(at: int) -> Answer:
            barrier.wait()
            posted = self.writers[at % gateways].submit([operations[at]])
            if aloud and posted.exception() is not None:
                return Answer(ok=False, entry=0, json=b'{"code":"failed"}')
            answers, _group = posted.result()
            return answers[0]

        return list(self.pool.map(run, range(len(operations))))

    def at(self, now: int) -> None:
        registry.set_clock(self.engine, now)

    def balance(self, number: int) -> tuple[int, int, int]:
        """Available, held and debt, once stored and folded were found equal."""
        self.ledger.follow(self.engine)
        who = self.ledger.members[number]
        return who.available, who.held, who.debt


@contextmanager
def rivals(url: str, writers: int = THREADS) -> Iterator[Rivals]:
    engines = [open_books(url), open_books(url)]
    registry.found(engines[0], zone="Europe/Warsaw", livemode=False)
    parties = [enrolled(engines[0], name) for name in ("A", "B", "C")]
    registry.set_clock(engines[0], START)
    threads = [Writer(Poster(engines[at % 2])) for at in range(writers)]
    try:
        with ThreadPoolExecutor(max(THREADS, writers)) as pool:
            yield Rivals(engines, threads, parties, Ledger({n: str(n) for n in parties}), pool)
    finally:
        for one in threads:
            one.close()
        for engine in engines:
            engine.dispose()
