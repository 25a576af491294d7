"""Headers against the contract: identity, chain of hashes, finality, signatures, money moved, supply, collateral."""

from __future__ import annotations

from collections.abc import Iterator

from counterfoil.audit.case import Case, Lacks
from counterfoil.audit.report import Finding
from counterfoil.chain.signer import recover
from counterfoil.core import netting
from counterfoil.core.errors import Unreadable
from counterfoil.core.settlement import NOTHING, outcome, pack_defaults, unpack_supply


def programme(case: Case) -> Iterator[Finding]:
    """The export is about the programme, the contract and the chain that were asked."""
    said, chain = case.programme, case.chain
    if said.programme != chain.programme:
        yield Finding("programme", f"programme.json is of 0x{said.programme.hex()}, the contract of another")
    if said.chain_id != chain.chain_id:
        yield Finding("programme", f"programme.json names chain {said.chain_id}, this is {chain.chain_id}")
    if said.settlement is None or said.settlement.lower() != chain.address.lower():
        yield Finding("programme", f"programme.json names another Settlement than {chain.address}")
    if said.settlements != len(case.headers):
        yield Finding(
            "programme",
            f"programme.json says {said.settlements} settlements, {len(case.headers)} follow each other in the export",
        )


def header_chain(case: Case) -> Iterator[Finding]:
    """Numbers from 1 without gap; each header names the one before, and the log never shrinks."""
    header_before, closing_before, size, closed_at = NOTHING, NOTHING, 0, 0
    for number, one in case.headers.items():
        header, closing = one.header, one.header.closing
        wrong = []
        if case.trusted(number):  # else final_on_chain names it, and nothing in it is worth comparing
            if closing.number != number:
                wrong.append(f"the header in its folder is number {closing.number}")
            if closing.programme != case.chain.programme:
                wrong.append("it is of another programme")
            if header.attempt < 1:
                wrong.append(f"attempt {header.attempt}")
            if header.previous_header != header_before:
                wrong.append("previous_header is not the header before")
            if closing.previous_closing != closing_before:
                wrong.append("previous_closing is not the closing before")
            if closing.log_size < size:
                wrong.append(f"the log shrinks from {size} to {closing.log_size}")
            if closing.closed_at < closed_at:
                wrong.append("it was closed before the one before")
            size, closed_at = closing.log_size, closing.closed_at
        for text in wrong:
            yield case.finding("header_chain", text, number)
        final = case.chain.final.get(number)
        header_before = final[0] if final else one.hash
        closing_before = case.chain.closings.get(number, closing.hash())


def final_on_chain(case: Case) -> Iterator[Finding]:
    """Every final settlement is in the export with exactly the header that the contract made final, and by that tx."""
    for number, (header_hash, tx) in sorted(case.chain.final.items()):
        one = case.headers.get(number)
        if one is None:
            text = f"the chain has final settlement {number}, the export lacks it: cut off or rolled back"
            yield case.finding("final_on_chain", text, number)
        elif one.hash != header_hash:
            text = f"the export's header hashes to 0x{one.hash.hex()}, another one is final on chain"
            yield case.finding("final_on_chain", text, number)
        elif one.tx is not None and one.tx.lower() != tx.lower():  # none yet: exported just before it was noted
            yield case.finding("final_on_chain", f"the export names tx {one.tx[:80]!r}, it was {tx}", number)
    for number, one in case.headers.items():
        if number in case.chain.final:
            continue
        if number <= case.chain.last or (one.tx is not None and number not in case.chain.final):
            yield case.finding("final_on_chain", "the export calls it final, the chain does not", number)
        proposed, proposed_number = case.chain.proposal
        if proposed_number == number and any(proposed) and proposed != one.hash:
            yield case.finding("final_on_chain", f"another header, 0x{proposed.hex()}, is proposed", number)


def signatures(case: Case) -> Iterator[Finding]:
    """Each signature is its partner's over this header, and a final header has its quorum."""
    broken = 0
    for number, one in case.headers.items():
        if not case.trusted(number):
            broken = broken or number
            continue
        digest = one.header.digest(case.chain.chain_id, case.chain.address)
        good = 0
        for partner, signed in sorted(one.signatures.items()):
            if partner not in case.chain.signers_at(number):
                yield case.finding("signatures", f"party {partner} is no signer of the contract", number)
            elif recover(digest, signed) != case.chain.signers_at(number)[partner]:
                yield case.finding("signatures", f"the signature of partner {partner} is not over this header", number)
            else:
                good += case.chain.active(partner, number)
        quorum = case.chain.quorum(number)
        if number in case.chain.final and good < quorum and good == len(one.signatures):
            yield case.finding("signatures", f"{good} signatures, the quorum is {quorum}", number)
    if broken:
        case.require(broken)


def settled(case: Case) -> Iterator[Finding]:
    """Positions and defaults are the outcome of the gross words, and the contract moved exactly these."""
    for number, one in case.headers.items():
        case.require(number)
        header = one.header
        try:
            words = netting.unpack(header.positions)
            gross = netting.unpack(header.closing.gross)
        except Unreadable as error:
            yield case.finding("settled", str(error), number)
            continue
        if words != gross:
            yield case.finding("settled", "positions are not the gross words", number)
        moved = case.chain.settled.get(number, {})
        if number in case.chain.final and moved != words:
            party = min(p for p in moved.keys() | words.keys() if moved.get(p) != words.get(p))
            text = f"party {party}: the header says {words.get(party, 0)} micros, the chain moved {moved.get(party, 0)}"
            yield case.finding("settled", text, number)


def supply(case: Case) -> Iterator[Finding]:
    """After each final settlement the tokens are C + W - R; now they are those of the last."""
    last: dict[int, int] = {}
    for number, one in case.headers.items():
        case.require(number)
        try:
            said = {s.currency: s.tokens for s in unpack_supply(one.header.closing.supply)}
        except Unreadable as error:
            yield case.finding("supply", str(error), number)
            raise Lacks("supply words that can be read") from None
        if number not in case.chain.final:
            continue
        last = said
        if case.chain.supplies.get(number) != said:
            text = f"the header gives tokens {said}, the chain set {case.chain.supplies.get(number)}"
            yield case.finding("supply", text, number)
    if case.chain.last not in {0, *case.headers}:
        raise Lacks(f"settlement {case.chain.last}, which set the supply")
    now = {currency: tokens for currency, tokens in case.chain.tokens.items() if tokens or currency in last}
    if now != last:
        number = case.chain.last
        if number == 0:
            yield Finding("supply", f"tokens exist before any settlement: {now}")
        else:
            text = f"{now} tokens exist by currency, the last final settlement allows {last}"
            yield case.finding("supply", text, number)


def collateral(case: Case) -> Iterator[Finding]:
    """Nobody's collateral is negative, and the contract holds money for all of it."""
    held = case.chain.collateral
    for party, micros in sorted(held.items()):
        if micros < 0:
            yield Finding("collateral", f"party {party} has {micros} micros")
    if sum(held.values()) > case.chain.balance:
        text = f"collateral sums to {sum(held.values())} micros, the contract holds {case.chain.balance}"
        yield Finding("collateral", text)
    latest = {one.party: one.collateral for one in case.chain.changes}
    for party, micros in sorted(held.items()):
        if latest.get(party, 0) != micros:
            text = f"party {party} has {micros} micros, by the contract's events it has {latest.get(party, 0)}"
            yield Finding("collateral", text)


def replayed(case: Case) -> Iterator[Finding]:
    """Outcome replayed: who could pay and who fell below its floor, on the collateral at the block the header names.

    Collateral of that block is taken from the contract's events, so any node will do.
    """
    for number, one in case.headers.items():
        case.require(number)
        header = one.header
        known = case.chain.block_hash(header.collateral_block)
        if known is None:
            raise Lacks(f"a node that knows block {header.collateral_block}")
        if known != header.collateral_block_hash:
            text = f"block {header.collateral_block} on chain is another than the header names"
            yield case.finding("outcome", text, number)
            continue
        try:
            gross = netting.unpack(header.closing.gross)
        except Unreadable:
            raise Lacks("gross words that can be read") from None
        before = {c.party: c.collateral for c in case.chain.changes if c.block <= header.collateral_block}
        result = outcome(gross, before, case.chain.floors_at(header.collateral_block))
        for party, micros in sorted(result.short.items()):
            yield case.finding("outcome", f"party {party} lacked {micros} micros and was settled", number)
        if pack_defaults(result.defaults) != header.defaults:
            text = f"defaults should be {list(result.defaults)}, the header has 0x{header.defaults.hex()[:80]}"
            yield case.finding("outcome", text, number)
