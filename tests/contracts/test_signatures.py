"""A quorum is distinct, registered, active signers over exactly this header, here."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from eth_keys.constants import SECPK1_N

from counterfoil.chain.artifacts import Artifact
from tests.contracts.programme import (
    GAS,
    KEYS,
    PARTNERS,
    WINDOW,
    Header,
    Programme,
    deployed,
    packed,
    record,
    refused,
    typed,
)

NOBODY = "0x" + "0" * 40


def proposing(programme: Programme, header: Header, signatures: bytes) -> Any:
    return programme.proposing(header, signatures).call({"from": programme.operator, "gas": GAS})


def test_a_quorum_proposes(programme: Programme) -> None:
    header = programme.header()
    receipt = programme.propose(header)
    hash_ = programme.message(header).body
    proposed_at = programme.chain.w3.eth.get_block("latest")["timestamp"]
    assert programme.read("proposal") == [hash_, 1, proposed_at]
    assert programme.events(receipt) == [("Proposed", {
        "number": 1, "attempt": 1, "headerHash": hash_, "finalizableAt": proposed_at + WINDOW,
    })]  # fmt: skip


@pytest.mark.parametrize("signers", [(16, 17, 18, 19), (17, 18, 19, 20), PARTNERS])
def test_any_quorum_does(programme: Programme, signers: tuple[int, ...]) -> None:
    header = programme.header()
    proposing(programme, header, programme.sign(header, *signers))


def test_too_few_signatures(programme: Programme) -> None:
    header = programme.header()
    with refused("BelowQuorum", 4, 3):
        proposing(programme, header, programme.sign(header, 16, 17, 18))
    with refused("BelowQuorum", 4, 0):
        proposing(programme, header, b"")


def test_a_signature_cut_short(programme: Programme) -> None:
    header = programme.header()
    with refused("BrokenRecord", 69 * 4 - 1, 0):
        proposing(programme, header, programme.sign(header)[:-1])


@pytest.mark.parametrize(("signers", "before", "given"), [((16, 17, 17, 18), 17, 17), ((16, 18, 17, 19), 18, 17)])
def test_signers_rise(programme: Programme, signers: tuple[int, ...], before: int, given: int) -> None:
    header = programme.header()
    with refused("UnsortedId", before, given):
        proposing(programme, header, programme.sign(header, *signers))


def test_a_stranger_is_no_signer(programme: Programme) -> None:
    header = programme.header()
    with refused("NotASigner", 21):
        proposing(programme, header, programme.sign(header, 16, 17, 18, 21))
    with refused("NotASigner", 2):  # nor is a reserved party
        proposing(programme, header, record(2, 1, 1, 27) + programme.sign(header, 16, 17, 18))


def test_a_partner_signs_for_itself_alone(programme: Programme) -> None:
    header = programme.header()
    stolen = programme.sign(header, 16)
    four = programme.sign(header, 16, 17, 18) + (19).to_bytes(2, "big") + stolen[2:]
    with refused("BadSignature", 19, Account.from_key(KEYS[16]).address):
        proposing(programme, header, four)


def test_a_surplus_signature_must_be_good_too(programme: Programme) -> None:
    header = programme.header()
    with refused("BadSignature", 20, NOBODY):
        proposing(programme, header, programme.sign(header, 16, 17, 18, 19) + record(20, 0, 0, 27))


def test_a_high_s_is_refused(programme: Programme) -> None:
    """The same signature written in its other form: a recovery that ignored this would accept it."""
    header = programme.header()
    signed = Account.sign_message(programme.message(header), KEYS[19])
    twisted = record(19, signed.r, SECPK1_N - signed.s, 27 + 28 - signed.v)
    with refused("BadSignature", 19, NOBODY):
        proposing(programme, header, programme.sign(header, 16, 17, 18) + twisted)


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_v_is_27_or_28(programme: Programme, v: int) -> None:
    header = programme.header()
    signed = Account.sign_message(programme.message(header), KEYS[19])
    with refused("BadSignature", 19, NOBODY):
        proposing(programme, header, programme.sign(header, 16, 17, 18) + record(19, signed.r, signed.s, v))


def refused_message(programme: Programme, header: Header, message: Any) -> None:
    recovered = Account.recover_message(
        programme.message(header), signature=Account.sign_message(message, KEYS[16]).signature
    )
    with refused("BadSignature", 16, recovered):
        proposing(programme, header, programme.sign(header, message=message))


def test_signatures_for_another_chain(programme: Programme) -> None:
    header = programme.header()
    elsewhere = typed("Header", header, programme.chain.w3.eth.chain_id + 1, programme.settlement.address)
    refused_message(programme, header, elsewhere)


def test_signatures_for_another_contract(programme: Programme) -> None:
    """The same programme deployed again, partners and all."""
    header = programme.header()
    refused_message(programme, header, deployed(programme.chain).message(header))


@pytest.mark.parametrize(
    ("field", "value"),
    [("number", 2), ("attempt", 2), ("positions", b""), ("defaults", b"\0\x10"), ("manifest", bytes(32))],
)
def test_signatures_for_another_header(programme: Programme, field: str, value: Any) -> None:
    header = programme.header()
    refused_message(programme, header, programme.message(header | {field: value}))


def test_signatures_for_the_closing_alone(programme: Programme) -> None:
    header = programme.header()
    refused_message(programme, header, programme.message(header, "Closing"))


def test_a_signer_may_be_a_contract(programme: Programme, purse: Artifact) -> None:
    """Asked by ERC-1271 about any length; 65 bytes of its owner are good too, if it says so."""
    chain, owner = programme.chain, Account.from_key(KEYS[40])
    contract = chain.deploy(purse, owner.address)
    partners = [(n, Account.from_key(KEYS[n]).address, 0) for n in (16, 17)]
    p = deployed(chain, partners=[*partners, (18, contract.address, 0)])
    header = p.header(positions=b"")
    own = bytes(Account.sign_message(p.message(header), owner.key).signature)
    sixteen = p.sign(header, 16)
    for tail in (b"", b"\0", bytes(400)):
        proposing(p, header, sixteen + packed(18, own + tail))
        chain.send(contract.functions.behave(True, False), p.anyone)
        with refused("BadSignature", 18, NOBODY if tail else owner.address):
            proposing(p, header, sixteen + packed(18, own + tail))
        chain.send(contract.functions.behave(False, True), p.anyone)
        with refused("BadSignature", 18, NOBODY if tail else owner.address):
            proposing(p, header, sixteen + packed(18, own + tail))
        chain.send(contract.functions.behave(False, False), p.anyone)
    for short in (b"", own[:64]):  # the contract itself reverts
        with refused("BadSignature", 18, NOBODY):
            proposing(p, header, sixteen + packed(18, short))
    p.propose(header, sixteen + packed(18, own + b"\1"))
    p.finalize(header)
    assert p.read("lastNumber") == 1


@pytest.mark.parametrize("length", [0, 1, 64, 66, 300])
def test_a_key_signs_with_65_bytes(programme: Programme, length: int) -> None:
    header = programme.header()
    signed = Account.sign_message(programme.message(header), KEYS[19]).signature
    other = packed(19, (bytes(signed) + bytes(300))[:length])
    with refused("BadSignature", 19, NOBODY):
        proposing(programme, header, programme.sign(header, 16, 17, 18) + other)


@pytest.mark.parametrize("cut", [1, 64, 65, 66, 67, 68])
def test_a_record_must_end_within_the_bytes(programme: Programme, cut: int) -> None:
    header = programme.header()
    signatures = programme.sign(header)[:-cut]
    with refused("BrokenRecord", 4 * 69 - cut, 0):
        proposing(programme, header, signatures)


def test_a_length_that_swallows_the_next_record(programme: Programme) -> None:
    """Records are read one way only: what a length takes is a signature, whatever it looks like."""
    header = programme.header()
    signatures = programme.sign(header, 16, 17, 18, 19, 20)
    swallowed = signatures[:2] + (65 + 69).to_bytes(2, "big") + signatures[4:]
    with refused("BadSignature", 16, NOBODY):
        proposing(programme, header, swallowed)


def test_a_quorum_of_nothing_is_asked_for(programme: Programme) -> None:
    with refused("BelowQuorum", 4, 0):
        programme.settlement.functions.requireQuorum(bytes(32), b"").call({"gas": GAS})
    hash_ = programme.message(programme.header()).body
    programme.settlement.functions.requireQuorum(hash_, programme.sign(programme.header())).call({"gas": GAS})
