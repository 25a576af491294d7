"""What is signed by EIP-712, against the reference library viem: digests, addresses, signatures to the byte."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from counterfoil.chain.signer import Signer
from counterfoil.core import settlement, typed_data
from counterfoil.core.counterfoil import TYPE, Promise
from counterfoil.core.settlement import HEADER_TYPE, Closing, Header

HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / "contracts/node_modules/viem"
COUNT = 150


def types_of(text: str) -> tuple[str, list[dict[str, str]]]:
    """The primary type and its members, from the text that is hashed."""
    name, members = text.removesuffix(")").split("(")
    pairs = [member.split(" ") for member in members.split(",")]
    return name, [{"name": field, "type": kind} for kind, field in pairs]


def message(text: str, domain: dict[str, Any], values: list[Any], key: bytes) -> dict[str, Any]:
    name, members = types_of(text)
    shown = ["0x" + one.hex() if isinstance(one, bytes) else str(one) for one in values]
    fields = dict(zip([member["name"] for member in members], shown, strict=True))
    return {"domain": domain, "types": {name: members}, "primaryType": name, "message": fields, "key": "0x" + key.hex()}


def header(dice: random.Random) -> Header:
    programme, before, log_root, claim_root, manifest = (dice.randbytes(32) for _ in range(5))
    closing = Closing(
        programme, dice.getrandbits(64), before, dice.getrandbits(64), dice.getrandbits(64), log_root, claim_root, manifest,
        dice.randbytes(16 * dice.randrange(4)), dice.randbytes(160 * dice.randrange(3)),
    )  # fmt: skip
    return Header(
        closing, dice.getrandbits(32), dice.randbytes(32), dice.getrandbits(64), dice.randbytes(32),
        dice.randbytes(16 * dice.randrange(4)), dice.randbytes(2 * dice.randrange(3)),
    )  # fmt: skip


def asked(dice: random.Random) -> tuple[dict[str, Any], bytes, bytes]:
    """A header or a promise: the message as viem takes it, our digest, the key."""
    key = dice.randrange(1, 2**255).to_bytes(32, "big")
    if dice.random() < 0.5:
        one, chain_id = header(dice), dice.choice([1, 31_337, 2**53 - 1])
        contract = Signer(dice.randrange(1, 2**255).to_bytes(32, "big")).address
        domain = {"name": "Counterfoil", "version": "1", "chainId": chain_id, "verifyingContract": contract}
        return message(HEADER_TYPE, domain, list(one.fields()), key), one.digest(chain_id, contract), key
    numbers = dice.getrandbits(53), dice.getrandbits(31)
    promise = Promise(dice.randbytes(32), dice.getrandbits(47), dice.randbytes(32), *numbers)
    salted = {"name": "Counterfoil", "version": "1", "salt": "0x" + promise.programme.hex()}
    return message(TYPE, salted, promise_values(promise), key), promise.digest(), key


def promise_values(promise: Promise) -> list[Any]:
    names = [member["name"] for member in types_of(TYPE)[1]]
    own = {"programme": promise.programme, "group": promise.group, "root": promise.root,
           "committedAt": promise.committed_at, "settleBy": promise.settle_by}  # fmt: skip
    return [own[name] for name in names]


def differing(count: int) -> list[int]:
    """Places of messages on which viem and we differ."""
    node, dice = shutil.which("node"), random.Random(712)
    assert node, "node is not on PATH: the reference library needs Node 20 or newer"
    assert INSTALLED.exists(), "contracts/node_modules lacks the reference library: scripts/compile installs it"
    made = [asked(dice) for _ in range(count)]
    lines = "".join(json.dumps(one) + "\n" for one, _digest, _key in made)
    done = subprocess.run(
        [node, HERE / "typed_data.mjs"], input=lines, check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found = []
    for place, (line, (_one, digest, key)) in enumerate(zip(done.stdout.splitlines(), made, strict=True)):
        signer = Signer(key)
        if json.loads(line) != ["0x" + digest.hex(), signer.address, "0x" + signer.sign(digest).hex()]:
            found.append(place)
    return found


def test_viem_agrees_on_digests_addresses_and_signatures() -> None:
    assert differing(COUNT) == []


def test_canary_another_domain_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = typed_data.digest
    monkeypatch.setattr(settlement, "digest", lambda domain, struct: plain(domain[::-1], struct))
    assert differing(20)
