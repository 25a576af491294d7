"""The cycle: look at books and chain, do the next due step, again until nothing is due.

Safe to rerun after a crash at any point: every step first asks the contract what is already so. States of a
settlement: closing (range fixed), closed (closing fixed, signatures wanted once it has a header), proposed, final.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from counterfoil.chain.client import Memory, Web3, final_block, latest_block
from counterfoil.chain.outbox import FEE_CAP_WEI, Outbox
from counterfoil.chain.settlement import (
    SANDBOX_COLLATERAL_MICROS,
    SettlementContract,
    deposit_test_money,
)
from counterfoil.chain.signer import Signer, recover
from counterfoil.core import netting
from counterfoil.core.accounts import OPERATOR
from counterfoil.core.errors import UnknownSettlement
from counterfoil.core.operation import Operation
from counterfoil.core.refusals import BadSignature, PartnersFixed, ReadOnly, SettlementNotWaiting
from counterfoil.core.settlement import Header, outcome, pack_defaults
from counterfoil.settlement import wallets
from counterfoil.settlement.closing import closing_of, compute
from counterfoil.settlement.founding import Charter, deployed
from counterfoil.settlement.guarantees import pay_estates, replenish
from counterfoil.settlement.invoicing import invoice
from counterfoil.store import books, json_text, payments, registry, settlements
from counterfoil.store.engine import Engine, writing

DUE_BATCH = 500  # members; each may have many lots, and a group holds 65,536 entries
ADDRESS = "settlement:address"
CHARTER = Charter()  # a sandbox's


@dataclass(slots=True)
class Cycle:
    """One programme's settlements. Only one process should step; a second one does no harm, only work twice."""

    engine: Engine
    w3: Web3
    memory: Memory
    operator: Signer
    counterfoil_key: str
    checkpoint_key: bytes
    post: Callable[[list[Operation]], object]
    charter: Charter = CHARTER
    token: str | None = None
    fee_cap_wei: int = FEE_CAP_WEI
    crash: Callable[[str], None] = lambda point: None
    blocked: ReadOnly | None = None  # books that must not be written to
    _contract: SettlementContract | None = field(default=None)
    _tended: float = 0.0

    def programme(self) -> registry.Programme:
        """The programme as it stands."""
        with self.engine.connect() as connection:
            return registry.load(connection)

    def close(self, now: int) -> int:
        """Run what is due, fix the range of the open settlement and its closing. Returns its number. Raises ReadOnly."""
        self.fail_late(now)
        self.run_due(now)
        number = settlements.close(self.engine, now, self.crash)
        compute(self.engine, number, self.crash)
        return number

    def default(self, partner: int, now: int) -> dict[str, Any]:
        """A partner cannot pay the open settlement: post who bears what is missing. The facts of the answer."""
        self.assert_writable()
        self.run_due(now)
        programme = self.programme()
        op = Operation("default", OPERATOR, more={
            "partner": partner, "collateral": self.collateral(partner), "first_loss": programme.limits.first_loss_micros,
        })  # fmt: skip
        answers: Any = self.post([op])
        facts: dict[str, Any] = answers[0][0].facts
        return facts

    def fail_late(self, now: int) -> dict[str, Any]:
        """Partners that did not pay by bank in time cannot pay the open settlement either: their waterfalls, by name."""
        self.assert_writable()
        with self.engine.connect() as connection:
            programme = registry.load(connection)
            failing = payments.failing(connection, now, programme.zone)
        return {programme.name_of(n): self.default(n, now)["waterfall"] for n in failing}

    def collateral(self, partner: int) -> int:
        """A partner's collateral on chain once what is closed is settled, or what a sandbox will deposit for it."""
        contract = self.contract()
        if contract is not None:
            closed = (one for one in settlements.every(self.engine) if one.state != "final" and one.totals)
            queued = sum(netting.unpack(closing_of(one, b"").gross).get(partner, 0) for one in closed)
            return max(0, contract.collateral([partner])[partner] + queued)
        party = self.programme().parties.get(partner)
        planned = party.collateral_micros if party is not None else None
        return SANDBOX_COLLATERAL_MICROS if planned is None else planned

    def assert_writable(self) -> None:
        """Raises ReadOnly for books behind a checkpoint they once signed."""
        if self.blocked is not None:
            raise self.blocked

    def run_due(self, now: int) -> int:
        """Post what fell due up to `now` for every member; returns how many members had something. Twice does no harm."""
        self.assert_writable()
        count = 0
        while members := books.due_members(self.engine, now, DUE_BATCH):
            self.post([Operation("due", OPERATOR, member=number) for number in members])
            count += len(members)
        return count

    def step(self) -> bool:
        """Do the next due step of the oldest settlement that is not final; False if none is due now.

        Raises Unreachable if the chain does not answer, Reverted if the contract refuses.
        """
        self.assert_writable()
        for fixed in settlements.every(self.engine, state="closing"):
            compute(self.engine, fixed.number, self.crash)
        row = next((one for one in settlements.every(self.engine) if one.state != "final"), None)
        if row is None:
            return False
        contract = self.contract(create=True)
        if contract is None:
            self._alert(row, "no partner with a signer is registered: there is nobody to settle with")
            return False
        if contract.final().number >= row.number:
            return self._note_final(row, contract)
        proposed, number, at = contract.proposal()
        if number == row.number and any(proposed):
            return self._finalize(row, contract, at)
        return self._prepare(row, contract) if row.header is None else self._propose(row, contract)

    def run(self) -> None:
        """Step until nothing is due; then the documents of what is closed, which need no chain and hold nothing up."""
        try:
            while self.step():
                pass
            contract, now = self.contract(), time.monotonic()
            if contract is not None and (self.token is None or now > self._tended + wallets.EVERY_SECONDS):
                self._tended = now
                wallets.tend(self.engine, self.memory, self.outbox(), contract, self.post, self._final_block)
        finally:
            self.assert_writable()
            while invoice(self.engine, self.crash):
                pass

    def contract(self, *, create: bool = False) -> SettlementContract | None:
        """The programme's contract; deployed with the partners registered by then if `create` and not there yet."""
        if self._contract is None:
            address = self.memory.recall(ADDRESS)
            if address is None and create:
                self.memory.claim(wallets.READ, str(latest_block(self.w3)[0]))  # before it nothing can have come back
                keys = self.counterfoil_key, self.checkpoint_key
                address = deployed(self.programme(), self.outbox(), self.token, self.charter, *keys)
                if address is not None:
                    self.memory.remember(ADDRESS, address)
            if address is not None:
                self._contract = SettlementContract(self.w3, address)
        return self._contract

    def _final_block(self) -> tuple[int, bytes]:
        """A sandbox's money has no worth: it need not wait until a chain calls a block final."""
        return latest_block(self.w3) if self.token is None else final_block(self.w3)

    def outbox(self) -> Outbox:
        """The operator's outbox."""
        return Outbox(self.w3, self.operator, self.memory, self.crash, self.fee_cap_wei)

    def assert_open_to_partners(self, name: str) -> None:
        """Raises PartnersFixed once the contract stands."""
        if self.memory.recall(ADDRESS) is not None:
            raise PartnersFixed(name)

    def sign(self, number: int, partner: int, signed: bytes) -> None:
        """Take a partner's signature. Raises UnknownSettlement, SettlementNotWaiting, BadSignature."""
        row: Any = settlements.one(self.engine, number)
        if row is None:
            raise UnknownSettlement(str(number))
        contract = self.contract()
        if row.header is None or row.state not in {"closed", "proposed"} or contract is None:
            raise SettlementNotWaiting(number, row.state)
        header = header_of(row)
        if recover(header.digest(contract.chain_id, contract.address), signed) != contract.signers().get(partner):
            raise BadSignature("does not recover to this partner's signer over the header that waits")
        with writing(self.engine) as connection:
            settlements.sign(connection, number, partner, header.hash(), signed)

    def _prepare(self, row: Any, contract: SettlementContract) -> bool:
        programme = self.programme()
        closing, final = closing_of(row, programme.programme), contract.final()
        assert final.closing == closing.previous_closing
        assert final.number == row.number - 1
        gross = netting.unpack(closing.gross)
        if self.token is None:
            replenish(self.engine, self.memory, self.outbox(), contract)
            rounded = {int(owner): net for owner, net in json_text.loads(row.totals)["rounded"].items()}
            pay_estates(self.outbox(), contract, row.number, rounded, programme.bank)
        block, block_hash = self._final_block()
        if not contract.deployed_at(block):
            self._alert(row, f"the contract is not final yet at block {block}")
            return False
        result = outcome(gross, contract.collateral(gross, block), contract.floors(gross))
        missing = {n: 2 * abs(gross[n]) for n in (*result.short, *result.defaults) if self._enough(programme, n)}
        if missing and self.token is None:
            deposit_test_money(self.outbox(), contract, missing, f"deposit:{row.number}:{block}")
            return True
        if result.short:
            names = ", ".join(f"{programme.name_of(n)} lacks {micros} micros" for n, micros in result.short.items())
            self._alert(row, f"collateral does not cover the positions: {names}")
            return False
        header = Header(
            closing, contract.next_attempt(), final.header, block, block_hash, netting.pack(result.words),
            pack_defaults(result.defaults),
        )  # fmt: skip
        self._record(row, header=header.as_json(), alert=None)
        return True

    @staticmethod
    def _enough(programme: registry.Programme, number: int) -> bool:
        """Whether a sandbox tops a party up: not one whose collateral was fixed."""
        party = programme.parties.get(number)
        return party is None or party.collateral_micros is None

    def _propose(self, row: Any, contract: SettlementContract) -> bool:
        header, quorum = header_of(row), contract.quorum()
        if header.attempt != contract.next_attempt():  # a challenge was upheld
            text = "a challenge was upheld: the settlement is proposed anew"
            self._record(row, state="closed", header=None, alert=text)
            return True
        signed = settlements.signatures(self.engine, row.number, header.hash())
        if len(signed) < quorum:
            self._alert(row, f"{len(signed)} of {quorum} signatures are in")
            return False
        self.crash("settlement.before_propose")
        contract.propose(self.outbox(), header, signed)
        self.crash("settlement.proposed")
        self._record(row, state="proposed", alert=None)
        return True

    def _finalize(self, row: Any, contract: SettlementContract, proposed_at: int) -> bool:
        if row.state != "proposed":
            self._record(row, state="proposed", alert=None)
        if (challenger := contract.challenger()) is not None:
            name = self.programme().name_of(challenger)
            self._alert(row, f"{name} challenges the header: the quorum confirms it, or the operator concedes")
            return False
        left = proposed_at + self.charter.window_seconds - int(self.w3.eth.get_block("latest")["timestamp"])
        if self.charter.window_seconds and left > 0:
            self._alert(row, f"the challenge window ends in {left} s")
            return False
        self.crash("settlement.before_finalize")
        contract.finalize(self.outbox(), header_of(row))
        self.crash("settlement.finalized")
        return True

    def _note_final(self, row: Any, contract: SettlementContract) -> bool:
        header, tx = contract.finalized()[row.number]
        assert row.header is not None
        assert header == header_of(row).hash()
        bank, words = self.programme().bank, netting.unpack(header_of(row).positions)
        by_bank = {n: word for n, word in words.items() if bank.cash_at(n, row.number).account is not None}
        if by_bank:
            self.post([Operation("fall_due", OPERATOR, more={"settlement": row.number, "words": by_bank})])
        with writing(self.engine) as connection:
            settlements.finish(connection, int(row.number), tx)
        return True

    def _alert(self, row: Any, text: str) -> None:
        if row.alert != text:
            self._record(row, alert=text)

    def _record(self, row: Any, **values: object) -> None:
        with writing(self.engine) as connection:
            settlements.record(connection, int(row.number), **values)


def header_of(row: Any) -> Header:
    """The header of a settlement's row."""
    return Header.from_json(json_text.loads(row.header))


def settle(cycle: Cycle, seconds: float) -> bool:
    """Step until everything closed is final, at most `seconds`; False if something still waits."""
    deadline = time.monotonic() + seconds
    while True:
        cycle.run()
        if all(row.state == "final" for row in settlements.every(cycle.engine)):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
