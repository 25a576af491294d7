"""The partner's signer: recomputes what a header says about this partner, and signs only that. Keys never leave it.

It trusts the gateway for nothing: leaves are hashed into the log it saw last, rows into leaves, rows into a word, and
everything else is compared with the contract. What it signed is written down before the signature leaves.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from counterfoil.audit.claimed import claims
from counterfoil.audit.difference import Difference, same
from counterfoil.chain.client import Reverted, asked, connect
from counterfoil.chain.settlement import SettlementContract
from counterfoil.chain.signer import Signer, key_file
from counterfoil.core import netting
from counterfoil.core.accounts import settled_by
from counterfoil.core.counterfoil import hex_field
from counterfoil.core.encoding import decode, entry_hash
from counterfoil.core.errors import Unreachable, Unreadable
from counterfoil.core.files import TILE, FileHash, manifest_hash, tile_path, unpack_bundle
from counterfoil.core.log import Frontier
from counterfoil.core.settlement import Header, outcome, pack_defaults
from counterfoil.core.units import rounded_half_even

TIMEOUT_SECONDS = 60
ROWS_PAGE = 5_000


@dataclass(slots=True)
class Kept:
    """The state folder: the log as of the last header signed, and every header ever signed, by number and attempt."""

    path: Path
    size: int = 0
    peaks: bytes = b""
    signed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, contract: SettlementContract) -> Kept:
        """What is kept for one contract; raises Unreadable for a folder of another, or a broken file."""
        path = folder / "signer.json"
        place = {"chain_id": contract.chain_id, "settlement": contract.address}
        if not path.exists():
            return cls(path)
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if {name: data[name] for name in place} != place:
                raise Unreadable(str(path), f"belongs to {data['settlement']} on chain {data['chain_id']}")
            return cls(path, int(data["size"]), bytes.fromhex(data["peaks"]), dict(data["signed"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unreadable(str(path), f"is not this signer's state: {error}") from error

    def write(self, contract: SettlementContract) -> None:
        """Keep it, durably, before anything depends on it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        data = {"chain_id": contract.chain_id, "settlement": contract.address, "size": self.size,
                "peaks": self.peaks.hex(), "signed": self.signed}  # fmt: skip
        fresh = self.path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)


@dataclass(slots=True)
class Gateway:
    """The gateway's API as the signer reads it. Raises Unreachable, Unreadable."""

    client: httpx.Client

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request; a problem document becomes Unreadable with its code."""
        try:
            answer = self.client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise Unreachable("gateway", str(error) or type(error).__name__) from error
        if answer.status_code >= 500:
            raise Unreachable("gateway", f"{method} {path} answers {answer.status_code}")
        if answer.status_code >= 400 and answer.status_code != 409:
            raise Unreadable("gateway", f"{method} {path} answers {answer.status_code}: {answer.text[:200]}")
        return answer

    def json(self, path: str, **params: Any) -> Any:
        """A JSON answer."""
        try:
            return self.ask("GET", path, params=params).json()
        except (ValueError, RecursionError) as error:
            raise Unreadable("gateway", f"{path} is not JSON") from error

    def leaves(self, start: int, end: int) -> Iterator[bytes]:
        """Leaf data [start, end) from the log's tiles."""
        for number in range(start // TILE, -(-end // TILE)):
            width = min(TILE, end - number * TILE)
            bundle = unpack_bundle(self.ask("GET", "/log/" + tile_path("entries", number, width)).content)
            if len(bundle) != width:
                raise Unreadable("log", f"tile {number} holds {len(bundle)} of {width} leaves")
            yield from bundle[max(0, start - number * TILE) :]

    def rows(self, number: int) -> Iterator[tuple[int, bytes]]:
        """Leaf index and body of this partner's own entries of a settlement."""
        cursor: str | None = "0"
        while cursor is not None:
            page = self.json(f"/v1/settlements/{number}/rows", cursor=cursor, limit=ROWS_PAGE)
            for row in page["data"]:
                yield int(row["leaf"]), hex_field(row, "body")
            following = page["next_cursor"] if page["has_more"] else None
            if following is not None and int(following) <= int(cursor):
                raise Unreadable("rows", "the gateway's cursor does not move")
            cursor = following


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did: `status` is signed, nothing or refused."""

    status: str
    number: int | None = None
    header: str | None = None
    differences: tuple[Difference, ...] = ()

    def as_json(self) -> dict[str, object]:
        """For --json."""
        differences = [{"check": d.check, "expected": d.expected, "found": d.found} for d in self.differences]
        return {
            "status": self.status,
            "settlement": self.number,
            "header": self.header,
            "differences": differences,
        }


def watch(
    key: Path, credential: Path, against: str, rpc: str, settlement: str, state: Path, seconds: float
) -> Iterator[Outcome]:  # fmt: skip
    """Look once, then again every `seconds` (0: only once), and sign what waits. Raises Unreadable, Unreachable."""
    signer = key_file(key)
    try:
        api_key = credential.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise Unreadable(str(credential), "is not a readable API key") from error
    contract = SettlementContract(connect(rpc), settlement)
    headers = {"Authorization": f"Bearer {api_key}"}
    try:
        with httpx.Client(base_url=against, headers=headers, timeout=TIMEOUT_SECONDS) as client:
            while True:
                yield look(Gateway(client), contract, signer, Kept.read(state, contract))
                if not seconds:
                    return
                time.sleep(seconds)
    except (KeyError, TypeError, ValueError, httpx.InvalidURL) as error:
        raise Unreadable("gateway", f"an answer is not in its shape: {error!r}") from error
    except Reverted as error:
        raise Unreadable("settlement", f"the contract refuses: {error}") from error


def look(gateway: Gateway, contract: SettlementContract, signer: Signer, kept: Kept) -> Outcome:
    """The same on clients already open."""
    partner = next((n for n, address in contract.signers().items() if address == signer.address), None)
    if partner is None:
        raise Unreadable("key", f"{signer.address} signs for no partner of {contract.address}")
    listed = gateway.json("/v1/settlements", state="closed")["data"]
    if not listed:
        return Outcome("nothing")
    final = contract.final()
    waiting = next((one for one in listed if one["number"] == final.number + 1 and one.get("header")), None)
    if waiting is None or partner in waiting["signed_by"]:
        return Outcome("nothing")
    header = Header.from_json(waiting["header"])
    log = Frontier.unpacked(kept.size, kept.peaks)
    differences = list(_differences(gateway, contract, partner, header, waiting, log, kept))
    name = "0x" + header.hash().hex()
    if differences and contract.final().number >= header.closing.number:
        return Outcome("nothing")  # the quorum was there without this one, while we looked
    if differences:
        return Outcome("refused", header.closing.number, name, tuple(differences))
    kept.signed[f"{header.closing.number}:{header.attempt}"] = name
    kept.size, kept.peaks = log.size, log.packed()
    kept.write(contract)
    signature = signer.sign(header.digest(contract.chain_id, contract.address))
    body = {"signature": "0x" + signature.hex()}
    answer = gateway.ask("POST", f"/v1/settlements/{header.closing.number}/signatures", json=body)
    # 409: the quorum was there without this one
    return Outcome("signed" if answer.status_code < 400 else "nothing", header.closing.number, name)


def _differences(
    gateway: Gateway, contract: SettlementContract, partner: int, header: Header, waiting: Any, log: Frontier, kept: Kept
) -> Iterator[Difference]:  # fmt: skip
    closing, final = header.closing, contract.final()
    before = kept.signed.get(f"{closing.number}:{header.attempt}")
    yield from same("already_signed", before or "0x" + header.hash().hex(), "0x" + header.hash().hex())
    yield from same("programme", contract.programme().hex(), closing.programme.hex())
    yield from same("number", final.number + 1, closing.number)
    yield from same("attempt", contract.next_attempt(), header.attempt)
    yield from same("previous_header", final.header.hex(), header.previous_header.hex())
    yield from same("previous_closing", final.closing.hex(), closing.previous_closing.hex())
    if closing.log_size < max(log.size, final.log_size):
        yield Difference("log", f"at least {max(log.size, final.log_size)} leaves", str(closing.log_size))
        return
    start = min(log.size, final.log_size)
    leaves = list(gateway.leaves(start, closing.log_size))
    log.extend(leaves[log.size - start :])
    yield from same("log", log.root().hex(), closing.log_root.hex())
    yield from _position(gateway, partner, header, leaves[final.log_size - start :], final.log_size)
    yield from _outcome(contract, header)
    yield from claims(gateway.json, contract, header, waiting, final)
    files = [FileHash(str(f["name"]), int(f["size"]), hex_field(f, "sha256", 32)) for f in waiting["files"]]
    yield from same("manifest", manifest_hash(files).hex(), closing.manifest.hex())


def _position(gateway: Gateway, partner: int, header: Header, leaves: list[bytes], first: int) -> Iterator[Difference]:
    """The partner's own rows, each found in the log, give exactly its word."""
    nets: dict[int, int] = {}
    last = first - 1
    for leaf, body in gateway.rows(header.closing.number):
        entry = decode(body)
        if not last < leaf < first + len(leaves):
            yield Difference("rows", f"leaves of the settlement, each once, after {last}", str(leaf))
            return
        if entry.partner != partner or entry_hash(header.closing.programme, body) != leaves[leaf - first]:
            yield Difference("rows", f"entry ent_{entry.id:016x} at leaf {leaf}", "another entry in the log")
            return
        last = leaf
        netting.fold(entry.postings, nets)
    own = sum(rounded_half_even(net) for owner, net in nets.items() if settled_by(owner) == partner)
    yield from same("position", own, netting.unpack(header.closing.gross).get(partner, 0))


def _outcome(contract: SettlementContract, header: Header) -> Iterator[Difference]:
    """The outcome is what follows from gross positions and the collateral at the block named, which is final."""
    gross = netting.unpack(header.closing.gross)
    block = asked(lambda: contract.w3.eth.get_block(header.collateral_block))
    yield from same("collateral_block", bytes(block["hash"]).hex(), header.collateral_block_hash.hex())
    result = outcome(gross, contract.collateral(gross, header.collateral_block), contract.floors(gross))
    yield from same("outcome", result.words, netting.unpack(header.positions))
    yield from same("defaults", pack_defaults(result.defaults).hex(), header.defaults.hex())
    yield from same("covered", {}, result.short)
