"""Sign-in messages: what the grammar allows and what it does not, and that another library signs the same bytes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.chain.signer import recover
from counterfoil.core.calendar import parse_instant
from counterfoil.core.errors import SignInRefused
from counterfoil.core.siwe import MOST_CHARACTERS, SignIn, checksummed, expect, message_hash, read, written
from counterfoil.core.units import NEVER
from tests.core.planted import plant

ADDRESS = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
LEAST = f"""service.example wants you to sign in with your Ethereum account:
{ADDRESS}


URI: https://service.example/login
Version: 1
Chain ID: 1
Nonce: 32891756
Issued At: 2026-09-30T16:25:24Z"""
MOST = f"""https://user@service.example:3388 wants you to sign in with your Ethereum account:
{ADDRESS}

I accept the terms: https://service.example/tos

URI: https://service.example:3388/login?next=%2Fhome#top
Version: 1
Chain ID: 31337
Nonce: 32891757abcXYZ
Issued At: 2026-09-30T16:25:24.000Z
Expiration Time: 2026-09-30T17:25:24+02:00
Not Before: 2026-09-29T00:00:00Z
Request ID: some:request@id%20
Resources:
- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/
- https://service.example/my-web2-claim.json"""


def test_the_least_and_the_most_a_message_can_say() -> None:
    at = parse_instant("2026-09-30T16:25:24Z", "x")
    assert read(LEAST) == SignIn(
        None, "service.example", ADDRESS.lower(), None, "https://service.example/login", 1, "32891756", at, NEVER, 0, None, ()
    )  # fmt: skip
    most = read(MOST)
    assert (most.scheme, most.domain) == ("https", "user@service.example:3388")
    assert most.statement == "I accept the terms: https://service.example/tos"
    assert most.uri == "https://service.example:3388/login?next=%2Fhome#top"
    assert (most.chain_id, most.nonce, most.request_id) == (31_337, "32891757abcXYZ", "some:request@id%20")
    assert (most.issued_at, most.expires_at) == (at, parse_instant("2026-09-30T15:25:24Z", "x"))
    assert most.resources == (
        "ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/", "https://service.example/my-web2-claim.json",
    )  # fmt: skip
    assert read(LEAST + "\nResources:").resources == ()
    assert read(LEAST + "\nRequest ID: ").request_id == ""


CHANGES: dict[str, tuple[str, str]] = {
    "no domain": ("service.example wants", " wants"),
    "another sentence": ("wants you to sign in with", "wants you to Sign in with"),
    "a blank domain": ("service.example wants", "service example wants"),
    "a path in the domain": ("service.example wants", "service.example/path wants"),
    "a line break in the domain": ("service.example wants", "service\n.example wants"),
    "no account": (ADDRESS, ""),
    "a short account": (ADDRESS, ADDRESS[:-1]),
    "a long account": (ADDRESS, ADDRESS + "0"),
    "no checksum": (ADDRESS, ADDRESS.lower()),
    "all capitals": (ADDRESS, "0x" + ADDRESS[2:].upper()),
    "another checksum": ("0xC02aaA", "0xc02aaA"),
    "one line too few": (f"{ADDRESS}\n\n\n", f"{ADDRESS}\n\n"),
    "one line too many": (f"{ADDRESS}\n\n\n", f"{ADDRESS}\n\n\n\n"),
    "a statement of two lines": (f"{ADDRESS}\n\n\n", f"{ADDRESS}\n\none\ntwo\n\n"),
    "a statement with a quote": (f"{ADDRESS}\n\n\n", f'{ADDRESS}\n\nsay "yes"\n\n'),
    "a statement beyond ASCII": (f"{ADDRESS}\n\n\n", f"{ADDRESS}\n\nzażółć\n\n"),
    "carriage returns": ("\n", "\r\n"),
    "no URI": ("URI: https://service.example/login\n", ""),
    "a URI without scheme": ("URI: https://service.example/login", "URI: //service.example/login"),
    "a URI with a blank": ("URI: https://service.example/login", "URI: https://service.example/log in"),
    "a URI with a bad escape": ("URI: https://service.example/login", "URI: https://service.example/%2"),
    "another version": ("Version: 1", "Version: 2"),
    "a version of two digits": ("Version: 1", "Version: 11"),
    "no chain": ("Chain ID: 1\n", ""),
    "a chain of letters": ("Chain ID: 1\n", "Chain ID: 0x1\n"),
    "a negative chain": ("Chain ID: 1\n", "Chain ID: -1\n"),
    "a chain out of range": ("Chain ID: 1\n", f"Chain ID: {2**256}\n"),
    "a chain of foreign digits": ("Chain ID: 1\n", "Chain ID: \u0661\n"),
    "no nonce": ("Nonce: 32891756\n", ""),
    "a short nonce": ("Nonce: 32891756", "Nonce: 3289175"),
    "a nonce with a dash": ("Nonce: 32891756", "Nonce: 3289-1756"),
    "no instant": ("\nIssued At: 2026-09-30T16:25:24Z", ""),
    "a day": ("2026-09-30T16:25:24Z", "2026-09-30"),
    "an instant without zone": ("16:25:24Z", "16:25:24"),
    "a day that is none": ("2026-09-30", "2026-09-31"),
    "an instant that is none": ("16:25:24Z", "25:25:24Z"),
    "an expiry that is none": ("16:25:24Z", "16:25:24Z\nExpiration Time: soon"),
    "fields in another order": (
        "16:25:24Z", "16:25:24Z\nNot Before: 2026-09-30T16:25:24Z\nExpiration Time: 2027-09-30T16:25:24Z",
    ),
    "a field twice": ("Nonce: 32891756", "Nonce: 32891756\nNonce: 32891756"),
    "an unknown field": ("Version: 1", "Version: 1\nColour: red"),
    "a resource that is none": ("16:25:24Z", "16:25:24Z\nResources:\n- not a uri"),
    "a resource without a dash": ("16:25:24Z", "16:25:24Z\nResources:\nhttps://a.example"),
    "a line at the end": ("16:25:24Z", "16:25:24Z\n"),
    "a blank at the end": ("16:25:24Z", "16:25:24Z "),
    "a zero byte": ("16:25:24Z", "16:25:24Z\0"),
    "too long": ("service.example/login", "service.example/" + "a" * MOST_CHARACTERS),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_the_grammar_does_not_allow(name: str) -> None:
    old, new = CHANGES[name]
    assert old in LEAST
    with pytest.raises(SignInRefused):
        read(LEAST.replace(old, new))


@pytest.mark.parametrize(
    "uri",
    ["https://a", "urn:isbn:0451450523", "did:key:z6Mk", "http://[::1]:80/", "https://a:1/b/c?d=/?#e", "x:", "x:/a//b"],
)
def test_uris(uri: str) -> None:
    assert read(LEAST.replace("https://service.example/login", uri)).uri == uri


def test_junk_is_refused_and_nothing_else(times: Callable[[int, int], int]) -> None:
    """Fault 42: whatever is cut, doubled or flipped is a message or is refused, soon."""
    draw, read_as_one = random.Random(42), 0
    for _ in range(times(200_000, 10_000_000)):
        text = draw.choice([LEAST, MOST])
        for _change in range(draw.randrange(1, 4)):
            at, more = draw.randrange(len(text)), draw.randrange(1, 40)
            part = draw.choice(
                ["", text[at : at + more] * 2, chr(draw.randrange(1, 300)), "%" * more, "a." * more, "\n"]
            )
            text = text[:at] + part + text[at + draw.randrange(more) :]
        try:
            message = read(text)
        except SignInRefused:
            continue
        assert message.account == ADDRESS.lower()
        read_as_one += 1
    assert read_as_one > 1_000


URI, STATEMENT = "https://service.example/wallet", "Link this account."
FINE = SignIn(
    None, "service.example", ADDRESS.lower(), STATEMENT, URI, 1, "a" * 32, parse_instant("2026-09-30T16:25:24Z", "x"),
    parse_instant("2026-09-30T17:25:24Z", "x"), 0, None, (),
)  # fmt: skip


def test_what_is_written_is_read() -> None:
    text = written(FINE, "2026-09-30T16:25:24Z", "2026-09-30T17:25:24Z")
    assert read(text) == FINE
    expect(FINE, URI, 1, STATEMENT)
    expect(replace(FINE, scheme="https"), URI, 1, STATEMENT)
    expect(
        replace(FINE, domain="localhost:8080", uri="http://localhost:8080/w"), "http://localhost:8080/w", 1, STATEMENT
    )


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("domain", {"domain": "evil.example"}), ("domain", {"domain": "service.example.evil.example"}),
        ("domain", {"domain": "service.example:444"}), ("domain", {"domain": "x@service.example"}),
        ("domain", {"domain": "Service.example"}), ("scheme", {"scheme": "http"}),
        ("uri", {"uri": "https://service.example/other"}), ("uri", {"uri": "https://evil.example/wallet"}),
        ("chain_id", {"chain_id": 2}), ("statement", {"statement": "Anything."}), ("statement", {"statement": None}),
        ("expiration_time", {"expires_at": NEVER}),
    ],
)  # fmt: skip
def test_what_is_meant_for_somebody_else(field: str, change: dict[str, object]) -> None:
    with pytest.raises(SignInRefused) as caught:
        expect(replace(FINE, **change), URI, 1, STATEMENT)  # type: ignore[arg-type]
    assert caught.value.field == field


@given(st.binary(min_size=32, max_size=32).filter(lambda key: 0 < int.from_bytes(key, "big") < 2**255))
def test_another_library_signs_the_same_bytes(key: bytes) -> None:
    account = Account.from_key(key)
    assert checksummed(account.address.lower()) == account.address
    text = written(replace(FINE, account=account.address.lower()), "2026-09-30T16:25:24Z", "2026-09-30T17:25:24Z")
    signed = Account.sign_message(encode_defunct(text=text), key)
    assert bytes(signed.message_hash) == message_hash(text)
    assert recover(message_hash(text), bytes(signed.signature)) == account.address
    high = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 - int(signed.s)
    turned = signed.r.to_bytes(32, "big") + high.to_bytes(32, "big") + bytes([55 - signed.v])
    assert recover(message_hash(text), turned) is None  # the same signature with a high s


def misread(name: str) -> Callable[[], None]:
    return lambda: test_what_the_grammar_does_not_allow(name)


PLANTS: dict[str, tuple[str, str, Callable[[], None]]] = {
    "any checksum": ('checksummed(part["address"])', 'part["address"]', misread("no checksum")),
    "an end is enough": ("_MESSAGE.fullmatch", "_MESSAGE.match", misread("a blank at the end")),
    "any domain": (
        '("domain", message.domain, domain), ', "",
        lambda: test_what_is_meant_for_somebody_else("domain", {"domain": "evil.example"}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTS)
def test_canaries_are_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from counterfoil.core import siwe

    old, new, test = PLANTS[name]
    plant(monkeypatch, siwe, (old, new))
    monkeypatch.setattr(f"{__name__}.read", siwe.read)
    monkeypatch.setattr(f"{__name__}.expect", siwe.expect)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        test()
