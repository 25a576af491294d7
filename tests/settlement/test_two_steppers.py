"""Two processes with the operator's key over the same books: the second waits for what has the nonce, and nothing is lost."""

from __future__ import annotations

import pytest

from counterfoil.chain.outbox import Outbox
from counterfoil.core.errors import Unreachable
from counterfoil.store.memory import BooksMemory
from tests.gateway.stand import Stand


def test_the_other_waits_for_the_nonces_owner(books: Stand) -> None:
    cycle = books.app.state.worker.cycle
    other = Outbox(cycle.w3, cycle.operator, cycle.memory)
    target, refused = other.signer.address, list[str]()

    def overtaken(point: str) -> None:
        if point == "settlement.tx_stored":
            with pytest.raises(Unreachable, match="theirs waits for mine") as caught:
                other.send("theirs", target, b"\x01", 50_000)
            refused.append(str(caught.value))

    mine = Outbox(cycle.w3, cycle.operator, cycle.memory, overtaken)
    with books.app.state.worker.lock:
        first = mine.send("mine", target, b"\x02", 50_000)
        second = other.send("theirs", target, b"\x01", 50_000)
    assert len(refused) == 1
    assert (first[1]["status"], second[1]["status"]) == (1, 1)
    assert second[1]["blockNumber"] > first[1]["blockNumber"]


def test_the_first_to_claim_a_name_has_it(books: Stand) -> None:
    memory = BooksMemory(books.app.state.gateway.engine)
    assert [memory.claim("nonce:7", name) for name in ("mine", "theirs", "mine")] == ["mine"] * 3
    memory.forget("nonce:7")
    assert memory.claim("nonce:7", "theirs") == "theirs"
