"""One claim, two verdicts: Python's, and that of the browser's modules behind tests/web/verify.mjs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from counterfoil.chain import signer
from counterfoil.core import log, sum_tree
from counterfoil.core.counterfoil import Counterfoil
from counterfoil.core.errors import Unreadable
from counterfoil.core.settlement import Header

ROOT = Path(__file__).resolve().parents[2]
VERIFY = ROOT / "tests/web/verify.mjs"
PAGES = ROOT / "src/counterfoil/web/static"
Question = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """`op` and `args` as verify.mjs takes them; `header` is a header with a signature and who should have signed."""

    kind: str
    op: str
    args: dict[str, Any]


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def unhex(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def python(claim: Claim) -> bool:
    """Whether our Python accepts it."""
    a = claim.args
    match claim.op:
        case "inclusion":
            path = [unhex(one) for one in a["path"]]
            return log.verify_inclusion(a["index"], a["size"], unhex(a["leaf"]), path, unhex(a["root"]))
        case "consistency":
            path, roots = [unhex(one) for one in a["path"]], (unhex(a["old_root"]), unhex(a["new_root"]))
            return log.verify_consistency(a["old_size"], a["new_size"], *roots, path)
        case "liability":
            proof = a["proof"]
            one = sum_tree.Liability(proof["place"], int(proof["balance"]), unhex(proof["commitment"]))
            siblings = [sum_tree.Node(unhex(s["hash"]), int(s["sum"])) for s in proof["siblings"]]
            return sum_tree.verify(proof["currency"], one, proof["depth"], siblings, unhex(a["root"]), int(a["total"]))
        case "counterfoil":
            try:
                found = Counterfoil.from_json(a["counterfoil"])
            except Unreadable:
                return False
            signed_by = signer.recover(found.promise.digest(), found.signature)
            same = found.promise.programme == unhex(a["programme"])
            return same and found.included() and signed_by is not None and signed_by.lower() == a["signer"]
        case "header":
            digest = Header.from_json(a["header"]).digest(a["chain_id"], a["address"])
            signed_by = signer.recover(digest, unhex(a["signature"]))
            return signed_by is not None and signed_by.lower() == a["signer"]
        case _:
            raise LookupError(claim.op)


def ask(questions: Iterable[Question], folder: Path = PAGES) -> list[dict[str, Any]]:
    """The browser's answers, in order."""
    node = shutil.which("node")
    assert node, "node is not on PATH: the pages' verifiers need Node 20 or newer to be tested"
    lines = "".join(json.dumps(one) + "\n" for one in questions)
    done = subprocess.run([node, VERIFY, folder], input=lines, check=False, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == lines.count("\n")
    return answers


def browser(claims: Sequence[Claim], folder: Path = PAGES) -> list[bool]:
    """Whether the browser accepts each claim."""
    names = ("header", "chain_id", "address")
    questions = [
        {"op": "header_digest", "args": {name: c.args[name] for name in names}} if c.op == "header"
        else {"op": c.op, "args": c.args}
        for c in claims
    ]  # fmt: skip
    answers = ask(questions, folder)
    found = [bool(answer["ok"]) for answer in answers]
    signed = [i for i, claim in enumerate(claims) if claim.op == "header" and found[i]]
    recovered = ask(
        [
            {"op": "recover", "args": {"digest": answers[i]["digest"], "signature": claims[i].args["signature"]}}
            for i in signed
        ],
        folder,
    )
    for i, answer in zip(signed, recovered, strict=True):
        found[i] = bool(answer["ok"]) and answer["signer"] == claims[i].args["signer"]
    return found


def both(claims: Iterable[Claim], folder: Path = PAGES, chunk: int = 10_000) -> Iterator[tuple[Claim, bool, bool]]:
    """Each claim with Python's and the browser's verdict."""
    claims = iter(claims)
    while part := list(islice(claims, chunk)):
        yield from zip(part, map(python, part), browser(part, folder), strict=True)
