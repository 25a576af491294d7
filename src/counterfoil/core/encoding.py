"""The bytes of an entry and of a member's commitment: the only author of both. Normative text: SPEC.md.

An entry's body is a sequence of 64-bit big-endian words, so `struct` reads and writes it.
"""

from __future__ import annotations

import hashlib
import struct

from counterfoil.core.accounts import kind_of
from counterfoil.core.acts import ACT_BYTES, pack_act, unpack_act
from counterfoil.core.entry import (
    IN_WALLETS,
    DebtMade,
    Drawn,
    Entry,
    LotMade,
    Move,
    Paid,
    Place,
    Posting,
    Repaid,
    Verb,
)
from counterfoil.core.errors import Unreadable
from counterfoil.core.lots import PART_WORDS, LotTerms, funds
from counterfoil.core.wallet import WALLET_BYTES, pack_wallet, unpack_wallet

VERSION = 1
HEAD, MEMBER, POSTING, LOT, MOVE, DEBT, REPAID, PAID, DRAWN = (
    17,
    4,
    5,
    11,
    5,
    5,
    3,
    3,
    3,
)  # words of each part; a lot's funding follows
TAIL = {Verb.ACT: ACT_BYTES, **dict.fromkeys(IN_WALLETS, WALLET_BYTES)}  # what such an entry ends with
MAX_PARTS = 2**16 - 1
_HIGH, _LOW = 64, 2**64 - 1
_HEAD, _POSTING, _LOT, _MOVE, _DEBT, _REPAID, _PAID, _DRAWN = (
    struct.Struct(f">{words}Q").pack for words in (HEAD, POSTING, LOT, MOVE, DEBT, REPAID, PAID, DRAWN)
)


def tag(name: str) -> bytes:
    """A domain tag: ASCII, zero-padded on the right to 32 bytes."""
    return name.encode("ascii").ljust(32, b"\0")


def word(value: int) -> bytes:
    """A 256-bit big-endian word; OverflowError out of range."""
    return value.to_bytes(32, "big")


_ENTRY_TAG = tag("counterfoil.entry.v1")
_MEMBER_TAG = tag("counterfoil.entry.member.v1")
_RULE_TAG = tag("counterfoil.earn.rule.v1")
_INNER, _OUTER = (bytes([byte ^ pad for byte in range(256)]) for pad in (0x36, 0x5C))
_INNER_REST, _OUTER_REST = b"\x36" * 32, b"\x5c" * 32  # a secret fills half of a block


def entry_hash(programme: bytes, body: bytes) -> bytes:
    """The 32 bytes that stand for an entry everywhere: the log's leaf data."""
    return hashlib.sha256(_ENTRY_TAG + programme + body).digest()


def commitment(member: int, secret: bytes, entry: int) -> bytes:
    """How a member appears in an entry: unlinkable without the secret of 32 bytes, void once the secret is erased.

    The salt is HMAC-SHA-256 (RFC 2104) of the entry's id under the secret. It is written out because OpenSSL 3 looks
    its algorithm up at every call, which costs more than the hashing.
    """
    assert len(secret) == 32
    inner = hashlib.sha256(secret.translate(_INNER) + _INNER_REST + entry.to_bytes(8, "big")).digest()
    salt = hashlib.sha256(secret.translate(_OUTER) + _OUTER_REST + inner).digest()
    return hashlib.sha256(_MEMBER_TAG + member.to_bytes(32, "big") + salt).digest()


def earn_rule_hash(salt: bytes, document: bytes) -> bytes:
    """What is published of an earn rule: it binds the operator to the document, and tells nothing without the salt."""
    return hashlib.sha256(_RULE_TAG + salt + hashlib.sha256(document).digest()).digest()


def encode(entry: Entry) -> bytes:
    """The body of an entry. struct.error if a figure does not fit its word."""
    parts = [_HEAD(
        VERSION, entry.id, entry.verb, entry.at, entry.occurred_at, entry.partner, entry.refers_to, entry.until,
        entry.value_micros, len(entry.members), len(entry.postings), len(entry.lots), len(entry.moves), len(entry.debts),
        len(entry.repaid), len(entry.paid), len(entry.drawn),
    )]  # fmt: skip
    parts += [_member(member) for member in entry.members]
    parts += [_POSTING(p.debit, p.credit, p.unit, p.amount >> _HIGH, p.amount & _LOW) for p in entry.postings]
    for made in entry.lots:
        t = made.terms
        parts.append(_LOT(made.owner, made.points, t.currency, t.issuer, t.earned_at, t.expires_at, t.available_at,
                          t.origin_entry, t.origin_index, t.prepaid, len(t.funding) // (8 * PART_WORDS)))  # fmt: skip
        parts.append(t.funding)
    if entry.moves:
        parts += [_MOVE(m.entry, m.index, m.source, m.target, m.points) for m in entry.moves]
    if entry.debts:
        parts += [_DEBT(d.owner, d.points, d.currency, d.issuer, d.fee_micros) for d in entry.debts]
    if entry.repaid:
        parts += [_REPAID(r.entry, r.index, r.points) for r in entry.repaid]
    if entry.paid:
        parts += [_PAID(p.debit, p.credit, p.micros) for p in entry.paid]
    if entry.drawn:
        parts += [_DRAWN(d.pack, d.reserve, d.points) for d in entry.drawn]
    if entry.act is not None:
        parts.append(pack_act(entry.act))
    if entry.wallet is not None:
        parts.append(pack_wallet(entry.wallet))
    return b"".join(parts)


def _member(commitment: bytes) -> bytes:
    if len(commitment) != MEMBER * 8:
        raise struct.error("a commitment has 32 bytes")
    return commitment


def decode(body: bytes) -> Entry:
    """The entry of a body; raises Unreadable naming what is wrong. It and `encode` undo each other."""
    if len(body) % 8 or len(body) < HEAD * 8:
        raise Unreadable("entry", f"a body of {len(body)} bytes")
    w = struct.unpack(f">{len(body) // 8}Q", body)
    if w[0] != VERSION:
        raise Unreadable("entry", f"version {w[0]}, known is {VERSION}")
    counts = w[HEAD - 8 : HEAD]
    if max(counts) > MAX_PARTS:
        raise Unreadable("entry", f"{len(w)} words do not hold the parts it announces")
    members, postings, lots, moves, debts, repaid, paid, drawn = counts
    at = HEAD + members * MEMBER + postings * POSTING
    made: list[LotMade] = []
    for _ in range(lots):
        end = at + LOT
        funding = w[end - 1] if end <= len(w) else MAX_PARTS
        if funding >= MAX_PARTS:
            raise Unreadable("entry", f"{len(w)} words do not hold the parts it announces")
        made.append(_lot(body, w, at, funding))
        at = end + funding * PART_WORDS
    spans = _spans(at, ((moves, MOVE), (debts, DEBT), (repaid, REPAID), (paid, PAID), (drawn, DRAWN)))
    end = spans[-1].stop
    if end * 8 + TAIL.get(w[2], 0) != len(body):
        raise Unreadable("entry", f"{len(w)} words do not hold the parts it announces")
    first = HEAD + members * MEMBER
    try:
        return Entry(
            w[1], Verb(w[2]), w[3], w[4], w[5], w[6], w[7], w[8],
            tuple(body[i * 8 : i * 8 + 32] for i in range(HEAD, first, MEMBER)),
            tuple(_posting(w, i) for i in range(first, first + postings * POSTING, POSTING)),
            tuple(made),
            tuple(Move(w[i], w[i + 1], Place(w[i + 2]), Place(w[i + 3]), w[i + 4]) for i in spans[0]),
            tuple(DebtMade(*w[i : i + DEBT]) for i in spans[1]),
            tuple(Repaid(*w[i : i + REPAID]) for i in spans[2]),
            tuple(Paid(*w[i : i + PAID]) for i in spans[3]),
            tuple(Drawn(*w[i : i + DRAWN]) for i in spans[4]),
            unpack_act(body[end * 8 :]) if w[2] == Verb.ACT else None,
            unpack_wallet(body[end * 8 :]) if w[2] in IN_WALLETS else None,
        )  # fmt: skip
    except ValueError as error:
        raise Unreadable("entry", str(error)) from error


def _spans(at: int, parts: tuple[tuple[int, int], ...]) -> list[range]:
    """Where parts of (count, width) stand, one kind after the other."""
    spans = []
    for count, width in parts:
        spans.append(range(at, at + count * width, width))
        at += count * width
    return spans


def _lot(body: bytes, w: tuple[int, ...], i: int, funding: int) -> LotMade:
    packed = body[(i + LOT) * 8 : (i + LOT + funding * PART_WORDS) * 8]
    try:
        funds(packed)
    except (ValueError, struct.error) as error:
        raise Unreadable("entry", f"a lot's funding: {error}") from error
    return LotMade(
        w[i], w[i + 1], LotTerms(w[i + 2], w[i + 3], w[i + 4], w[i + 5], w[i + 6], packed, w[i + 7], w[i + 8], w[i + 9])
    )


def _posting(w: tuple[int, ...], i: int) -> Posting:
    kind_of(w[i]), kind_of(w[i + 1])
    return Posting(w[i], w[i + 1], w[i + 3] << _HIGH | w[i + 4], w[i + 2])
