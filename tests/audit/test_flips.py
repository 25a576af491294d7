"""FAULT 16: flip one field of a copied ledger; the auditor names the record."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from counterfoil.audit import auditor
from counterfoil.audit.checks import books, claims, files, headers, inclusion, kept, liabilities, log
from counterfoil.audit.onchain import Chain
from tests.audit.coalition import Coalition
from tests.audit.flips import Flips, unnamed

Settled = tuple[Coalition, Path, Chain]


def test_every_flip_is_named(settled: Settled, copy: Path, times: Callable[[int, int], int]) -> None:
    _made, ledger, chain = settled
    count = times(200, 5_000)
    flips = list(Flips(ledger, seed=16).draw(count))
    assert len(flips) == count
    assert [said for flip in flips if (said := unnamed(flip, ledger, copy, chain))] == []


def test_every_flip_of_a_claim_leaf_is_named(
    whole: Settled, tmp_path: Path, times: Callable[[int, int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    _made, ledger, chain = whole
    copied = Path(shutil.copytree(ledger, tmp_path / "copy"))
    flips = list(Flips(ledger, seed=16).draw(times(20, 500), "claim"))
    assert [said for flip in flips if (said := unnamed(flip, ledger, copied, chain))] == []
    monkeypatch.setattr(auditor, "STEPS", tuple(one for one in auditor.STEPS if one.run is not claims.claims))
    assert any(unnamed(flip, ledger, copied, chain) for flip in flips), "the canary: only that check reads all of it"


# a check and the flips that only it can name
BLIND = [
    (headers.programme, "programme"), (headers.final_on_chain, "header"), (headers.signatures, "header"),
    (files.manifest, "rulebook"), (log.log, "leaf"), (log.log, "tile"), (log.checkpoints, "checkpoint"),
    (kept.counterfoils, "counterfoil"), (inclusion.inclusion, "entry"), (inclusion.handles, "handle"),
    (inclusion.handles, "liability_handle"), (liabilities.liabilities, "liability"), (books.refolded, "swapped"),
]  # fmt: skip


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("check", "kind"), BLIND)
def test_canary_without_a_check_flips_pass_unnamed(
    check: object, kind: str, settled: Settled, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _made, ledger, chain = settled
    monkeypatch.setattr(auditor, "STEPS", tuple(one for one in auditor.STEPS if one.run is not check))
    flips = Flips(ledger, seed=16).draw(20, kind)
    assert any(unnamed(flip, ledger, copy, chain) for flip in flips)
