"""Own wallets: a member's account linked, points withdrawn to it, and what comes back from chain, from whoever has it."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from msgspec import structs

from counterfoil.core.accounts import FIRST_PARTNER
from counterfoil.core.calendar import text_instant
from counterfoil.core.entry import Entry
from counterfoil.core.errors import ReturnAssigned, SignInRefused, UnknownReturn
from counterfoil.core.holdings import Holdings
from counterfoil.core.limits import BalanceLimit
from counterfoil.core.operation import Operation
from counterfoil.core.refusals import WalletNotLinked, WalletTaken
from counterfoil.core.rulebook import wallets
from counterfoil.core.units import COALITION_CURRENCY
from counterfoil.core.wallet import Wallet
from counterfoil.store.budgets import above_face, budget
from counterfoil.store.desk import Desk, currency_number, entry_name, member_name
from counterfoil.store.kinds import Linked, Nonce, Owner, Stray, Wallets

Facts = dict[str, object]
NONCE_SECONDS = 600
MOST_LOTS = 10_000  # of a return: an entry has room for 65,535 moves, and each lender must be read
SECOND = 1_000_000


def nonce(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """What the member's next sign-in message must carry; one asked for before is void."""
    who = desk.member(op.member)
    made = Nonce(secrets.token_hex(16), desk.journal.now + NONCE_SECONDS * SECOND)
    desk.records.keep(f"{who.member}:", made)
    return None, {"nonce": made.value, "issued_at": text_instant(desk.journal.now), "until": text_instant(made.until)}


def link(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """The account is the member's for withdrawals from now on; what was withdrawn before stays where it is.

    Who signed, and for which gateway and chain, was checked before: here the nonce and the message's instants, at the
    instant of linking. Raises SignInRefused, WalletTaken.
    """
    who, asked, now = desk.member(op.member), op.asked, desk.journal.now
    account, known = str(asked["account"]), desk.records.find(Nonce, f"{who.member}:")
    if known is None or known.used or known.value != asked["nonce"]:
        raise SignInRefused("nonce", "is not the one this member was given last, or was used")
    if now >= known.until:
        raise SignInRefused("nonce", f"ended at {text_instant(known.until)}")
    if now >= asked["expires_at"]:
        raise SignInRefused("expiration_time", f"the message ended at {text_instant(asked['expires_at'])}")
    if now < asked["not_before"]:
        raise SignInRefused("not_before", f"the message begins at {text_instant(asked['not_before'])}")
    owner = desk.records.find(Owner, account)
    if owner is not None and owner.member not in {0, who.member}:
        raise WalletTaken(member_name(who.member))
    desk.records.keep(f"{who.member}:", structs.replace(known, used=True))
    held = _ended(desk, who)
    desk.records.keep(account, Owner(who.member))
    desk.records.keep(f"{who.member}:", Wallets([*held.accounts, Linked(account, now)]))
    return None, {"member": member_name(who.member), "account": account, "since": text_instant(now)}


def unlink(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """The member has no account any more. Raises WalletNotLinked."""
    who = desk.member(op.member)
    account = _linked(desk, who)
    desk.records.keep(f"{who.member}:", _ended(desk, who))
    return None, {"member": member_name(who.member), "account": account, "until": text_instant(desk.journal.now)}


def forget(desk: Desk, who: Holdings) -> None:
    """Of a member that is erased: the account is nobody's. What is in wallets lives on."""
    _ended(desk, who)


def merged(desk: Desk, gone: Holdings, kept: Holdings) -> None:
    """Of two that are one: what comes back from either account is the other's, who withdraws to its own if it has one."""
    had = desk.records.find(Wallets, f"{gone.member}:") or Wallets([])
    own = desk.records.find(Wallets, f"{kept.member}:") or Wallets([])
    last = had.linked
    if last is None:
        return
    desk.records.keep(last.account, Owner(kept.member))
    ended = structs.replace(last, until=desk.journal.now)
    desk.records.keep(f"{gone.member}:", Wallets([*had.accounts[:-1], ended]))
    if own.linked is None:
        desk.records.keep(f"{kept.member}:", Wallets([*own.accounts, structs.replace(last, since=desk.journal.now)]))


def _ended(desk: Desk, who: Holdings) -> Wallets:
    """The member's accounts, the last one no longer linked."""
    held = desk.records.find(Wallets, f"{who.member}:") or Wallets([])
    last = held.linked
    if last is None:
        return held
    desk.was = {"account": last.account}
    desk.records.keep(last.account, Owner(0))
    return Wallets([*held.accounts[:-1], structs.replace(last, until=desk.journal.now)])


def _linked(desk: Desk, who: Holdings) -> str:
    held = desk.records.find(Wallets, f"{who.member}:")
    if held is None or held.linked is None:
        raise WalletNotLinked(member_name(who.member))
    return held.linked.account


def withdraw(desk: Desk, op: Operation) -> tuple[Entry, Facts]:
    """Points go to the member's linked account, to be claimed after the next settlement. Raises InsufficientPoints."""
    who = desk.spender(op.member)
    account, currency = _linked(desk, who), currency_number(desk, op.currency)
    entry = wallets.withdraw(desk.journal, who, op.points, Wallet(_raw(account)), currency)
    facts: Facts = {"points": op.points, "currency": op.currency, "account": account, "lots": _lots(desk, entry, who)}
    return entry, facts | {"available": who.free(currency)}


def take_return(desk: Desk, op: Operation) -> tuple[Entry | None, Facts]:
    """Points that came back on chain by an event that is final: given back, or redeemed at a partner.

    What cannot be booked waits in suspense, whole and named: an account that is nobody's, more than wallets hold.
    """
    asked = op.asked
    back = wallets.Return(
        op.points, Wallet(_raw(asked["account"]), bytes.fromhex(asked["block"][2:]), asked["index"]),
        currency_number(desk, op.currency),
    )  # fmt: skip
    partner = int(asked.get("partner") or 0)
    owner, why = desk.records.find(Owner, str(asked["account"])), "unlinked_account"
    who = desk.known(owner.member) if owner is not None else None
    if who is not None:
        try:
            why = _unbookable(desk, who, back)
            if not why:
                return _booked(desk, op, who, back, partner)
        except BalanceLimit as limit:
            why = limit.code
    made = Stray(
        asked["account"], op.currency, op.points, asked["block"], asked["index"], partner, why, desk.journal.now
    )
    name = op.external_id or ""
    desk.records.keep(name, made)
    desk.take(op.effect, 0)
    return None, shown(name, made)


def assign_return(desk: Desk, op: Operation) -> tuple[Entry, Facts]:
    """The operator says whose points a return in suspense are. Raises UnknownReturn, ReturnAssigned, BalanceLimit."""
    name, who = str(op.asked["reference"]), desk.member(op.member)
    stray = desk.records.find(Stray, name)
    if stray is None:
        raise UnknownReturn(name)
    if stray.state != "waiting":
        raise ReturnAssigned("reference", f"{name} is {stray.state}")
    back = wallets.Return(
        stray.points, Wallet(_raw(stray.account), bytes.fromhex(stray.block[2:]), stray.index),
        currency_number(desk, stray.currency),
    )  # fmt: skip
    why = _unbookable(desk, who, back)
    if why:
        raise ReturnAssigned("reference", f"{name} cannot be booked: {why}")
    named = structs.replace(op, external_id=name, currency=stray.currency)
    entry, facts = _booked(desk, named, who, back, stray.partner)
    desk.records.keep(name, structs.replace(stray, state="assigned"))
    return entry, facts


def _unbookable(desk: Desk, who: Holdings, back: wallets.Return) -> str:
    """Why a return cannot be booked, if it cannot."""
    assert desk.reach is not None
    if who.erased:
        return "member_erased"
    if back.points > desk.reach.in_wallets(back.currency):
        return "beyond_wallets"
    return "too_many_lots" if desk.reach.lots_for(who.member, back.currency, back.points) > MOST_LOTS else ""


def _booked(desk: Desk, op: Operation, who: Holdings, back: wallets.Return, partner: int) -> tuple[Entry, Facts]:
    assert desk.reach is not None
    lent, zone = desk.reach.lent(desk, who.member, back.currency, back.points), desk.programme.zone
    facts: Facts = {"status": "given_back", "reference": op.external_id, "points": back.points, "currency": op.currency}
    why = _unusable(desk, who, partner, back) if partner else ""
    if partner and not why:
        party = desk.programme.parties[partner]
        contract = party.contract_at(desk.journal.now)
        entry = wallets.redeem(desk.journal, who, lent, back, zone, partner, contract.redemption_micros or 0)
        agree = above_face(desk, contract, who)
        if agree is not None:  # the budget holds enough: that was asked before
            agree(entry.moves)
        name = (partner, "burn", op.external_id or "")
        if desk.effect(name) is None:
            desk.take(name, entry.id)
        more = {"status": "redeemed", "partner": party.name, "given_back": entry_name(entry.refers_to)}
        return entry, {**facts, **more, "lots": _lots(desk, entry, who), "available": who.free(back.currency)}
    entry = wallets.give_back(desk.journal, who, lent, back, zone)
    facts |= {"available": who.free(back.currency)}
    return entry, facts | ({"not_redeemed": why} if partner else {})


def _unusable(desk: Desk, who: Holdings, partner: int, back: wallets.Return) -> str:
    """Why points cannot be used at a partner: they are given back then, and stay the member's."""
    party = desk.programme.parties.get(partner)
    if party is None or partner < FIRST_PARTNER:
        return "unknown_partner"
    if who.frozen:
        return "member_frozen"
    if party.status != "active":
        return f"partner_{party.status}"
    if back.currency != COALITION_CURRENCY and desk.programme.currencies[back.currency].issuer != partner:
        return "currency_not_accepted"
    name = party.contract_at(desk.journal.now).redemption_budget
    return "budget_exhausted" if name is not None and budget(desk, name).left < back.points else ""


def shown(name: str, one: Stray) -> Facts:
    """A return in suspense as it is told."""
    return {
        "status": "suspense", "reference": name, "why": one.why, "account": one.account, "points": one.points,
        "currency": one.currency, "partner": one.partner or None, "state": one.state,
    }  # fmt: skip


def _lots(desk: Desk, entry: Entry, who: Holdings) -> list[list[object]]:
    """[issuer, points] of each lot, in the order taken."""
    return [[desk.programme.name_of(who.lots[m.entry, m.index].terms.issuer), m.points] for m in entry.moves]


def _raw(account: str) -> bytes:
    return bytes.fromhex(account[2:])


WALLETS: dict[str, Callable[[Desk, Operation], tuple[Entry | None, Facts]]] = {
    "wallet_nonce": nonce, "link_wallet": link, "unlink_wallet": unlink, "withdraw": withdraw,
    "give_back": take_return, "redeem": take_return, "assign_return": assign_return,
}  # fmt: skip
