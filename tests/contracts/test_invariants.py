"""Seeded histories of everything at once, against a model in a few dicts; and bugs that the same histories catch."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from counterfoil.chain.artifacts import load
from tests.contracts.history import History
from tests.contracts.model import Model
from tests.contracts.programme import Programme

STEPS, LOOK_EVERY = 40, 4


def played(programme: Programme, seed: int, model: type[Model] = Model, steps: int = STEPS) -> History:
    history = History(programme, random.Random(seed), model())
    for place in range(steps):
        history.step()
        if place % LOOK_EVERY == LOOK_EVERY - 1:
            history.look()
    return history


@pytest.mark.parametrize("seed", range(2))
def test_a_history_keeps_the_invariants(programme: Programme, seed: int) -> None:
    history = played(programme, seed)
    assert history.model.number >= 1


# every kind of step, in an order in which each is possible
SCRIPT = (
    "deposit", "request", "propose", "challenge", "confirm", "finalize", "claim", "give_back", "redeem", "withdraw",
    "propose", "challenge", "void", "pause", "propose", "finalize", "claim",
)  # fmt: skip


def scripted(programme: Programme, model: type[Model] = Model) -> History:
    history = History(programme, random.Random(0), model())
    for kind in SCRIPT:
        history.insist(kind)
        history.look()
    return history


def test_every_kind_of_step_happens(programme: Programme) -> None:
    """A history in which a step never succeeds would prove nothing about it."""
    assert scripted(programme).done == set(History.STEPS)


class Forgets(Model):
    """A canary: the model with one rule left out, as the contract would be with a bug there."""

    forgotten = ""

    def __setattr__(self, name: str, value: object) -> None:
        if name != self.forgotten or not hasattr(self, name):
            super().__setattr__(name, value)


def forgets(name: str) -> type[Model]:
    return type("Forgetful", (Forgets,), {"forgotten": name})


def off_by(change: Callable[[Model], None], after: str) -> type[Model]:
    """A model that a step of one kind leaves wrong."""

    class Off(Model):
        def noted(self, kind: str) -> None:
            if kind == after:
                change(self)

    return Off


def add_to(name: str, key: object, amount: int) -> Callable[[Model], None]:
    def change(model: Model) -> None:
        table = getattr(model, name)
        table[key] = table.get(key, 0) + amount

    return change


CANARIES: dict[str, type[Model]] = {
    "the attempt does not grow": forgets("attempt"),
    "a challenge leaves no trace": forgets("challenger"),
    "the number does not grow": forgets("number"),
    "a claim is paid twice": off_by(lambda m: m.pay_again(), "claim"),
    "a claim pays one point more": off_by(add_to("held", 1, 1), "claim"),
    "given back but still held": off_by(add_to("held", 1, 5), "give_back"),
    "given back and not counted": off_by(add_to("given_back", 1, -1), "give_back"),
    "a deposit credits one more": off_by(add_to("collateral", 16, 1), "deposit"),
    "a withdrawal takes one less": off_by(add_to("collateral", 17, 1), "withdraw"),
    "a bond is not taken": off_by(lambda m: m.untake_bond(), "challenge"),
    "a lost bond goes back to its partner": off_by(lambda m: m.misplace_bond(), "confirm"),
    "a void keeps the bond": off_by(lambda m: m.keep_bond(), "void"),
    "a position is applied twice": off_by(lambda m: m.apply_again(), "applied"),
    "supply forgets what is returned": off_by(lambda m: m.forget_returns(), "finalize"),
}


@pytest.mark.parametrize("name", CANARIES)
def test_a_planted_bug_is_caught(programme: Programme, name: str) -> None:
    with pytest.raises(AssertionError):
        scripted(programme, CANARIES[name])


def test_the_steps_are_what_the_contract_offers() -> None:
    """What is not a step of a history is a change of the registry, which has tests of its own."""
    writing = {
        e["name"] for e in load("Settlement").abi if e["type"] == "function" and e["stateMutability"] == "nonpayable"
    }
    assert set(History.CALLS) <= writing
    registry = {n for n in writing if n.startswith(("set", "add"))} | {"reinstate", "retire", "migrate"}
    assert writing - registry - set(History.CALLS) == {
        "claimTo",
        "claimFor",
        "giveBackFor",
        "redeemFor",
        "claim",
        "concede",
    }
