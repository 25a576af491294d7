"""Problem documents, request ids, logs and metrics: how the gateway speaks when it is not asked for points."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import text

from counterfoil.core.errors import CounterfoilError, Unreachable
from counterfoil.gateway.observe import MAX_BODY_BYTES
from counterfoil.gateway.problems import STATUS
from counterfoil.store import registry
from tests.gateway.stand import Stand, good, problem


def families(error: type[CounterfoilError]) -> Iterator[type[CounterfoilError]]:
    yield error
    for child in error.__subclasses__():
        yield from families(child)


def test_every_code_has_a_status() -> None:
    codes = {error.code for error in families(CounterfoilError) if error.__module__ == "counterfoil.core.errors"}
    assert codes <= set(STATUS)


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1/nothing", "/v1", "/v1/earns/1", "/log/tile/9", "/log/tile/0/1", "/log"]
)
def test_a_path_that_is_not_there(shared: Stand, path: str) -> None:
    problem(shared.get("A", path), 404, "not_found", "path")


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/earns"), ("PUT", "/v1/batches"), ("DELETE", "/v1/entries")])
def test_a_method_that_is_not_there(shared: Stand, method: str, path: str) -> None:
    problem(shared.client.request(method, path), 405, "method_not_allowed", "path")


@pytest.mark.parametrize("path", ["members", "members/batch", "partners", "test/clock", "settlements/1/signatures"])
@pytest.mark.parametrize("raw", [b"{", b"[]", b"3", b"", b"\xff\xfe", b'"x"'])
def test_bad_json(shared: Stand, path: str, raw: bytes) -> None:
    headers = {**shared.headers("A" if "members" in path or "sign" in path else "operator")}
    answer = shared.client.post(f"/v1/{path}", content=raw, headers={**headers, "Content-Type": "application/json"})
    problem(answer, 400, "invalid_request")


def test_a_request_id_is_kept_if_it_is_sane(shared: Stand) -> None:
    def ask(sent: str) -> Response:
        answer: Response = shared.client.get("/nothing", headers={"X-Request-Id": sent} if sent else {})
        return answer

    for sane in ("12345678", "5f2c7f3e-4b1a-4f0e-9d1c-1e2d3c4b5a69", "a" * 64):
        assert problem(ask(sane), 404, "not_found")["request_id"] == sane
    made = [
        problem(ask(odd), 404, "not_found")["request_id"] for odd in ("", "short", "a" * 65, "with space", '"><b>12')
    ]
    assert len(set(made)) == len(made)
    assert all(8 <= len(one) <= 64 for one in made)


def test_a_body_too_large(shared: Stand) -> None:
    headers = {**shared.headers("A"), "Idempotency-Key": "k"}
    answer = shared.client.post("/v1/earns", content=b" " * (MAX_BODY_BYTES + 1), headers=headers)
    problem(answer, 413, "body_too_large", "body")


def test_a_body_too_large_that_does_not_say_so(shared: Stand) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(17):
            yield b" " * 2**20

    headers = {**shared.headers("A"), "Idempotency-Key": "k"}
    answer = shared.client.post("/v1/earns", content=pieces(), headers=headers)
    problem(answer, 413, "body_too_large", "body")


def test_what_fails_below_is_told_without_its_inside(books: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_engine: object) -> int:
        raise Unreachable("books", "the connection was lost")

    monkeypatch.setattr(registry, "now", lost)
    problem(books.get("operator", "/v1/test/clock"), 503, "unreachable")

    def broken(_engine: object) -> int:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(registry, "now", broken)
    answer = books.get("operator", "/v1/test/clock")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret inside" not in answer.text


LOGGED = """
import json, sys
from pathlib import Path
from counterfoil.gateway.observe import configure_logging
from tests.gateway.stand import stand
configure_logging(*sys.argv[2:])
with stand(Path(sys.argv[1])) as books:
    member = books.member("4111-secret-card")
    books.earn("A", member, 987_654_321_012, "log-line")
    books.get("A", "/v1/nothing")
    print(json.dumps([member, books.sides["A"].key]))
"""


def logged(folder: Path, *level: str) -> tuple[list[dict[str, Any]], list[str]]:
    command = [sys.executable, "-W", "ignore", "-c", LOGGED, str(folder), *level]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    return [json.loads(line) for line in done.stderr.splitlines()], json.loads(done.stdout)


def test_log_lines_are_json_and_say_nothing_private(tmp_path: Path) -> None:
    lines, private = logged(tmp_path)
    answered = [line for line in lines if line["event"] == "answered"]
    assert [(one["method"], one["route"], one["status"]) for one in answered[-3:]] == [
        ("POST", "/v1/members", 201), ("POST", "/v1/earns", 201), ("GET", "unknown", 404),
    ]  # fmt: skip
    for line in answered:
        assert abs(line["time"] - time.time()) < 600
        assert line["milliseconds"] >= 0
        assert len(line["request_id"]) >= 8
    for secret in (*private, "4111-secret-card", "log-line", "987654321012"):  # a time may hold any five digits
        assert secret not in json.dumps(lines)
    assert logged(tmp_path / "quiet", "error")[0] == []


def test_metrics(books: Stand) -> None:
    m = books.member()
    for points in (1, 2):
        books.earn("A", m, points)
    books.post("A", "burns", {"external_id": "b", "member": m, "points": 99})
    books.close()
    lines = dict(line.rsplit(" ", 1) for line in books.client.get("/metrics").text.splitlines() if line[0] != "#")
    counted = {name: float(value) for name, value in lines.items()}
    assert counted['counterfoil_requests_total{route="/v1/earns",status="201"}'] == 2
    assert counted['counterfoil_requests_total{route="/v1/burns",status="409"}'] == 1
    assert counted['counterfoil_request_seconds_count{route="/v1/earns"}'] == 2
    assert counted["counterfoil_batch_operations_sum"] == 7  # two partners and their keys came first
    assert counted["counterfoil_posting_seconds_count"] == 7
    assert counted["counterfoil_log_size"] == 2
    assert counted["counterfoil_writer_waiting"] == 0
    states = {name: value for name, value in counted.items() if name.startswith("counterfoil_settlements{")}
    assert sum(states.values()) == 1


def test_metrics_name_no_path_that_callers_make_up(shared: Stand) -> None:
    for place in range(5):
        shared.client.get(f"/v1/made-up-{place}")
    assert "made-up" not in shared.client.get("/metrics").text


def test_alive_and_ready(engines: Stand) -> None:
    assert good(engines.client.get("/healthz")) == {"status": "ok"}
    ready = good(engines.client.get("/readyz"))
    assert ready == {"status": "ok", "stops_posting": [], "degraded": []}


def test_a_database_that_is_gone(books: Stand) -> None:
    m = books.member()
    path = Path(str(books.app.state.gateway.engine.url.database))
    books.app.state.gateway.engine.dispose()
    with books.app.state.gateway.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    books.app.state.gateway.engine.dispose()
    aside = path.with_suffix(".aside")
    path.rename(aside)
    path.mkdir()  # what stands there now is no database
    try:
        answer = books.client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["status"] == "not_ready"
        assert answer.json()["stops_posting"]
        assert good(books.client.get("/healthz")) == {"status": "ok"}
        problem(books.post("A", "earns", {"external_id": "e", "member": m, "points": 1}), 503, "unreachable")
        problem(books.get("A", "/v1/entries"), 503, "unreachable")
    finally:
        path.rmdir()
        aside.rename(path)
    assert good(books.client.get("/readyz"))["status"] == "ok"
    books.earn("A", m, 1)


def test_trouble_with_settling_only_degrades(books: Stand) -> None:
    books.app.state.worker.trouble = "the chain is away"
    assert good(books.client.get("/readyz")) == {"status": "ok", "stops_posting": [], "degraded": ["the chain is away"]}
    books.earn("A", books.member(), 1)
