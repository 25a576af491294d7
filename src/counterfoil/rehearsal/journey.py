"""The journey: a coalition of eight partners lives through the purchase history, over HTTP, month by month.

Interrupt it and run it again: operations carry their own keys, closed months are skipped, the clock only moves forward.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from counterfoil.audit.signer import watch
from counterfoil.chain.client import connect
from counterfoil.chain.settlement import SettlementContract
from counterfoil.chain.signer import key_file
from counterfoil.core.calendar import parse_instant, text_instant
from counterfoil.core.errors import CounterfoilError, Unreachable, Unreadable
from counterfoil.rehearsal.coalition import Coalition, asked, client_of
from counterfoil.rehearsal.history import PARTNERS, Basket, baskets
from counterfoil.rehearsal.host import Host
from counterfoil.rehearsal.processes import Processes
from counterfoil.rehearsal.replay import Tally, days, movements

SETTLE_SECONDS = 180
KEPT_OF = 50  # one counterfoil in so many is kept for the auditor
SIGNER_SECONDS = 1.0
ADDRESS_FILE = "settlement"

Note = Callable[[int], None]


@dataclass(slots=True)
class Journey:
    """One replay in a folder: the gateway at `host`, everything it needs to go on after an interruption beside it."""

    host: Host
    processes: Processes
    year: bool
    tally: Tally = field(default_factory=Tally)
    keys: dict[str, str] = field(default_factory=dict)
    members: dict[int, str] = field(default_factory=dict)
    operator: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.operator = client_of(self.host.url, self.host.operator_key)

    def set_up(self) -> None:
        """Register what is not there yet: partners with test keys of their own, and a test clock."""
        known = {one["name"]: one["id"] for one in asked(self.operator.get("/v1/partners"))["data"]}
        for name, _rate, _departments in PARTNERS:
            folder = self.host.home / "partners" / name
            signer = key_file(folder / "signing.key", create=True)  # a test key, generated here
            if name not in known:
                body = {"name": name, "signer": signer.address, "terms": {"valid_days": None}}
                known[name] = asked(self.operator.post("/v1/partners", json=body))["id"]
            kept = folder / "api.key"
            if not kept.exists():
                kept.touch(mode=0o600)
                kept.write_text(asked(self.operator.post(f"/v1/partners/{known[name]}/keys", json={}))["key"])
            self.keys[name] = kept.read_text(encoding="ascii").strip()

    def replay(self, read: list[Basket], posted: Note) -> Iterator[int]:
        """Post the history; yields each settlement's number when its month is closed and final."""
        clock = self._clock()
        self._know_members(read)
        done = {one["number"]: one["state"] for one in asked(self.operator.get("/v1/settlements"))["data"]}
        months = itertools.groupby(days(read), key=lambda day: day[0])
        with (self.host.home / "counterfoils.jsonl").open("a", encoding="utf-8") as kept:
            for number, (_month, some) in enumerate(months, 1):
                for _same, day in some:
                    operations = [
                        movement.operation(self.members[movement.household])
                        for basket in day
                        for movement in movements(basket, self.tally)
                    ]
                    if number not in done and operations:
                        if day[0].at > clock:
                            clock = day[0].at
                            asked(self.operator.post("/v1/test/clock", json={"at": text_instant(clock)}))
                        self._post(operations, kept)
                    posted(len(day))
                if number not in done:
                    asked(self.operator.post("/v1/settlements"))
                if done.get(number) != "final":
                    self._settle(number)
                yield number

    def settlements(self) -> list[dict[str, Any]]:
        """All of them as the gateway shows them to the operator."""
        shown: list[dict[str, Any]] = asked(self.operator.get("/v1/settlements"))["data"]
        return shown

    def contract(self) -> SettlementContract:
        """The programme's contract."""
        return SettlementContract(connect(self.host.rpc), self.settlements()[0]["settlement"])

    def exports(self, folder: Path) -> tuple[Path, Path]:
        """Fetch both exports."""
        return Coalition(self.host, self.operator).exports(folder)

    def _clock(self) -> int:
        return (
            parse_instant(asked(self.operator.get("/v1/test/clock"))["at"], "at")
            if self.settlements() or self._begun()
            else 0
        )

    def _begun(self) -> bool:
        return bool(asked(self.operator.get("/v1/entries", params={"limit": 1}))["data"])

    def _know_members(self, read: list[Basket]) -> None:
        households = sorted({basket.household for basket in read})
        answer = self.operator.post("/v1/members/batch", json={"references": [str(one) for one in households]})
        self.members = {household: one["id"] for household, one in zip(households, asked(answer)["data"], strict=True)}

    def _post(self, operations: list[dict[str, Any]], kept: Any) -> None:
        answer = asked(self.operator.post("/v1/batches", json={"operations": operations, "credentials": self.keys}))
        for place, (operation, one) in enumerate(zip(operations, answer["answers"], strict=True)):
            if one["status"] != 201:
                raise Unreadable(f"operation {operation['key']}", f"refused: {one['body'].get('detail')}")
            if place % KEPT_OF == 0:
                kept.write(json.dumps(one["body"]["counterfoil"]) + "\n")

    def _settle(self, number: int) -> None:
        """The signers are processes of their own; wait until they have signed and the chain is final."""
        deadline = time.monotonic() + SETTLE_SECONDS
        asked(self.operator.post("/v1/settlements/advance"))
        while True:
            shown = asked(self.operator.get(f"/v1/settlements/{number}"))
            if shown["state"] == "final":
                return
            if shown.get("settlement"):
                (self.host.home / ADDRESS_FILE).write_text(shown["settlement"], encoding="ascii")
            self.processes.assert_alive()
            if time.monotonic() > deadline:
                raise Unreachable(
                    "settlement", f"{number} is {shown['state']} after {SETTLE_SECONDS} s: {shown['alert']}"
                )
            time.sleep(0.1)


def start_signers(processes: Processes, home: Path, url: str) -> None:
    """Eight processes of their own, each with its partner's key, that sign as soon as there is a contract to sign for."""
    for name, _rate, _departments in PARTNERS:
        processes.fork(f"signer-{name}", _sign, home, home / "partners" / name, url)


def _sign(home: Path, folder: Path, url: str) -> None:
    address = home / ADDRESS_FILE
    while not address.exists() or not address.read_text(encoding="ascii"):
        time.sleep(0.2)
    keys, settlement = (folder / "signing.key", folder / "api.key"), address.read_text(encoding="ascii")
    while True:
        try:
            for done in watch(*keys, url, f"{url}/rpc", settlement, folder / "state", SIGNER_SECONDS):
                if done.status != "nothing":
                    print(json.dumps(done.as_json()), flush=True)  # noqa: T201 its log
        except CounterfoilError as error:  # a gateway that is busy or gone for a moment
            print(error, flush=True)  # noqa: T201
            time.sleep(SIGNER_SECONDS)


def read_history(*, year: bool) -> list[Basket]:
    """All baskets in order, in memory (the year: 156,000)."""
    return list(baskets(year=year))
