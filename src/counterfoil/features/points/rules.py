"""From a request to an operation: form, key and sameness. Pure."""

from __future__ import annotations

import json
from typing import Any

import orjson
from pydantic import ValidationError

from counterfoil.core.calendar import parse_instant
from counterfoil.core.entry import id_number
from counterfoil.core.errors import InvalidAmount, InvalidRecipient, InvalidRequest, Refusal
from counterfoil.core.operation import Operation
from counterfoil.features.points.bodies import MODELS, BasketEarn
from counterfoil.gateway.moves import checked_key, digest_of

SCOPES = {
    "earn": "earn", "burn": "burn", "hold": "hold", "capture": "hold", "release": "hold",
    "refund_earn": "refund", "refund_burn": "refund", "transfer": "transfer",
}  # fmt: skip
_AMOUNTS = {"points", "bonus"}
_DIGITS = 19  # what 64 bits may need; `int` itself refuses thousands


def read_json(raw: bytes) -> dict[str, Any]:
    """A JSON object; raises InvalidRequest. Numbers beyond 64 bits, infinities and NaN are refused as amounts later."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        value = _with_any_number(raw, error)
    if not isinstance(value, dict):
        raise InvalidRequest("body", "must be a JSON object")
    return value


def _with_any_number(raw: bytes, error: orjson.JSONDecodeError) -> object:
    """What 1e309 or NaN stopped the quick parser at: one bad amount is refused by name, not all that came with it."""
    try:
        value: object = json.loads(
            raw.decode(), parse_int=lambda text: int(text) if len(text) < _DIGITS else float(text)
        )
        orjson.dumps(value)  # half a surrogate pair stays refused
    except (ValueError, TypeError, RecursionError):
        raise InvalidRequest("body", f"is not JSON: {error}") from error
    return value


def operation(
    verb: str, fields: dict[str, Any], partner: int, key: str | None, key_field: str = "Idempotency-Key"
) -> Operation:
    """The operation a body asks for; raises a Refusal naming the field. The digest ignores how the JSON was written."""
    model = BasketEarn if verb == "earn" and "basket" in fields else MODELS[verb]
    try:
        body = model.model_validate(fields)
    except ValidationError as error:
        raise _refusal(error, fields) from error
    # in the order of the model's fields, whatever the request's was
    given = body.model_dump() if isinstance(body, BasketEarn) else body.__dict__
    dry_run = body.dry_run
    if verb == "transfer" and given["sender"] == given["recipient"]:
        raise InvalidRecipient
    checked = None if dry_run else checked_key(key, key_field)
    return Operation(
        verb=verb, partner=partner, key=checked, digest=digest_of(verb, given),
        dry_run=dry_run, external_id=given.get("external_id"),
        member=_number(given.get("member") or given.get("sender")), recipient=_number(given.get("recipient")),
        points=given.get("points", 0), valid_to=given.get("valid_to"),
        ttl_seconds=given.get("ttl_seconds", 0), hold=_number(given.get("hold")),
        original=given.get("earn") or given.get("burn") or "", currency=given.get("currency", "CP"),
        occurred_at=parse_instant(given["occurred_at"], "occurred_at") if given.get("occurred_at") else 0,
        pending_days=given.get("pending_days"), promotion=given.get("promotion") or "", bonus=given.get("bonus") or 0,
        more={"park": True} if given.get("park") else None,
        basket=body.basket.sold() if isinstance(body, BasketEarn) else None,
    )  # fmt: skip


def _number(name: str | None) -> int:
    return id_number(name) if name else 0


def _refusal(error: ValidationError, fields: dict[str, Any]) -> Refusal:
    """The first thing wrong, form before amounts, as the order of refusals has it."""
    found = [(".".join(map(str, one["loc"])) or "body", one) for one in error.errors(include_url=False)]
    for field, one in found:
        if field not in _AMOUNTS or one["type"] == "extra_forbidden":
            return InvalidRequest(field, str(one["msg"]).lower())
    field, one = found[0]
    if field not in fields:
        return InvalidAmount(field, "is missing")
    return InvalidAmount(field, "must be a JSON integer from 1 to 9007199254740991")
