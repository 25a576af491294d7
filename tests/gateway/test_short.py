"""The short way of the hot routes answers as FastAPI's own way does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from counterfoil.features.points.routes import HOT
from tests.gateway.stand import START, Stand, stand

MEMBER = "mbr_00000000000000bb"


def asked(books: Stand, monkeypatch: pytest.MonkeyPatch, *, short: bool) -> list[dict[str, Any]]:
    """The same questions by one way; what differs by nature is taken out."""
    with monkeypatch.context() as patch:
        if not short:
            patch.setattr(books.app.middleware_stack, "hot", {})
        monkeypatch.setattr("secrets.randbits", lambda _bits: 0xA9)
        m = books.member("m")
        key = {"Idempotency-Key": "k1"}
        earn = {"external_id": "e", "member": m, "points": 50}
        answers: list[Response] = []
        for path in sorted(HOT):
            for who, headers, sent in (
                ("A", key, {"json": earn}),
                ("A", key, {"json": {**earn, "points": 0}}),
                ("A", {}, {"json": earn}),
                ("", key, {"json": earn}),
                ("operator", key, {"json": earn}),
                ("A", key, {"content": b"{"}),
                ("A", {}, {"json": {**earn, "dry_run": True}}),
                ("A", {"Idempotency-Key": "k2"}, {"json": {**earn, "member": MEMBER}}),
                ("A", {}, {"json": {"operations": [{"verb": "earn", "key": "k1", **earn}, {}]}}),
            ):
                head = {**books.headers(who), **headers, "X-Request-Id": "same-for-both"}
                answers.append(books.client.post(path, headers=head, **sent))
            answers.append(books.client.put(path, headers=books.headers("A"), json={}))
            answers.append(books.client.post(path + "/", headers=books.headers("A"), json={}))
        return [shown(one) for one in answers]


def shown(answer: Response) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            aside = {"counterfoil", "request_id"}
            return {name: plain(one) for name, one in value.items() if name not in aside}
        return [plain(one) for one in value] if isinstance(value, list) else value

    headers = {name: value for name, value in answer.headers.items() if name not in {"content-length", "x-request-id"}}
    body = plain(answer.json()) if answer.content else None
    return {"path": answer.url.path, "status": answer.status_code, "headers": headers, "body": body}


def test_both_ways_answer_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    for short in (True, False):
        with stand(tmp_path / str(short)) as books:
            books.clock(START)
            told.append(asked(books, monkeypatch, short=short))
            text = books.client.get("/metrics").text
            assert 'counterfoil_requests_total{route="/v1/earns",status="201"}' in text
    assert len(told[0]) == len(HOT) * 11
    assert {one["status"] for one in told[0]} >= {200, 201, 400, 401, 403, 404, 405}
    for one, other in zip(*told, strict=True):
        assert one == other


def test_a_bug_is_a_problem_document_on_both_ways(books: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("no such thing")

    monkeypatch.setattr("counterfoil.features.points.rules.read_json", broken)
    for path in ("earns", "transfers"):  # the short way and the long one
        answer = books.post("A", path, {})
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "internal_error"
        assert "no such thing" not in answer.text
        assert answer.headers["x-request-id"] == answer.json()["request_id"], path
