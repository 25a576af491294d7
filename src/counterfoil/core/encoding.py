"""The bytes of an entry and of a member's commitment: the only author of both. Normative text: SPEC.md.

An entry's body is a sequence of 64-bit big-endian words, so `struct` reads and writes it.
"""

from __future__ import annotations

import hashlib
import struct

from counterfoil.core.accounts import kind_of
from counterfoil.core.entry import DebtMade, Entry, LotMade, LotTerms, Move, Place, Posting, Repaid, Verb
from counterfoil.core.errors import Unreadable

VERSION = 1
HEAD, MEMBER, POSTING, LOT, MOVE, DEBT, REPAID = 14, 4, 5, 13, 5, 5, 3  # words of each part
MAX_PARTS = 2**16 - 1
_HIGH, _LOW = 64, 2**64 - 1
_HEAD, _POSTING, _LOT, _MOVE, _DEBT, _REPAID = (
    struct.Struct(f">{words}Q").pack for words in (HEAD, POSTING, LOT, MOVE, DEBT, REPAID)
)


def tag(name: str) -> bytes:
    """A domain tag: ASCII, zero-padded on the right to 32 bytes."""
    return name.encode("ascii").ljust(32, b"\0")


def word(value: int) -> bytes:
    """A 256-bit big-endian word; OverflowError out of range."""
    return value.to_bytes(32, "big")


_ENTRY_TAG = tag("counterfoil.entry.v1")
_MEMBER_TAG = tag("counterfoil.entry.member.v1")
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


def encode(entry: Entry) -> bytes:
    """The body of an entry. struct.error if a figure does not fit its word."""
    parts = [_HEAD(
        VERSION, entry.id, entry.verb, entry.at, entry.occurred_at, entry.partner, entry.refers_to, entry.until,
        len(entry.members), len(entry.postings), len(entry.lots), len(entry.moves), len(entry.debts),
        len(entry.repaid),
    )]  # fmt: skip
    parts += [_member(member) for member in entry.members]
    parts += [_POSTING(p.debit, p.credit, p.unit, p.amount >> _HIGH, p.amount & _LOW) for p in entry.postings]
    for made in entry.lots:
        t = made.terms
        parts.append(_LOT(made.owner, made.points, t.currency, t.issuer, t.funder, t.earned_at, t.expires_at,
                          t.face_micros, t.fee_micros, t.breakage_operator_bp, t.contract,
                          t.origin_entry, t.origin_index))  # fmt: skip
    if entry.moves:
        parts += [_MOVE(m.entry, m.index, m.source, m.target, m.points) for m in entry.moves]
    if entry.debts:
        parts += [_DEBT(d.owner, d.points, d.currency, d.issuer, d.fee_micros) for d in entry.debts]
    if entry.repaid:
        parts += [_REPAID(r.entry, r.index, r.points) for r in entry.repaid]
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
    counts = w[8:HEAD]
    widths = (MEMBER, POSTING, LOT, MOVE, DEBT, REPAID)
    if max(counts) > MAX_PARTS or HEAD + sum(n * k for n, k in zip(counts, widths, strict=True)) != len(w):
        raise Unreadable("entry", f"{len(w)} words do not hold the parts it announces")
    starts = [HEAD]
    for count, width in zip(counts, widths, strict=True):
        starts.append(starts[-1] + count * width)
    spans = [range(a, b, k) for a, b, k in zip(starts, starts[1:], widths, strict=False)]
    members, postings, lots, moves, debts, repaid = spans
    try:
        return Entry(
            w[1], Verb(w[2]), w[3], w[4], w[5], w[6], w[7],
            tuple(body[i * 8 : i * 8 + 32] for i in members),
            tuple(_posting(w, i) for i in postings),
            tuple(LotMade(w[i], w[i + 1], LotTerms(*w[i + 2 : i + LOT])) for i in lots),
            tuple(Move(w[i], w[i + 1], Place(w[i + 2]), Place(w[i + 3]), w[i + 4]) for i in moves),
            tuple(DebtMade(*w[i : i + DEBT]) for i in debts),
            tuple(Repaid(*w[i : i + REPAID]) for i in repaid),
        )  # fmt: skip
    except ValueError as error:
        raise Unreadable("entry", str(error)) from error


def _posting(w: tuple[int, ...], i: int) -> Posting:
    kind_of(w[i]), kind_of(w[i + 1])
    return Posting(w[i], w[i + 1], w[i + 3] << _HIGH | w[i + 4], w[i + 2])
