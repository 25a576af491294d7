"""The registry: programme, parties with their contracts and credentials, members. Read often, changed seldom."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from counterfoil.core.accounts import FIRST_PARTNER, OPERATOR, RESERVED
from counterfoil.core.calendar import checked_zone, text_instant
from counterfoil.core.errors import ClockBackwards, InvalidRequest, Unauthenticated
from counterfoil.core.log import Frontier
from counterfoil.core.rulebook.verbs import Contract
from counterfoil.store import bulk
from counterfoil.store.engine import writing
from counterfoil.store.tables import contract, credential, fence, identity, log_head, member, party, programme

LAST_PARTNER = 2**15 - 1  # what a SMALLINT holds
SHARD = 0  # one on SQLite and on a plain PostgreSQL
SCOPES = ("earn", "burn", "hold", "refund", "transfer", "read", "members", "sign")
OPERATOR_SCOPES = ("operator", *SCOPES)


@dataclass(frozen=True, slots=True)
class Party:
    """A partner, or a reserved party without contract. `signer` is its address on chain."""

    number: int
    name: str
    contract: Contract
    signer: str | None = None
    floor_micros: int = 0


@dataclass(frozen=True, slots=True)
class Programme:
    """The coalition as it stands at a revision; `clock` is a sandbox's test clock, microseconds, if it was set."""

    programme: bytes
    zone: str
    livemode: bool
    open_settlement: int
    revision: int
    clock: int | None
    parties: dict[int, Party] = field(default_factory=dict)

    def partners(self) -> list[Party]:
        """Partners by number."""
        return [one for number, one in sorted(self.parties.items()) if number >= FIRST_PARTNER]

    def name_of(self, number: int) -> str:
        """A party's name; reserved ones have fixed names."""
        party = self.parties.get(number)
        if party is not None:
            return party.name
        return RESERVED.get(number) or str(number)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a credential belongs to and what it may do."""

    party: int
    scopes: frozenset[str]


def found(engine: Engine, *, zone: str, livemode: bool, entropy: bytes | None = None) -> Programme:
    """The programme of these books, created on first use with a random id."""
    checked_zone(zone)
    with writing(engine) as connection:
        if connection.execute(select(programme.c.id)).first() is None:
            connection.execute(
                insert(programme).values(
                    id=1,
                    programme=entropy or secrets.token_bytes(32),
                    zone=zone,
                    livemode=livemode,
                    open_settlement=1,
                    revision=1,
                    clock=None,
                )
            )
            connection.execute(insert(fence).values(shard=SHARD, number=0, hash=bytes(32)))
            connection.execute(insert(log_head).values(id=1, size=0, peaks=Frontier().packed()))
    with engine.connect() as connection:
        return load(connection)


def load(connection: Connection) -> Programme:
    """The programme with all its parties."""
    row = connection.execute(select(programme)).one()
    people = connection.execute(select(party)).all()
    contracts = {
        c.partner: Contract(c.version, c.face_micros, c.fee_micros, c.valid_days, c.breakage_operator_bp)
        for c in connection.execute(select(contract).order_by(contract.c.partner, contract.c.version))
    }
    parties = {p.id: Party(p.id, p.name, contracts[p.id], p.signer, p.floor_micros) for p in people}
    return Programme(
        bytes(row.programme), row.zone, row.livemode, row.open_settlement, row.revision, row.clock, parties
    )


def now(engine: Engine) -> int:
    """The posting instant: a sandbox's test clock if it was set, else the machine's, in microseconds."""
    with engine.connect() as connection:
        clock: int | None = connection.execute(select(programme.c.clock)).scalar_one()
    return clock_or_machine(clock)


def clock_or_machine(clock: int | None) -> int:
    """The test clock's instant, or the machine's."""
    return time.time_ns() // 1000 if clock is None else clock


def set_clock(engine: Engine, at: int) -> None:
    """Move a sandbox's test clock: forward only; before the first entry and close, anywhere. Raises ClockBackwards."""
    lock = " FOR UPDATE" if engine.dialect.name == "postgresql" else ""
    with writing(engine) as connection:
        entries = connection.execute(text(f"SELECT number FROM fence WHERE shard = {SHARD}{lock}")).scalar_one()
        row = connection.execute(select(programme.c.clock, programme.c.open_settlement)).one()
        if at < clock_or_machine(row.clock) and (entries or row.open_settlement > 1):
            raise ClockBackwards(text_instant(clock_or_machine(row.clock)))
        connection.execute(update(programme).values(clock=at))


def add_partner(engine: Engine, name: str, terms: Contract, signer: str | None, floor_micros: int, now: int) -> Party:
    """Register a partner with its first contract; raises InvalidRequest for a name or signer already taken."""
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
            insert(party).values(id=number, name=name, signer=signer, floor_micros=floor_micros, created_at=now)
        )
        connection.execute(
            insert(contract).values(
                partner=number,
                version=terms.version,
                since=now,
                face_micros=terms.face_micros,
                fee_micros=terms.fee_micros,
                valid_days=terms.valid_days,
                breakage_operator_bp=terms.breakage_operator_bp,
            )
        )
        connection.execute(update(programme).values(revision=programme.c.revision + 1))
    return Party(number, name, terms, signer, floor_micros)


def issue_key(engine: Engine, number: int, scopes: tuple[str, ...], now: int, key: str | None = None) -> str:
    """A new API key, shown once; only its prefix and hash are kept. A given `key` replaces one with its prefix."""
    key = key or f"cf_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"
    prefix = prefix_of(key)
    with writing(engine) as connection:
        connection.execute(delete(credential).where(credential.c.prefix == prefix))
        connection.execute(
            insert(credential).values(
                prefix=prefix,
                hash=hashlib.sha256(key.encode()).digest(),
                party=number,
                scopes=" ".join(scopes),
                created_at=now,
                revoked_at=None,
            )
        )
    return key


def prefix_of(key: str) -> str:
    """The part of a key that may be shown; raises Unauthenticated for what is no key."""
    parts = key.split("_", 2)
    if len(parts) != 3 or parts[0] != "cf" or not parts[1] or len(parts[2]) < 32:
        raise Unauthenticated("this is not an API key of a counterfoil gateway")
    return parts[1]


def authenticate(engine: Engine, key: str) -> Caller:
    """Who an API key belongs to; raises Unauthenticated."""
    with engine.connect() as connection:
        row = connection.execute(select(credential).where(credential.c.prefix == prefix_of(key))).first()
    if row is None or not hmac.compare_digest(bytes(row.hash), hashlib.sha256(key.encode()).digest()):
        raise Unauthenticated("this API key is not known")
    if row.revoked_at is not None:
        raise Unauthenticated("this API key was revoked")
    return Caller(row.party, frozenset(row.scopes.split()))


def revoke_key(engine: Engine, prefix: str, now: int) -> bool:
    """Revoke a key at once; False if there is none."""
    with writing(engine) as connection:
        query = update(credential).where(credential.c.prefix == prefix, credential.c.revoked_at.is_(None))
        return connection.execute(query.values(revoked_at=now)).rowcount == 1


def add_members(engine: Engine, caller: int, references: Sequence[str | None], now: int) -> list[tuple[int, bool]]:
    """A member's id for each reference, and whether it is new: one reference of one party is one member, for ever."""
    try:
        with writing(engine) as connection:
            named = [(caller, one) for one in references if one is not None]
            rows = bulk.select(connection, identity, ("reference", "member"), ("party", "reference"), named)
            known: dict[str, int] = dict(rows)
            fresh = {one: secrets.randbits(62) + 1 for one in dict.fromkeys(references) if one not in known and one}
            unnamed = [secrets.randbits(62) + 1 for one in references if one is None]
            ids = [*fresh.values(), *unnamed]
            bulk.insert(connection, member, [(number, secrets.token_bytes(32), now, 0, 0, 0, None) for number in ids])
            bulk.insert(connection, identity, [(caller, one, number) for one, number in fresh.items()])
    except IntegrityError:  # another request was first with one of these references: it is there now
        return add_members(engine, caller, references, now)
    rest, seen, answers = iter(unnamed), set(known), []
    for one in references:
        answers.append((next(rest), True) if one is None else (known.get(one) or fresh[one], one not in seen))
        seen.add(one or "")
    return answers


def is_operator(caller: Caller) -> bool:
    """Whether the operator's own credential is used."""
    return caller.party == OPERATOR
