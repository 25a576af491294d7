"""A Settlement that believes what it is told came back: for books that lie about it, which the real one would not settle.

Identity, signers, floors and deposits are a deployed contract's; proposals and finality are kept here. Of the rule for claims
it keeps that W and R never fall and that R is never more than W, not that R came back on chain. The true way, on the real
contract, is in tests/audit/test_wallets_on_chain.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from counterfoil.audit import onchain
from counterfoil.audit.onchain import Chain, Change
from counterfoil.chain.client import latest_block
from counterfoil.chain.outbox import Outbox
from counterfoil.chain.settlement import Final, SettlementContract
from counterfoil.chain.signer import recover
from counterfoil.core import netting
from counterfoil.core.settlement import Header, Supply, unpack_supply
from counterfoil.settlement.cycle import Cycle
from counterfoil.settlement.wallets import PUSHED

GAS = 100_000


class Opened(SettlementContract):
    """`done`: final headers with tx and block, in order."""

    proposed: Header | None = None
    done: list[tuple[Header, str, int]]

    @classmethod
    def stand_in(cls, cycle: Cycle) -> Opened:
        """In the place of a cycle's contract, which is deployed if it is not."""
        real = cycle.contract(create=True)
        assert real is not None
        one = cls(real.w3, real.address)
        one.done = []
        cycle._contract = one
        cycle.memory.remember(PUSHED, str(2**31))  # nobody claims here
        return one

    def supplies(self) -> dict[int, Supply]:
        """As of the last final header."""
        return {s.currency: s for s in unpack_supply(self.done[-1][0].closing.supply)} if self.done else {}

    def final(self, at_block: int | None = None) -> Final:
        del at_block
        if not self.done:
            return Final(0, bytes(32), bytes(32), 0)
        header = self.done[-1][0]
        return Final(header.closing.number, header.hash(), header.closing.hash(), header.closing.log_size)

    def proposal(self) -> tuple[bytes, int, int]:
        one = self.proposed
        return (bytes(32), 0, 0) if one is None else (one.hash(), one.closing.number, 0)

    def propose(self, outbox: Outbox, header: Header, signatures: Mapping[int, bytes]) -> str:
        del outbox
        final, before = self.final(), self.supplies()
        assert (header.closing.number, header.previous_header) == (final.number + 1, final.header)
        assert (header.attempt, header.closing.previous_closing) == (self.next_attempt(), final.closing)
        digest, signers = header.digest(self.chain_id, self.address), self.signers()
        assert all(recover(digest, signed) == signers[number] for number, signed in signatures.items())
        assert len(signatures) >= self.quorum()
        for one in unpack_supply(header.closing.supply):
            was = before.get(one.currency, Supply(one.currency, b"", 0))
            assert one.withdrawn >= was.withdrawn
            assert was.returned <= one.returned <= one.withdrawn
        self.proposed = header
        return ""

    def finalize(self, outbox: Outbox, header: Header) -> str:
        assert header == self.proposed
        block, _hash = latest_block(self.w3)
        tx = outbox.send(f"stand-in:{header.closing.number}", outbox.signer.address, b"", GAS)[0]
        self.proposed = None
        self.done.append((header, tx, block + 1))
        return tx

    def finalized(self) -> dict[int, tuple[bytes, str]]:
        return {header.closing.number: (header.hash(), tx) for header, tx, _block in self.done}

    def settled(self) -> dict[int, dict[int, int]]:
        return {header.closing.number: netting.unpack(header.positions) for header, _tx, _block in self.done}

    def collateral(self, parties: Iterable[int], at_block: int | None = None) -> dict[int, int]:
        found = super().collateral(parties, at_block)
        for header, _tx, block in self.done:
            if at_block is None or block <= at_block:
                for number, net in netting.unpack(header.positions).items():
                    if number in found:
                        found[number] += net
        return found

    def supply(self, currency: int = 1, at_block: int | None = None) -> int:
        del at_block
        one = self.supplies().get(currency)
        return one.tokens if one is not None else 0

    def chain(self) -> Chain:
        """What an auditor would read."""
        real = onchain.read(self.w3, self.address)
        headers = [header for header, _tx, _block in self.done]
        changes = list(real.changes)
        for header, _tx, block in self.done:
            held = {one.party: one.collateral for one in changes}
            moved = netting.unpack(header.positions)
            changes += [Change(block, place, n, held.get(n, 0) + net) for place, (n, net) in enumerate(moved.items())]
        return replace(
            real, final=self.finalized(), closings={h.closing.number: h.closing.hash() for h in headers},
            sizes={h.closing.number: h.closing.log_size for h in headers}, settled=self.settled(),
            supplies={h.closing.number: {s.currency: s.tokens for s in unpack_supply(h.closing.supply)} for h in headers},
            tokens={currency: self.supply(currency) for currency in real.tokens},
            collateral=self.collateral(real.collateral), changes=tuple(sorted(changes, key=lambda c: (c.block, c.place))),
        )  # fmt: skip
