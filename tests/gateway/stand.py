"""A gateway in this process with partners at it: what the tests of the upper floors stand on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

from counterfoil.app import Plan, build
from counterfoil.chain.signer import Signer, recover
from counterfoil.core.counterfoil import Counterfoil
from counterfoil.core.settlement import Header

START = "2025-12-01T10:00:00Z"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@dataclass
class Side:
    """A partner: its number, API key and signing key."""

    id: int
    name: str
    key: str
    signer: Signer

    @property
    def headers(self) -> dict[str, str]:
        return bearer(self.key)


@dataclass
class Stand:
    """Operator, partners and a client that speaks for each of them."""

    app: FastAPI
    client: TestClient
    home: Path
    operator: dict[str, str]
    sides: dict[str, Side] = field(default_factory=dict)
    others: dict[str, dict[str, str]] = field(default_factory=dict)  # headers of further operators
    keys: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def headers(self, who: str) -> dict[str, str]:
        if who in self.others:
            return self.others[who]
        return self.operator if who == "operator" else self.sides[who].headers if who else {}

    def add(self, name: str, **body: Any) -> Side:
        signer = Signer(bytes([len(self.sides) + 1]) * 32)
        wanted = {"name": name, "signer": signer.address, **body}
        made = good(self.client.post("/v1/partners", json=wanted, headers=self.operator))
        side = Side(made["id"], name, self.issue(made["id"])["key"], signer)
        self.sides[name] = side
        return side

    def issue(self, partner: int, *scopes: str) -> dict[str, Any]:
        body = {"scopes": list(scopes)} if scopes else {}
        path = f"/v1/partners/{partner}/keys"
        answer: dict[str, Any] = good(self.client.post(path, json=body, headers=self.operator))
        return answer

    def member(self, reference: str | None = None, who: str = "A") -> str:
        body = {"reference": reference} if reference else {}
        answer = good(self.client.post("/v1/members", json=body, headers=self.headers(who)))
        return str(answer["id"])

    def post(self, who: str, path: str, body: Any = None, key: str | None = None) -> Response:
        """A movement, under a key of its own unless one is given; an empty key sends none."""
        key = f"key-{next(self.keys)}" if key is None else key
        sent = {"Idempotency-Key": key} if key else {}
        answer: Response = self.client.post(f"/v1/{path}", json=body or {}, headers={**self.headers(who), **sent})
        return answer

    def earn(self, who: str, member: str, points: int, name: str | None = None, **more: Any) -> dict[str, Any]:
        body = {"external_id": name or f"e-{next(self.keys)}", "member": member, "points": points, **more}
        answer: dict[str, Any] = good(self.post(who, "earns", body))
        return answer

    def burn(self, who: str, member: str, points: int, name: str | None = None) -> dict[str, Any]:
        body = {"external_id": name or f"b-{next(self.keys)}", "member": member, "points": points}
        answer: dict[str, Any] = good(self.post(who, "burns", body))
        return answer

    def get(self, who: str, path: str, **params: Any) -> Response:
        answer: Response = self.client.get(path, headers=self.headers(who), params=params)
        return answer

    def read(self, who: str, path: str, **params: Any) -> Any:
        return good(self.get(who, f"/v1/{path}", **params))

    def batch(self, who: str, operations: Sequence[Any], **more: Any) -> list[dict[str, Any]]:
        body = {"operations": list(operations), **more}
        answer = good(self.client.post("/v1/batches", json=body, headers=self.headers(who)))
        answers: list[dict[str, Any]] = answer["answers"]
        return answers

    def clock(self, at: str) -> Response:
        answer: Response = self.client.post("/v1/test/clock", json={"at": at}, headers=self.operator)
        return answer

    def balance(self, member: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.read("operator", f"members/{member}/balance")
        return answer

    def available(self, member: str) -> int:
        return int(self.balance(member)["available"])

    def close(self) -> int:
        return int(good(self.client.post("/v1/settlements", headers=self.operator))["number"])

    def advance(self) -> Response:
        answer: Response = self.client.post("/v1/settlements/advance", headers=self.operator)
        return answer

    def sign(self, who: str, number: int, signature: bytes | None = None) -> Response:
        if signature is None:
            shown = self.read("operator", f"settlements/{number}")
            digest = Header.from_json(shown["header"]).digest(shown["chain_id"], shown["settlement"])
            signature = self.sides[who].signer.sign(digest)
        body = {"signature": "0x" + signature.hex()}
        answer: Response = self.client.post(
            f"/v1/settlements/{number}/signatures", json=body, headers=self.headers(who)
        )
        return answer

    def settle(self) -> dict[str, Any]:
        """Close, collect every signature, settle: the settlement as the operator then sees it."""
        number = self.close()
        good(self.advance())
        for name in self.sides:
            good(self.sign(name, number))
        good(self.advance())
        shown: dict[str, Any] = self.read("operator", f"settlements/{number}")
        return shown

    def verified(self, body: dict[str, Any]) -> Counterfoil:
        """The counterfoil of an answer: its path leads to the root, and the gateway's key signed the root."""
        proof = Counterfoil.from_json(body["counterfoil"])
        assert proof.included()
        assert recover(proof.promise.digest(), proof.signature) == self.app.state.gateway.counterfoil.address
        assert proof.promise.programme == self.app.state.gateway.programme
        return proof


def good(answer: Response) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json()


def problem(answer: Response, status: int, code: str, field_name: str | None = None) -> dict[str, Any]:
    """A refusal as it must look: RFC 9457 with code and request id; the body."""
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert body["status"] == status
    assert body["type"] == f"/problems/{code}"
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["title"]
    assert body["detail"]
    if field_name is not None:
        assert body["field"] == field_name, body
    return body


@contextmanager
def stand(home: Path, database: str | None = None, partners: str = "AB", **plan: Any) -> Iterator[Stand]:
    """A fresh gateway with `partners` registered. The worker only acts when nudged."""
    app = build(Plan(home, database, worker_seconds=60, **plan))
    operator = bearer((home / "operator.api-key").read_text().strip())
    with TestClient(app, raise_server_exceptions=False) as client:
        one = Stand(app, client, home, operator)
        for name in partners:
            one.add(name)
        yield one
