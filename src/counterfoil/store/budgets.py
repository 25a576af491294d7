"""Budgets: what a party sets aside in points, drawn on under the fence."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from counterfoil.core.accounts import OPERATOR
from counterfoil.core.entry import Entry, Move, Place
from counterfoil.core.errors import UnknownBudget, UnknownPartner
from counterfoil.core.holdings import Holdings
from counterfoil.core.limits import BudgetExhausted
from counterfoil.core.operation import Operation
from counterfoil.core.rulebook.contracts import Contract
from counterfoil.core.rulebook.verbs import Agree
from counterfoil.store.desk import Desk
from counterfoil.store.kinds import Budget
from counterfoil.store.registry import Programme

Facts = dict[str, object]


def set_budget(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """Set aside `points` in all under a name; what was spent of it stays spent."""
    name, owner = str(op.asked["name"]), int(op.asked["owner"])
    if owner != OPERATOR and owner not in desk.programme.parties:
        raise UnknownPartner(str(owner), "owner")
    held = desk.records.find(Budget, name)
    spent = held.spent if held is not None else 0
    made = Budget(owner, op.points, spent, op.asked.get("approval_above"))
    desk.was = None if held is None else shown(desk.programme, name, held)
    desk.records.keep(name, made)
    return None, shown(desk.programme, name, made)


def shown(programme: Programme, name: str, one: Budget) -> Facts:
    """A budget as it is told."""
    owner = programme.name_of(one.owner)
    return {
        "name": name,
        "owner": owner,
        "points": one.points,
        "spent": one.spent,
        "approval_above": one.approval_above,
    }


def budget(desk: Desk, name: str) -> Budget:
    """A budget by name; raises UnknownBudget."""
    held = desk.records.find(Budget, name)
    if held is None:
        raise UnknownBudget(name)
    return held


def draw(desk: Desk, name: str, points: int) -> None:
    """Take points from a budget, all or nothing; raises UnknownBudget, BudgetExhausted."""
    held = budget(desk, name)
    if points > held.left:
        raise BudgetExhausted(name, points, held.left)
    desk.records.keep(name, structs.replace(held, spent=held.spent + points))


def above_face(desk: Desk, contract: Contract, who: Holdings) -> Agree | None:
    """Draws on a contract's budget for each point used that pays more than its face; raises BudgetExhausted."""
    name, value = contract.redemption_budget, contract.redemption_micros
    if name is None or value is None:
        return None

    def agree(moves: tuple[Move, ...]) -> None:
        points = _dear(who, moves, value)
        if points:
            draw(desk, name, points)

    return agree


def back_above_face(desk: Desk, who: Holdings, burn: Entry, restored: Entry) -> None:
    """What a burn drew on a budget goes back with the points that are restored."""
    name = desk.programme.parties[burn.partner].contract_at(burn.at).redemption_budget
    points = _dear(who, restored.moves, burn.value_micros) if name is not None and burn.value_micros else 0
    if name is not None and points:
        held = budget(desk, name)
        desk.records.keep(name, structs.replace(held, spent=max(0, held.spent - points)))


def _dear(who: Holdings, moves: Iterable[Move], value_micros: int) -> int:
    """Points used or restored whose face is below the value; a brand's own currency has none."""
    used = [move for move in moves if Place.BURNED in {move.source, move.target}]
    return sum(m.points for m in used if 0 < who.terms_of(m.entry, m.index).funds.face_micros < value_micros)
