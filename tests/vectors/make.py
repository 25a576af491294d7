"""Writes the golden vectors beside this file: every byte that another implementation must make alike.

    python -m tests.vectors.make

Seeded: the same each time. test_vectors.py fails when a file and this program disagree, so a change of bytes is a
change of these files, seen in review. Every key in them is a test key.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from counterfoil.chain.signer import Signer
from counterfoil.core import log
from counterfoil.core.claim_tree import ClaimTree, Leaf, leaves_json
from counterfoil.core.counterfoil import Counterfoil, Promise
from counterfoil.core.entry import Verb, entry_id, group_id
from counterfoil.core.files import ENTRIES, LIABILITIES, RULEBOOK, hashed, manifest_hash, pack_entry, pack_liabilities
from counterfoil.core.netting import pack, positions
from counterfoil.core.rulebook import wallets
from counterfoil.core.settlement import NOTHING, Closing, Header, Supply, outcome, pack_defaults, pack_supply
from counterfoil.core.sum_tree import Liability, SumTree, member_commitment
from counterfoil.core.wallet import Wallet
from tests.core.books import BIG, DAY, PROGRAMME, SMALL, START, ZONE, Books, refused
from tests.core.verdicts import hexed

HERE = Path(__file__).parent
OPERATOR_KEY, PARTNER_KEY = b"\x2a" * 32, b"\x2b" * 32  # test keys
CHAIN_ID, CONTRACT = 31_337, "0x" + "c0" * 20
Vectors = dict[str, Any]


def history() -> Books:
    """A short life in which every verb occurs."""
    books = Books()
    ann, bob = books.members
    first = books.earn(ann, 120, BIG, days=40)
    second = books.earn(ann, 80, SMALL, days=3)
    burned = books.burn(ann, 100, SMALL)
    books.capture(ann, books.hold(ann, 30, SMALL).id, 12)
    books.release(ann, books.hold(ann, 9).id)
    books.gift(ann, bob, 15)
    books.now += 4 * DAY
    books.refund_burn(ann, burned, 90)
    refused(lambda: books.burn(bob, 1_000))
    books.refund_earn(ann, first, 120)
    books.refund_earn(ann, second, 80)
    books.earn(ann, 60, 18, days=None)
    books.earn(ann, 50, 20, days=5, pending=3)
    books.now += 3 * DAY
    books.burn(ann, 40, SMALL)  # what the issuer owes for it stands behind
    books.now += 60 * DAY
    books.due(bob)
    books.due(ann)
    assert {entry.verb for entry in books.entries} >= set(list(Verb)[:12])
    return books


def to_wallets_and_back(books: Books) -> None:
    """Behind the others: what two members withdrew comes back to one of them, and is redeemed."""
    ann, bob = books.members
    books.earn(ann, 30, SMALL, days=2)
    books.earn(bob, 40, BIG, days=90)
    for who, points, account in ((ann, 25, b"\xa1" * 20), (bob, 40, b"\xb0" * 20)):
        journal = books._journal()
        wallets.withdraw(journal, who, points, Wallet(account))
        books._kept(journal)
    books.now += 5 * DAY
    for event, partner in enumerate((0, BIG)):
        lent = [(bob, lot) for lot in bob.withdrawn(1)]
        back = wallets.Return(30, Wallet(b"\xa1" * 20, hashlib.sha256(b"block").digest(), 7 + event))
        journal = books._journal()
        if partner:
            wallets.redeem(journal, ann, lent, back, ZONE, partner)
        else:
            wallets.give_back(journal, ann, lent, back, ZONE)
        books._kept(journal)


def entries() -> Vectors:
    books = history()
    to_wallets_and_back(books)
    keys = {who.member: hexed(who.secret) for who in books.members}
    return {
        "programme": hexed(PROGRAMME),
        "members": [{"member": member, "test_key": key} for member, key in keys.items()],
        "entries": [
            {
                "id": one.entry.id, "verb": one.entry.verb.name.lower(), "members": list(one.members),
                "commitments": [hexed(m) for m in one.entry.members], "body": hexed(one.body), "hash": hexed(one.hash),
            }
            for one in books.written
        ],
    }  # fmt: skip


def counterfoils() -> Vectors:
    """Groups of 1, 2, 3 and 7 entries, each entry's counterfoil."""
    key, leaves, groups, at = Signer(OPERATOR_KEY), [one.hash for one in history().written], [], 0
    for number, count in enumerate((1, 2, 3, 7)):
        group = leaves[at : at + count]
        at += count
        promise = Promise(PROGRAMME, group_id(number % 2, 7 + number), log.root_of(group), START + number, 4 + number)
        signature = key.sign(promise.digest())
        tree = log.Tree(group)
        paths = [tuple(tree.inclusion(place)) for place in range(count)]
        groups.append({
            "digest": hexed(promise.digest()), "first_id": entry_id(promise.group, 0),
            "counterfoils": [
                Counterfoil(promise, signature, group[place], place, count, path).as_json()
                for place, path in enumerate(paths)
            ],
        })  # fmt: skip
    return {"test_key": hexed(OPERATOR_KEY), "signer": key.address, "groups": groups}


def logs() -> Vectors:
    draw = random.Random(6962)
    leaves = [draw.randbytes(32) for _ in range(20)]
    tree = log.Tree(leaves)
    inclusions = [(0, 1), (0, 2), (1, 2), (2, 3), (4, 5), (6, 7), (7, 8), (8, 9), (3, 20), (16, 20), (19, 20)]
    consistencies = [(1, 1), (1, 2), (2, 3), (3, 4), (3, 7), (4, 8), (6, 8), (7, 20), (16, 20), (19, 20), (20, 20)]
    return {
        "leaves": [hexed(leaf) for leaf in leaves],
        "roots": [hexed(tree.root(size)) for size in range(len(leaves) + 1)],
        "inclusion": [
            {"index": index, "size": size, "path": [hexed(n) for n in tree.inclusion(index, size)]}
            for index, size in inclusions
        ],
        "consistency": [
            {"old_size": old, "new_size": size, "path": [hexed(n) for n in tree.consistency(old, size)]}
            for old, size in consistencies
        ],
    }


def members(draw: random.Random, places: list[int], bits: int) -> list[tuple[int, bytes, Liability]]:
    """Number and salt of each member, and its leaf."""
    found = []
    for place in places:
        member, salt = draw.randrange(2**53), draw.randbytes(32)
        one = Liability(place, draw.randrange(1, 2**bits), member_commitment(member, salt))
        found.append((member, salt, one))
    return found


def sum_trees() -> Vectors:
    draw, made = random.Random(128), []
    for currency, depth, places, bits in (
        (1, 0, [], 1), (1, 0, [0], 8), (1, 3, [5], 30), (7, 4, [0, 3, 8, 15], 53), (2, 48, [0, 1, 2**48 - 1], 100),
    ):  # fmt: skip
        people = members(draw, places, bits)
        tree = SumTree(currency, depth, [one for _, _, one in people])
        made.append({
            "currency": currency, "depth": depth, "hash": hexed(tree.root.hash), "sum": str(tree.root.sum),
            "leaves": [
                {
                    "member": member, "salt": hexed(salt), "place": one.place, "balance": str(one.balance),
                    "commitment": hexed(one.commitment),
                }
                for member, salt, one in people
            ],
            "paths": [
                [{"hash": hexed(n.hash), "sum": str(n.sum)} for n in tree.path(one.place)] for _, _, one in people
            ][:2],
        })  # fmt: skip
    return {"sum_trees": made}


def settlements() -> Vectors:
    """Two settlements of the history, chained, with files, packed words, hashes, digests and a partner's signature."""
    books, key, draw = history(), Signer(PARTNER_KEY), random.Random(2)
    half = len(books.written) // 2
    rulebook = b'{"version":1}'
    made: list[Vectors] = []
    previous_closing = previous_header = NOTHING
    for number, (start, end) in enumerate(((0, half), (half, len(books.written))), 1):
        people = members(draw, [1, 6], 20)
        tree = SumTree(1, 3, [one for _, _, one in people])
        files = {
            ENTRIES: b"".join(pack_entry(one.body) for one in books.written[start:end]),
            LIABILITIES: pack_liabilities(1, 3, [one for _, _, one in people]),
            RULEBOOK: rulebook,
        }
        listed = [hashed(name, content) for name, content in files.items()]
        netted = positions(books.money([one.entry for one in books.written[start:end]]))
        supply = [Supply(1, tree.root.hash, tree.root.sum, 5 * number, number)]
        closing = Closing(
            PROGRAMME, number, previous_closing, START + number * DAY, end, log.root_of([w.hash for w in books.written[:end]]),
            bytes(32), manifest_hash(listed), pack(netted.words()), pack_supply(supply),
        )  # fmt: skip
        floors = dict.fromkeys(netted.words(), 10**9)
        result = outcome(netted.words(), dict.fromkeys(floors, 10**9), floors)
        header = Header(
            closing, number, previous_header, 100 + number, draw.randbytes(32), pack(result.words),
            pack_defaults(result.defaults),
        )  # fmt: skip
        digest = header.digest(CHAIN_ID, CONTRACT)
        made.append({
            "exact": {str(party): net for party, net in netted.exact.items()}, "rounding": netted.rounding,
            "words": {str(party): net for party, net in netted.words().items()}, "defaults": list(result.defaults),
            "files": [one.as_json() for one in listed], "liabilities_file": hexed(files[LIABILITIES]),
            "header": header.as_json(), "closing_hash": hexed(closing.hash()), "header_hash": hexed(header.hash()),
            "digest": hexed(digest), "signature": hexed(key.sign(digest)),
        })  # fmt: skip
        previous_closing, previous_header = closing.hash(), header.hash()
    return {
        "chain_id": CHAIN_ID, "contract": CONTRACT, "test_key": hexed(PARTNER_KEY), "signer": key.address,
        "rulebook_file": hexed(rulebook), "settlements": made,
    }  # fmt: skip


def claim_trees() -> Vectors:
    """Trees of none to eleven leaves, two accounts with several currencies and the largest amount among them."""
    draw, made = random.Random(9), []
    for count in (0, 1, 2, 3, 5, 8, 11):
        accounts = [draw.randbytes(20) for _ in range(count)]
        leaves = [Leaf(account, draw.choice([1, 1, 7, 2**16 - 1]), draw.randrange(1, 2**53)) for account in accounts]
        if count > 2:
            leaves[1:3] = [Leaf(accounts[0], currency + 8, 2**256 - 1) for currency in (0, 1)]
        tree = ClaimTree(leaves)
        made.append({
            "leaves": leaves_json(leaves), "root": hexed(tree.root),
            "proofs": [{"leaf": one.as_json(), "path": [hexed(n) for n in tree.path(one)]} for one in sorted(leaves)],
        })  # fmt: skip
    return {"claim_trees": made}


FILES: dict[str, Callable[[], Vectors]] = {
    "entries": entries, "counterfoils": counterfoils, "log": logs, "sum_trees": sum_trees, "claim_trees": claim_trees,
    "settlements": settlements,
}  # fmt: skip


def text_of(name: str) -> str:
    return json.dumps(FILES[name](), indent=1) + "\n"


def main() -> None:
    for name in FILES:
        (HERE / f"{name}.json").write_text(text_of(name), encoding="utf-8")


if __name__ == "__main__":
    main()
