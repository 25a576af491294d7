"""What a programme can be changed into: partners, signers, floors, currencies, keys, the operator."""

from __future__ import annotations

from web3 import Web3
from web3.constants import ADDRESS_ZERO

from tests.contracts.changes import address, changed, changing, fails
from tests.contracts.programme import (
    CHECKPOINT_KEY,
    PARTNERS,
    Programme,
    ids,
    refused,
    supply,
    words,
)

NEW = "0x" + "99" * 20
NAMED = "0x1234567890123456789012345678901234567890"


def key_word(account: str) -> bytes:
    return bytes(12) + bytes.fromhex(account[2:])


def test_partners_join(programme: Programme) -> None:
    p = programme
    receipt = changed(p, "addPartners", [(30, address(30), 7), (25, address(25), 8)])
    assert p.events(receipt) == [
        ("PartnerRegistered", {"id": 30, "signer": address(30), "floor": 7}),
        ("PartnerRegistered", {"id": 25, "signer": address(25), "floor": 8}),
    ]  # fmt: skip
    assert (p.read("partners"), p.read("quorum")) == ([*PARTNERS, 30, 25], 5)
    p.deposit(25, 100)
    header = p.header(positions=words({16: 90, 25: -90}))
    p.propose(header, p.sign(header, 16, 17, 18, 25, 30))
    p.finalize(header)
    assert p.read("collateral", 25) == 10
    for partner, error, facts in (((16, NEW, 0), "IdTaken", (16,)), ((15, NEW, 0), "ReservedId", (15,)),
                                  ((40, address(17), 0), "SignerTaken", (17, address(17))),
                                  ((40, ADDRESS_ZERO, 0), "Missing", ("signer",))):  # fmt: skip
        with refused(error, *facts):
            fails(p, changing(p, "addPartners", [partner]))


def test_a_signer_is_replaced(programme: Programme) -> None:
    p = programme
    receipt = changed(p, "setSigner", 18, address(40))
    assert p.events(receipt) == [("SignerChanged", {"id": 18, "signer": address(40)})]
    assert (p.read("signerOf", 18), p.read("quorum")) == (address(40), 4)
    header = p.header()
    with refused("BadSignature", 18, address(18)):
        fails(p, p.proposing(header, p.sign(header, 16, 17, 18, 19)), p.operator)
    for partner, signer, error, facts in ((19, address(18), "SignerTaken", (18, address(18))),
                                          (19, address(40), "SignerTaken", (18, address(40))),
                                          (19, ADDRESS_ZERO, "Missing", ("signer",)),
                                          (2, NEW, "UnknownPartner", (2,))):  # fmt: skip
        with refused(error, *facts):
            fails(p, changing(p, "setSigner", partner, signer))


def test_a_signer_retires_itself_at_once(programme: Programme) -> None:
    p, retiring = programme, programme.settlement.functions.retire(18)
    for caller in (p.operator, p.signer(19)):
        with refused("NotTheSigner", 18, caller):
            fails(p, retiring, caller)
    receipt = p.chain.send(retiring, p.signer(18))
    assert p.events(receipt) == [("SignerChanged", {"id": 18, "signer": ADDRESS_ZERO})]
    assert (p.read("signerOf", 18), p.read("known", 18), p.read("quorum")) == (ADDRESS_ZERO, True, 3)
    header = p.header()
    with refused("NotASigner", 18):
        fails(p, p.proposing(header, p.sign(header, 16, 17, 18)), p.operator)
    p.propose(header, p.sign(header, 16, 17, 19))
    p.finalize(header)
    with refused("SignerTaken", 18, address(18)):  # for good
        fails(p, changing(p, "setSigner", 18, address(18)))
    changed(p, "setSigner", 18, address(40))
    assert p.read("quorum") == 4


def test_a_suspension_ends(programme: Programme) -> None:
    p = programme
    with refused("NotSuspended", 17):
        fails(p, changing(p, "reinstate", 17))
    p.settle(positions=words({16: 9_500, 17: -9_500}), defaults=ids(17))
    receipt = changed(p, "reinstate", 17)
    assert p.events(receipt) == [("PartnerReinstated", {"id": 17})]
    assert (p.read("suspended", 17), p.read("quorum")) == (False, 4)
    header = p.header(positions=b"")
    p.propose(header, p.sign(header, 16, 17, 18, 19))


def test_suspended_and_retired_at_once(programme: Programme) -> None:
    """Who is both counts once: the number of active partners never goes astray."""
    p = programme
    p.settle(positions=words({16: 9_500, 17: -9_500}), defaults=ids(17))
    p.chain.send(p.settlement.functions.retire(17), p.signer(17))
    assert p.read("quorum") == 3
    changed(p, "reinstate", 17)
    assert p.read("quorum") == 3
    changed(p, "setSigner", 17, address(40))
    assert p.read("quorum") == 4
    p.chain.send(p.settlement.functions.retire(18), p.signer(18))
    header = p.header(positions=words({16: 9_500, 18: -9_500}), defaults=ids(18))
    p.propose(header, p.sign(header, 16, 19, 20))
    p.finalize(header)  # retired, then suspended
    assert p.read("quorum") == 3
    changed(p, "setSigner", 18, address(41))
    assert p.read("quorum") == 3
    changed(p, "reinstate", 18)
    assert p.read("quorum") == 4


def test_a_floor_raised_does_not_stop_what_stands(programme: Programme) -> None:
    p, executing = programme, changing(programme, "setFloor", 17, 50_000)
    header = p.header()
    p.propose(header)
    p.chain.send(executing, p.anyone)
    p.finalize(header)
    assert p.read("collateral", 17) == 9_900
    with refused("BelowFloor", 17, 9_800, 50_000):
        fails(p, p.proposing(p.header()), p.operator)
    with refused("UnknownPartner", 2):
        fails(p, changing(p, "setFloor", 2, 1))


def test_a_currency_is_added(programme: Programme) -> None:
    p, press = programme, programme.part("Press").functions
    p.chain.send(press.deploy((3, "Stars", "STA")), p.anyone)
    made = press.deploy((4, "Moons", "MOO")).call()
    p.chain.send(press.deploy((4, "Moons", "MOO")), p.anyone)
    header = p.header()
    executing = changing(p, "addCurrency", made)
    p.propose(header)
    receipt = p.chain.send(executing, p.anyone)
    assert p.events(receipt) == [("CurrencyRegistered", {"currency": 4, "points": made})]
    assert (p.read("currencies"), p.read("points", 4), p.read("points", 3)) == ([1, 7, 4], made, ADDRESS_ZERO)
    p.finalize(header)  # it stood without the new currency
    with refused("WrongCurrencies", 3, 2):
        fails(p, p.proposing(p.header()), p.operator)
    p.settle(supply=supply((1, 5), (4, 9), (7, 6)))
    assert p.points(4).functions.totalSupply().call() == 9
    for points, error, facts in ((NAMED, "NotOurs", (NAMED,)), (made, "IdTaken", (4,))):
        with refused(error, *facts):
            fails(p, changing(p, "addCurrency", points))
    zero = press.deploy((0, "Zero", "ZER")).call()
    p.chain.send(press.deploy((0, "Zero", "ZER")), p.anyone)
    with refused("Missing", "currency"):
        fails(p, changing(p, "addCurrency", zero))


def test_keys_rotate_and_their_history_stays(programme: Programme) -> None:
    p = programme
    first = (key_word(p.chain.account(3)), 0)
    receipt = changed(p, "setCounterfoilKey", NEW, 20)
    assert p.events(receipt) == [("CounterfoilKeyChanged", {"key": Web3.to_checksum_address(NEW), "fromSize": 20})]
    receipt = changed(p, "setCheckpointKey", b"\x0a" * 32, 1)
    assert p.events(receipt) == [("CheckpointKeyChanged", {"key": b"\x0a" * 32, "fromSize": 1})]
    assert p.read("counterfoilKeys") == [first, (key_word(NEW), 20)]
    assert p.read("checkpointKeys") == [(CHECKPOINT_KEY, 0), (b"\x0a" * 32, 1)]
    with refused("KeyTooEarly", 21, 20):
        fails(p, changing(p, "setCounterfoilKey", p.anyone, 20))
    p.settle()  # up to leaf 8
    with refused("KeyTooEarly", 8, 7):  # what is final keeps its keys
        fails(p, changing(p, "setCheckpointKey", b"\x0b" * 32, 7))
    changed(p, "setCheckpointKey", b"\x0b" * 32, 8)
    for name, none in (("setCounterfoilKey", ADDRESS_ZERO), ("setCheckpointKey", bytes(32))):
        with refused("Missing", name[3].lower() + name[4:]):
            fails(p, changing(p, name, none, 30))


def test_the_operator_is_replaced(programme: Programme) -> None:
    p, before = programme, programme.operator
    receipt = changed(p, "setOperator", p.anyone)
    assert p.events(receipt) == [("OperatorChanged", {"operator": p.anyone})]
    header = p.header()
    with refused("NotOperator", before):
        fails(p, p.proposing(header), before)
    p.chain.send(p.proposing(header), p.anyone)
    with refused("Missing", "operator"):
        fails(p, changing(p, "setOperator", ADDRESS_ZERO))


def test_guardian_rulebook_and_successor(programme: Programme) -> None:
    p = programme
    somebody = Web3.to_checksum_address(NEW)
    for name, value, event in (("guardian", somebody, "GuardianChanged"), ("rulebook", b"\x0c" * 32, "RulebookChanged"),
                               ("successor", somebody, "SuccessorChanged")):  # fmt: skip
        receipt = changed(p, f"set{name.title()}", value)
        assert p.events(receipt) == [(event, {name: value})]
        assert p.read(name) == value
    changed(p, "setGuardian", ADDRESS_ZERO)
