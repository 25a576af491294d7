"""Changes of the programme by its operator, each an act in the log: partners and contracts, currencies, promotions,
rewards, limits, API keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from msgspec import structs

from counterfoil.core.accounts import FIRST_PARTNER, OPERATOR, RESERVED
from counterfoil.core.calendar import text_instant
from counterfoil.core.errors import InvalidRequest, NotFound, UnknownPartner
from counterfoil.core.operation import Operation
from counterfoil.core.rulebook.adjustments import OPERATOR_TERMS
from counterfoil.core.rulebook.contracts import Contract
from counterfoil.core.rulebook.earning import EarnRule
from counterfoil.core.rulebook.rewards import Reward
from counterfoil.store import tables
from counterfoil.store.budgets import budget
from counterfoil.store.desk import Desk
from counterfoil.store.kinds import Limits, Promotion
from counterfoil.store.registry import LAST_PARTNER, Currency, Party, limited

Facts = dict[str, object]


def add_partner(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """Register a partner with its contract, versions by `since`. Raises InvalidRequest for a name or signer taken."""
    asked, known = op.asked, desk.programme
    name, signer = str(asked["name"]), asked.get("signer")
    taken = {one.name for one in known.parties.values()} | set(RESERVED.values())
    if name in taken or name == "rounding" or ":" in name:
        raise InvalidRequest("name", f"{name!r} is taken or reserved")
    if signer is not None and signer in {one.signer for one in known.parties.values()}:
        raise InvalidRequest("signer", "belongs to another partner")
    number = max([FIRST_PARTNER - 1, *known.parties]) + 1
    if number > LAST_PARTNER:
        raise InvalidRequest("name", "a programme has at most 32,752 partners")
    contracts: tuple[Contract, ...] = tuple(asked["contracts"])
    _require_margin(desk, number, contracts)
    made = Party(
        number, name, contracts, signer, asked.get("floor_micros", 0), collateral_micros=asked.get("collateral_micros")
    )
    desk.write(
        tables.party,
        (number, name, signer, made.floor_micros, desk.journal.now, made.status, made.collateral_micros),
    )
    for one in contracts:
        desk.write(tables.contract, _contract_row(number, one))
    _revise(desk, made)
    return None, {"partner": number, "name": name, "signer": signer}


def add_contract(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """Announce a partner's next version. Raises InvalidRequest if it would begin sooner than notice allows, or out of order."""
    party, terms = partner(desk, op), op.asked["contract"]
    last = party.contracts[-1]
    require_announced(desk, terms.since, last)
    made = replace(terms, version=last.version + 1)
    _require_margin(desk, party.number, (made,))
    desk.write(tables.contract, _contract_row(party.number, made))
    changed = replace(party, contracts=(*party.contracts, made))
    _revise(desk, changed)
    return None, {"partner": party.number, "version": made.version, "since": text_instant(made.since)}


def add_currency(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """Register a brand's own currency; raises InvalidRequest for a name taken."""
    name, issuer, known = str(op.asked["name"]), partner(desk, op, "issuer").number, desk.programme
    if name in {known.currency_name(number) for number in known.currency_numbers()}:
        raise InvalidRequest("name", f"{name!r} is taken")
    made = Currency(max(known.currency_numbers()) + 1, name, issuer)
    desk.write(tables.currency, (made.number, name, issuer))
    desk.revise(currencies={**known.currencies, made.number: made})
    return None, {"id": made.number, "name": name, "issuer": issuer}


def set_limits(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """Change limits of the programme; those not named stay."""
    made: Limits = structs.replace(desk.programme.limits, **op.asked["limits"])
    desk.was = desk.records.put("", made)
    desk.revise(limits=made)
    return None, structs.asdict(made)


def add_reward(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """Register a reward, or its terms anew for who buys it from now on."""
    asked = op.asked
    made = Reward(asked["name"], partner(desk, op).number, op.points, asked["cost_micros"], asked["valid_days"])
    desk.was = desk.records.put(made.name, made)
    desk.revise(rewards={**desk.programme.rewards, made.name: made})
    return None, structs.asdict(made)


def add_promotion(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """Register who funds a bonus together, basis points by party; raises InvalidRequest for a name taken."""
    name, known = str(op.asked["name"]), desk.programme
    if name in known.promotions:
        raise InvalidRequest("name", f"{name!r} is taken")
    shares: dict[int, int] = {}
    for party, bp in op.asked["shares"].items():
        number = known.number_of(party)
        if number is None:
            raise UnknownPartner(party, "shares")
        shares[number] = bp
    desk.records.keep(name, Promotion(shares))
    desk.revise(promotions={**known.promotions, name: shares})
    return None, {"name": name, "shares": op.asked["shares"]}


def issue_key(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """A new API key, of which only the row is known here; old ones go on."""
    row = op.asked["row"]
    desk.write(tables.credential, row)
    return None, {"partner": row[2], "prefix": row[0], "scopes": row[3].split()}


def revoke_key(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """Revoke a key at once; raises NotFound if there is none."""
    assert desk.reach is not None
    prefix = str(op.asked["prefix"])
    owner = desk.reach.revocable(prefix)
    if owner is None:
        raise NotFound("prefix", prefix)
    desk.change(tables.credential, ("prefix",), ("revoked_at",), (prefix, desk.journal.now, None))
    desk.was = {"partner": owner, "prefix": prefix, "revoked": False}
    return None, {"partner": owner, "prefix": prefix, "revoked": True}


def partner(desk: Desk, op: Operation, field: str = "partner") -> Party:
    """The partner an operator names; raises UnknownPartner."""
    number = int(op.asked[field])
    if number < FIRST_PARTNER or number not in desk.programme.parties:
        raise UnknownPartner(str(number), field)
    return desk.programme.parties[number]


def require_announced(desk: Desk, since: int, last: Contract | EarnRule | None) -> None:
    """Raises InvalidRequest for a version that would begin sooner than notice allows, or not after the last one."""
    earliest = desk.journal.now + desk.programme.notice_micros
    if since < earliest:
        raise InvalidRequest("since", f"must be {text_instant(earliest)} or later: changes are announced")
    if last is not None and since <= last.since:
        begins = text_instant(last.since)
        raise InvalidRequest("since", f"must be after version {last.version}, which begins at {begins}")


def _require_margin(desk: Desk, number: int, new: tuple[Contract, ...]) -> None:
    """Nobody is paid more for a point than its face unless its contract names a budget of the operator's for it.

    Raises InvalidRequest, UnknownBudget.
    """
    for one in new:
        if one.redemption_budget is not None and budget(desk, one.redemption_budget).owner != OPERATOR:
            raise InvalidRequest("redemption_budget", f"{one.redemption_budget} is not the operator's")
    parties, now = desk.programme.parties, desk.journal.now
    others = {n: one for n, one in parties.items() if n >= FIRST_PARTNER}
    old = [(one.name, c) for one in others.values() for c in one.contracts]
    lowest = min([OPERATOR_TERMS.face_micros, *(c.face_micros for c in [*new, *(c for _name, c in old)])])
    usable = [(n, c) for n, one in others.items() for c in one.contracts if c.since > now or c is one.contract_at(now)]
    for partner_number, one in [*((number, one) for one in new), *usable]:
        if one.redemption_budget is None and (one.redemption_micros or 0) > lowest:
            own = partner_number == number and one in new
            field = "redemption_micros" if own else "face_micros"
            text = f"partner {partner_number} would be paid {one.redemption_micros} micros for points of face {lowest}"
            raise InvalidRequest(field, f"{text}: its contract must name a redemption_budget")


def _revise(desk: Desk, made: Party) -> None:
    parties = {**desk.programme.parties, made.number: made}
    desk.revise(parties=parties, limited=limited(parties.values()))


def _contract_row(number: int, one: Contract) -> tuple[Any, ...]:
    return (
        number, one.version, one.since, one.face_micros, one.fee_micros, one.valid_days, one.breakage_operator_bp,
        one.issuance_bp, one.fee_refundable, one.redemption_micros, one.pending_days,
        one.valid_months, one.cliff, one.clawback, one.credit_limit_micros, one.redemption_budget,
    )  # fmt: skip


TERMS: dict[str, Callable[[Desk, Operation], tuple[None, Facts]]] = {
    "add_partner": add_partner, "add_contract": add_contract, "add_currency": add_currency, "set_limits": set_limits,
    "add_reward": add_reward, "add_promotion": add_promotion, "issue_key": issue_key, "revoke_key": revoke_key,
}  # fmt: skip
