"""The registry: programme, parties with their contracts and credentials, members. Read often, changed seldom."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from counterfoil.core.accounts import FIRST_PARTNER, OPERATOR, PREFUNDING, RESERVE, RESERVED
from counterfoil.core.calendar import checked_zone, text_instant
from counterfoil.core.log import Frontier
from counterfoil.core.refusals import ClockBackwards
from counterfoil.core.rulebook.contracts import Contract, in_force
from counterfoil.core.rulebook.earning import RuleBook
from counterfoil.core.rulebook.payments import Bank
from counterfoil.core.rulebook.rewards import Reward
from counterfoil.core.units import COALITION_CURRENCY
from counterfoil.store import bulk
from counterfoil.store.engine import writing
from counterfoil.store.kinds import Dispute, EarnRules, Limits, Packs, Parked, Promotion, Rates
from counterfoil.store.records import every, names_of, recorded
from counterfoil.store.tables import (
    contract,
    currency,
    fence,
    identity,
    log_head,
    member,
    party,
    programme,
    settlement,
)

COALITION_CURRENCY_NAME = "CP"
NOTICE_DAYS = 30  # of a live programme; a sandbox needs none
KEPT = {0: "estate", RESERVE: "exit_reserve", PREFUNDING: "prefund"}
LAST_PARTNER = 2**15 - 1  # what a SMALLINT holds
SHARD = 0  # one on SQLite and on a plain PostgreSQL
SCOPES = ("earn", "burn", "hold", "refund", "transfer", "read", "members", "sign")
OPERATOR_SCOPES = ("operator", *SCOPES)


@dataclass(frozen=True, slots=True)
class Party:
    """A partner, or a reserved party without contract. `signer` is its address on chain."""

    number: int
    name: str
    contracts: tuple[Contract, ...]  # versions in order
    signer: str | None = None
    floor_micros: int = 0
    status: str = "active"  # or suspended, exited
    collateral_micros: int | None = None  # of a sandbox: what it deposits; None: enough

    def contract_at(self, at: int) -> Contract:
        """The version in force at an instant."""
        return self.contracts[0] if len(self.contracts) == 1 else in_force(self.contracts, at)


@dataclass(frozen=True, slots=True)
class Currency:
    """A brand's own currency; the coalition's is number 1, CP, and nobody's."""

    number: int
    name: str
    issuer: int


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
    currencies: dict[int, Currency] = field(default_factory=dict)
    promotions: dict[str, dict[int, int]] = field(default_factory=dict)  # basis points by party
    rates: Rates = field(default_factory=Rates)
    rewards: dict[str, Reward] = field(default_factory=dict)
    prepaid: frozenset[int] = frozenset()  # partners that have packs
    parked: frozenset[str] = frozenset()  # sales that refunds wait for
    disputed: frozenset[str] = frozenset()  # burns, by their entries' numbers
    limits: Limits = field(default_factory=Limits)
    earn_rules: RuleBook = field(default_factory=RuleBook)
    settled: int = 0  # the last settlement that is final
    limited: frozenset[int] = frozenset()  # partners that some version of a contract gives a credit limit
    bank: Bank = field(default_factory=Bank)

    @property
    def notice_micros(self) -> int:
        """How long before it begins a change must be announced."""
        return NOTICE_DAYS * 86_400_000_000 if self.livemode else 0

    @property
    def exited(self) -> list[int]:
        """Partners that left."""
        return [number for number, one in self.parties.items() if one.status == "exited"]

    def partners(self) -> list[Party]:
        """Partners by number."""
        return [one for number, one in sorted(self.parties.items()) if number >= FIRST_PARTNER]

    def name_of(self, owner: int) -> str:
        """A party's name; reserved ones have fixed names, what they keep for a partner is named after both."""
        party = self.parties.get(owner)
        if party is not None:
            return party.name
        kept_for, number = divmod(owner, 1 << 16)
        if kept_for:
            return f"{KEPT[number]}:{self.name_of(kept_for)}"
        return RESERVED.get(number) or str(number)

    def number_of(self, name: str) -> int | None:
        """A party's number by name."""
        found = [one.number for one in self.parties.values() if one.name == name]
        found += [number for number, reserved in RESERVED.items() if reserved == name]
        return found[0] if found else None

    def currency_name(self, number: int) -> str:
        """A currency's name."""
        return COALITION_CURRENCY_NAME if number == COALITION_CURRENCY else self.currencies[number].name

    def currency_numbers(self) -> list[int]:
        """All currencies, the coalition's first."""
        return [COALITION_CURRENCY, *sorted(self.currencies)]


def limited(parties: Iterable[Party]) -> frozenset[int]:
    """Partners that some version of a contract gives a credit limit."""
    return frozenset(
        one.number for one in parties if any(version.credit_limit_micros is not None for version in one.contracts)
    )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a credential belongs to and what it may do."""

    party: int
    scopes: frozenset[str]
    credential: str  # its prefix


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
    contracts: dict[int, list[Contract]] = {}
    for c in connection.execute(select(contract).order_by(contract.c.partner, contract.c.version)):
        contracts.setdefault(c.partner, []).append(
            Contract(c.version, c.face_micros, c.fee_micros, c.valid_days, c.breakage_operator_bp, c.issuance_bp,
                     c.fee_refundable, c.redemption_micros, c.pending_days, c.since, c.valid_months, c.cliff,
                     c.clawback, c.credit_limit_micros, c.redemption_budget)
        )  # fmt: skip
    parties = {
        p.id: Party(p.id, p.name, tuple(contracts[p.id]), p.signer, p.floor_micros, p.status, p.collateral_micros)
        for p in people
    }
    currencies = {c.id: Currency(c.id, c.name, c.issuer) for c in connection.execute(select(currency))}
    limits = recorded(connection, Limits, "") or Limits()
    final = select(func.max(settlement.c.number)).where(settlement.c.state == "final")
    promotions = {name: one.shares for name, one in every(connection, Promotion)}
    return Programme(
        bytes(row.programme), row.zone, row.livemode, row.open_settlement, row.revision, row.clock, parties,
        currencies, promotions, recorded(connection, Rates, "") or Rates(),
        dict(every(connection, Reward)),
        frozenset(int(name) for name in names_of(connection, Packs)),
        frozenset(names_of(connection, Parked)), frozenset(names_of(connection, Dispute)), limits,
        RuleBook({name: one.versions for name, one in every(connection, EarnRules)}),
        bank=recorded(connection, Bank, "") or Bank(),
        settled=connection.execute(final).scalar_one() or 0, limited=limited(parties.values()),
    )  # fmt: skip


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
            bulk.insert(
                connection,
                member,
                [(number, secrets.token_bytes(32), now, 0, 0, 0, None, False, None) for number in ids],
            )
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
