"""The cycle on the embedded chain: from a close to a final header, each step safe to run again."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from counterfoil.chain.settlement import deploy_test_money, deposit_test_money
from counterfoil.core import netting
from counterfoil.core.accounts import OPERATOR, POOL
from counterfoil.core.settlement import Header
from counterfoil.settlement.cycle import Cycle, settle
from counterfoil.settlement.worker import Worker
from counterfoil.store import settlements
from tests.gateway.stand import START, Stand, good, problem, stand


def played(books: Stand) -> str:
    m = books.member()
    books.earn("A", m, 1_000)
    books.burn("B", m, 300)
    return m


def cycle_of(books: Stand) -> Cycle:
    cycle: Cycle = books.app.state.worker.cycle
    return cycle


def test_end_to_end(engines: Stand) -> None:
    played(engines)
    shown = engines.settle()
    assert (shown["state"], shown["alert"]) == ("final", None)
    assert shown["exact"] == {"pool": 7_000_000, "operator": 1_000_000, "A": -11_000_000, "B": 3_000_000}
    assert (shown["supply"], shown["change"]) == ({"CP": 700}, {"CP": 700})
    contract = cycle_of(engines).contract()
    assert contract is not None
    header = Header.from_json(shown["header"])
    final = contract.final()
    assert (final.number, final.header, final.closing) == (1, header.hash(), header.closing.hash())
    assert (final.log_size, contract.supply()) == (2, 700)
    a, b = (engines.sides[name].id for name in "AB")
    before = contract.collateral([a, b, POOL, OPERATOR], header.collateral_block)
    after = contract.collateral([a, b, POOL, OPERATOR])
    moved = {number: after[number] - before[number] for number in after}
    assert moved == {a: -11_000_000, b: 3_000_000, POOL: 7_000_000, OPERATOR: 1_000_000}
    assert contract.finalized()[1] == (header.hash(), shown["tx"])
    assert good(engines.client.get("/readyz"))["degraded"] == []

    made = engines.read("operator", "entries")["data"][0]
    back = {"external_id": "r", "earn": made["external_id"], "points": 100}
    good(engines.post("A", "refunds", back))
    second = engines.settle()
    assert (second["number"], second["state"], second["refers_to"]) == (2, "final", [1])
    assert second["header"]["previous_header"] == "0x" + header.hash().hex()
    assert second["exact"] == {"pool": -1_000_000, "operator": -100_000, "A": 1_100_000}
    empty = engines.settle()
    assert (empty["number"], empty["state"], empty["exact"]) == (3, "final", {})
    assert contract.supply() == 600


def test_several_closed_are_settled_in_order(books: Stand) -> None:
    for _ in range(3):
        played(books)
        books.close()
    for number in (1, 2, 3):
        good(books.advance())
        states = [one["state"] for one in books.read("operator", "settlements")["data"]]
        assert states == ["final"] * (number - 1) + ["closed"] * (4 - number)
        assert "header" not in (books.read("operator", "settlements/3") if number < 3 else {})
        for name in "AB":
            good(books.sign(name, number))
    good(books.advance())
    assert {one["state"] for one in books.read("operator", "settlements")["data"]} == {"final"}


def test_a_quorum_is_enough_and_fewer_are_not(tmp_path: Path) -> None:
    with stand(tmp_path, partners="ABCD") as books:
        books.clock(START)
        played(books)
        number = books.close()
        good(books.advance())
        for count, name in enumerate("ABC"):
            good(books.advance())
            shown = books.read("operator", f"settlements/{number}")
            assert (shown["state"], shown["alert"]) == ("closed", f"{count} of 3 signatures are in")
            good(books.sign(name, number))
        good(books.advance())
        shown = books.read("operator", f"settlements/{number}")
        assert (shown["state"], len(shown["signed_by"])) == ("final", 3)


def test_signatures_that_are_refused(books: Stand) -> None:
    played(books)
    problem(books.sign("A", 1, bytes(65)), 404, "unknown_settlement", "settlement")
    number = books.close()
    good(books.advance())
    wrong = books.sides["A"].signer.sign(b"\x01" * 32)
    problem(books.sign("A", number, wrong), 422, "bad_signature", "signature")
    for junk in (bytes(65), b"\xff" * 65):
        problem(books.sign("A", number, junk), 422, "bad_signature", "signature")
    shown = books.read("operator", f"settlements/{number}")
    digest = Header.from_json(shown["header"]).digest(shown["chain_id"], shown["settlement"])
    of_b = books.sides["B"].signer.sign(digest)
    problem(books.sign("A", number, of_b), 422, "bad_signature")
    for body in ({}, {"signature": "0x12"}, {"signature": "12" * 65}, {"signature": 5}):
        answer = books.client.post(f"/v1/settlements/{number}/signatures", json=body, headers=books.headers("A"))
        problem(answer, 400, "invalid_request", "signature")
    assert books.read("operator", f"settlements/{number}")["signed_by"] == []
    for _ in range(2):  # the same again is no other
        good(books.sign("A", number))
    assert books.read("operator", f"settlements/{number}")["signed_by"] == [books.sides["A"].id]
    good(books.sign("B", number))
    good(books.advance())
    late = books.sides["A"].signer.sign(digest)
    problem(books.sign("A", number, late), 409, "settlement_not_waiting", "settlement")


def test_a_signature_before_there_is_a_header(books: Stand) -> None:
    played(books)
    with books.app.state.worker.lock:  # the worker waits
        cycle_of(books).close(books.app.state.gateway.now())
        problem(books.sign("A", 1, bytes(65)), 409, "settlement_not_waiting")


POINTS = [
    "settlement.closing", "settlement.closed", "settlement.computed", "settlement.tx_stored", "settlement.tx_mined",
    "settlement.before_propose", "settlement.proposed", "settlement.before_finalize", "settlement.finalized",
    "settlement.invoice", "settlement.invoiced",
]  # fmt: skip


class Crashed(BaseException):
    """Not an error that anybody would handle."""


def test_a_crash_at_any_step_is_made_good_by_running_again(books: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Worker, "nudge", lambda _worker: None)  # every step is this test's
    m, cycle = played(books), cycle_of(books)
    met: list[str] = []

    def guarded(step: Any, *only: str) -> None:
        """Run a step; it crashes at each point (or `only` some) the first time it is met there, and is run again."""
        seen: set[str] = set()

        def crash(point: str) -> None:
            here = threading.current_thread() is threading.main_thread()
            if here and point not in seen and (not only or point in only):
                seen.add(point)
                raise Crashed(point)

        cycle.crash = crash
        while True:
            try:
                with books.app.state.worker.lock:
                    step()
                break
            except Crashed as crashed:
                met.append(str(crashed))

    instant = books.app.state.gateway.now
    for number in (1, 2):
        closed = len(books.read("operator", "settlements")["data"])
        guarded(lambda closed=closed: _close_once(cycle, instant(), closed))
        guarded(cycle.run)
        for name in "AB":
            good(books.sign(name, number))
        # once at every point; a crash while the tx is under way leaves no proposal to crash behind, so then there alone
        guarded(cycle.run, *(["settlement.proposed", "settlement.finalized"] if number == 2 else []))
        guarded(cycle.run)
        books.earn("A", m, 10)
    cycle.crash = lambda _point: None
    assert set(met) == set(POINTS)
    shown = books.read("operator", "settlements")["data"]
    assert [(one["number"], one["state"]) for one in shown] == [(1, "final"), (2, "final")]
    contract = cycle.contract()
    assert contract is not None
    assert contract.supply() == 710
    sent = cycle.w3.eth.get_transaction_count(cycle.operator.address)  # type: ignore[arg-type]
    assert sent == _sent_without_crashes(books)


def _close_once(cycle: Cycle, now: int, closed: int) -> None:
    """What an operator does who saw nothing: close, unless a close went through."""
    if len(settlements.every(cycle.engine)) == closed:
        cycle.close(now)


def _sent_without_crashes(books: Stand) -> int:
    """The same two settlements on a gateway that never crashes: as many txs."""
    with stand(books.home / "calm") as calm:
        calm.clock(START)
        played(calm)
        calm.settle()
        calm.earn("A", calm.member(), 10)
        calm.settle()
        cycle = cycle_of(calm)
        return int(cycle.w3.eth.get_transaction_count(cycle.operator.address))  # type: ignore[arg-type]


def test_short_collateral_waits_and_says_what_lacks(books: Stand) -> None:
    """With money that has worth (a token is named), nobody gets test money: the settlement waits."""
    played(books)
    cycle = cycle_of(books)
    outbox = cycle.outbox()
    cycle.token = deploy_test_money(outbox)
    books.close()
    good(books.advance())
    shown = books.read("operator", "settlements/1")
    assert (shown["state"], "header" in shown) == ("closed", False)
    assert shown["alert"] == "collateral does not cover the positions: A lacks 11000000 micros"
    good(books.advance())
    assert good(books.client.get("/readyz"))["status"] == "ok"
    contract = cycle.contract()
    assert contract is not None
    a = books.sides["A"].id
    deposit_test_money(outbox, contract, {a: 10_999_999}, "most")
    good(books.advance())
    assert books.read("operator", "settlements/1")["alert"].endswith("A lacks 1 micros")
    deposit_test_money(outbox, contract, {a: 1}, "rest")
    good(books.advance())
    assert books.read("operator", "settlements/1")["alert"] == "0 of 2 signatures are in"
    for name in "AB":
        good(books.sign(name, 1))
    good(books.advance())
    assert books.read("operator", "settlements/1")["state"] == "final"
    assert contract.collateral([a]) == {a: 0}


def test_below_its_floor_a_partner_is_named(tmp_path: Path) -> None:
    with stand(tmp_path, partners="B") as books:
        books.clock(START)
        books.add("A", floor_micros=5_000_000)
        cycle = cycle_of(books)
        outbox = cycle.outbox()
        cycle.token = deploy_test_money(outbox)
        m = books.member()
        books.earn("A", m, 1_000)
        books.close()
        good(books.advance())
        contract = cycle.contract()
        assert contract is not None
        deposit_test_money(outbox, contract, {books.sides["A"].id: 12_000_000}, "collateral")
        good(books.advance())
        header = Header.from_json(books.read("operator", "settlements/1")["header"])
        assert header.defaults == books.sides["A"].id.to_bytes(2, "big")
        assert netting.unpack(header.positions) == netting.unpack(header.closing.gross)


def test_a_challenge_window_is_waited_for(tmp_path: Path) -> None:
    with stand(tmp_path, window_seconds=3_600) as books:
        books.clock(START)
        played(books)
        books.close()
        good(books.advance())
        for name in "AB":
            good(books.sign(name, 1))
        good(books.advance())
        shown = books.read("operator", "settlements/1")
        assert shown["state"] == "proposed"
        assert shown["alert"].startswith("the challenge window ends in ")
        with books.app.state.worker.lock:
            assert settle(cycle_of(books), 0) is False


def test_nobody_to_settle_with(tmp_path: Path) -> None:
    with stand(tmp_path, partners="") as books:
        books.close()
        good(books.advance())
        shown = books.read("operator", "settlements/1")
        assert shown["alert"] == "no partner with a signer is registered: there is nobody to settle with"


def test_what_is_due_runs_before_a_close(engines: Stand) -> None:
    m = engines.member()
    engines.earn("A", m, 100, valid_to="2025-12-01")
    engines.clock("2025-12-05T10:00:00Z")
    shown = engines.settle()
    assert shown["supply"] == {}
    assert shown["exact"] == {"A": -100_000, "operator": 100_000}  # breakage went back to who funded it
