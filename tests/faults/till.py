"""A gateway and its tills in this process: the real application, spoken to over HTTP."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from counterfoil.app import Plan, build
from counterfoil.gateway.state import Gateway
from counterfoil.store.engine import Engine
from counterfoil.store.tables import metadata

START = "2025-01-01T00:00:00.000000Z"
_WORKERS = {"log_head", "log_group", "checkpoint", "memory"}  # written whenever the worker looks
_PATHS = {
    "earn": "/v1/earns", "burn": "/v1/burns", "hold": "/v1/holds", "refund_earn": "/v1/refunds",
    "refund_burn": "/v1/refunds", "transfer": "/v1/transfers",
}  # fmt: skip


@dataclass
class House:
    """One gateway process: its application, a client, and the API keys of its partners by name."""

    home: Path
    app: FastAPI
    client: TestClient
    operator: str
    partners: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    count: Iterator[int] = field(default_factory=itertools.count)

    @property
    def gateway(self) -> Gateway:
        gateway: Gateway = self.app.state.gateway
        return gateway

    @property
    def engine(self) -> Engine:
        return self.gateway.engine

    def asked(self, method: str, path: str, key: str | None = None, **more: Any) -> httpx.Response:
        """Any request, as the operator or under another API key."""
        headers = {"Authorization": f"Bearer {key or self.operator}", **more.pop("headers", {})}
        answer: httpx.Response = self.client.request(method, path, headers=headers, **more)
        return answer

    def done(self, method: str, path: str, key: str | None = None, **more: Any) -> Any:
        """The same, which must succeed."""
        answer = self.asked(method, path, key, **more)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def partner(self, name: str, **more: Any) -> str:
        made = self.done("POST", "/v1/partners", json={"name": name, **more})
        self.numbers[name] = made["id"]
        self.partners[name] = self.done("POST", f"/v1/partners/{made['id']}/keys", json={})["key"]
        return name

    def name(self) -> str:
        """A name or key nobody has used here."""
        return f"own-{next(self.count)}"

    def member(self) -> str:
        return self.members(1)[0]

    def members(self, count: int) -> list[str]:
        names = [f"card-{next(self.count)}" for _ in range(count)]
        made = self.done("POST", "/v1/members/batch", next(iter(self.partners.values())), json={"references": names})
        return [one["id"] for one in made["data"]]

    def clock(self, at: str) -> httpx.Response:
        return self.asked("POST", "/v1/test/clock", json={"at": at})

    def send(self, partner: str, verb: str, fields: Mapping[str, Any], key: str | None) -> httpx.Response:
        """One operation at its own route."""
        path, body = place(verb, fields)
        return self.raw(partner, path, key, json=body)

    def raw(self, partner: str, path: str, key: str | None, **more: Any) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.asked("POST", path, self.partners[partner], headers=headers, **more)

    def ok(self, partner: str, verb: str, **fields: Any) -> dict[str, Any]:
        """One operation that must succeed, under names of its own where none are given."""
        name = self.name()
        if verb != "release":
            fields.setdefault("external_id", name)
        answer = self.send(partner, verb, fields, name)
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def batch(self, operations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Operations that name their partner in `as`, in one request; an answer for each."""
        first = next(iter(self.partners.values()))
        body = {"credentials": self.partners, "operations": list(operations)}
        answers: list[dict[str, Any]] = self.done("POST", "/v1/batches", first, json=body)["answers"]
        assert len(answers) == len(operations)
        return answers

    def balance(self, member: str) -> dict[str, Any]:
        balance: dict[str, Any] = self.done("GET", f"/v1/members/{member}/balance")
        return balance

    def available(self, member: str) -> int:
        return int(self.balance(member)["available"])

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """What stands in the tables, read without the product."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the books: equal before and after means that nothing changed."""
        with self.engine.connect() as connection:
            return {
                table.name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr)
                for table in metadata.sorted_tables
                if table.name not in _WORKERS
            }


def place(verb: str, fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The route of a verb and its body there: a hold that is captured or released stands in the path."""
    body = dict(fields)
    if verb in {"capture", "release"}:
        return f"/v1/holds/{body.pop('hold')}/{verb}", body
    return _PATHS[verb], body


@contextmanager
def open_house(home: Path, url: str, *, like: House | None = None) -> Iterator[House]:
    """The application over `url`; `like` another one of the same books: with its keys, under its partners' names."""
    if like is not None and like.home != home:
        shutil.copytree(like.home / "keys", home / "keys")
        shutil.copy(like.home / "operator.api-key", home / "operator.api-key")
    app = build(Plan(home, database=url, worker_seconds=3_600))
    operator = (home / "operator.api-key").read_text().strip()
    with TestClient(app, raise_server_exceptions=False) as client:
        house = House(home, app, client, operator)
        if like is not None:
            house.partners, house.numbers, house.count = like.partners, like.numbers, like.count
        yield house


def plain(answer: httpx.Response) -> bytes:
    """An answer's bytes without the request's own id, which each request has anew."""
    return answer.content.replace(answer.headers["X-Request-Id"].encode(), b"-")
