"""Out of custody by a proof: once, for who withdrew, as far as the tokens reach."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from web3 import Web3

from tests.contracts.claims import MEMBERS, Tree, Wallets, deep, leaf_hash, member
from tests.contracts.programme import Programme, deployed, refused, supply


def test_what_was_withdrawn_becomes_claimable(wallets: Wallets) -> None:
    p, points = wallets.programme, wallets.programme.points()
    assert wallets.balance(p.settlement.address) == 140  # W
    assert wallets.balance(points.address) == 5_000  # C
    assert points.functions.totalSupply().call() == 5_140
    assert p.read("totals", 1) == [140, 0, 0]
    assert (p.read("claimRoot"), p.read("previousClaimRoot")) == (wallets.tree.root, bytes(32))


def test_anyone_pushes_a_claim_to_its_account(wallets: Wallets) -> None:
    receipt = wallets.claim(0)
    assert wallets.programme.events(receipt) == [
        ("Claimed", {"account": member(0), "currency": 1, "recipient": member(0), "amount": 100, "cumulative": 100}),
    ]  # fmt: skip
    assert (wallets.balance(member(0)), wallets.programme.read("claimed", member(0), 1)) == (100, 100)


def test_nothing_is_claimed_twice(wallets: Wallets) -> None:
    wallets.fund(0)
    alone = wallets.claiming_alone(wallets.leaf(0))
    wallets.send(alone, member(0))
    with refused("NothingToClaim", member(0), 1, 100):
        wallets.fails(alone, member(0))
    assert wallets.programme.events(wallets.send(wallets.claiming(wallets.leaf(0)))) == []
    assert wallets.balance(member(0)) == 100
    with refused("BadProof", wallets.programme.anyone, 1, 100):  # nor by somebody else for itself
        wallets.fails(alone)


def test_cumulative_amounts_pay_the_difference(wallets: Wallets) -> None:
    wallets.claim(0)
    wallets.withdraw([(member(0), 1, 130), (member(1), 1, 90), (member(2), 7, 7), (member(3), 1, 15)])
    wallets.claim(0)
    wallets.claim(1)  # a settlement missed costs nothing
    assert (wallets.balance(member(0)), wallets.balance(member(1))) == (130, 90)
    assert wallets.balance(wallets.programme.settlement.address) == 15


def test_the_root_before_is_good_and_older_ones_are_not(wallets: Wallets) -> None:
    first = wallets.tree
    leaf = first.leaves[0]
    wallets.withdraw([(member(0), 1, 130), *first.leaves[1:]])
    wallets.send(wallets.claiming(leaf, first.proof(leaf)))
    assert wallets.balance(member(0)) == 100
    second = wallets.tree.root
    wallets.withdraw([(member(0), 1, 131), *first.leaves[1:]])
    assert wallets.programme.read("previousClaimRoot") == second
    leaf = first.leaves[1]
    with refused("BadProof", *leaf):
        wallets.fails(wallets.claiming(leaf, first.proof(leaf)))


def test_a_root_that_stays_keeps_the_one_before(wallets: Wallets) -> None:
    first, leaves = wallets.tree, wallets.tree.leaves
    wallets.withdraw([*leaves, (member(4), 1, 1)])
    wallets.withdraw(wallets.tree.leaves)
    assert wallets.programme.read("previousClaimRoot") == first.root


def test_a_claim_goes_where_its_account_says(wallets: Wallets) -> None:
    wallets.fund(0)
    leaf, to = wallets.leaf(0), wallets.programme.chain.account(7)
    call = wallets.programme.settlement.functions.claimTo(to, *leaf[1:], wallets.tree.proof(leaf))
    with refused("BadProof", wallets.programme.anyone, *leaf[1:]):  # by nobody else
        wallets.fails(call)
    wallets.send(call, member(0))
    assert (wallets.balance(to), wallets.balance(member(0))) == (100, 0)


def test_many_at_once_and_who_was_faster_is_passed_over(wallets: Wallets) -> None:
    wallets.claim(1)
    claims = [(*leaf, wallets.tree.proof(leaf)) for leaf in wallets.tree.leaves]
    receipt = wallets.send(wallets.programme.settlement.functions.claimMany(claims))
    assert [args["account"] for _, args in wallets.programme.events(receipt)] == [member(0), member(2), member(3)]
    assert [wallets.balance(member(n), c) for n, c in ((0, 1), (1, 1), (2, 7))] == [100, 25, 7]
    assert not wallets.programme.events(wallets.send(wallets.programme.settlement.functions.claimMany(claims)))
    account, currency, _, proof = claims[0]
    with refused("BadProof", account, currency, 101):
        wallets.fails(wallets.programme.settlement.functions.claimMany([claims[1], (account, currency, 101, proof)]))


def test_claims_are_bounded_by_what_settlement_holds(programme: Programme) -> None:
    """A tree that says more than W: the last ones find nothing, custody stays untouched."""
    tree = Tree([(member(0), 1, 100), (member(1), 1, 100)])
    programme.settle(claimRoot=tree.root, supply=supply((1, 5_000, 150, 0), (7, 300)))
    wallets = Wallets(programme, tree)
    wallets.claim(0)
    with refused("ERC20InsufficientBalance", programme.settlement.address, 50, 100):
        wallets.fails(wallets.claiming(wallets.leaf(1)))
    assert wallets.balance(programme.points().address) == 5_000


def test_a_currency_that_there_is_not(programme: Programme) -> None:
    tree = Tree([(member(0), 9, 100), (member(1), 1, 1)])
    programme.settle(claimRoot=tree.root, supply=supply((1, 5_000, 1, 0), (7, 300)))
    wallets = Wallets(programme, tree)
    with refused("UnknownCurrency", 9):
        wallets.fails(wallets.claiming(wallets.leaf(0, 9)))


def forged(wallets: Wallets) -> dict[str, tuple[tuple[str, int, int], list[bytes]]]:
    """Claims that no tree ever said, each near to one that was."""
    leaf = wallets.leaf(0)
    account, currency, cumulative = leaf
    assert len(wallets.tree.proof(leaf)) == 2
    proof, other = wallets.tree.proof(leaf), wallets.tree.proof(wallets.leaf(1))
    single = Web3.keccak(encode(["address", "uint16", "uint256"], leaf))
    return {
        "another account": ((member(4), currency, cumulative), proof),
        "another currency": ((account, 7, cumulative), proof),
        "more": ((account, currency, cumulative + 1), proof),
        "less": ((account, currency, cumulative - 1), proof),
        "no proof": (leaf, []),
        "another's proof": (leaf, other),
        "cut short": (leaf, proof[:-1]),
        "extended": (leaf, [*proof, bytes(32)]),
        "extended by the root": (leaf, [*proof, wallets.tree.root]),
        "the leaf twice": (leaf, [leaf_hash(leaf), *proof]),
        "hashed once": (leaf, [bytes(single), *proof]),
        "out of order": (leaf, proof[::-1]),
        "of the root alone": ((account, currency, int.from_bytes(wallets.tree.root, "big")), []),
    }


KINDS = (
    "another account", "another currency", "more", "less", "no proof", "another's proof", "cut short", "extended",
    "extended by the root", "the leaf twice", "hashed once", "out of order", "of the root alone",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_no_forged_claim_is_paid(wallets: Wallets, kind: str) -> None:
    assert tuple(forged(wallets)) == KINDS
    leaf, proof = forged(wallets)[kind]
    with refused("BadProof", *leaf):
        wallets.fails(wallets.claiming(leaf, proof))


def test_an_inner_node_is_no_leaf(wallets: Wallets) -> None:
    """Inner nodes are hashes of 64 bytes, leaves of 32: a leaf's three words never look like a node's two."""
    node = wallets.tree.nodes[1]
    leaf = (Web3.to_checksum_address(node[12:]), 1, int.from_bytes(node, "big"))
    with refused("BadProof", *leaf):
        wallets.fails(wallets.claiming(leaf, wallets.tree.proof(wallets.leaf(0))))


def test_nothing_is_claimed_before_something_was_withdrawn(programme: Programme) -> None:
    leaf = (member(0), 1, 100)
    for proof in ([], [bytes(32)]):
        with refused("BadProof", *leaf):
            Wallets(programme, Tree([leaf])).fails(programme.settlement.functions.claimMany([(*leaf, proof)]))


def test_another_programmes_tree_proves_nothing(wallets: Wallets) -> None:
    other = deployed(wallets.programme.chain)
    leaf = wallets.leaf(0)
    with refused("BadProof", *leaf):
        wallets.fails(other.settlement.functions.claimMany([(*leaf, wallets.tree.proof(leaf))]))


def test_a_million_members_fit(programme: Programme) -> None:
    root, proof = deep((member(0), 1, 5), 20)
    programme.settle(claimRoot=root, supply=supply((1, 5_000, 9, 0), (7, 300)))
    Wallets(programme, Tree([(member(0), 1, 5)])).fund(0)
    receipt = programme.chain.send(programme.settlement.functions.claim(1, 5, proof), member(0))
    assert receipt["gasUsed"] <= 98_000
    assert len(MEMBERS) < 2**20
