"""What a partner's signer says of claims: nothing of honest ones, and each lie by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from counterfoil.audit import claimed
from counterfoil.core.claim_tree import ClaimTree, Leaf, leaves_json
from counterfoil.core.settlement import Header, pack_supply, unpack_supply
from counterfoil.settlement.cycle import header_of
from counterfoil.store import json_text, settlements
from tests.audit.coalition import BAKER, Coalition
from tests.audit.plants_wallets import away
from tests.audit.seldom import event, linked
from tests.settlement.opened import Opened


class Told:
    """What a gateway answers: the leaves and the header of settlements, to be bent; `header` waits for signatures."""

    def __init__(self, made: Coalition) -> None:
        contract = made.cycle.contract()
        assert isinstance(contract, Opened)
        self.contract, self.leaves, self.headers = contract, dict[int, list[Leaf]](), dict[int, Header]()
        rows: list[Any] = settlements.every(made.engine)
        for row in rows:
            with made.engine.connect() as connection:
                self.leaves[row.number] = settlements.claims(connection, row.number)
            self.headers[row.number] = header_of(row)
        self.number = rows[-1].number
        self.waiting = {"change": {"CP": json_text.loads(rows[-1].totals)["currencies"]["1"]["change"]}}

    def ask(self, path: str) -> Any:
        number = int(path.split("/")[3])
        if path.endswith("claim-leaves"):
            return {"claims": leaves_json(self.leaves[number])}
        return {"header": self.headers[number].as_json()}

    def named(self) -> set[str]:
        header, final = self.headers[self.number], self.contract.final()
        return {one.check for one in claimed.claims(self.ask, self.contract, header, self.waiting, final)}

    def alter(self, **facts: Any) -> None:
        header = self.headers[self.number]
        self.headers[self.number] = replace(header, closing=replace(header.closing, **facts))

    def supply(self, **facts: Any) -> None:
        (one,) = unpack_supply(self.headers[self.number].closing.supply)
        self.alter(supply=pack_supply([replace(one, **facts)]))

    def as_header(self) -> None:
        """The header follows the leaves that are told."""
        self.alter(claim_root=ClaimTree(self.leaves[self.number]).root)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Settlement 3 waits: an account got more, some came back. Settlement 2 had the first claims."""
    made = Coalition(tmp_path_factory.mktemp("claimed") / "home")
    account, _other = away(made)
    made.act("give_back", points=30, account=account, partner=0, **event(made))
    (fay,) = made.members(1)
    made.do("earn", BAKER, fay, 40)
    linked(made, fay, "c")
    made.act("withdraw", member=fay, points=10)
    made.close()
    made.cycle.run()
    yield Told(made)
    made.end()


@pytest.fixture
def told(honest: Told) -> Told:
    one = object.__new__(Told)
    one.__dict__ = {**honest.__dict__, "leaves": deepcopy(honest.leaves), "headers": dict(honest.headers),
                    "waiting": deepcopy(honest.waiting)}  # fmt: skip
    return one


def test_honest_claims_are_signed(told: Told) -> None:
    assert told.number == 3
    assert told.contract.final().number == 2
    assert len(told.leaves[3]) == 3
    assert told.named() == set()


def less(told: Told) -> None:
    """One leaf falls, another grows by as much; the header agrees."""
    new, low, high = sorted(told.leaves[3], key=lambda one: one.cumulative)
    told.leaves[3] = [new, replace(low, cumulative=low.cumulative - 1), replace(high, cumulative=high.cumulative + 1)]
    told.as_header()


def gone(told: Told) -> None:
    """One leaf goes, another has its points; the header agrees."""
    new, low, high = sorted(told.leaves[3], key=lambda one: one.cumulative)
    told.leaves[3] = [new, replace(high, cumulative=high.cumulative + low.cumulative)]
    told.as_header()


def hidden(told: Told) -> None:
    told.leaves[3].pop()


def another_past(told: Told) -> None:
    """The last header is told otherwise, so that a leaf did not fall."""
    told.leaves[2] = [replace(one, cumulative=1) for one in told.leaves[2]]
    header = told.headers[2]
    told.headers[2] = replace(header, closing=replace(header.closing, claim_root=ClaimTree(told.leaves[2]).root))


LIES: dict[str, tuple[Callable[[Told], None], str]] = {
    "a leaf that is not told": (hidden, "claim_root"),
    "another root": (lambda told: told.alter(claim_root=b"\x01" * 32), "claim_root"),
    "a leaf that fell": (less, "claims"),
    "a leaf that is gone": (gone, "claims"),
    "more withdrawn than there are leaves": (lambda told: told.supply(withdrawn=999), "supply"),
    "more returned than was withdrawn": (lambda told: told.supply(returned=999), "returned"),
    "less returned than before": (lambda told: told.supply(returned=0), "change"),
    "another past": (another_past, "previous_header"),
    "leaves of the past that are not its own": (lambda told: told.leaves[2].clear(), "previous_claim_root"),
    "another change": (lambda told: told.waiting["change"].update(CP=1), "change"),
    "tokens from nowhere": (lambda _told: None, "tokens"),  # see below
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_named(told: Told, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lie, check = LIES[name]
    if check == "tokens":
        honest_supply = told.contract.supply
        monkeypatch.setattr(told.contract, "supply", lambda currency: honest_supply(currency) + 5)
    else:
        lie(told)
    assert check in told.named()


@pytest.mark.parametrize("name", ["a leaf that fell", "a leaf that is gone"])
def test_canary_without_its_check_a_fallen_leaf_is_signed(
    told: Told, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    LIES[name][0](told)
    monkeypatch.setattr(claimed, "fallen", lambda _before, _now: ())
    assert told.named() == set()
