"""Two processes with the operator's key: a nonce that the other used must not wedge what was signed for it."""

from __future__ import annotations

import pytest

from counterfoil.chain import outbox as sending
from counterfoil.chain.outbox import Outbox
from counterfoil.core.errors import Unreachable
from tests.gateway.stand import Stand


def test_a_nonce_taken_by_the_other_is_signed_anew(books: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "RECEIPT_SECONDS", 1)
    cycle = books.app.state.worker.cycle
    other = Outbox(cycle.w3, cycle.operator, cycle.memory)
    target = other.signer.address
    sent: list[str] = []

    def overtaken(point: str) -> None:
        if point == "settlement.tx_stored" and not sent:
            sent.append(other.send("theirs", target, b"\x01", 50_000)[0])

    mine = Outbox(cycle.w3, cycle.operator, cycle.memory, overtaken)
    with books.app.state.worker.lock:
        for _ in range(2):  # the first try may fail; running it again must make it good
            try:
                tx, receipt = mine.send("mine", target, b"\x02", 50_000)
                break
            except Unreachable:
                continue
        else:
            pytest.fail("the tx of the losing process is broadcast for ever and never mined")
    assert (receipt["status"], tx != sent[0]) == (1, True)
