"""Operation and Answer: what the gateway hands to the posting writer, and what comes back."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from msgspec import Struct

from counterfoil.core.rulebook.earning import Basket


class Operation(Struct, frozen=True, gc=False):
    """One verb asked for by one party. Fields a verb does not use keep their defaults.

    `key` and `digest` make it idempotent (a dry run and the due job have no key); `original` is the
    external id of the earn or burn a refund takes back; `hold` is a hold's entry id.
    """

    verb: str
    partner: int
    key: str | None = None
    digest: bytes = b""
    dry_run: bool = False
    external_id: str | None = None
    member: int = 0
    recipient: int = 0
    points: int = 0
    valid_to: date | None = None
    ttl_seconds: int = 0
    hold: int = 0
    original: str = ""
    currency: str = "CP"
    occurred_at: int = 0  # 0: now
    pending_days: int | None = None  # None: as the contract says
    promotion: str = ""
    bonus: int = 0
    basket: Basket | None = None  # instead of points: the rules in force say how many
    more: dict[str, Any] | None = None  # what a seldom verb asks for besides
    by: str = ""  # the prefix of the credential that acts for the operator; empty: the gateway itself
    reason: str = ""  # of an act

    @property
    def asked(self) -> dict[str, Any]:
        """What a seldom verb asks for besides."""
        return self.more or {}

    @property
    def effect(self) -> tuple[int, str, str]:
        """What it is known by once it is accepted; the name is empty where the caller gave none."""
        return self.partner, EFFECT_KINDS.get(self.verb, self.verb), self.external_id or ""

    @property
    def refunded(self) -> tuple[int, str, str]:
        """The effect that a refund takes back, by name: of the same partner."""
        return self.partner, self.verb.removeprefix("refund_"), self.original


class Answer(Struct, frozen=True, gc=False):
    """The outcome: facts of what was done, or a refusal's `code`, `detail` and facts. `entry` is 0 where none was made.

    The facts are a JSON object as it is stored with the key and goes out: written once, when it is decided.
    """

    ok: bool
    entry: int
    json: bytes
    replayed: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """The object, read again."""
        facts: dict[str, Any] = json.loads(self.json)
        return facts


EFFECT_KINDS = {
    "earn": "earn", "burn": "burn", "capture": "burn", "hold": "hold", "release": "release",
    "refund_earn": "refund", "refund_burn": "refund", "transfer": "transfer",
    "give_back": "return", "redeem": "return", "withdraw": "withdrawal",
}  # fmt: skip
