"""A scenario's start: its parties, terms and members, made through the API."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from counterfoil.core.calendar import end_of_day, parse_instant, text_instant
from counterfoil.rehearsal.coalition import Coalition, asked

ZONE = "Europe/Warsaw"
_NAMES = {"face": "face_micros", "fee": "fee_micros"}  # of the grammar, in the API's words


def _dated(terms: dict[str, Any], zone: str) -> dict[str, Any]:
    """Terms whose `since` is an instant: a day begins at its local midnight."""
    since = terms.get("since", "")
    if len(since) != len("2026-01-01"):
        return terms
    return {**terms, "since": text_instant(end_of_day(date.fromisoformat(since) - timedelta(days=1), zone))}


def founded(start: dict[str, Any], coalition: Coalition) -> None:
    """Register everything a scenario starts with."""
    for name in start.get("partners", []):
        terms = start.get("contracts", {}).get(name, {})
        versions = [_dated(one, start.get("zone", ZONE)) for one in (terms if isinstance(terms, list) else [terms])]
        versions.sort(key=lambda one: parse_instant(one["since"], "since") if "since" in one else 0)
        collateral = start.get("collateral", {}).get(name)
        coalition.add_partner(name, [{_NAMES.get(k, k): v for k, v in one.items()} for one in versions], collateral)
    if "first_loss" in start:
        asked(coalition.operator.put("/v1/first-loss", json={"micros": start["first_loss"]}))
    limits = {name.removeprefix("transfer_"): start[name] for name in start if name.startswith("transfer_daily_")}
    if limits:
        asked(coalition.operator.put("/v1/gift-limits", json=limits))
    for name, issuer in start.get("currencies", {}).items():
        coalition.add_currency(name, issuer)
    for name, shares in start.get("promotions", {}).items():
        coalition.add_promotion(name, shares)
    for name, terms in start.get("rewards", {}).items():
        coalition.add_reward(name, terms)
    for name in start.get("members", []):
        coalition.add_member(name)
