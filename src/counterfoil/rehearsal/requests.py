"""From a step's verb and arguments to a request: which route, whose credential, which body; what answers make known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from counterfoil.rehearsal.coalition import Coalition

Args = dict[str, Any]
SAME = {  # arguments that stand in the body under their own name
    "points", "valid_to", "ttl_seconds", "earn", "burn", "occurred_at", "currency", "promotion", "bonus", "pending_days",
    "edges", "src", "dst", "quote", "alert_at", "reserve", "reward", "bp", "breakage_bp", "valid",
}  # fmt: skip
NOBODY, NO_PARTNER, NO_NUMBER = "mbr_0000000000000001", 32_000, "7fffffffffffffff"
REFERS = {"refund_earn": "earn", "refund_burn": "burn", "capture": "hold", "release": "hold"}  # to what a verb refers
MAKES = {"capture": "burn"}  # what a verb makes, where it is not called after it


@dataclass(slots=True)
class Known:
    """What a scenario's refs stand for: by whom it was made, the id it got; and who makes it later on."""

    coalition: Coalition
    makers: dict[tuple[str, str], str] = field(default_factory=dict)
    ids: dict[tuple[str, str], str] = field(default_factory=dict)
    later: dict[tuple[str, str], str] = field(default_factory=dict)

    def id(self, kind: str, args: Args) -> str:
        """The id that a ref among the arguments stands for; of a ref unknown, one that nothing has."""
        prefix = {"hold": "hld", "voucher": "vch"}.get(kind, "ent")
        return self.ids.get((kind, str(args.get(kind, ""))), f"{prefix}_{NO_NUMBER}")

    def partner(self, args: Args) -> int:
        """The number of the partner named; of a name unknown, one that none has."""
        found = self.coalition.partners.get(str(args.get("partner")))
        return found.number if found else NO_PARTNER

    def member(self, name: object) -> str:
        """A member's id."""
        return self.coalition.members.get(str(name), NOBODY)

    def note(self, verb: str, args: Args, body: dict[str, Any]) -> None:
        """An accepted operation made something that later steps refer to."""
        kind, ref = MAKES.get(verb, verb), str(args["ref"])
        owner = str(args.get("partner") or self.makers.get(("hold", str(args.get("hold", ""))), ""))
        self.makers.setdefault((kind, ref), owner)
        made = {"hold": ("hold", "hold"), "buy_reward": ("voucher", "voucher")}.get(verb, (kind, "id"))
        if body.get(made[1]) is not None:
            self.ids.setdefault((made[0], ref), str(body[made[1]]))


Path = Callable[[Known, Args], str]
OPERATOR: dict[str, Path] = {
    "transfer": lambda _k, _a: "transfers", "publish_rates": lambda _k, _a: "rates", "quote": lambda _k, _a: "quotes",
    "exchange": lambda _k, _a: "exchanges", "buy_pack": lambda _k, _a: "packs",
    "buy_reward": lambda _k, _a: "vouchers", "refund_reward": lambda k, a: f"vouchers/{k.id('voucher', a)}/refund",
    "suspend": lambda k, a: f"partners/{k.partner(a)}/suspend",
    "reinstate": lambda k, a: f"partners/{k.partner(a)}/reinstate",
    "exit_partner": lambda k, a: f"partners/{k.partner(a)}/exit",
    "dispute": lambda _k, _a: "disputes", "rule": lambda k, a: f"disputes/{k.id('burn', a)}/ruling",
    "request_erasure": lambda k, a: f"members/{k.member(a.get('member'))}/erasure",
    "erase": lambda k, a: f"members/{k.member(a.get('member'))}/erase",
    "dividend": lambda k, a: f"partners/{k.partner(a)}/dividends",
}  # fmt: skip
PARTNER: dict[str, Path] = {
    "earn": lambda _k, _a: "earns", "burn": lambda _k, _a: "burns", "hold": lambda _k, _a: "holds",
    "refund_earn": lambda _k, _a: "refunds", "refund_burn": lambda _k, _a: "refunds",
    "capture": lambda k, a: f"holds/{k.id('hold', a)}/capture",
    "release": lambda k, a: f"holds/{k.id('hold', a)}/release",
    "use_reward": lambda k, a: f"vouchers/{k.id('voucher', a)}/use",
}  # fmt: skip


def send(known: Known, verb: str, args: Args, key: str) -> httpx.Response:
    """One operation with the credential of whoever may send it."""
    body = {name: value for name, value in args.items() if name in SAME}
    if "ref" in args and verb != "release":
        body["external_id"] = args["ref"]
    body |= {name: known.member(args[name]) for name in ("member", "sender", "recipient") if name in args}
    if verb in {"dispute", "rule"}:
        del body["burn"]
        body |= {"burn": known.id("burn", args)} if verb == "dispute" else {}
    if verb in {"request_erasure", "erase"}:
        body = {}
    if verb == "buy_pack":
        body["partner"] = known.partner(args)
    referred = (REFERS.get(verb, ""), str(args.get(REFERS.get(verb, ""), "")))
    if verb == "refund_earn":  # a till knows whether its sale is still to come in
        body["park"] = referred not in known.makers and referred in known.later
    coalition, path = known.coalition, (OPERATOR.get(verb) or PARTNER[verb])(known, args)
    client = coalition.operator
    if verb in PARTNER:
        owner = args.get("partner") or known.makers.get(referred) or known.later.get(referred)
        client = (coalition.partners.get(str(owner)) or next(iter(coalition.partners.values()))).client
    return client.post(f"/v1/{path}", json=body, headers={"Idempotency-Key": key})
