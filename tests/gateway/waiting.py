"""A coalition whose second header waits for signatures, behind a gateway that may lie: what tests of the signer stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from typer.testing import CliRunner

from counterfoil.cli import app
from counterfoil.core.settlement import Header
from counterfoil.rehearsal.coalition import Coalition, asked
from counterfoil.rehearsal.host import running
from tests.gateway.liar import Liar, Lie, lying, of_json


@dataclass
class Waiting:
    """A coalition with settlement 1 final and the header of settlement 2 waiting for signatures."""

    coalition: Coalition
    folder: Path
    liar: Liar
    shown: dict[str, Any] = field(default_factory=dict)
    states: int = 0

    def header(self) -> Header:
        return Header.from_json(self.shown["header"])

    def sign(self, name: str, *flags: str, against: str | None = None, **more: str) -> tuple[int, list[str], str]:
        """`counterfoil sign` once, as this partner with a state folder of its own: exit code, lines, errors."""
        self.states += 1
        folder = self.folder / name
        options = {
            "key": str(folder / "key"), "credential": str(folder / "credential"), "against": against or self.liar.url,
            "rpc": self.coalition.host.rpc, "settlement": str(self.shown["settlement"]),
            "state": str(self.folder / f"state-{self.states}"),
        } | more  # fmt: skip
        words = [word for option, value in options.items() for word in (f"--{option}", value)]
        done = CliRunner().invoke(app, ["sign", *words, *flags])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert "Traceback" not in done.output
        return done.exit_code, done.stdout.splitlines(), done.stderr


@contextmanager
def waiting_for_signatures(folder: Path) -> Iterator[Waiting]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))  # the gateway's, in here
    with running("Europe/Warsaw") as host, lying(host.url) as liar:
        here = Waiting(Coalition.at(host), folder, liar)
        for name in "ABC":
            here.coalition.add_partner(name, {})
            partner = here.coalition.partners[name]
            (folder / name).mkdir()
            (folder / name / "key").write_text("0x" + partner.signer._secret.hex())
            key = partner.client.headers["Authorization"].removeprefix("Bearer ")
            (folder / name / "credential").write_text(key + "\n")
        here.coalition.add_member("m")
        post(here, "A", "earns", "e1", 1_000)
        post(here, "B", "burns", "b1", 300)
        operator = here.coalition.operator
        asked(operator.post("/v1/settlements"))
        asked(operator.post("/v1/settlements/advance"))
        here.shown = asked(operator.get("/v1/settlements/1"))
        for name in "ABC":
            assert here.sign(name, against=host.url, state=str(folder / name / "kept"))[0] == 0
        asked(operator.post("/v1/settlements/advance"))
        assert asked(operator.get("/v1/settlements/1"))["state"] == "final"
        for place, name in enumerate("ABCA"):
            post(here, name, "earns", f"late-{place}", 100 + place)
        post(here, "B", "burns", "b2", 77)
        asked(operator.post("/v1/settlements"))
        asked(operator.post("/v1/settlements/advance"))
        here.shown = asked(operator.get("/v1/settlements/2"))
        yield here
        here.coalition.close()
    structlog.reset_defaults()


def post(here: Waiting, name: str, path: str, external_id: str, points: int) -> None:
    body = {"external_id": external_id, "member": here.coalition.members["m"], "points": points}
    client = here.coalition.partners[name].client
    asked(client.post(f"/v1/{path}", json=body, headers={"Idempotency-Key": external_id}))


def of_waiting(alter: Callable[[dict[str, Any]], object]) -> Lie:
    """A lie about the settlement that waits, in the list."""

    def lie(path: str, content: bytes) -> bytes:
        if path.partition("?")[0] != "/v1/settlements":
            return content
        return of_json("", lambda data: alter(data["data"][-1]))(path, content)

    return lie


def of_header(**fields: Callable[[Any], object]) -> Lie:
    def alter(one: dict[str, Any]) -> None:
        for name, change in fields.items():
            one["header"][name] = change(one["header"][name])

    return of_waiting(alter)
