"""What the page says, from what the books hold. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from counterfoil.core.accounts import FIRST_PARTNER, OPERATOR, Kind, kind_of, owner_of
from counterfoil.core.entry import Verb, id_number
from counterfoil.core.holdings import Holdings, Lot
from counterfoil.core.units import MONEY
from counterfoil.store.books import Row

Name = Callable[[int], str]
Range = tuple[int, int, int]  # settlement, first leaf, first leaf of the next
STATES = {
    "closing": "being computed", "closed": "waiting for signatures", "proposed": "proposed on chain",
    "final": "final",
}  # fmt: skip
VERBS = {
    Verb.EARN: "earn", Verb.BURN: "burn", Verb.HOLD: "hold", Verb.CAPTURE: "hold captured",
    Verb.RELEASE: "hold released", Verb.REFUND_EARN: "earn refunded", Verb.REFUND_BURN: "burn refunded",
    Verb.TRANSFER: "gift given", Verb.EXPIRE: "expired", Verb.REPAY: "debt repaid",
    Verb.WITHDRAW: "taken to a wallet", Verb.GIVE_BACK: "given back from a wallet",
}  # fmt: skip
RECEIVED = "gift received"


def named(verb: Verb) -> str:
    """What a verb did, for a person."""
    return VERBS.get(verb, verb.name.lower().replace("_", " "))


_POINTS = (Kind.AVAILABLE, Kind.HELD, Kind.DEBT)


@dataclass(frozen=True, slots=True)
class PartyLine:
    """One party of a settlement: micros paid and received before netting, and the word it settles with."""

    number: int
    name: str
    paid: int
    received: int
    net: int
    collateral: int | None = None

    @property
    def partner(self) -> bool:
        """Whether it is a brand, and not the pool or the like."""
        return self.number >= FIRST_PARTNER


@dataclass(frozen=True, slots=True)
class Netting:
    """A settlement's money before and after netting. Flows of a party to itself are none."""

    flows: tuple[tuple[int, int, int], ...]
    nets: dict[int, int]
    names: dict[int, str]

    @property
    def gross_micros(self) -> int:
        """What would have moved."""
        return sum(micros for _payer, _payee, micros in self.flows)

    @property
    def net_micros(self) -> int:
        """What has to move."""
        return sum(micros for micros in self.nets.values() if micros > 0)

    def lines(self, collateral: dict[int, int]) -> list[PartyLine]:
        """Every party, who receives most first."""
        return [
            PartyLine(
                number, self.names[number],
                sum(micros for payer, _payee, micros in self.flows if payer == number),
                sum(micros for _payer, payee, micros in self.flows if payee == number),
                self.nets.get(number, 0), collateral.get(number),
            )
            for number in sorted(self.names, key=lambda n: (-self.nets.get(n, 0), n))
        ]  # fmt: skip


def netting_of(totals: dict[str, Any], name: Name) -> Netting:
    """From a settlement's totals. The rounding is the operator's, so that the words sum to zero as on chain."""
    nets = {int(number): micros for number, micros in totals["rounded"].items()}
    nets[OPERATOR] = nets.get(OPERATOR, 0) + totals["rounding"]
    nets = {number: micros for number, micros in sorted(nets.items()) if micros}
    flows = tuple((a, b, micros) for a, b, micros in totals["flows"] if a != b and micros)
    numbers = {number for payer, payee, _micros in flows for number in (payer, payee)} | set(nets)
    return Netting(flows, nets, {number: name(number) for number in sorted(numbers)})


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry of a member's history, as it changed this member's points."""

    id: str
    verb: str
    available: int
    held: int
    debt: int
    partner: str | None
    at: int
    external_id: str | None
    settlement: int | None
    leaf: int | None


def entry_line(row: Row, member: int, ranges: Sequence[Range], name: Name) -> EntryLine:
    """An entry as this member's: in a gift the receiver stands at the second place."""
    e, place = row.entry, 0 if row.member == member else 1
    change = dict.fromkeys(_POINTS, 0)
    for p in e.postings:
        for word, sign in ((p.debit, -1), (p.credit, 1)):
            kind = kind_of(word)
            if p.unit != MONEY and kind in change and owner_of(word) == place:
                change[kind] += sign * p.amount
    settlement = None
    if row.leaf is not None:
        settlement = next((n for n, first, end in ranges if first <= row.leaf < end), None)
    return EntryLine(
        f"ent_{e.id:016x}", RECEIVED if place else named(e.verb), change[Kind.AVAILABLE], change[Kind.HELD],
        -change[Kind.DEBT], name(e.partner) if e.partner else None, e.at, row.external_id,
        settlement, row.leaf,
    )  # fmt: skip


def open_lots(who: Holdings) -> list[Lot]:
    """Lots with points, in burn order."""
    return sorted((lot for lot in who.lots.values() if lot.available or lot.held), key=Lot.burn_key)


def number_of(text: str | None, most: int = 2**31 - 1) -> int | None:
    """A positive number as typed into an address; None for anything else."""
    if not text or not (text.isascii() and text.isdigit()) or len(text) > len(str(most)):
        return None
    number = int(text)
    return number if 0 < number <= most else None


def member_of(text: str) -> int | None:
    """The number of an mbr_ id; None if it is none."""
    digits = text.strip().lower().removeprefix("mbr_")
    if len(digits) != 16 or not set(digits) <= set("0123456789abcdef") or "mbr_" not in text.lower():
        return None
    return id_number(f"mbr_{digits}")
