"""However many operations are decided and written together, the answers and the books are the same."""

from __future__ import annotations

import random
from typing import Any

import pytest

from counterfoil.core.operation import Answer, Operation
from counterfoil.store import registry
from counterfoil.store.posting import Poster
from tests.store.ground import NOON, A, B, Ground

STRIDE = "counterfoil.store.posting.STRIDE"
WHOLE = 10_000


class History:
    """The same operations for any stride: members and names of its own, one source of chance."""

    def __init__(self, books: Ground, seed: int, name: str) -> None:
        self.books, self.chance, self.name, self.count = books, random.Random(seed), name, 0
        made = registry.add_members(books.engine, A, [f"{name}-{place}" for place in range(4)], NOON)
        self.members = [number for number, _new in made]
        self.originals: list[tuple[str, int, str]] = []
        self.holds: list[tuple[int, int]] = []

    def batch(self, verbs: list[str], size: int) -> list[Operation]:
        made = [self.one(self.chance.choice(verbs)) for _ in range(size)]
        again = self.chance.sample(made, 3)  # a key seen before in the same transaction
        return [*made, *again]

    def one(self, verb: str) -> Operation:
        self.count += 1
        name, partner = f"{self.name}-{self.count}", self.chance.choice((A, B))
        member, recipient = self.chance.sample(self.members, 2)
        points = self.chance.choice((1, 20, 100, 300))
        more: dict[str, Any] = {"member": member}
        if verb.startswith("refund_"):
            kind = verb.removeprefix("refund_")
            known = [one for one in self.originals if one[0] == kind] or [(kind, A, "nothing")]
            _kind, partner, original = self.chance.choice(known)
            more = {"original": original}
        elif verb == "capture":
            hold, partner = self.chance.choice(self.holds)
            more = {"hold": hold}
        elif verb == "transfer":
            more["recipient"] = recipient
        elif verb == "hold":
            more["ttl_seconds"] = 600
        if verb in {"earn", "burn"}:
            self.originals.append((verb, partner, name))
        return Operation(verb, partner, name, name.encode(), external_id=name, points=points, **more)

    def post(self, operations: list[Operation]) -> list[Any]:
        answers, _group = Poster(self.books.engine).post(operations)
        self.holds += [
            (one.entry, op.partner) for op, one in zip(operations, answers, strict=True) if op.verb == "hold" and one.ok
        ]
        return [self.told(one) for one in answers]

    def told(self, answer: Answer) -> tuple[Any, ...]:
        """An answer without the names that differ from one history to another."""
        facts = {name: value for name, value in answer.facts.items() if name not in NAMES}
        return answer.ok, answer.replayed, facts

    def left(self) -> list[Any]:
        chosen = ", ".join(map(str, self.members))
        place = {member: place for place, member in enumerate(self.members)}
        rows: list[Any] = []
        for table in TABLES:
            found = self.books.rows(f"SELECT member, {table[1]} FROM {table[0]} WHERE member IN ({chosen})")
            rows.append(sorted((place[member], *values) for member, *values in found))
        effects = self.books.rows("SELECT external_id, kind, refunded FROM effect ORDER BY entry")
        return [*rows, [tuple(rest) for name, *rest in effects if name.startswith(f"{self.name}-")]]


NAMES = {"member", "recipient", "hold", "refers_to", "detail", "entry", "external_id", "value"}
TABLES = (
    ("(SELECT id AS member, available, held, debt FROM member) AS sums", "available, held, debt"),
    ("lot", "points, available, held, burned, expired, issuer"), ("debt", 'points, "left", issuer'),
    ("hold", "partner, state"), ("entry", "verb, partner"),
)  # fmt: skip
PLAIN = ["earn", "earn", "burn", "hold", "transfer"]  # name nothing that must be read first
MIXED = [*PLAIN, "refund_earn", "refund_burn", "capture"]


@pytest.mark.parametrize("seed", range(6))
def test_any_stride_leaves_the_same_books(books: Ground, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    histories = {stride: History(books, seed, f"s{stride}") for stride in (1, 3, 7, WHOLE)}
    told: dict[int, list[Any]] = {}
    for stride, history in histories.items():
        monkeypatch.setattr(STRIDE, stride)
        told[stride] = []
        for verbs in (PLAIN, ["hold"], MIXED, PLAIN, MIXED):
            told[stride] += history.post(history.batch(verbs, 24))
    for stride, history in histories.items():
        assert told[stride] == told[WHOLE]
        assert history.left() == histories[WHOLE].left()
    accepted = [ok for ok, _replayed, _facts in told[WHOLE]]
    assert 60 < sum(accepted) < len(accepted)


def test_an_earn_reads_only_what_it_names(books: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strides after the first once took the entries of those before for originals, and read all their lots again."""
    read: list[int] = []
    load = "counterfoil.store.state.State._add_lots"
    monkeypatch.setattr(load, lambda _state, rows: read.append(len(list(rows))))
    monkeypatch.setattr(STRIDE, 5)
    history = History(books, 1, "few")
    Poster(books.engine).post(history.batch(["earn"], 40))
    assert sum(read) == 0
