"""What each verb must do to a member's holdings: the moves, lots and debts it has to have, from the state before it.

The writer decides with `core.rulebook`; here each rule is told again, from SPEC.md, as what is expected of a given entry.
"""

from __future__ import annotations

from collections.abc import Callable

from counterfoil.audit.rules.acts import OPERATORS, Unacted, act, adjust, merge
from counterfoil.audit.rules.before import Before, Books, Original
from counterfoil.audit.rules.defaults import default, dividend
from counterfoil.audit.rules.disputes import dispute, erase, exit_partner, rule
from counterfoil.audit.rules.due import activate, expire, repay
from counterfoil.audit.rules.packs import buy_pack
from counterfoil.audit.rules.refunds import refund_burn, refund_earn
from counterfoil.audit.rules.rewards import buy_reward, expire_reward, refund_reward, use_reward
from counterfoil.audit.rules.swaps import exchange
from counterfoil.audit.rules.verbs import burn, capture, earn, hold, release, transfer
from counterfoil.audit.rules.wallets import give_back, redeem, withdraw
from counterfoil.core.entry import Entry, Verb

__all__ = ["Before", "Books", "Original", "Unacted", "require_rule"]


def require_rule(entry: Entry, before: Before) -> None:
    """Raises Wrong unless the entry does exactly what its verb must do on that state."""
    RULES[entry.verb](entry, before)
    if entry.verb in OPERATORS:
        before.books.unacted.add(entry.id)


RULES: dict[Verb, Callable[[Entry, Before], None]] = {
    Verb.EARN: earn, Verb.BURN: burn, Verb.HOLD: hold, Verb.CAPTURE: capture, Verb.RELEASE: release,
    Verb.REFUND_EARN: refund_earn, Verb.REFUND_BURN: refund_burn, Verb.TRANSFER: transfer,
    Verb.EXPIRE: expire, Verb.REPAY: repay, Verb.ACTIVATE: activate,
    Verb.EXCHANGE: exchange, Verb.BUY_PACK: buy_pack,
    Verb.BUY_REWARD: buy_reward, Verb.USE_REWARD: use_reward, Verb.EXPIRE_REWARD: expire_reward,
    Verb.REFUND_REWARD: refund_reward, Verb.DEFAULT: default, Verb.DIVIDEND: dividend,
    Verb.DISPUTE: dispute, Verb.RULE: rule, Verb.ERASE: erase, Verb.EXIT: exit_partner,
    Verb.ACT: act, Verb.ADJUST: adjust,
    Verb.WITHDRAW: withdraw, Verb.GIVE_BACK: give_back, Verb.REDEEM: redeem, Verb.MERGE: merge,
}  # fmt: skip
