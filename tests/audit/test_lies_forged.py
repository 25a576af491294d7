"""FAULT 36, the exports forged afterwards: hashes, tiles, manifests, checkpoints made right again by the operator."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from msgspec import structs

from counterfoil.audit import auditor
from counterfoil.audit.checks import books, files, headers, inclusion, kept, liabilities, log
from counterfoil.audit.onchain import Chain
from counterfoil.audit.report import Finding
from counterfoil.core.counterfoil import Counterfoil, Promise
from counterfoil.core.entry import Entry, LotMade, Verb
from counterfoil.core.log import leaf_hash
from tests.audit.coalition import Coalition, audited
from tests.audit.forge import Forged

Settled = tuple[Coalition, Path, Chain]


@dataclass(frozen=True)
class Lie:
    """`tell` forges; a finding of `check` at `settlement` that says `says` names it; without `needed` it passes."""

    name: str
    check: str
    settlement: int | None
    says: str
    tell: Callable[[Forged], None]
    needed: tuple[object, ...]


def richer(entry: Entry) -> Entry:
    """Ten times the points, books in order."""
    made = entry.lots[0]
    return structs.replace(
        entry, lots=(LotMade(made.owner, made.points * 10, made.terms),),
        postings=tuple(structs.replace(one, amount=one.amount * 10) for one in entry.postings),
    )  # fmt: skip


def missing(forged: Forged) -> None:
    del forged.bodies[2][3], forged.pairs[2][3]
    forged.write()


def missing_everywhere(forged: Forged) -> None:
    del forged.bodies[2][3], forged.pairs[2][3]
    forged.write(headers=True)


def altered(forged: Forged) -> None:
    assert forged.change(1, 0, richer).verb is Verb.EARN
    forged.write()


def altered_everywhere(forged: Forged) -> None:
    forged.change(1, 0, richer)
    forged.write(headers=True)


def reordered(forged: Forged) -> None:
    bodies, pairs = forged.bodies[1], forged.pairs[1]
    bodies[1], bodies[2], pairs[1], pairs[2] = bodies[2], bodies[1], pairs[2], pairs[1]
    forged.write()


def reordered_sealed_only(forged: Forged) -> None:
    """The public log stays: only who reads the sealed export sees another order."""
    tiles = {path: path.read_bytes() for path in (forged.copy / "public").rglob("*") if path.is_file()}
    reordered(forged)
    for path, content in tiles.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def invented(forged: Forged) -> None:
    """An entry more: points made for somebody at the end of settlement 2."""
    forged.bodies[2].append(forged.bodies[2][-1])
    forged.pairs[2].append(forged.pairs[2][-1])
    forged.write()


def split_view(forged: Forged) -> None:
    size = json.loads(forged.public(2, "header.json").read_bytes())["header"]["log_size"]
    forged.checkpoint("kept by a partner", size, leaf_hash(b"another log"))


def split_between_headers(forged: Forged) -> None:
    forged.checkpoint("kept by a member", 3, leaf_hash(b"another log"))


def rolled_back(forged: Forged) -> None:
    forged.drop_from(3)
    forged.write()


def rolled_back_log(forged: Forged) -> None:
    """Headers stay, the log behind them is cut."""
    forged.bodies[4] = []
    forged.pairs[4] = []
    forged.write()


def omitted(forged: Forged) -> None:
    forged.without_leaf(2, 0)
    forged.write(headers=True)


def omitted_file(forged: Forged) -> None:
    forged.without_leaf(2, 0)
    forged.write()


def wrong_member(forged: Forged) -> None:
    """Two handles of the sealed export trade places in one earn."""
    first, second = forged.pairs[1][0][0], forged.pairs[1][2][0]
    assert first != second
    forged.pairs[1][0] = (second, 0)
    forged.write()


def position(forged: Forged) -> None:
    """The operator takes a cent from the pool."""
    path = forged.public(2, "header.json")
    data = json.loads(path.read_bytes())
    for name in ("gross", "positions"):
        words = bytes.fromhex(data["header"][name][2:])
        pool = int.from_bytes(words[2:16], "big", signed=True) - 10_000
        operator = int.from_bytes(words[18:32], "big", signed=True) + 10_000
        words = (
            words[:2]
            + pool.to_bytes(14, "big", signed=True)
            + words[16:18]
            + operator.to_bytes(14, "big", signed=True)
            + words[32:]
        )
        data["header"][name] = "0x" + words.hex()
    path.write_text(json.dumps(data))
    forged.write(headers=True)


def rulebook(forged: Forged) -> None:
    path = forged.public(3, "rulebook.json")
    data = json.loads(path.read_bytes())
    data["contracts"][0]["fee_micros"] = 1
    path.write_text(json.dumps(data))
    forged.write()


def broken_promise(forged: Forged) -> None:
    """A counterfoil was given for an entry that never came into the log."""
    promise = Promise(forged.made.programme.programme, 999, leaf_hash(b"lost"), 1, 2)
    signature = forged.made.counterfoil.sign(promise.digest())
    lost = Counterfoil(promise, signature, b"lost".ljust(32), 0, 1, ())
    promise = replace(promise, root=leaf_hash(lost.entry))
    lost = replace(lost, promise=promise, signature=forged.made.counterfoil.sign(promise.digest()))
    with (forged.copy / "counterfoils.jsonl").open("a") as file:
        file.write(json.dumps(lost.as_json()) + "\n")


LIES = [
    Lie("missing entry", "log", 2, "leaves do not give", missing, (log.log,)),
    Lie("missing entry, headers forged", "final_on_chain", 2, "another one is final", missing_everywhere,
        (headers.final_on_chain,)),
    Lie("missing entry, sealed", "inclusion", 2, "an entry is missing", missing, (inclusion.inclusion,)),
    Lie("altered amount", "log", 1, "leaves do not give", altered, (log.log,)),
    Lie("altered amount, headers forged", "final_on_chain", 1, "another one is final", altered_everywhere,
        (headers.final_on_chain,)),
    Lie("reordered entries", "log", 1, "leaves do not give", reordered, (log.log,)),
    Lie("reordered in the sealed export", "inclusion", 1, "missing here, or stands elsewhere",
        reordered_sealed_only, (inclusion.inclusion,)),
    Lie("invented entry", "inclusion", 2, "an entry too many", invented, (inclusion.inclusion,)),
    Lie("invented entry in the log", "log", 3, "leaves do not give", invented, (log.log,)),
    Lie("split view", "checkpoints", None, "split view: checkpoints/", split_view, (log.checkpoints,)),
    Lie("split view between headers", "checkpoints", None, "split view: checkpoints/", split_between_headers,
        (log.checkpoints,)),
    Lie("rolled back", "final_on_chain", 3, "the export lacks it", rolled_back, (headers.final_on_chain,)),
    Lie("rolled-back log", "log", 4, "cut off or rolled back", rolled_back_log, (log.log,)),
    Lie("checkpoint of the forged log", "checkpoints", 1, "split view", altered, (log.checkpoints,)),
    Lie("omitted liability, headers forged", "final_on_chain", 2, "another one is final", omitted,
        (headers.final_on_chain,)),
    Lie("omitted liability", "files", 2, "liabilities is not the file", omitted_file, (files.files,)),
    Lie("omitted liability by the tree", "liabilities", 2, "the header's C", omitted_file,
        (liabilities.liabilities,)),
    Lie("wrong member credited", "refold", 1, "the wrong member", wrong_member, (books.refolded,)),
    Lie("altered position", "final_on_chain", 2, "another one is final", position, (headers.final_on_chain,)),
    Lie("altered rulebook", "manifest", 3, "is not the file of the manifest", rulebook, (files.manifest,)),
    Lie("broken promise", "counterfoils", 2, "broken promise", broken_promise, (kept.counterfoils,)),
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.name)
def test_a_forged_export_is_named(lie: Lie, settled: Settled, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ledger, chain = settled
    lie.tell(Forged(made, copy))

    def named() -> list[Finding]:
        return [
            one for one in audited(copy, chain).findings
            if one.check == lie.check and lie.says in one.message and one.settlement == (lie.settlement or one.settlement)
        ]  # fmt: skip

    assert named() != [], [str(one) for one in audited(copy, chain).findings]
    convicted = [one for one in named() if one.settlement is not None]
    for one in convicted:
        assert one.settlement is not None
        assert one.header == chain.final[one.settlement][0], "the header on chain convicts"
    steps = tuple(one for one in auditor.STEPS if one.run not in lie.needed)
    monkeypatch.setattr(auditor, "STEPS", steps)
    assert named() == [], "the canary: without its check nobody says so"


def test_forging_nothing_changes_nothing(settled: Settled, copy: Path) -> None:
    """The forger's tools are honest: so it is the lie that is found, not the forging."""
    made, _ledger, chain = settled
    Forged(made, copy).write(headers=True)
    assert audited(copy, chain).findings == []
