"""A partner challenges what is proposed: the cycle waits, says who, and proposes anew once the header is void."""

from __future__ import annotations

from typing import Any

from web3 import Web3

from counterfoil.chain.outbox import Outbox
from counterfoil.core.settlement import Header
from counterfoil.settlement.founding import Charter
from tests.chain.kept import Kept
from tests.gateway.stand import Stand, good
from tests.settlement.test_cycle import cycle_of, played


def test_an_upheld_challenge_gives_the_next_attempt(books: Stand) -> None:
    played(books)
    cycle = cycle_of(books)
    cycle.charter = Charter(window_seconds=3_600)
    number = books.close()

    def shown() -> Any:
        good(books.advance())
        return books.read("operator", f"settlements/{number}")

    def signed() -> Header:
        for name in "AB":
            good(books.sign(name, number))
        found = shown()
        assert (found["state"], found["alert"].startswith("the challenge window ends in")) == ("proposed", True)
        return Header.from_json(found["header"])

    shown()
    first, contract = signed(), cycle.contract()
    assert contract is not None
    partner, outbox = books.sides["A"], cycle.outbox()
    funding = {
        "type": 2, "chainId": contract.chain_id, "nonce": cycle.w3.eth.get_transaction_count(_address(outbox)),
        "to": Web3.to_checksum_address(partner.signer.address), "value": 10**17, "data": b"", "gas": 21_000,
        "maxPriorityFeePerGas": 10**9, "maxFeePerGas": 10**10,
    }  # fmt: skip
    cycle.w3.eth.send_raw_transaction(outbox.signer.sign_transaction(dict(funding)))
    data = contract.contract.encode_abi("challenge", [partner.id, first.fields()])
    Outbox(cycle.w3, partner.signer, Kept()).send("challenge", contract.address, _raw(data), 500_000)
    assert shown()["alert"] == "A challenges the header: the quorum confirms it, or the operator concedes"
    assert contract.challenger() == partner.id

    outbox.send("concede", contract.address, _raw(contract.contract.encode_abi("concede", [])), 500_000)
    waiting = shown()
    assert (waiting["state"], waiting["signed_by"]) == ("closed", [])
    anew = Header.from_json(waiting["header"])
    assert (first.attempt, anew.attempt, contract.next_attempt()) == (1, 2, 2)
    assert anew.closing == first.closing
    assert signed() == anew


def _address(outbox: Outbox) -> Any:
    return Web3.to_checksum_address(outbox.signer.address)


def _raw(data: str) -> bytes:
    return bytes.fromhex(data.removeprefix("0x"))
