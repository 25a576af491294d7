"""Prints tests/web/vectors.json: what hashlib and eth_account make of the formats the browser checks.

Run `python tests/web/vectors.py > tests/web/vectors.json` after a change of format; test_node.py fails when
the file and this program disagree. Seeded, so the output never changes by itself.
"""

import hashlib
import json
import random
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils import keccak

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SUM_TREE = "counterfoil.sum."
DOMAIN_TYPES = {
    "name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address",
    "salt": "bytes32",
}  # fmt: skip
HEADER_TYPES = {
    "programme": "bytes32", "number": "uint64", "attempt": "uint32", "previousHeader": "bytes32",
    "previousClosing": "bytes32", "closedAt": "uint64", "logSize": "uint64", "logRoot": "bytes32",
    "claimRoot": "bytes32", "manifest": "bytes32", "gross": "bytes", "supply": "bytes",
    "collateralBlock": "uint64", "collateralBlockHash": "bytes32", "positions": "bytes", "defaults": "bytes",
}  # fmt: skip
CLOSING_NAMES = (
    "programme", "number", "previousClosing", "closedAt", "logSize", "logRoot", "claimRoot", "manifest",
    "gross", "supply",
)  # fmt: skip


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def word(natural: int) -> bytes:
    return natural.to_bytes(32, "big")


# --- the log: straight from the definition in RFC 6962, 2.1


def split_of(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def log_root(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return sha256(b"\x00", leaves[0]) if leaves else sha256()
    middle = split_of(len(leaves))
    return sha256(b"\x01", log_root(leaves[:middle]), log_root(leaves[middle:]))


def log_path(place: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    middle = split_of(len(leaves))
    if place < middle:
        return [*log_path(place, leaves[:middle]), log_root(leaves[middle:])]
    return [*log_path(place - middle, leaves[middle:]), log_root(leaves[:middle])]


# --- typed data


def typed(domain: dict[str, Any], primary: str, types: dict[str, str], message: dict[str, Any]) -> SignableMessage:
    return encode_typed_data(
        full_message={
            "domain": domain,
            "primaryType": primary,
            "types": {
                "EIP712Domain": [{"name": name, "type": kind} for name, kind in DOMAIN_TYPES.items() if name in domain],
                primary: [{"name": name, "type": kind} for name, kind in types.items()],
            },
            "message": message,
        }
    )


def digest_of(message: SignableMessage) -> bytes:
    return bytes(keccak(b"\x19" + message.version + message.header + message.body))


def snake_case(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)


def recoveries(rng: random.Random) -> list[dict[str, str]]:
    """Ordinary signatures, then the smallest and largest keys and digests."""
    keys = [rng.randrange(1, ORDER) for _ in range(32)] + [1, 2, 3, ORDER - 1, ORDER - 2, ORDER // 2]
    digests = [rng.randbytes(32) for _ in range(32)]
    digests += [word(0), word(1), word(ORDER), word(ORDER - 1), word(2**256 - 1), word(ORDER + 1)]
    made = []
    for key, digest in zip(keys, digests, strict=True):
        account = Account.from_key(word(key))
        signature = account.unsafe_sign_hash(digest).signature
        made.append({"digest": hexed(digest), "signature": hexed(signature), "signer": account.address})
    return made


def counterfoils(rng: random.Random) -> list[dict[str, Any]]:
    types = {
        "programme": "bytes32",
        "group": "uint64",
        "root": "bytes32",
        "committedAt": "uint64",
        "settleBy": "uint64",
    }
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    moments = [
        datetime(2025, 12, 1, 10, 0, 0, 0, UTC),
        datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC),
        datetime(1970, 1, 1, 0, 0, 0, 1, UTC),
        datetime(9998, 12, 31, 23, 59, 59, 999_999, UTC),
        datetime(2000, 3, 1, 0, 0, 0, 500_000, UTC),
    ]
    made = []
    for moment, count in zip(moments, (1, 2, 3, 7, 200), strict=True):
        account = Account.from_key(rng.randbytes(32))
        entries = [rng.randbytes(32) for _ in range(count)]
        place = count * 2 // 3
        fields: dict[str, Any] = {
            "programme": rng.randbytes(32), "group": rng.randrange(2**53), "root": log_root(entries),
            "committedAt": (moment - epoch) // timedelta(microseconds=1), "settleBy": rng.randrange(1000),
        }  # fmt: skip
        domain = {"name": "Counterfoil", "version": "1", "salt": fields["programme"]}
        message = typed(domain, "Counterfoil", types, fields)
        answer = {
            "programme": hexed(fields["programme"]), "group": fields["group"], "root": hexed(fields["root"]),
            "committed_at": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "settle_by": fields["settleBy"],
            "signature": hexed(account.sign_message(message).signature), "entry": hexed(entries[place]),
            "place": place, "count": count, "path": [hexed(node) for node in log_path(place, entries)],
        }  # fmt: skip
        made.append({"counterfoil": answer, "signer": account.address, "digest": hexed(digest_of(message))})
    return made


def headers(rng: random.Random) -> list[dict[str, Any]]:
    made = []
    for chain_id, positions, rest in ((1, 0, 0), (31337, 3, 1), (2**53 - 1, 40, 7)):
        account = Account.from_key(rng.randbytes(32))
        contract = Account.from_key(rng.randbytes(32)).address
        fields: dict[str, Any] = {}
        for name, kind in HEADER_TYPES.items():
            if kind == "bytes":
                fields[name] = rng.randbytes(16 * positions if name == "positions" else 20 * rest)
            elif kind == "bytes32":
                fields[name] = rng.randbytes(32)
            else:
                fields[name] = rng.randrange(2**32 if kind == "uint32" else 2**53)
        domain = {"name": "Counterfoil", "version": "1", "chainId": chain_id, "verifyingContract": contract}
        message = typed(domain, "Header", HEADER_TYPES, fields)
        closing_types = {name: HEADER_TYPES[name] for name in CLOSING_NAMES}
        closing = typed(domain, "Closing", closing_types, {name: fields[name] for name in CLOSING_NAMES})
        json_header = {snake_case(k): hexed(v) if isinstance(v, bytes) else v for k, v in fields.items()}
        made.append({
            "header": json_header, "chain_id": chain_id, "address": contract, "hash": hexed(message.body),
            "closing_hash": hexed(closing.body), "digest": hexed(digest_of(message)),
            "signer": account.address, "signature": hexed(account.sign_message(message).signature),
        })  # fmt: skip
    return made


# --- the liability tree


def tag(kind: str) -> bytes:
    return f"{SUM_TREE}{kind}.v1".encode().ljust(32, b"\x00")


def sum_levels(currency: int, depth: int, leaves: dict[int, tuple[int, bytes]]) -> list[list[tuple[bytes, int]]]:
    """Every node, level by level: for small depths only, and therefore plain to read."""
    level = []
    for place in range(2**depth):
        if place in leaves:
            balance, commitment = leaves[place]
            level.append((sha256(tag("leaf"), word(currency), word(balance), commitment), balance))
        else:
            level.append((sha256(tag("empty"), word(currency)), 0))
    levels = [level]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [
            (sha256(tag("node"), left, word(left_sum), right, word(right_sum)), left_sum + right_sum)
            for (left, left_sum), (right, right_sum) in pairs
        ]
        levels.append(level)
    return levels


def sum_trees(rng: random.Random) -> list[dict[str, Any]]:
    made = []
    for currency, depth, count, bits in (
        (1, 0, 1, 8),
        (2, 0, 0, 1),
        (1, 3, 8, 30),
        (7, 5, 9, 120),
        (2**53 - 1, 7, 40, 53),
    ):
        leaves = {}
        members = []
        for place in sorted(rng.sample(range(2**depth), count)):
            member, salt = rng.randrange(2**63), rng.randbytes(32)
            commitment = sha256(tag("member"), word(member), salt)
            members.append({"member": str(member), "salt": hexed(salt), "commitment": hexed(commitment)})
            leaves[place] = (rng.randrange(1, 2**bits), commitment)
        levels = sum_levels(currency, depth, leaves)
        proofs = []
        for place in list(leaves)[:4]:
            siblings = [levels[height][(place >> height) ^ 1] for height in range(depth)]
            proofs.append({
                "currency": currency, "place": place, "depth": depth, "balance": str(leaves[place][0]),
                "commitment": hexed(leaves[place][1]),
                "siblings": [{"hash": hexed(node), "sum": str(total)} for node, total in siblings],
            })  # fmt: skip
        made.append({
            "currency": currency, "depth": depth, "hash": hexed(levels[-1][0][0]),
            "sum": str(levels[-1][0][1]),
            "leaves": [
                {"place": place, "balance": str(balance), "commitment": hexed(commitment)}
                for place, (balance, commitment) in leaves.items()
            ],
            "members": members[:4], "proofs": proofs,
        })  # fmt: skip
    return made


def hashes() -> dict[str, str]:
    """All lengths around two blocks, folded into one digest: h(n) = keccak(h(n-1) || n bytes counting up)."""
    chained = b""
    for length in range(301):
        chained = bytes(keccak(chained + bytes(i % 256 for i in range(length))))
    return {"keccak_chain_300": hexed(chained), "keccak_million_a": hexed(bytes(keccak(b"a" * 1_000_000)))}


def main() -> None:
    rng = random.Random(20251201)
    vectors = {
        "hashes": hashes(),
        "recover": recoveries(rng),
        "counterfoils": counterfoils(rng),
        "headers": headers(rng),
        "sum_trees": sum_trees(rng),
    }
    json.dump(vectors, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
