"""What an operator sees of the sender, and the way on after an alarm."""

from __future__ import annotations

from pathlib import Path

from counterfoil.chain.outbox import ALARM
from tests.gateway.stand import good, problem, stand


def test_the_last_tx_with_its_signings(tmp_path: Path) -> None:
    with stand(tmp_path / "home") as one:
        before = one.read("operator", "sending")
        assert (before["flight"], before["alarm"], before["fee_cap_wei"]) == (None, None, 500 * 10**9)
        one.earn("A", one.member(), 10)
        one.settle()
        shown = one.read("operator", "sending")
        assert shown["sender"] == one.app.state.worker.cycle.operator.address
        assert shown["balance_wei"] < before["balance_wei"]
        flight = shown["flight"]
        assert flight["purpose"].startswith("finalize")
        assert [set(row) for row in flight["signings"]] == [{"tx", "fee_wei", "tip_wei"}]
        problem(one.get("A", "/v1/sending"), 403, "forbidden")


def test_after_an_alarm_nothing_is_sent_until_an_operator_resumes(tmp_path: Path) -> None:
    with stand(tmp_path / "home") as one:
        one.earn("A", one.member(), 10)
        one.app.state.worker.cycle.memory.remember(ALARM, "the sender's key is used elsewhere")
        one.close()
        told = problem(one.advance(), 503, "unreachable")
        assert "used elsewhere" in told["detail"]
        assert one.read("operator", "sending")["alarm"] == "the sender's key is used elsewhere"
        assert "counterfoil_sending_stopped 1.0" in one.client.get("/metrics").text
        assert one.client.post("/v1/sending/resume", headers=one.operator).status_code == 204
        good(one.advance())
        assert one.read("operator", "settlements/1")["header"] is not None
        assert "counterfoil_sending_stopped 0.0" in one.client.get("/metrics").text
