"""Prepaid packs: bought, drawn on by earns, returned to by refunds."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from counterfoil.core.entry import Drawn, Entry
from counterfoil.core.errors import UnknownPartner
from counterfoil.core.holdings import Holdings
from counterfoil.core.lots import funds
from counterfoil.core.operation import Operation
from counterfoil.core.rulebook import packs, verbs
from counterfoil.core.rulebook.packs import Pack
from counterfoil.core.rulebook.refunds import ToPacks
from counterfoil.store.desk import Desk
from counterfoil.store.kinds import Packs, Returned

Facts = dict[str, object]


def buy_pack(desk: Desk, op: Operation) -> tuple[Entry, Facts]:
    """Points and fee paid in advance by a partner's contract in force."""
    partner = int(op.asked["partner"])
    if partner not in desk.programme.parties:
        raise UnknownPartner(str(partner))
    part = desk.programme.parties[partner].contract_at(desk.journal.now).part(partner)
    reserve = int(op.asked.get("reserve") or 0)
    entry = packs.buy(desk.journal, partner, part, op.points, reserve)
    held = desk.records.find(Packs, str(partner)) or Packs([])
    alert_at = int(op.asked.get("alert_at") or 0)
    bought = Pack(entry.id, op.points, op.points, reserve, reserve, alert_at)
    desk.records.keep(str(partner), Packs([*held.packs, bought]))
    if partner not in desk.programme.prepaid:
        desk.revise(prepaid=desk.programme.prepaid | {partner})
    return entry, {"points": op.points, "reserve": reserve, "alert_at": alert_at, "pack": len(held.packs)}


def earn_prepaid(
    desk: Desk, who: Holdings, partner: int, grants: Sequence[verbs.Grant], sale: verbs.Sale
) -> tuple[Entry, Facts]:
    """An earn whose points the partner funds alone are drawn from its packs. Raises PrefundingExhausted."""
    held = desk.records.find(Packs, str(partner))
    assert held is not None
    alone = [one for one in grants if funds(one.funding).sole == partner]
    drawn = packs.draw(held.packs, sum(one.points for one in alone))
    left, made = packs.prepaid(drawn), []
    for one in grants:
        first = min(left, one.points) if one in alone else 0
        left -= first
        made.append(structs.replace(one, prepaid=first))
    entry = verbs.earn(desk.journal, who, partner, made, sale, drawn)
    packs.change(held.packs, drawn, -1)
    name = desk.programme.name_of(partner)
    fired = [[name, place] for place in packs.alerts(held.packs)]
    desk.records.keep(str(partner), held)
    return entry, {"alerts": fired} if fired else {}


def to_packs(desk: Desk, earned: Entry) -> tuple[ToPacks, ...]:
    """How a refund of an earn returns points to the packs it drew on; nothing for one that drew on none."""
    return (lambda points: give_back(desk, earned, points),) if earned.drawn else ()


def give_back(desk: Desk, earned: Entry, points: int) -> tuple[Drawn, ...]:
    """Put points of an earn back into the packs it drew on: which blocks they were."""
    held, name = desk.records.find(Packs, str(earned.partner)), f"{earned.id}"
    if held is None or not earned.drawn:
        return ()
    before = desk.records.find(Returned, name) or Returned(0)
    blocks = packs.returned(earned.drawn, before.points, points)
    packs.change(held.packs, blocks, 1)
    desk.records.keep(str(earned.partner), held)
    desk.records.keep(name, Returned(before.points + sum(block.points for block in blocks)))
    return blocks
