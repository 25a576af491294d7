"""An export and a chain that tell different stories: each difference has its check, and only that check sees it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from counterfoil.audit import auditor
from counterfoil.audit.case import Case
from counterfoil.audit.checks import headers
from counterfoil.audit.onchain import Chain
from counterfoil.audit.report import Finding
from tests.audit.coalition import BAKER, FLORIST, GROCER, Coalition, audited

Settled = tuple[Coalition, Path, Chain]
Check = Callable[[Case], Iterator[Finding]]


def signed(chain: Chain, **changes: Any) -> Chain:
    return replace(chain, **changes)


@dataclass(frozen=True)
class Story:
    name: str
    check: Check
    finding: str
    settlement: int | None
    says: str
    told: Callable[[Chain], Chain]


STORIES = [
    Story("another programme", headers.programme, "programme", None, "the contract of another",
          lambda c: signed(c, programme=b"\x01" * 32)),
    Story("another chain", headers.programme, "programme", None, "this is 5", lambda c: signed(c, chain_id=5)),
    Story("extra mint", headers.supply, "supply", 4, "tokens exist", lambda c: signed(c, tokens={1: c.tokens[1] + 1})),
    Story("another supply set", headers.supply, "supply", 2, "the chain set",
          lambda c: signed(c, supplies=c.supplies | {2: {1: 7}})),
    Story("other money moved", headers.settled, "settled", 3, "the chain moved",
          lambda c: signed(c, settled=c.settled | {3: c.settled[3] | {GROCER: 1}})),
    Story("collateral beyond the money", headers.collateral, "collateral", None, "the contract holds",
          lambda c: signed(c, balance=c.balance // 1000)),
    Story("negative collateral", headers.collateral, "collateral", None, "has -1 micros",
          lambda c: signed(c, collateral=c.collateral | {BAKER: -1})),
    Story("collateral against its events", headers.collateral, "collateral", None, "by the contract's events",
          lambda c: signed(c, collateral=c.collateral | {BAKER: 5})),
    Story("another block", headers.replayed, "outcome", 1, "is another than the header names",
          lambda c: signed(c, block_hash=lambda _number: b"\x02" * 32)),
    Story("a default not named", headers.replayed, "outcome", 1, "defaults should be",
          lambda c: signed(c, floors=c.floors | {GROCER: 10**30})),
    Story("settled what could not be paid", headers.replayed, "outcome", 1, "lacked",
          lambda c: signed(c, changes=tuple(replace(one, collateral=1) for one in c.changes))),
    Story("another signer", headers.signatures, "signatures", 1, "is not over this header",
          lambda c: signed(c, signers=c.signers | {BAKER: c.signers[FLORIST]})),
    Story("no signer at all", headers.signatures, "signatures", 1, "no signer of the contract",
          lambda c: signed(c, signers={n: a for n, a in c.signers.items() if n != BAKER})),
    Story("another header final", headers.final_on_chain, "final_on_chain", 2, "another one is final",
          lambda c: signed(c, final=c.final | {2: (b"\x03" * 32, c.final[2][1])})),
    Story("not final", headers.final_on_chain, "final_on_chain", 4, "the chain does not",
          lambda c: signed(c, final={n: f for n, f in c.final.items() if n < 4})),
    Story("a settlement more", headers.final_on_chain, "final_on_chain", 5, "the export lacks it",
          lambda c: signed(c, final=c.final | {5: (b"\x04" * 32, "0x")})),
]  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_different_story_is_named_by_its_check(
    story: Story, settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    _made, ledger, chain = settled
    told = story.told(chain)

    def named() -> list[Finding]:
        return [
            one for one in audited(ledger, told).findings
            if one.check == story.finding and one.settlement == story.settlement and story.says in one.message
        ]  # fmt: skip

    assert named() != [], [str(one) for one in audited(ledger, told).findings]
    monkeypatch.setattr(auditor, "STEPS", tuple(one for one in auditor.STEPS if one.run is not story.check))
    assert named() == [], "the canary"


def test_too_few_signatures(settled: Settled, copy: Path) -> None:
    path = copy / "public/settlements/000003/header.json"
    data = json.loads(path.read_bytes())
    data["signatures"] = {str(GROCER): data["signatures"][str(GROCER)]}
    path.write_text(json.dumps(data))
    report = audited(copy, settled[2])
    assert [(one.check, one.settlement) for one in report.findings] == [("signatures", 3)]
    assert "1 signatures, the quorum is 2" in report.findings[0].message


def test_a_chain_of_headers_that_does_not_hold(settled: Settled, copy: Path) -> None:
    """The last header is not final yet, so nothing on chain says what it has to be: the one before does."""
    _made, _ledger, chain = settled
    open_chain = replace(chain, final={n: f for n, f in chain.final.items() if n < 4})
    path = copy / "public/settlements/000004/header.json"
    data = json.loads(path.read_bytes())
    data["tx"] = None
    for field, says in (("previous_header", "previous_header is not"), ("previous_closing", "previous_closing is not"),
                        ("number", "is number"), ("log_size", "shrinks"), ("attempt", "attempt 0")):  # fmt: skip
        bent = "0x" + "55" * 32 if field.startswith("previous") else 1 if field != "attempt" else 0
        path.write_text(json.dumps({**data, "header": {**data["header"], field: bent}}))
        found = [one for one in audited(copy, open_chain).findings if one.check == "header_chain"]
        assert [one.settlement for one in found] == [4], field
        assert says in found[0].message
