"""Random lives with wallets, settled and audited: the auditor tells each rule again, and finds nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from counterfoil.audit.rules import wallets as rules
from counterfoil.core.accounts import OPERATOR
from counterfoil.core.entry import Verb
from counterfoil.core.holdings import Lot
from counterfoil.core.operation import Operation
from counterfoil.store import books
from tests.audit.coalition import CONTRACTS, Coalition, audited
from tests.audit.seldom import event, linked

STEPS, EVERY = 60, 20  # a settlement every so many steps


class Walk:
    """A coalition of four members with accounts; what the rules turn down is no matter."""

    def __init__(self, made: Coalition, seed: int) -> None:
        self.made, self.dice = made, random.Random(seed)
        made.open_claims()
        self.members = made.members(4)
        self.accounts = {member: linked(made, member, "abcd"[place]) for place, member in enumerate(self.members)}
        self.sales: list[tuple[str, int, str]] = []  # verb, partner, name

    def post(self, verb: str, partner: int, **fields: object) -> None:
        name = f"{verb}-{len(self.made.kept)}-{self.dice.random()}"
        op = replace(Operation(verb, partner, external_id=name), **fields)
        (answer,), _group = self.made.poster.post([op])
        if answer.ok and answer.entry and verb in {"earn", "burn"}:
            self.sales.append((verb, partner, name))
        if answer.ok and verb == "redeem" and answer.facts["status"] == "redeemed":
            self.sales.append(("burn", partner, name))

    def step(self) -> None:
        made, dice = self.made, self.dice
        (member, other), partner = dice.sample(self.members, 2), dice.choice(list(CONTRACTS))
        points = dice.randint(1, 60)
        match dice.choice(
            ["earn", "earn", "burn", "withdraw", "withdraw", "back", "back", "redeem", "refund", "gift", "wait"]
        ):
            case "earn" | "burn" as verb:
                self.post(verb, partner, member=member, points=points)
            case "withdraw":
                self.post("withdraw", OPERATOR, member=member, points=points, more={})
            case "back" | "redeem" as verb:
                more = {**event(made), "index": dice.randrange(2**40), "account": self.accounts[member]}
                at = partner if verb == "redeem" else 0
                self.post("redeem" if at else "give_back", OPERATOR, points=points, more={**more, "partner": at})
            case "refund" if self.sales:
                sold, seller, name = dice.choice(self.sales)
                self.post(f"refund_{sold}", seller, points=points, original=name)
            case "gift":
                self.post("transfer", partner, member=member, recipient=other, points=points)
            case "wait":
                made.wait(dice.choice([0.5, 3, 9]))
            case _:
                pass


def walked(made: Coalition, seed: int) -> set[Verb]:
    """Live, settle now and then; which verbs there were."""
    walk = Walk(made, seed)
    for place in range(STEPS):
        walk.step()
        if place % EVERY == EVERY - 1:
            made.settle()
    return {row.entry.verb for row in books.rows_of(made.engine, limit=5_000)}


def test_the_auditor_finds_nothing(
    founded: Callable[[], Coalition], tmp_path: Path, times: Callable[[int, int], int]
) -> None:
    seen: set[Verb] = set()
    for seed in range(times(8, 300)):
        made = founded()
        seen |= walked(made, seed)
        report = audited(made.export(tmp_path / f"ledger{seed}"), made.chain())
        assert report.findings == [], seed
        assert {one.status for one in report.checks} == {"passed"}
    assert seen >= {
        Verb.WITHDRAW,
        Verb.GIVE_BACK,
        Verb.REDEEM,
        Verb.REFUND_BURN,
        Verb.REFUND_EARN,
        Verb.EXPIRE,
        Verb.REPAY,
    }


def test_canary_another_rule_than_the_books_is_noticed(
    founded: Callable[[], Coalition], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An auditor that thinks others' lots come first finds something soon."""
    honest, found = rules._in_wallets, 0
    for seed in range(4):
        made = founded()
        walked(made, seed)
        ledger, chain = made.export(tmp_path / f"ledger{seed}"), made.chain()
        with monkeypatch.context() as patch:
            patch.setattr(
                rules, "_in_wallets", lambda before, currency: iter(sorted(honest(before, currency), key=_others_first))
            )
            found += len(audited(ledger, chain).findings)
    assert found


def _others_first(pair: tuple[Lot, bool]) -> tuple[bool, object]:
    return (pair[1], pair[0].burn_key())
