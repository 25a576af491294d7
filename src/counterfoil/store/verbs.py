"""Each verb of an operation: what it names is found, the rulebook decides, the answer's facts are told."""

from __future__ import annotations

from collections.abc import Callable

from counterfoil.core.calendar import LAST_INSTANT, end_of_day, text_instant, valid_until
from counterfoil.core.entry import Entry, Place, Verb
from counterfoil.core.errors import Refusal, UnknownBurn, UnknownEarn, UnknownHold, UnknownPromotion
from counterfoil.core.holdings import Hold, Holdings
from counterfoil.core.limits import InsufficientPoints, OccurredTooLongAgo
from counterfoil.core.operation import Operation
from counterfoil.core.refusals import CurrencyNotAccepted, ProgrammeSunset
from counterfoil.core.rulebook import due, refunds, verbs
from counterfoil.core.rulebook.contracts import Contract, alone, joint
from counterfoil.core.rulebook.earning import base_points, explained
from counterfoil.core.rulebook.verbs import Agree
from counterfoil.core.units import COALITION_CURRENCY, NEVER
from counterfoil.store.budgets import above_face, back_above_face, set_budget
from counterfoil.store.desk import Desk, Effect, currency_number, entry_name, member_name
from counterfoil.store.earning import Priced, priced, publish_earn_rule
from counterfoil.store.terms import TERMS
from counterfoil.store.verbs_bank import agree_cash, agree_clearing, assign_line, fall_due, take_report, take_statement
from counterfoil.store.verbs_claims import accept, refuse, report
from counterfoil.store.verbs_entities import belong, brand, legal_entity
from counterfoil.store.verbs_exchange import exchange, publish_rates, quote
from counterfoil.store.verbs_members import dispute, erase, merge, request_erasure, rule, undisputed, velocity
from counterfoil.store.verbs_operator import adjust, approve, freeze, look_up, unfreeze
from counterfoil.store.verbs_packs import buy_pack, earn_prepaid, to_packs
from counterfoil.store.verbs_partners import (
    default,
    dividend,
    exit_partner,
    match_parked,
    park,
    queue,
    reinstate,
    suspend,
)
from counterfoil.store.verbs_rewards import buy_reward, refund_reward, use_reward
from counterfoil.store.verbs_wallets import WALLETS

LATE_DAYS = 731  # how late a sale may come in: as long as a refund must find it
LATE_MICROS = LATE_DAYS * 86_400_000_000


def _earn(desk: Desk, op: Operation) -> tuple[Entry | None, dict[str, object]]:
    who = desk.member(op.member)
    desk.active(op.partner)
    currency = _currency(desk, op)
    zone, sold_at = desk.programme.zone, _sold_at(desk, op)
    contract = desk.programme.parties[op.partner].contract_at(sold_at)
    expires_at = end_of_day(op.valid_to, zone) if op.valid_to else contract.expires_at(sold_at, zone)
    days = contract.pending_days if op.pending_days is None else op.pending_days
    available_at = valid_until(sold_at, days - 1, zone) if days else 0
    sale = verbs.Sale(sold_at, expires_at, available_at, currency)
    facts: dict[str, object] = {"points": op.points, "expires_at": _expiry(expires_at)}
    ruled, told = None, dict[str, object]()
    if op.basket is None:
        grants = _grants(desk, op, contract, sale)
    else:
        ruled = priced(desk, op, sold_at)
        facts |= {"points": ruled.points, "explanation": explained(ruled.awards)}
        grants = _ruled_grants(desk, ruled, contract, sale)
    entry = None
    if desk.programme.limits.sunset_at is not None and sold_at >= desk.programme.limits.sunset_at:
        raise ProgrammeSunset(text_instant(desk.programme.limits.sunset_at))
    if op.partner in desk.programme.limited and op.partner not in desk.programme.prepaid:
        desk.require_credit(op.partner, verbs.cost(op.partner, grants))
    if not grants:  # a movement of 0 points is not posted
        told = _unmoved(desk, who)
    elif op.partner in desk.programme.prepaid and currency == COALITION_CURRENCY:
        entry, told = earn_prepaid(desk, who, op.partner, grants, sale)
    else:
        entry = verbs.earn(desk.journal, who, op.partner, grants, sale)
    if ruled is not None:
        ruled.keep()
    if desk.programme.parked:
        match_parked(desk, op)
    facts |= told
    return entry, facts | _in_own(op, who, currency)


def _sold_at(desk: Desk, op: Operation) -> int:
    sold_at = op.occurred_at or desk.journal.now
    if sold_at < desk.journal.now - LATE_MICROS:
        raise OccurredTooLongAgo(LATE_DAYS)
    return sold_at


def _calculate(desk: Desk, op: Operation) -> tuple[None, dict[str, object]]:
    """What a basket would earn for nobody in particular."""
    desk.active(op.partner)
    ruled = priced(desk, op, _sold_at(desk, op))
    return None, {"points": ruled.points, "explanation": explained(ruled.awards)}


def _grants(desk: Desk, op: Operation, contract: Contract, sale: verbs.Sale) -> list[verbs.Grant]:
    """The base, funded by the partner alone; the bonus, or without one the base, by the parties of a promotion."""
    if sale.currency != COALITION_CURRENCY:  # the brand's own liability
        own = shared = b""
    else:
        own = shared = alone(contract, op.partner)
    if op.promotion:
        shared = _together(desk, op.promotion, contract, sale)
    if op.bonus:
        return [verbs.Grant(op.points, own), verbs.Grant(op.bonus, shared)]
    return [verbs.Grant(op.points, shared)]


def _ruled_grants(desk: Desk, ruled: Priced, contract: Contract, sale: verbs.Sale) -> list[verbs.Grant]:
    """The base, then a lot for each bonus, in the order of the rules."""
    awards = ruled.awards
    own, base = alone(contract, ruled.partner), base_points(awards)
    bonuses = [
        verbs.Grant(one.points, _together(desk, one.rule.promotion, contract, sale) if one.rule.promotion else own)
        for one in awards
        if one.points and one.rule.kind == "campaign"
    ]
    return [verbs.Grant(base, own), *bonuses] if base else bonuses


def _together(desk: Desk, promotion: str, contract: Contract, sale: verbs.Sale) -> bytes:
    """The funding by a promotion's parties, each by its contract at the moment of sale."""
    shares = desk.programme.promotions.get(promotion)
    if shares is None:
        raise UnknownPromotion(promotion)
    parties = desk.programme.parties
    return joint(shares, {n: parties[n].contract_at(sale.at) if n in parties else contract for n in shares})


def _unmoved(desk: Desk, who: Holdings) -> dict[str, object]:
    """What is told of a member to whom nothing happened."""
    due.settle_up(desk.journal, who)
    return {"member": member_name(who.member), "money": [], "available": who.available}


def _currency(desk: Desk, op: Operation) -> int:
    """The currency an operation is in: the coalition's, or the brand's own at that brand."""
    number = currency_number(desk, op.currency)
    if number != COALITION_CURRENCY and desk.programme.currencies[number].issuer != op.partner:
        raise CurrencyNotAccepted(op.currency)
    return number


def _in_own(op: Operation, who: Holdings, currency: int) -> dict[str, object]:
    """What an answer in a brand's own currency says of it."""
    if currency == COALITION_CURRENCY:
        return {}
    return {"currency": op.currency, "available": who.free(currency)}


def _value(desk: Desk, op: Operation, who: Holdings) -> tuple[int, Agree | None]:
    """What the partner is paid for a point used there, micros (0: the lots' own face), and who must agree to it."""
    contract = desk.programme.parties[op.partner].contract_at(desk.journal.now)
    return contract.redemption_micros or 0, above_face(desk, contract, who)


def _burn(desk: Desk, op: Operation) -> tuple[Entry, dict[str, object]]:
    who = desk.spender(op.member)
    desk.active(op.partner)
    currency = _currency(desk, op)
    entry = verbs.burn(desk.journal, who, op.partner, op.points, currency, *_value(desk, op, who))
    return entry, {"points": op.points, "lots": _lots(desk, entry, who)} | _in_own(op, who, currency)


def _hold(desk: Desk, op: Operation) -> tuple[Entry, dict[str, object]]:
    who = desk.spender(op.member)
    desk.active(op.partner)
    until = min(desk.journal.now + op.ttl_seconds * 1_000_000, LAST_INSTANT)
    entry = verbs.hold(desk.journal, who, op.partner, op.points, until, _currency(desk, op))
    return entry, {"points": op.points, "hold": verbs.hold_name(entry.id), "expires_at": text_instant(until)}


def _capture(desk: Desk, op: Operation) -> tuple[Entry, dict[str, object]]:
    who, held = _held(desk, op)
    desk.active(op.partner)
    entry = verbs.capture(desk.journal, who, held, op.points, *_value(desk, op, who))
    facts = {"points": op.points, "released": held.points - op.points, "hold": verbs.hold_name(held.entry)}
    return entry, {**facts, "lots": _lots(desk, entry, who)}


def _release(desk: Desk, op: Operation) -> tuple[Entry, dict[str, object]]:
    who, held = _held(desk, op)
    entry = verbs.release(desk.journal, who, held)
    return entry, {"points": held.points, "hold": verbs.hold_name(held.entry)}


def _refund_earn(desk: Desk, op: Operation) -> tuple[Entry | None, dict[str, object]]:
    if op.more and op.asked.get("park") and desk.effect(op.refunded) is None:
        return None, park(desk, op)
    effect, original, who = _original(desk, op, UnknownEarn(op.original))
    if desk.programme.parties[op.partner].status == "suspended":
        return None, queue(desk, op)
    terms = desk.programme.parties[op.partner].contract_at(original.entry.occurred_at)
    got = refunds.refund_earn(
        desk.journal, who, original, op.points, *to_packs(desk, original.entry), cash=terms.clawback == "cash"
    )
    _refunded(desk, op, effect)
    facts: dict[str, object] = {"points": op.points, "recovered": got.recovered, "debt": got.debt}
    if got.cash:
        facts |= {"cash_points": got.cash, "cash_micros": got.cash * original.entry.lots[0].terms.funds.face_micros}
    if got.made is None:
        desk.take(op.effect, 0)
    facts |= {"excused": got.excused, "cancelled": got.cancelled}
    return got.made, {**facts, "refers_to": entry_name(original.entry.id)}


def _refund_burn(desk: Desk, op: Operation) -> tuple[Entry | None, dict[str, object]]:
    effect, original, who = _original(desk, op, UnknownBurn(op.original))
    if desk.programme.parties[op.partner].status == "suspended":
        return None, queue(desk, op)
    undisputed(desk, original.entry.id)
    entry = refunds.refund_burn(desk.journal, who, original, op.points, desk.programme.zone)
    back_above_face(desk, who, original.entry, entry)
    _refunded(desk, op, effect)
    return entry, {"points": op.points, "refers_to": entry_name(original.entry.id)}


def _refunded(desk: Desk, op: Operation, effect: Effect) -> None:
    effect.refunded += op.points
    desk.changed[op.refunded] = None


def _transfer(desk: Desk, op: Operation) -> tuple[Entry, dict[str, object]]:
    sender, recipient = desk.spender(op.member, "sender"), desk.member(op.recipient, "recipient")
    due.settle_up(desk.journal, sender)
    if op.points > sender.available:
        raise InsufficientPoints(op.points, sender.available)
    counted = velocity(desk, sender, op.points)
    entry = verbs.transfer(desk.journal, sender, recipient, op.points, op.partner)
    if counted is not None:
        desk.records.keep(*counted)
    return entry, {
        "points": op.points,
        "recipient": member_name(op.recipient),
        "lots": _lots(desk, entry, sender),
    }


VERBS: dict[str, Callable[[Desk, Operation], tuple[Entry | None, dict[str, object]]]] = {
    "earn": _earn, "calculate": _calculate, "burn": _burn, "hold": _hold, "capture": _capture, "release": _release,
    "refund_earn": _refund_earn, "refund_burn": _refund_burn, "transfer": _transfer,
    "publish_rates": publish_rates, "quote": quote, "exchange": exchange, "buy_pack": buy_pack,
    "buy_reward": buy_reward, "use_reward": use_reward, "refund_reward": refund_reward,
    "suspend": suspend, "reinstate": reinstate, "default": default, "dividend": dividend, "exit_partner": exit_partner,
    "dispute": dispute, "rule": rule, "request_erasure": request_erasure, "erase": erase, "merge": merge,
    "set_budget": set_budget, "adjust": adjust, "approve": approve, "freeze": freeze, "unfreeze": unfreeze,
    "look_up": look_up, "report_missing": report, "accept_claim": accept(_earn), "refuse_claim": refuse, **TERMS, **WALLETS,
    "legal_entity": legal_entity, "belong": belong, "brand": brand,
    "publish_earn_rule": publish_earn_rule,
    "agree_clearing": agree_clearing, "agree_cash": agree_cash, "fall_due": fall_due, "take_statement": take_statement,
    "take_report": take_report, "assign_line": assign_line,
}  # fmt: skip


def _held(desk: Desk, op: Operation) -> tuple[Holdings, Hold]:
    """The hold as its own partner sees it; another's is unknown."""
    found = desk.hold(op.hold)
    if found is None or found[1].partner != op.partner or found[1].cost_micros is not None:
        raise UnknownHold(verbs.hold_name(op.hold))
    return desk.member(found[0].member), found[1]


def _original(desk: Desk, op: Operation, unknown: Refusal) -> tuple[Effect, refunds.Original, Holdings]:
    effect = desk.effect(op.refunded)
    if effect is None:
        raise unknown
    entry, owner = desk.original(effect.entry)
    return effect, refunds.Original(entry, effect.refunded), desk.member(owner)


def _lots(desk: Desk, entry: Entry, who: Holdings) -> list[list[object]]:
    """[issuer, points] of each lot used, in the order used."""
    used = {Place.BURNED, Place.GIFTED} if entry.verb is not Verb.HOLD else {Place.HELD}
    return [
        [desk.programme.name_of(who.lots[m.entry, m.index].terms.issuer), m.points]
        for m in entry.moves
        if m.target in used
    ]


def _expiry(at: int) -> str | None:
    return None if at == NEVER else text_instant(at)
