"""A coalition seen from outside: operator and partners as HTTP clients, their signers, exports and the audit."""

from __future__ import annotations

import io
import secrets
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from counterfoil.audit.signer import Gateway, Kept, look
from counterfoil.chain.client import connect
from counterfoil.chain.settlement import SettlementContract
from counterfoil.chain.signer import Signer
from counterfoil.core.errors import Unreachable, Unreadable
from counterfoil.rehearsal.host import Host

TIMEOUT_SECONDS = 120


@dataclass(slots=True)
class Partner:
    """A partner's side: its number, API client and signing key."""

    number: int
    name: str
    client: httpx.Client
    signer: Signer
    kept: Kept | None = None


@dataclass(slots=True)
class Coalition:
    """Everybody at one gateway."""

    host: Host
    operator: httpx.Client
    partners: dict[str, Partner] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    currencies: dict[str, int] = field(default_factory=lambda: {"CP": 1})

    @classmethod
    def at(cls, host: Host) -> Coalition:
        """With the operator's client only."""
        return cls(host, client_of(host.url, host.operator_key))

    def add_partner(
        self,
        name: str,
        terms: dict[str, Any] | list[dict[str, Any]],
        collateral_micros: int | None = None,
    ) -> None:
        """Register a partner with a fresh test key; its client holds an API key with every scope."""
        signer = Signer(secrets.token_bytes(32))
        body = {"name": name, "signer": signer.address, "terms": terms, "collateral_micros": collateral_micros}
        made = asked(self.operator.post("/v1/partners", json=body))
        key = asked(self.operator.post(f"/v1/partners/{made['id']}/keys", json={}))["key"]
        self.partners[name] = Partner(made["id"], name, client_of(self.host.url, key), signer)

    def add_currency(self, name: str, issuer: str) -> None:
        """Register a brand's own currency."""
        made = asked(self.operator.post("/v1/currencies", json={"name": name, "issuer": self.partners[issuer].number}))
        self.currencies[name] = made["id"]

    def add_promotion(self, name: str, shares: dict[str, int]) -> None:
        """Register who funds a bonus together."""
        asked(self.operator.post("/v1/promotions", json={"name": name, "shares": shares}))

    def add_reward(self, name: str, terms: dict[str, Any]) -> None:
        """Put a reward into the catalogue."""
        body = {**terms, "name": name, "partner": self.partners[terms["partner"]].number}
        asked(self.operator.post("/v1/rewards", json=body))

    def add_member(self, name: str) -> None:
        """Make a member known."""
        self.members[name] = asked(self.operator.post("/v1/members", json={"reference": name}))["id"]

    def settle(self, number: int) -> dict[str, Any]:
        """Collect every partner's signature and settle; the settlement as the gateway then shows it."""
        asked(self.operator.post("/v1/settlements/advance"))
        shown: dict[str, Any] = asked(self.operator.get(f"/v1/settlements/{number}"))
        if shown.get("settlement"):
            contract = SettlementContract(connect(self.host.rpc), shown["settlement"])
            for partner in self.partners.values():
                if partner.kept is None:
                    partner.kept = Kept(self.host.home / f"signer-{partner.number}" / "signer.json")
                done = look(Gateway(partner.client), contract, partner.signer, partner.kept)
                if done.status == "refused":
                    raise Unreadable(f"signer of {partner.name}", "; ".join(d.line() for d in done.differences))
            asked(self.operator.post("/v1/settlements/advance"))
            shown = asked(self.operator.get(f"/v1/settlements/{number}"))
        return shown

    def exports(self, folder: Path) -> tuple[Path, Path]:
        """Fetch both exports and unpack them into folders public and sealed."""
        for kind in ("public", "sealed"):
            answer = self.operator.get(f"/v1/exports/{kind}")
            if answer.status_code != 200:
                raise Unreachable("gateway", f"export {kind}: {answer.status_code}")
            _unpack(answer.content, folder / kind)
        return folder / "public", folder / "sealed"

    def close(self) -> None:
        """Hang up."""
        for client in (self.operator, *(partner.client for partner in self.partners.values())):
            client.close()


def client_of(url: str, key: str) -> httpx.Client:
    """An API client with a key."""
    return httpx.Client(
        base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT_SECONDS, trust_env=False
    )


def asked(answer: httpx.Response) -> Any:
    """The JSON of an answer that must be good; raises Unreadable with the problem otherwise."""
    if answer.status_code >= 400:
        raise Unreadable("gateway", f"{answer.request.method} {answer.request.url.path}: {answer.text[:300]}")
    return answer.json()


def _unpack(archive: bytes, folder: Path) -> None:
    """The regular files of a tar, none outside `folder`. The library's own filter came with Python 3.11.4."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            path = folder / member.name
            if not member.isfile() or ".." in path.parts or not path.is_relative_to(folder):
                raise Unreadable("export", f"{member.name!r} is no plain file")
            path.parent.mkdir(parents=True, exist_ok=True)
            with tar.extractfile(member) as content:  # type: ignore[union-attr]  # a regular file has one
                path.write_bytes(content.read())
