"""The test clock, the jobs and the embedded chain: a sandbox's own, refused when live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.stand import Stand, good, problem, stand


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder: Path = tmp_path_factory.mktemp("live")
    with stand(folder, livemode=True) as one:
        yield one


def test_the_clock_moves_forward_only(engines: Stand) -> None:
    def at() -> str:
        return str(engines.read("operator", "test/clock")["at"])

    assert good(engines.clock("2024-01-01T00:00:00Z")) == {"at": "2024-01-01T00:00:00.000000Z"}  # nothing stands yet
    m = engines.member()
    engines.earn("A", m, 1)
    for earlier in ("2023-12-31T23:59:59.999999Z", "2024-01-01T00:30:00+01:00"):
        body = problem(engines.clock(earlier), 409, "clock_backwards", "at")
        assert body["now"] == at() == "2024-01-01T00:00:00.000000Z"
    good(engines.clock("2024-01-01T00:00:00Z"))  # standing still is not backwards
    good(engines.clock("2024-01-01T02:00:00.000001+01:00"))
    assert at() == "2024-01-01T01:00:00.000001Z"
    assert engines.earn("A", m, 1)["at"] == at()


def test_the_longest_hold_at_the_end_of_time_ends_with_the_calendar(engines: Stand) -> None:
    good(engines.clock("9998-12-31T23:59:59.999999Z"))
    m = engines.member()
    assert engines.earn("A", m, 10)["expires_at"] is None
    hold = {"external_id": "h", "member": m, "points": 4, "ttl_seconds": 366 * 86_400}
    assert good(engines.post("A", "holds", hold))["expires_at"] == "9999-12-31T23:59:59.999999Z"


def test_a_close_fixes_the_clock_too(books: Stand) -> None:
    books.close()
    problem(books.clock("2025-11-30T00:00:00Z"), 409, "clock_backwards")


@pytest.mark.parametrize(
    "at",
    [
        "",
        "now",
        "2025-12-01",
        "2025-12-01T10:00:00",
        "2025-02-30T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-01-01T00:00:00Z",
    ],
)
def test_an_instant_is_rfc_3339_with_a_zone(shared: Stand, at: str) -> None:
    problem(shared.clock(at), 400, "invalid_request", "at")


def test_live_books_keep_the_machines_time(live: Stand) -> None:
    problem(live.clock("2030-01-01T00:00:00Z"), 403, "not_in_livemode")
    problem(live.get("operator", "/v1/test/clock"), 403, "not_in_livemode")
    payload = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
    problem(live.client.post("/rpc", json=payload), 403, "forbidden")


def test_live_points_are_points(live: Stand) -> None:
    m = live.member()
    live.verified(live.earn("A", m, 5))
    assert live.available(m) == 5


def test_the_job_does_nothing_twice(engines: Stand) -> None:
    m, n = engines.member(), engines.member()
    engines.earn("A", m, 10, valid_to="2025-12-01")
    engines.earn("A", n, 10, valid_to="2025-12-02")
    hold = {"external_id": "h", "member": n, "points": 4, "ttl_seconds": 60}
    good(engines.post("B", "holds", hold))

    def job(name: str) -> int:
        answer = good(engines.client.post(f"/v1/jobs/{name}", headers=engines.operator))
        assert answer["job"] == name
        return int(answer["members"])

    assert job("expire") == 0
    engines.clock("2025-12-01T23:00:00Z")
    # all that is due is posted in time order, whichever is named
    assert [job("activate"), job("expire"), job("activate")] == [2, 0, 0]
    assert (engines.available(m), engines.available(n)) == (0, 10)
    engines.clock("2025-12-02T23:00:00Z")
    assert [job("expire"), job("expire")] == [1, 0]
    verbs = [one["verb"] for one in engines.read("operator", "entries")["data"] if one["verb"] != "act"]
    assert sorted(verbs) == ["earn", "earn", "expire", "expire", "hold", "release"]
    problem(engines.client.post("/v1/jobs/sleep", headers=engines.operator), 400, "invalid_request", "job")


def test_the_embedded_chain_answers(shared: Stand) -> None:
    payload = {"jsonrpc": "2.0", "id": 7, "method": "eth_chainId", "params": []}
    answer = good(shared.client.post("/rpc", json=payload))
    assert (answer["id"], int(answer["result"], 16) > 0) == (7, True)
    refused = good(shared.client.post("/rpc", json={**payload, "method": "eth_sendTransaction", "params": [{}]}))
    assert "error" in refused
