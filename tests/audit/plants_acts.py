"""Lies about what operators did."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.core.acts import About
from counterfoil.core.entry import Entry, Move, Repaid
from counterfoil.core.holdings import Holdings
from counterfoil.core.operation import Operation
from counterfoil.core.rulebook import adjustments, merging
from counterfoil.core.rulebook.contracts import Contract
from counterfoil.store import acts, decide, terms
from counterfoil.store.desk import Desk
from tests.audit.coalition import BAKER, GROCER, Coalition
from tests.audit.plants import earned
from tests.audit.seldom import adjusted

Patch = pytest.MonkeyPatch


def silent(patch: Patch, about: About) -> None:
    """No act is written of what is about that."""

    def note(desk: Desk, op: Operation, entry: Entry | None, facts: dict[str, object], rules: bytes) -> Entry | None:
        return None if acts.ABOUT.get(op.verb) is about else acts.note(desk, op, entry, facts, rules)

    patch.setattr(decide, "note", note)


def unsaid(patch: Patch) -> None:
    silent(patch, About.RULEBOOK)


def unsigned(patch: Patch) -> None:
    silent(patch, About.POSTED)


def rules_changed(made: Coalition) -> None:
    earned(made)
    made.act("add_reward", points=10, name="tea", partner=GROCER, cost_micros=90_000, valid_days=None)
    made.settle()


def cheap_points(patch: Patch) -> None:
    """What the operator gives away costs it half."""
    patch.setattr(adjustments, "OPERATOR_TERMS", replace(adjustments.OPERATOR_TERMS, face_micros=5_000))


def given(made: Coalition) -> int:
    ann, _bob = earned(made)
    entry = adjusted(made, ann)
    made.settle()
    return entry


EVERYTHING = merging.everything


def lot_left_behind(patch: Patch) -> None:
    def everything(who: Holdings) -> tuple[tuple[Move, ...], tuple[Repaid, ...]]:
        moves, debts = EVERYTHING(who)
        return moves[:-1], debts

    patch.setattr(merging, "everything", everything)


def debt_left_behind(patch: Patch) -> None:
    patch.setattr(merging, "everything", lambda who: (EVERYTHING(who)[0], ()))


def one_of_two(made: Coalition) -> int:
    """Somebody with two lots, and somebody who owes, become one."""
    ann, bob = earned(made)
    made.do("earn", GROCER, ann, 30)
    entry = made.act("merge", member=ann, recipient=bob)
    made.settle()
    return entry


def indebted_one(made: Coalition) -> int:
    _ann, bob = earned(made)
    eve = made.members(1)[0]
    made.do("earn", GROCER, eve, 30, external_id="eve")
    made.do("burn", GROCER, eve, 30)
    made.do("refund_earn", GROCER, eve, 30, original="eve")
    entry = made.act("merge", member=eve, recipient=bob)
    made.settle()
    return entry


def no_margin(patch: Patch) -> None:
    patch.setattr(terms, "_require_margin", lambda *_asked: None)


def dear_burn(made: Coalition) -> int:
    """A contract promises more than points are worth, out of no budget."""
    ann, _bob = earned(made)
    made.act("add_contract", partner=BAKER, contract=Contract(0, redemption_micros=12_000, since=made.now))
    entry = made.do("burn", BAKER, ann, 10)
    made.settle()
    return entry
