"""Python reads from the contract what really happened there: wallets, and a registry that changed."""

from __future__ import annotations

from eth_account import Account

from counterfoil.audit import onchain
from counterfoil.chain import points
from counterfoil.chain.outbox import Outbox
from counterfoil.chain.settlement import SettlementContract
from counterfoil.chain.signer import Signer
from tests.chain.kept import Kept
from tests.contracts.changes import address, changed
from tests.contracts.claims import REF, Wallets, member
from tests.contracts.programme import FLOOR, KEYS, PARTNERS, Programme, ids, refused, words
from tests.contracts.test_challenge import challenge, confirming


def test_claims_are_pushed_and_what_moved_is_read(wallets: Wallets) -> None:
    p = wallets.programme
    contract = SettlementContract(p.chain.w3, p.settlement.address)
    pusher = Signer(KEYS[90])
    p.signer(90)
    claims = [points.Claim(*leaf, tuple(wallets.tree.proof(leaf))) for leaf in wallets.tree.leaves]
    first = p.chain.w3.eth.block_number + 1
    tx = points.push_claims(Outbox(p.chain.w3, pusher, Kept()), contract, claims, "claims:1")
    wallets.fund(0)
    call = p.settlement.functions
    wallets.send(call.giveBack(1, 30, REF), member(0))
    wallets.send(call.redeem(1, 18, 20, REF), member(0))
    last = p.chain.w3.eth.block_number
    found = points.moved(contract, first, last)
    assert [(m.kind, m.account, m.currency, m.amount, m.partner, m.ref) for m in found] == [
        ("claimed", member(0), 1, 100, None, None), ("claimed", member(1), 1, 25, None, None),
        ("claimed", member(2), 7, 7, None, None), ("claimed", member(3), 1, 15, None, None),
        ("given_back", member(0), 1, 30, None, REF), ("redeemed", member(0), 1, 20, 18, REF),
    ]  # fmt: skip
    assert {m.tx for m in found[:4]} == {tx}
    assert [m.recipient for m in found[:4]] == [m.account for m in found[:4]]
    block = p.chain.w3.eth.get_block(last)
    assert (found[-1].block, found[-1].block_hash) == (last, bytes(block["hash"]))
    assert points.moved(contract, last, last) == found[-1:]
    assert points.claimed(contract, member(0), 1) == 100
    assert points.totals(contract, 1) == (140, 0, 50)


def test_the_auditor_sees_who_could_sign_what(programme: Programme) -> None:
    p = programme
    p.settle()
    p.settle(positions=words({16: 9_400, 17: -9_400}), defaults=ids(17))
    before = p.chain.w3.eth.block_number
    changed(p, "setSigner", 18, address(40))
    changed(p, "reinstate", 17)
    changed(p, "setFloor", 19, 77)
    p.chain.send(p.settlement.functions.retire(20), p.signer(20))
    header = p.header(positions=b"")
    p.propose(header, p.sign(header, 16, 17, 19))

    chain = onchain.read(p.chain.w3, p.settlement.address)
    first = {n: str(Account.from_key(KEYS[n]).address) for n in PARTNERS}
    assert chain.signers_at(1) == chain.signers_at(2) == first
    assert chain.signers_at(3) == chain.signers == {16: first[16], 17: first[17], 18: address(40), 19: first[19]}
    assert [chain.quorum(n) for n in (1, 2, 3)] == [4, 4, 3]
    assert [chain.active(17, n) for n in (1, 2)] == [True, True]
    assert (chain.floors[19], chain.floors_at(before)[19]) == (77, FLOOR)


def test_the_auditor_follows_collateral_through_everything(programme: Programme) -> None:
    p, header = programme, programme.header()
    p.propose(header)
    challenge(p, header)
    p.chain.send(confirming(p, header), p.anyone)
    p.chain.send(p.settlement.functions.requestCollateral(19, 300, p.anyone), p.signer(19))
    p.finalize(header)
    nothing = tuple(header.values())
    p.chain.send(p.settlement.functions.withdrawCollateral(19, nothing), p.anyone)
    with refused("NothingRequested", 19):
        p.settlement.functions.withdrawCollateral(19, nothing).call()
    chain = onchain.read(p.chain.w3, p.settlement.address)
    latest = {one.party: one.collateral for one in chain.changes}
    assert {party: micros for party, micros in chain.collateral.items() if micros} == latest
    assert (latest[18], latest[19], latest[2]) == (9_500, 9_700, 10_530)
    assert chain.settled[1] == {2: 30, 16: 70, 17: -100}
