"""Bugs to plant in the books while a coalition lives, and the lives that bring them out. A life gives the wrong entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from counterfoil.core import holdings, journal, legs, netting, sum_tree
from counterfoil.core.accounts import party
from counterfoil.core.entry import Entry, LotMade, Place, Posting, Verb
from counterfoil.core.lots import LotTerms, pack_funding
from counterfoil.core.rulebook import due, refunds, verbs
from counterfoil.core.settlement import Supply
from counterfoil.settlement import closing, cycle
from counterfoil.store import posting, registry, rulebook, settlements
from tests.audit.coalition import BAKER, DAY, FLORIST, GROCER, Coalition

Patch = pytest.MonkeyPatch


def earned(made: Coalition) -> tuple[int, int]:
    """Two members with points, settled once; the first has 100 of the grocer and 50 of the baker."""
    ann, bob = made.members(2)
    made.do("earn", GROCER, ann, 100, external_id="first")
    made.do("earn", BAKER, ann, 50)
    made.do("earn", FLORIST, bob, 30)
    made.settle()
    return ann, bob


def nothing(*_args: Any, **_kwargs: Any) -> None:
    return None


# ---- money and points -------------------------------------------------------------------------------------


def extra_lot(patch: Patch) -> None:
    def made(owner: int, points: int, terms: LotTerms) -> LotMade:
        return LotMade(owner, points + (5 if owner else 0), terms)

    patch.setattr(verbs, "LotMade", made)


def gift(made: Coalition) -> int:
    ann, bob = earned(made)
    entry = made.do("transfer", GROCER, ann, 20, recipient=bob)
    made.settle()
    return entry


def bent_postings(bend: Callable[[Entry, Posting], Posting]) -> Callable[[Patch], None]:
    def postings(entry: Entry, terms_of: legs.TermsOf, debt_of: legs.DebtOf) -> tuple[Posting, ...]:
        return tuple(bend(entry, one) for one in legs.postings(entry, terms_of, debt_of))

    return lambda patch: patch.setattr(journal, "postings", postings)


def overpaid(entry: Entry, one: Posting) -> Posting:
    return structs.replace(one, amount=one.amount + 7) if entry.verb is Verb.BURN and one.unit == 0 else one


def misdirected(entry: Entry, one: Posting) -> Posting:
    """The florist's burn is paid to the baker."""
    wrong = entry.verb is Verb.BURN and one.credit == party(FLORIST)
    return structs.replace(one, credit=party(BAKER)) if wrong else one


def burned(made: Coalition) -> int:
    ann, _bob = earned(made)
    entry = made.do("burn", FLORIST, ann, 20)
    made.settle()
    return entry


def other_terms(patch: Patch) -> None:
    def terms(*values: Any) -> LotTerms:
        made = LotTerms(*values)
        parts = [structs.replace(one, fee_micros=one.fee_micros + 900) for one in made.funds.parts]
        return structs.replace(made, funding=pack_funding(parts))

    patch.setattr(verbs, "LotTerms", terms)


def one_earn(made: Coalition) -> int:
    entry = made.do("earn", GROCER, made.members(1)[0], 100)
    made.settle()
    return entry


# ---- lots -------------------------------------------------------------------------------------------------


def newest_first(patch: Patch) -> None:
    patch.setattr(
        verbs, "from_lots", lambda lots, points, target: tuple(
            holdings.take(list(lots)[::-1], points, Place.AVAILABLE, target)
        ),
    )  # fmt: skip


def never_due(patch: Patch) -> None:
    patch.setattr(cycle.Cycle, "run_due", lambda *_args: 0)
    patch.setattr(due, "settle_up", nothing)
    for module in (verbs, refunds):
        patch.setattr(module, "settle_up", nothing)


def expired_usable(patch: Patch) -> None:
    never_due(patch)

    def every(who: holdings.Holdings) -> list[holdings.Lot]:
        return sorted((lot for lot in who.lots.values() if lot.available), key=holdings.Lot.burn_key)

    patch.setattr(
        verbs, "burn", lambda journal, who, partner, points, *_more: journal.post(
            Verb.BURN, (who,), partner=partner,
            moves=tuple(holdings.take(every(who), points, Place.AVAILABLE, Place.BURNED)),
        ),
    )  # fmt: skip


def burn_late(made: Coalition) -> int:
    ann, _bob = earned(made)
    made.wait(20)
    entry = made.do("burn", BAKER, ann, 60)
    made.settle()
    return entry


def overdue(made: Coalition) -> None:
    earned(made)
    made.wait(20)
    made.settle()


def no_limit(patch: Patch) -> None:
    patch.setattr(refunds.Original, "checked", nothing)


def refund_twice(made: Coalition) -> int:
    ann, _bob = earned(made)
    made.do("refund_earn", GROCER, ann, 100, original="first")
    entry = made.do("refund_earn", GROCER, ann, 100, original="first")
    made.settle()
    return entry


def no_repay(patch: Patch) -> None:
    patch.setattr(due, "_repay", nothing)


def owing(made: Coalition) -> int:
    ann, _bob = earned(made)
    made.do("burn", BAKER, ann, 150)
    made.do("refund_earn", GROCER, ann, 40, original="first")
    entry = made.do("earn", FLORIST, ann, 10)
    made.do("earn", FLORIST, ann, 10)
    made.settle()
    return entry


def long_grace(patch: Patch) -> None:
    patch.setattr(refunds, "GRACE_DAYS", 60)


def renewed(made: Coalition) -> int:
    ann, _bob = earned(made)
    made.do("burn", BAKER, ann, 10, external_id="used")
    made.wait(20)
    entry = made.do("refund_burn", BAKER, ann, 10, original="used")
    made.settle()
    return entry


def backdated(patch: Patch) -> None:
    """The books' clock is turned back, so that what ran out can be used."""
    patch.setattr(registry, "clock_or_machine", lambda clock: clock - 2 * DAY)


def burned_yesterday(made: Coalition) -> int:
    (ann,) = made.members(1)
    made.do("earn", GROCER, ann, 100)
    made.wait(5)
    made.settle()
    entry = made.do("burn", BAKER, ann, 20)
    made.settle()
    return entry


def short_split(patch: Patch) -> None:
    """The operator keeps all breakage."""
    patch.setattr(journal, "postings", lambda *args: tuple(
        structs.replace(one, credit=party(2)) if args[0].verb is Verb.EXPIRE and one.unit == 0 else one
        for one in legs.postings(*args)
    ))  # fmt: skip


def run_out(made: Coalition) -> None:
    earned(made)
    made.wait(20)
    made.settle()


def gap(patch: Patch) -> None:
    patch.setattr(posting, "group_id", lambda shard, number: shard << 36 | number + (number > 3))


# ---- closing ----------------------------------------------------------------------------------------------


def omitted(patch: Patch) -> None:
    """The smallest liability is left out of tree, file and supply alike."""
    honest = settlements.liabilities

    def fewer(source: Any, number: int, currency: int) -> list[tuple[int, sum_tree.Liability]]:
        leaves = honest(source, number, currency)
        return [one for one in leaves if one[1].balance != min(leaf.balance for _m, leaf in leaves)]

    moved = settlements.move_liabilities

    def less(connection: Any, number: int, currency: int, changes: Any, depth: int) -> tuple[int, int]:
        deep, total = moved(connection, number, currency, changes, depth)
        leaves = honest(connection, number, currency)
        return deep, total - min(leaf.balance for _m, leaf in leaves)

    patch.setattr(settlements, "liabilities", fewer)
    patch.setattr(settlements, "move_liabilities", less)


def just_earned(made: Coalition) -> None:
    earned(made)


def extra_mint(patch: Patch) -> None:
    patch.setattr(closing, "Supply", lambda currency, root, total, *more: Supply(currency, root, total + 5, *more))


def altered_position(patch: Patch) -> None:
    honest = netting.Positions.words

    def words(self: netting.Positions) -> dict[int, int]:
        found = honest(self)
        return found | {1: found[1] - 10_000, 2: found[2] + 10_000}

    patch.setattr(netting.Positions, "words", words)


def other_rulebook(patch: Patch) -> None:
    honest = rulebook.rulebook

    def bent(programme: Any) -> dict[str, Any]:
        book = honest(programme)
        book["contracts"][0]["fee_micros"] += programme.open_settlement > 1
        return book

    patch.setattr(rulebook, "rulebook", bent)


def twice_settled(made: Coalition) -> None:
    earned(made)
    made.settle()


def all_moved(patch: Patch) -> None:
    """Who did not move gets a new salt too: neighbours could follow them."""
    honest = settlements.liabilities

    def fresh(source: Any, number: int, currency: int) -> list[tuple[int, sum_tree.Liability]]:
        return [
            (who, replace(one, commitment=bytes([number]) + one.commitment[1:]))
            for who, one in honest(source, number, currency)
        ]

    patch.setattr(settlements, "liabilities", fresh)
