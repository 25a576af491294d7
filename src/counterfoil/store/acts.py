"""The act that an operator's verb leaves in the log: who, in which role, why, and what stood before and after."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from counterfoil.core.acts import NOTHING, About, Act, Role, actor_of, reason_hash, state_hash
from counterfoil.core.entry import Entry, Verb, place_of
from counterfoil.core.operation import Operation
from counterfoil.store import json_text, tables
from counterfoil.store.desk import Desk
from counterfoil.store.rulebook import rulebook_hash

ABOUT: Mapping[str, About] = {
    **dict.fromkeys(
        (
            "add_partner",
            "add_contract",
            "add_currency",
            "set_limits",
            "add_reward",
            "add_promotion",
            "publish_rates",
            "publish_earn_rule",
            "agree_cash",
            "agree_clearing",
        ),
        About.RULEBOOK,
    ),
    **dict.fromkeys(("suspend", "reinstate", "legal_entity", "belong", "brand"), About.PARTNER),
    **dict.fromkeys(("request_erasure", "freeze", "unfreeze", "link_wallet", "unlink_wallet"), About.MEMBER),
    **dict.fromkeys(
        ("exit_partner", "dividend", "default", "rule", "erase", "adjust", "approve", "merge", "assign_return"),
        About.POSTED,
    ),
    "set_budget": About.BUDGET,
    **dict.fromkeys(("issue_key", "revoke_key"), About.KEY),
    "look_up": About.LOOK_UP,
}


def rules_before(desk: Desk, op: Operation) -> bytes:
    """The rulebook's hash before a verb that may change it."""
    desk.was = None
    return rulebook_hash(desk.programme) if ABOUT.get(op.verb) is About.RULEBOOK else NOTHING


def note(desk: Desk, op: Operation, entry: Entry | None, facts: dict[str, object], rules: bytes) -> Entry | None:
    """Write the act of an operator's verb behind what it posted; None for verbs that are none, or changed nothing.

    Before the first entry a programme is being founded: its acts begin when somebody can rely on it.
    """
    about = ABOUT.get(op.verb)
    if op.verb == "adjust" and entry is None:
        about = About.APPROVAL  # it waits for one
    if about is None or (about is About.POSTED and entry is None) or (desk.founding and not desk.journal.written):
        return None
    before, after = (_text(desk.was), None if about is About.POSTED else _text(facts))
    salt, who = secrets.token_bytes(32), op.by
    hashes = state_hash(salt, before), state_hash(salt, after)
    if about is About.RULEBOOK:
        hashes = rules, rulebook_hash(desk.programme)
    elif entry is not None:
        hashes = NOTHING, desk.journal.written[place_of(entry.id)].hash
    role = Role.APPROVER if op.verb == "approve" else Role.OPERATOR if who else Role.GATEWAY
    act = Act(about, actor_of(who) if who else 0, role, reason_hash(salt, op.reason), *hashes)
    concerned = _concerned(desk, op)
    members = (desk.known(op.member),) if op.member else ()
    holders = tuple(one for one in members if one is not None)
    made = desk.journal.post(
        Verb.ACT, holders, partner=concerned, refers_to=entry.id if entry is not None else 0, act=act
    )
    row = (made.id, int(about), op.verb, who, int(role), concerned, op.member, op.reason, salt, before, after)
    desk.write(tables.act, row)
    return made


def _concerned(desk: Desk, op: Operation) -> int:
    """The partner that an act is about, which sees it; 0 for none."""
    number = op.asked.get("partner", op.asked.get("owner", 0)) if op.more else 0
    return number if number in desk.programme.parties else 0


def _text(state: object) -> str | None:
    return None if state is None else json_text.dumps(state).decode()
