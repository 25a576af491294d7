"""A coalition in process: SQLite books, an embedded chain, three partners that sign; its exports and kept answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from counterfoil.audit import onchain
from counterfoil.audit.auditor import examine
from counterfoil.audit.report import Report
from counterfoil.chain import signer
from counterfoil.chain.client import Web3, connect
from counterfoil.chain.embedded import EmbeddedChain
from counterfoil.core.accounts import OPERATOR
from counterfoil.core.operation import Answer, Operation
from counterfoil.core.rulebook.contracts import Contract
from counterfoil.gateway.state import Gateway
from counterfoil.settlement import export
from counterfoil.settlement.cycle import Cycle, header_of
from counterfoil.store import registry, sequencer, settlements
from counterfoil.store.engine import open_books
from counterfoil.store.memory import BooksMemory
from counterfoil.store.posting import Poster
from tests.settlement.opened import Opened
from tests.store.ground import change, enrolled

DAY = 86_400_000_000
START = 1_790_000_000_000_000  # microseconds, September 2026
GROCER, BAKER, FLORIST = 16, 17, 18
CONTRACTS = {  # odd faces, so that positions need rounding
    GROCER: Contract(1, 10_001, 1_003, 10, 2_500),
    BAKER: Contract(1, 9_997, 500, None, 0),
    FLORIST: Contract(1, 10_000, 1_000, 365, 10_000, issuance_bp=4_000),  # the rest of the face at use
}


def _sign_all(_header: Any, signers: dict[int, signer.Signer]) -> dict[int, signer.Signer]:
    return signers


@dataclass
class Coalition:
    """`post` gives the answer's body; `settle` closes and makes final."""

    home: Path
    kept: list[dict[str, Any]] = field(default_factory=list)
    now: int = START
    who_signs: Callable[[Any, dict[int, signer.Signer]], dict[int, signer.Signer]] = _sign_all

    def __post_init__(self) -> None:
        new = not self.home.exists()
        self.home.mkdir(parents=True, exist_ok=True)
        self.engine = open_books(f"sqlite:///{self.home}/books.db")
        self.programme = registry.found(self.engine, zone="Europe/Warsaw", livemode=False, entropy=b"\x07" * 32)
        if new:
            registry.set_clock(self.engine, self.now)
        self.operator = signer.Signer(b"\x11" * 32)
        self.counterfoil = signer.Signer(b"\x12" * 32)
        origin = signer.origin_of(self.programme.programme)
        self.checkpoint = signer.checkpoint_key(self.home / "keys/checkpoint.key", origin, seed=b"\x13" * 32)
        self.embedded = EmbeddedChain(
            self.home / "chain.db", funded={Web3.to_checksum_address(self.operator.address): 10**26}
        )
        self.signers = {n: signer.Signer(bytes([n]) * 32) for n in CONTRACTS}
        for number, name in ((GROCER, "grocer"), (BAKER, "baker"), (FLORIST, "florist")) if new else ():
            assert enrolled(self.engine, name, CONTRACTS[number], self.signers[number].address.lower()) == number
        if new:
            change(self.engine, "add_promotion", name="spring", shares={"grocer": 6_000, "baker": 4_000})
        self.poster = Poster(self.engine)
        self.gateway = Gateway(
            self.engine, None, self.counterfoil, self.checkpoint, self.programme.programme, False  # type: ignore[arg-type]
        )  # fmt: skip
        self.cycle = Cycle(
            self.engine, connect(self.embedded.provider), BooksMemory(self.engine), self.operator,
            self.counterfoil.address, self.checkpoint.public, self.poster.post,
        )  # fmt: skip

    def deploy(self) -> None:
        """Let the contract stand before anything is settled."""
        assert self.cycle.contract(create=True) is not None

    def open_claims(self) -> None:
        """Settle with a contract that takes claims: a stand-in, before the first settlement."""
        Opened.stand_in(self.cycle)

    def members(self, count: int) -> list[int]:
        made = registry.add_members(self.engine, GROCER, [None] * count, self.now)
        return [number for number, _new in made]

    def post(self, *operations: Operation) -> list[Answer]:
        """Post in one group; every answer is kept, refusals fail the test."""
        answers, group = self.poster.post(operations)
        assert group is not None
        for answer in answers:
            assert answer.ok, answer.facts
        bodies = self.gateway.bodies(answers, [group])
        self.kept += [json.loads(body) for body in bodies]
        return answers

    def do(self, verb: str, partner: int, member: int, points: int = 0, **more: Any) -> int:
        """One operation; the entry's id."""
        named = f"x{len(self.kept)}" if verb != "release" else None
        external = more.pop("external_id", named)
        op = Operation(verb, partner, member=member, points=points, external_id=external, **more)
        return self.post(op)[0].entry

    def act(
        self, verb: str, *, member: int = 0, recipient: int = 0, points: int = 0, hold: int = 0, **more: Any
    ) -> int:
        """A seldom operation of the operator's; the entry's id, 0 if it makes none."""
        named = {"exchange", "buy_reward", "refund_reward", "adjust", "withdraw", "give_back", "redeem"}
        external = f"x{len(self.kept)}" if verb in named else None
        currency = more.pop("currency", "CP")
        op = Operation(
            verb,
            OPERATOR,
            member=member,
            recipient=recipient,
            points=points,
            hold=hold,
            external_id=external,
            currency=currency,
            more=more,
        )
        answers, group = self.poster.post([op])
        assert answers[0].ok, answers[0].facts
        self.kept += [
            json.loads(body) for body in self.gateway.bodies(answers, [group] if group else []) if answers[0].entry
        ]
        return answers[0].entry

    def wait(self, days: float) -> None:
        self.now += round(days * DAY)
        registry.set_clock(self.engine, self.now)

    def close(self) -> int:
        sequencer.sequence(self.engine)
        return self.cycle.close(self.now)

    def settle(self) -> int:
        number = self.close()
        self.cycle.run()
        row: Any = settlements.one(self.engine, number)
        header = header_of(row)
        contract = self.cycle.contract()
        assert contract is not None
        for partner, key in self.who_signs(header, self.signers).items():
            self.cycle.sign(number, partner, key.sign(header.digest(contract.chain_id, contract.address)))
        self.cycle.run()
        last: Any = settlements.one(self.engine, number)
        assert last.state == "final", last.alert
        return number

    def export(self, to: Path) -> Path:
        """Folders `public` and `sealed` and the file `counterfoils.jsonl` in `to`."""
        contract = self.cycle.contract()
        assert contract is not None
        place = (contract.chain_id, contract.address)
        for kind, files in (
            ("public", export.public(self.engine, self.checkpoint, place)),
            ("sealed", export.sealed(self.engine)),
        ):
            for name, content in files:
                path = to / kind / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        lines = [json.dumps(body if i % 2 else body["counterfoil"]) for i, body in enumerate(self.kept)]
        (to / "counterfoils.jsonl").write_text("\n".join(lines) + "\n")
        return to

    def chain(self) -> onchain.Chain:
        contract = self.cycle.contract()
        assert contract is not None
        return contract.chain() if isinstance(contract, Opened) else onchain.read(self.cycle.w3, contract.address)

    def end(self) -> None:
        self.embedded.close()
        self.engine.dispose()


def audited(folder: Path, chain: onchain.Chain) -> Report:
    """Everything in a folder against a chain."""
    return examine(folder / "public", folder / "sealed", folder / "counterfoils.jsonl", chain)


def year(made: Coalition) -> None:
    """All verbs in four settlements: refunds of both kinds, debt, expiry with split breakage, grace."""
    ann, bob, cleo, dan, eve = made.members(5)
    made.do("earn", GROCER, ann, 1_000, external_id="ann-1")
    made.do("earn", BAKER, ann, 333)
    made.do("earn", GROCER, bob, 301, external_id="bob-1")
    made.do("earn", FLORIST, dan, 100, external_id="dan-1")
    made.do("burn", BAKER, ann, 217, external_id="ann-burn")
    made.do("burn", GROCER, dan, 100)
    made.do("transfer", GROCER, bob, 51, recipient=cleo)
    first = made.do("hold", FLORIST, ann, 120, ttl_seconds=3_600)
    made.settle()
    made.do("capture", FLORIST, ann, 61, hold=first, external_id="ann-capture")
    second = made.do("hold", BAKER, ann, 40, ttl_seconds=60)
    made.do("release", BAKER, ann, hold=second)
    made.do("refund_earn", FLORIST, dan, 80, original="dan-1")  # all burned: a debt
    made.do("earn", BAKER, dan, 31)  # repays a part of it
    made.do("refund_burn", BAKER, ann, 17, original="ann-burn")
    made.do("refund_earn", GROCER, bob, 25, original="bob-1")
    made.post(
        Operation("earn", FLORIST, member=eve, points=77, external_id="eve-1"),
        Operation("earn", BAKER, member=cleo, points=5, external_id="cleo-1"),
        Operation("burn", BAKER, member=eve, points=11, external_id="eve-2"),
        Operation("earn", GROCER, member=bob, points=9, external_id="bob-2"),
    )
    made.settle()
    made.do("hold", BAKER, bob, 30, ttl_seconds=7_200)
    made.wait(12)  # the grocer's points of settlement 1 run out, and a hold of them lapses
    made.do("refund_burn", BAKER, ann, 100, original="ann-burn")  # with grace
    made.do("earn", FLORIST, eve, 1, valid_to=None)
    made.do("refund_earn", GROCER, ann, 400, original="ann-1")  # expired ones are excused
    made.do("transfer", BAKER, eve, 20, recipient=ann)
    made.do("earn", FLORIST, dan, 60)  # repays the rest
    made.do("earn", GROCER, bob, 20, promotion="spring", bonus=11)
    made.do("earn", BAKER, cleo, 50, pending_days=9, external_id="cleo-late")
    made.do("refund_earn", BAKER, cleo, 20, original="cleo-late")  # cancelled while it is pending
    made.settle()
    made.wait(45)  # grace ends
    made.do("refund_burn", FLORIST, ann, 30, original="ann-capture")
    made.do("burn", GROCER, ann, 10)
    made.do("earn", GROCER, eve, 13)
    made.settle()
