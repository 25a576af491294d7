"""Changes of the programme by its operator: partners and their contracts, currencies, promotions, rewards, limits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from msgspec import structs
from sqlalchemy import Connection, Engine, delete, insert, update

from counterfoil.core.accounts import FIRST_PARTNER, RESERVED
from counterfoil.core.calendar import text_instant
from counterfoil.core.errors import InvalidRequest
from counterfoil.core.rulebook.contracts import Contract
from counterfoil.core.rulebook.rewards import Reward
from counterfoil.store.engine import writing
from counterfoil.store.registry import LAST_PARTNER, Currency, Party, load
from counterfoil.store.tables import contract, currency, party, programme, promotion, reward


def add_partner(
    engine: Engine, name: str, terms: Sequence[Contract], signer: str | None, floor_micros: int, now: int,
    collateral_micros: int | None = None,
) -> Party:  # fmt: skip
    """Register a partner with its contract, versions by `since`. Raises InvalidRequest for a name or signer taken."""
    with writing(engine) as connection:
        known = load(connection)
        taken = {one.name for one in known.parties.values()} | set(RESERVED.values())
        if name in taken or name == "rounding" or ":" in name:
            raise InvalidRequest("name", f"{name!r} is taken or reserved")
        if signer is not None and signer in {one.signer for one in known.parties.values()}:
            raise InvalidRequest("signer", "belongs to another partner")
        number = max([FIRST_PARTNER - 1, *known.parties]) + 1
        if number > LAST_PARTNER:
            raise InvalidRequest("name", "a programme has at most 32,752 partners")
        connection.execute(
            insert(party).values(
                id=number,
                name=name,
                signer=signer,
                floor_micros=floor_micros,
                created_at=now,
                status="active",
                collateral_micros=collateral_micros,
            )
        )
        connection.execute(insert(contract), [_contract_row(number, one) for one in terms])
        _changed(connection)
    return Party(number, name, tuple(terms), signer, floor_micros, "active", collateral_micros)


def add_contract(engine: Engine, number: int, terms: Contract, now: int) -> Party:
    """Announce a partner's next version. Raises InvalidRequest if it would begin sooner than notice allows, or out of order."""
    with writing(engine) as connection:
        known = load(connection)
        party, earliest = known.parties[number], now + known.notice_micros
        if terms.since < earliest:
            raise InvalidRequest("since", f"must be {text_instant(earliest)} or later: changes are announced")
        last = party.contracts[-1]
        if terms.since <= last.since:
            raise InvalidRequest(
                "since", f"must be after version {last.version}, which begins at {text_instant(last.since)}"
            )
        made = replace(terms, version=last.version + 1)
        connection.execute(insert(contract).values(**_contract_row(number, made)))
        _changed(connection)
    return replace(party, contracts=(*party.contracts, made))


def add_currency(engine: Engine, name: str, issuer: int) -> Currency:
    """Register a brand's own currency; raises InvalidRequest for a name taken."""
    with writing(engine) as connection:
        known = load(connection)
        if name in {known.currency_name(number) for number in known.currency_numbers()}:
            raise InvalidRequest("name", f"{name!r} is taken")
        made = Currency(max(known.currency_numbers()) + 1, name, issuer)
        connection.execute(insert(currency).values(id=made.number, name=name, issuer=issuer))
        _changed(connection)
    return made


def set_gift_limits(engine: Engine, points: int | None, count: int | None) -> None:
    """How much and how often a member may give in a local day; None: without limit."""
    with writing(engine) as connection:
        connection.execute(update(programme).values(transfer_daily_points=points, transfer_daily_count=count))
        _changed(connection)


def set_first_loss(engine: Engine, micros: int) -> None:
    """What the operator bears of a default before other partners do."""
    with writing(engine) as connection:
        connection.execute(update(programme).values(first_loss_micros=micros))
        _changed(connection)


def add_reward(engine: Engine, made: Reward) -> None:
    """Register a reward, or its terms anew for who buys it from now on."""
    with writing(engine) as connection:
        connection.execute(delete(reward).where(reward.c.name == made.name))
        connection.execute(insert(reward).values(**structs.asdict(made)))
        _changed(connection)


def add_promotion(engine: Engine, name: str, shares: dict[int, int]) -> None:
    """Register who funds a bonus together, basis points by party; raises InvalidRequest for a name taken."""
    with writing(engine) as connection:
        if name in load(connection).promotions:
            raise InvalidRequest("name", f"{name!r} is taken")
        connection.execute(insert(promotion).values(name=name, shares=json.dumps(shares)))
        _changed(connection)


def _contract_row(partner: int, one: Contract) -> dict[str, object]:
    return {
        "partner": partner, "version": one.version, "since": one.since, "face_micros": one.face_micros,
        "fee_micros": one.fee_micros, "valid_days": one.valid_days, "breakage_operator_bp": one.breakage_operator_bp,
        "issuance_bp": one.issuance_bp, "fee_refundable": one.fee_refundable,
        "redemption_micros": one.redemption_micros, "pending_days": one.pending_days,
    }  # fmt: skip


def _changed(connection: Connection) -> None:
    connection.execute(update(programme).values(revision=programme.c.revision + 1))
