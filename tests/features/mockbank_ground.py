"""A bank of another house, mock-bank, over loopback: it reads our payment files and writes the statements that we read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from httpx import Client
from mockbank import Config, make_server


@dataclass
class Bank:
    """One bank that holds the operator's account."""

    client: Client

    def account(self, iban: str, **more: Any) -> None:
        body = {"id": iban, "iban": iban, "currency": "EUR", **more}
        answer = self.client.post("/_mock/accounts", json=body)
        assert answer.status_code == 201, answer.text

    def send(self, file: bytes) -> dict[str, Any]:
        answer = self.client.post("/payments", content=file, headers={"Content-Type": "application/xml"})
        assert answer.status_code in {202, 422}, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def findings(self, file: bytes) -> str:
        text: str = self.client.post("/_mock/validate", content=file).text
        return text

    def until(self, day: str) -> None:
        answer = self.client.post("/_mock/advance", params={"to": day})
        assert answer.status_code == 200, answer.text

    def statements(self, iban: str) -> list[bytes]:
        """An account's that have come since the last time, oldest first."""
        rows = self.client.get("/_mock/mailbox", params={"type": "camt.053"}).json()
        return [row["body"].encode() for row in rows if f"<IBAN>{iban}</IBAN></Id><Ccy>" in row["body"]]

    def reports(self) -> list[bytes]:
        """Status reports that have come since the last time."""
        return [row["body"].encode() for row in self.client.get("/_mock/mailbox", params={"type": "pain.002"}).json()]

    def credit(self, **fields: Any) -> None:
        answer = self.client.post("/_mock/credits", json=fields)
        assert answer.status_code == 201, answer.text

    def refuse(self, end_to_end: str, reason: str) -> None:
        answer = self.client.post(f"/_mock/collections/{end_to_end}/refuse", json={"reason": reason})
        assert answer.status_code == 200, answer.text


@contextmanager
def bank(clock: str) -> Iterator[Bank]:
    server = make_server(Config(port=0, quiet=True, clock=clock))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        with Client(base_url=f"http://127.0.0.1:{server.server_address[1]}") as client:
            yield Bank(client)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
