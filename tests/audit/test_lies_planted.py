"""FAULT 36, the whole history forged: a bug in the books, then hashes, signatures and chain all right over it.

Each lie is planted while the coalition lives, named by the auditor, and no longer named once the auditor's own rule for it
is switched off: the canary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from counterfoil.audit import auditor, fold, rules, shapes
from counterfoil.audit.checks import books, claims, files, liabilities
from counterfoil.audit.onchain import Chain
from counterfoil.audit.report import Finding
from counterfoil.audit.rules import refunds as refund_rules
from counterfoil.core.entry import Verb
from counterfoil.settlement import cycle
from tests.audit.coalition import Coalition, audited
from tests.audit.plants import (
    all_moved,
    altered_position,
    backdated,
    bent_postings,
    burn_late,
    burned,
    burned_yesterday,
    expired_usable,
    extra_lot,
    extra_mint,
    gap,
    gift,
    just_earned,
    long_grace,
    misdirected,
    never_due,
    newest_first,
    no_limit,
    no_repay,
    nothing,
    omitted,
    one_earn,
    other_rulebook,
    other_terms,
    overdue,
    overpaid,
    owing,
    refund_twice,
    renewed,
    run_out,
    short_split,
    twice_settled,
)
from tests.audit.plants_acts import (
    cheap_points,
    dear_burn,
    debt_left_behind,
    given,
    indebted_one,
    lot_left_behind,
    no_margin,
    one_of_two,
    rules_changed,
    unsaid,
    unsigned,
)
from tests.audit.plants_earning import (
    bonus_first,
    forgotten_rule,
    many_lots,
    nine_bonuses,
    refunded_in_parts,
    settled_three_times,
)
from tests.audit.plants_wallets import (
    came_back,
    came_back_twice,
    counted,
    counted_twice,
    honest_books,
    late_first,
    lowered_leaf,
    omitted_leaf,
    partly_used,
    redeemed,
    redirected,
    taken_away,
    withdrawn,
    without_leaf,
)
from tests.audit.plants_wallets import long_grace as long_grace_in_wallets

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Lie:
    """`plant` bends the books, `tell` lives through the lie, `blind` bends the auditor's rule against it."""

    name: str
    check: str
    says: str
    plant: Callable[[Patch], None]
    tell: Callable[[Coalition], int | None]  # the entry that is wrong, if one is
    blind: Callable[[Patch], None]


def no_findings(*_args: Any, **_kwargs: Any) -> Iterator[Finding]:
    return iter(())


def rule(verb: Verb) -> Callable[[Patch], None]:
    return lambda patch: patch.setitem(rules.RULES, verb, nothing)


def without(module: Any, name: str, stand_in: Any = no_findings) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(module, name, stand_in)


def skipping(check: Callable[..., Iterator[Finding]]) -> Callable[[Patch], None]:
    kept = tuple(one for one in auditor.STEPS if one.run is not check)
    return lambda patch: patch.setattr(auditor, "STEPS", kept)


LIES = [
    Lie("extra points in a gift", "refold", "do not mirror", extra_lot, gift, rule(Verb.TRANSFER)),
    Lie("a burn overpaid by the pool", "entries", "postings", bent_postings(overpaid), burned,
        without(fold.Fold, "_require_postings", nothing)),
    Lie("money to the wrong partner", "entries", "postings", bent_postings(misdirected), burned,
        without(fold.Fold, "_require_postings", nothing)),
    Lie("all breakage to the operator", "entries", "postings", short_split, run_out,
        without(fold.Fold, "_require_postings", nothing)),
    Lie("a fee beside the contract", "refold", "its funding", other_terms, one_earn, rule(Verb.EARN)),
    Lie("newest lot burned first", "refold", "burn order", newest_first, burned, rule(Verb.BURN)),
    Lie("expired lot burned", "refold", "burn order", expired_usable, burn_late, rule(Verb.BURN)),
    Lie("points never run out", "refold", "ran out before the close", never_due, overdue,
        without(fold.Fold, "overdue", nothing)),
    Lie("double refund", "refold", "were left to refund", no_limit, refund_twice, without(refund_rules, "_limit", nothing)),
    Lie("debt beside points", "refold", "owes 40 points", no_repay, owing,
        without(fold.Fold, "end_of_group", nothing)),
    Lie("longer grace", "refold", "with grace", long_grace, renewed, rule(Verb.REFUND_BURN)),
    Lie("backdated", "entries", "its instant", backdated, burned_yesterday, without(books, "SKEW", 10**18)),
    Lie("a group left out", "entries", "follows group", gap, burned,
        without(shapes.Order, "require_next", lambda self, number: not number & 0xFFFF)),
    Lie("omitted liability", "balances", "omitted liability", omitted, just_earned, without(books, "_balances")),
    Lie("extra mint on chain", "liabilities", "the header's C", extra_mint, just_earned,
        skipping(liabilities.liabilities)),
    Lie("altered position", "positions", "party 1", altered_position, just_earned, without(books, "_positions")),
    Lie("altered rulebook", "rulebook", "other terms than before", other_rulebook, twice_settled,
        skipping(files.rulebook)),
    Lie("nine lots in one earn", "refold", "at most 8", many_lots, nine_bonuses, rule(Verb.EARN)),
    Lie("a refund from the bonus first", "refold", "base and bonuses in proportion", bonus_first, refunded_in_parts,
        rule(Verb.REFUND_EARN)),
    Lie("a forgotten earn rule", "rulebook", "is there no more", forgotten_rule, settled_three_times,
        skipping(files.rulebook)),
    Lie("rules changed without an act", "acts", "no act", unsaid, rules_changed, without(books, "_acts")),
    Lie("points given without an act", "acts", "an operator made it", unsigned, given,
        without(fold.Fold, "end_of_group", nothing)),
    Lie("points given away for less", "refold", "its funding", cheap_points, given, rule(Verb.ADJUST)),
    Lie("a lot left behind in a merge", "refold", "all that the member has", lot_left_behind, one_of_two, rule(Verb.MERGE)),
    Lie("a debt left behind in a merge", "refold", "not all", debt_left_behind, indebted_one, rule(Verb.MERGE)),
    Lie("paid more than the face", "refold", "names no budget", no_margin, dear_burn, rule(Verb.BURN)),
    Lie("an omitted claim leaf", "wallets", "omitted claim leaf", omitted_leaf, taken_away, without(books, "_wallets")),
    Lie("a lowered claim leaf", "claims", "has less now", lowered_leaf, counted, without(claims, "fallen")),
    Lie("a withdrawal without a leaf", "wallets", "omitted claim leaf", without_leaf, taken_away,
        without(books, "_wallets")),
    Lie("a withdrawal to another account", "wallets", "its claim leaf has 0", redirected, taken_away,
        without(books, "_wallets")),
    Lie("what came back counted twice", "wallets", "the header's R is 60", counted_twice, counted,
        without(books, "_wallets")),
    Lie("one event booked twice", "refold", "a second time", honest_books, came_back_twice, rule(Verb.GIVE_BACK)),
    Lie("the latest withdrawn first", "refold", "burn order", late_first, withdrawn, rule(Verb.WITHDRAW)),
    Lie("longer grace for what comes back", "refold", "of what it gives back", long_grace_in_wallets, came_back,
        rule(Verb.GIVE_BACK)),
    Lie("a redemption of less", "refold", "what was given back", partly_used, redeemed, rule(Verb.REDEEM)),
    Lie("everybody moved", "liabilities", "did not change", all_moved, twice_settled,
        without(liabilities, "_moved", lambda old, new: "")),
]  # fmt: skip


@pytest.fixture(autouse=True)
def no_invoices(monkeypatch: Patch) -> None:
    """Documents are made from what entries say: a ledger that lies has none."""
    monkeypatch.setattr(cycle, "invoice", lambda *_asked: False)


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.name)
def test_a_lie_that_hashes_and_signatures_cover_is_named(
    lie: Lie, founded: Callable[[], Coalition], tmp_path: Path, monkeypatch: Patch
) -> None:
    made = founded()
    with monkeypatch.context() as patch:
        lie.plant(patch)
        entry = lie.tell(made)
        ledger, chain = made.export(tmp_path / "ledger"), made.chain()

    def named() -> list[Finding]:
        return [
            one for one in audited(ledger, chain).findings
            if one.check == lie.check and lie.says in one.message and one.entry == (entry or one.entry)
        ]  # fmt: skip

    assert named() != [], [str(one) for one in audited(ledger, chain).findings]
    number = named()[0].settlement
    assert number is not None
    assert named()[0].header == chain.final[number][0]
    with monkeypatch.context() as patch:
        lie.blind(patch)
        assert named() == [], "the canary: without its rule the auditor must be blind to this lie"


def test_the_pool_itself_is_checked(founded: Callable[[], Coalition], tmp_path: Path, monkeypatch: Patch) -> None:
    """With postings taken on trust, a shortfall shows in the pool: outstanding x face is more than it holds."""
    made = founded()
    with monkeypatch.context() as patch:
        bent_postings(overpaid)(patch)
        burned(made)
        ledger, chain = made.export(tmp_path / "ledger"), made.chain()
    monkeypatch.setattr(fold.Fold, "_require_postings", nothing)
    found = [one for one in audited(ledger, chain).findings if one.check == "pool"]
    assert [one.settlement for one in found] == [2]
    assert chain_says(chain, found[0])


def chain_says(chain: Chain, one: Finding) -> bool:
    return one.settlement is not None and one.header == chain.final[one.settlement][0]
