"""Sign-In with Ethereum (EIP-4361): a message that an account's owner signs, read strictly by its grammar.

The grammar's URIs and authorities are those of RFC 3986, its instants those of RFC 3339 with upper-case T and Z. An
account must be written with its checksum (EIP-55). What must be expected of a message, `expect` says; that its nonce is
fresh and its instants hold is for whoever keeps nonces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from counterfoil.core.calendar import parse_instant
from counterfoil.core.errors import InvalidRequest, SignInRefused
from counterfoil.core.typed_data import keccak
from counterfoil.core.units import NEVER

MOST_CHARACTERS = 4_096
_UNRESERVED, _SUB = r"A-Za-z0-9\-._~", r"!$&'()*+,;="
_PCT = "%[0-9A-Fa-f]{2}"
_PCHAR = rf"(?:[{_UNRESERVED}{_SUB}:@]|{_PCT})"
_HOST = rf"(?:\[[0-9A-Fa-f:.]+\]|(?:[{_UNRESERVED}{_SUB}]|{_PCT})+)"
_AUTHORITY = rf"(?:(?:[{_UNRESERVED}{_SUB}:]|{_PCT})*@)?{_HOST}(?::[0-9]*)?"
_TAIL = rf"(?:\?(?:{_PCHAR}|[/?])*)?(?:#(?:{_PCHAR}|[/?])*)?"
_URI = rf"[A-Za-z][A-Za-z0-9+\-.]*:(?://{_AUTHORITY}(?:/{_PCHAR}*)*|/?(?:{_PCHAR}+(?:/{_PCHAR}*)*)?){_TAIL}"
_MESSAGE = re.compile(
    rf"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+\-.]*)://)?(?P<domain>{_AUTHORITY}) wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0x[0-9A-Fa-f]{40})\n\n"
    rf"(?:(?P<statement>[{_UNRESERVED}{_SUB}:/?#\[\]@ ]+)\n)?\n"
    rf"URI: (?P<uri>{_URI})\nVersion: (?P<version>1)\nChain ID: (?P<chain_id>[0-9]+)\nNonce: (?P<nonce>[A-Za-z0-9]{{8,}})\n"
    r"Issued At: (?P<issued_at>\S+)(?:\nExpiration Time: (?P<expiration_time>\S+))?(?:\nNot Before: (?P<not_before>\S+))?"
    rf"(?:\nRequest ID: (?P<request_id>{_PCHAR}*))?(?:\nResources:(?P<resources>(?:\n- {_URI})*))?",
    re.ASCII,
)
_PLACE = re.compile(r"(https?)://([^/?#]*)[^#]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A message as read: the account 0x and 40 hex digits, instants in microseconds; NEVER and 0 where it sets none."""

    scheme: str | None
    domain: str
    account: str
    statement: str | None
    uri: str
    chain_id: int
    nonce: str
    issued_at: int
    expires_at: int
    not_before: int
    request_id: str | None
    resources: tuple[str, ...]


def read(text: str) -> SignIn:
    """The message of a text; raises SignInRefused."""
    found = _MESSAGE.fullmatch(text) if len(text) <= MOST_CHARACTERS else None
    if found is None:
        raise SignInRefused("message", "is no EIP-4361 message")
    part = found.groupdict()
    if part["address"] != checksummed(part["address"]):
        raise SignInRefused("message", "its account is not written with its checksum (EIP-55)")
    chain_id = part["chain_id"]
    if len(chain_id) > 78 or int(chain_id) >= 2**256:
        raise SignInRefused("message", "its chain id is out of range")
    issued_at, expires_at, not_before = (_instant(part[name], name, none) for name, none in _INSTANTS)
    resources = tuple((part["resources"] or "").split("\n- ")[1:])
    return SignIn(
        part["scheme"], part["domain"], part["address"].lower(), part["statement"], part["uri"], int(chain_id),
        part["nonce"], issued_at, expires_at, not_before, part["request_id"], resources,
    )  # fmt: skip


_INSTANTS = (("issued_at", 0), ("expiration_time", NEVER), ("not_before", 0))  # and what stands for none


def _instant(text: str | None, name: str, none: int) -> int:
    try:
        return none if text is None else parse_instant(text, name)
    except InvalidRequest as error:
        raise SignInRefused(name, error.why) from error


def expect(message: SignIn, uri: str, chain_id: int, statement: str) -> None:
    """Raises SignInRefused unless the message is for the page at `uri`, for this chain, says `statement` and ends."""
    place = _PLACE.fullmatch(uri)
    assert place is not None
    scheme, domain = place.groups()
    for name, found, wanted in (
        ("domain", message.domain, domain), ("scheme", message.scheme or scheme, scheme), ("uri", message.uri, uri),
        ("chain_id", message.chain_id, chain_id), ("statement", message.statement, statement),
    ):  # fmt: skip
        if found != wanted:
            raise SignInRefused(name, f"must be {wanted}")
    if message.expires_at == NEVER:
        raise SignInRefused("expiration_time", "is missing")


def written(message: SignIn, issued_at: str, expires_at: str) -> str:
    """The text to sign of a message without request id and resources, with its instants as texts."""
    begin = f"{message.scheme}://" if message.scheme else ""
    statement = f"{message.statement}\n" if message.statement else ""
    return (
        f"{begin}{message.domain} wants you to sign in with your Ethereum account:\n{checksummed(message.account)}\n\n"
        f"{statement}\nURI: {message.uri}\nVersion: 1\nChain ID: {message.chain_id}\nNonce: {message.nonce}\n"
        f"Issued At: {issued_at}\nExpiration Time: {expires_at}"
    )


def checksummed(account: str) -> str:
    """An account's address with the capitals that EIP-55 asks for."""
    digits = account[2:].lower()
    nibbles = keccak(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(n, 16) >= 8 else c for c, n in zip(digits, nibbles, strict=False))


def message_hash(text: str) -> bytes:
    """What a wallet signs of a text (EIP-191, version 0x45)."""
    raw = text.encode()
    return keccak(b"\x19Ethereum Signed Message:\n" + str(len(raw)).encode() + raw)
