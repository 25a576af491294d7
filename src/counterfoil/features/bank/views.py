"""How terms, payments and lines of statements look outside."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from counterfoil.core.rulebook.payments import Cash, Clearing, Line, Payment
from counterfoil.store.registry import Programme


def clearing_view(one: Clearing) -> dict[str, Any]:
    """The operator's side."""
    shown: dict[str, Any] = to_builtins(one)
    return {"since_settlement": shown.pop("since"), **shown}


def cash_view(one: Cash) -> dict[str, Any]:
    """A partner's side."""
    shown: dict[str, Any] = to_builtins(one)
    return {"since_settlement": shown.pop("since"), "cash": "token" if one.account is None else "bank", **shown}


def payment_view(one: Payment, known: Programme, now: int) -> dict[str, Any]:
    """A payment: who pays whom, how much is in, and what follows if it is late."""
    state, name = one.state(now, known.zone), known.name_of(one.partner)
    shown: dict[str, Any] = to_builtins({
        "id": one.name, "settlement": one.settlement, "partner": name, "method": one.method, "state": state,
        "amount_micros": one.amount_micros, "currency": one.clearing.currency, "paid_micros": one.paid_micros,
        "left_micros": one.left_micros, "due_on": one.due_on, "fails_after": one.fails_after,
        "failed_in": one.failed_in or None, "end_to_end_id": one.end_to_end(len(one.tries)),
        "files": [
            {"file": place, "on": each.on, "amount_micros": each.micros, "rejected": each.rejected}
            for place, each in enumerate(one.tries, 1)
        ],
        "entries": [
            {"entry": f"bnk_{each.line:016x}", "amount_micros": each.micros, "on": each.on, "reason": each.reason}
            for each in one.applied
        ],
        "account": one.cash.account, "operator_account": one.clearing.account, "alert": _alert(one, state, name),
    })  # fmt: skip
    return shown


def line_view(one: Line) -> dict[str, Any]:
    """A line of a statement."""
    shown: dict[str, Any] = to_builtins(one)
    return {"id": one.id, **{name: value for name, value in shown.items() if name != "number"}}


def _alert(one: Payment, state: str, name: str) -> str | None:
    match state:
        case "late" if one.amount_micros < 0:
            return f"late since {one.due_on}: unless it is paid, the first close after {one.fails_after} names {name} as failed"
        case "late":
            return f"{name} was to be paid on {one.due_on}"
        case "failed":
            return f"{name} is suspended since settlement {one.failed_in}, where the waterfall started; reinstate it once paid"
        case "withheld":
            return f"{name} owes a late payment: nothing is sent to it before"
        case "overpaid":
            return "more came than was to be paid: send the rest back"
        case _:
            return None
