"""Seeded histories of deposits, settlements, defaults and top-ups against a model in a few dicts."""

from __future__ import annotations

import random

import pytest

from tests.contracts.programme import FLOOR, OPERATOR_ID, PARTNERS, Programme, ids, supply, words


class Model:
    def __init__(self) -> None:
        self.collateral = dict.fromkeys((OPERATOR_ID, *PARTNERS), 10_000)
        self.suspended: set[int] = set()

    def draw_nets(self, draw: random.Random) -> dict[int, int]:
        """Debits that are covered, and who receives them."""
        payers = draw.sample(PARTNERS, draw.randrange(2))
        nets = {payer: -draw.randint(1, self.collateral[payer]) for payer in payers if self.collateral[payer]}
        payee = draw.choice([party for party in self.collateral if party not in nets])
        return dict(sorted((nets | {payee: -sum(nets.values())}).items())) if nets else {}

    def defaults(self, nets: dict[int, int]) -> list[int]:
        return [n for n, net in nets.items() if n in PARTNERS and net < 0 and self.collateral[n] + net < FLOOR]

    def settle(self, nets: dict[int, int], defaults: list[int]) -> None:
        for number, net in nets.items():
            self.collateral[number] += net
        self.suspended |= {number for number in defaults if self.collateral[number] < FLOOR}


@pytest.mark.parametrize("seed", range(2))
def test_a_history_keeps_the_invariants(programme: Programme, seed: int) -> None:
    draw, model = random.Random(seed), Model()
    for number in range(1, 7):
        nets, owed = model.draw_nets(draw), (draw.randrange(10**6), draw.randrange(2**64))
        defaults = model.defaults(nets)
        header = programme.header(
            positions=words(nets), defaults=ids(*defaults), supply=supply((1, owed[0]), (7, owed[1])),
            logSize=programme.read("logSize") + draw.randrange(3),
        )  # fmt: skip
        active = [partner for partner in PARTNERS if partner not in model.suspended]
        required = -(-2 * len(active) // 3)
        assert programme.read("quorum") == max(required, 1)
        if not active:
            break
        programme.propose(header, programme.sign(header, *sorted(draw.sample(active, required))))
        if draw.random() < 0.5:
            party, amount = draw.choice(PARTNERS), draw.randint(1, 2 * FLOOR)
            programme.deposit(party, amount)
            model.collateral[party] += amount
        programme.finalize(header)
        model.settle(nets, defaults)

        assert {party: programme.read("collateral", party) for party in model.collateral} == model.collateral
        assert {n for n in PARTNERS if programme.read("suspended", n)} == model.suspended
        total = sum(model.collateral.values())
        assert total == programme.read("totalCollateral")
        assert total <= programme.money.functions.balanceOf(programme.settlement.address).call()
        assert tuple(programme.points(c).functions.totalSupply().call() for c in (1, 7)) == owed
        assert programme.read("lastNumber") == number
