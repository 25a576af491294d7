"""Cash by bank: what a final settlement leaves to be paid through banks, when it is late, and which line pays it.

The word on chain stays what it is and moves the partner's collateral, which is the guarantee for it; the bank moves the
same amount the other way round. So for a partner by bank, at any time:
collateral on chain = deposits + its final words, and received by bank - paid by bank = - (its final words), but for what
is still open. No entry is made: a position is settled outside the books whichever way its cash goes.
"""

from __future__ import annotations

from datetime import date

from msgspec import Struct, structs

from counterfoil.core.calendar import business_day_after, end_of_day, local_day
from counterfoil.core.units import CENT_MICROS

EURO = "EUR"  # SEPA, and with it direct debits, are in euro


class Account(Struct, frozen=True):
    """A bank account, checked where it came in."""

    holder: str
    iban: str
    bic: str | None = None


class Mandate(Struct, frozen=True):
    """A signed permission to collect; `scheme` CORE or B2B."""

    id: str
    signed_on: date
    scheme: str = "CORE"


class Clearing(Struct, frozen=True):
    """The operator's side from settlement `since` on. `short` begins every id that banks see; days are Monday to Friday."""

    since: int
    account: Account
    creditor_id: str | None = None
    currency: str = EURO
    short: str = "CF"
    due_days: int = 3
    grace_days: int = 2


class Cash(Struct, frozen=True):
    """How a partner's positions are paid from settlement `since` on: without an account by token, with one by bank."""

    since: int
    account: Account | None = None
    mandate: Mandate | None = None


class Bank(Struct):
    """All that was agreed on cash, versions in order."""

    clearing: list[Clearing] = []
    partners: dict[int, list[Cash]] = {}

    def clearing_at(self, settlement: int) -> Clearing | None:
        """The operator's side in a settlement."""
        return next((one for one in reversed(self.clearing) if one.since <= settlement), None)

    def cash_at(self, partner: int, settlement: int) -> Cash:
        """How a partner's position of a settlement is paid."""
        return next((one for one in reversed(self.partners.get(partner, [])) if one.since <= settlement), Cash(0))


class Line(Struct):
    """A line of a statement as the bank wrote it: + came in, - went out. `number` counts lines over all statements."""

    number: int
    statement: str
    place: str  # in the statement: 2.1 is the first part of the second entry
    booked_on: date
    amount_micros: int
    currency: str
    booked: bool = True
    end_to_end: str | None = None
    batch: str | None = None  # the id of a file's block, where the bank booked it in one sum
    iban: str | None = None  # the other side's
    holder: str | None = None
    text: str = ""
    reason: str | None = None  # of a return
    returned: bool = False
    result: str = "unmatched"  # matched, partial, overpaid, returned, not_booked
    payments: list[str] = []

    @property
    def id(self) -> str:
        """Its public id."""
        return f"bnk_{self.number:016x}"


class Incoming(Struct):
    """A statement as read: `digest` tells it from another one of the same id."""

    id: str
    account: str
    digest: str
    lines: list[Line]


class Applied(Struct, frozen=True):
    """What a line gave a payment: micros towards it, less than 0 for what was taken back."""

    line: int
    micros: int
    on: date
    reason: str | None = None


class Rejection(Struct, frozen=True):
    """A bank turns down a payment, a block or a whole file of ours, named by our own ids."""

    file: str | None
    block: str | None = None
    end_to_end: str | None = None
    reason: str | None = None


class Today(Struct, frozen=True):
    """When something happens, in which open settlement, and what is agreed by then."""

    now: int
    zone: str
    settlement: int
    bank: Bank

    @property
    def day(self) -> date:
        """The local day."""
        return local_day(self.now, self.zone)


class Try(Struct, frozen=True):
    """A file asks for so much on a day (None: must leave it out), as known and agreed at an instant."""

    on: date | None
    micros: int
    at: int
    clearing: Clearing
    cash: Cash
    rejected: str | None = None  # by the bank, before any money moved: its reason

    @property
    def collectable(self) -> bool:
        """Whether a direct debit may be asked for."""
        one = self.clearing
        return self.cash.mandate is not None and one.creditor_id is not None and one.currency == EURO


class Payment(Struct):
    """What one partner's position of one settlement leaves to be paid: + to the partner, - by it, micros.

    The first of `tries` stands in the settlement's first file, the second in its second.
    """

    settlement: int
    partner: int
    amount_micros: int
    final_at: int
    due_on: date
    fails_after: date  # the last day of grace
    tries: list[Try]
    applied: list[Applied] = []
    failed_in: int = 0  # the settlement in which the waterfall started; 0: none

    @property
    def name(self) -> str:
        """As records and ids have it."""
        return f"{self.settlement}-{self.partner}"

    @property
    def clearing(self) -> Clearing:
        """The operator's side as it is now."""
        return self.tries[-1].clearing

    @property
    def cash(self) -> Cash:
        """The partner's side as it is now."""
        return self.tries[-1].cash

    @property
    def method(self) -> str:
        """How it is paid."""
        return "pay" if self.amount_micros > 0 else "collect" if self.tries[-1].collectable else "expect"

    @property
    def paid_micros(self) -> int:
        """So far."""
        return sum(one.micros for one in self.applied)

    @property
    def left_micros(self) -> int:
        """Still to be paid; less than 0: too much was."""
        return abs(self.amount_micros) - self.paid_micros

    @property
    def wanted_micros(self) -> int:
        """What a line that pays all that is left brings (+) or takes (-)."""
        return self.left_micros if self.amount_micros < 0 else -self.left_micros

    def end_to_end(self, trial: int = 1) -> str:
        """The id that goes from end to end: programme, settlement, partner, and the file if it is not the first."""
        return f"{self.clearing.short}-{self.name}" + (f"-{trial}" if trial > 1 else "")

    def overdue(self, now: int, zone: str) -> bool:
        """Whether its partner has failed to pay it: the grace is over."""
        return self.amount_micros < 0 < self.left_micros and now >= end_of_day(self.fails_after, zone)

    def state(self, now: int, zone: str) -> str:
        """due, partial, paid, overpaid; withheld; late, or failed once the waterfall has started."""
        left = self.left_micros
        if left <= 0:
            return "overpaid" if left else "paid"
        if self.failed_in:
            return "failed"
        if self.tries[-1].on is None:
            return "withheld"
        if now >= end_of_day(self.due_on, zone):
            return "late"
        return "partial" if self.paid_micros else "due"


def payment(today: Today, settlement: int, partner: int, word: int, *, owes: bool) -> Payment | None:
    """What a word now final leaves to be paid, if by bank; to a partner that `owes` from before nothing is sent yet."""
    clearing, cash = today.bank.clearing_at(settlement), today.bank.cash_at(partner, settlement)
    if clearing is None or cash.account is None or not word:
        return None
    assert word % CENT_MICROS == 0
    due_on = business_day_after(today.day, clearing.due_days)
    first = Try(None if owes and word > 0 else due_on, abs(word), today.now, clearing, cash)
    fails_after = business_day_after(due_on, clearing.grace_days)
    return Payment(settlement, partner, word, today.now, due_on, fails_after, [first])


def apply(one: Payment, line: Line, amount_micros: int, today: Today) -> str:
    """Count what a line brought or took for a payment; says what that came to."""
    micros = -amount_micros if one.amount_micros > 0 else amount_micros
    one.applied.append(Applied(line.number, micros, line.booked_on, line.reason))
    left = one.left_micros
    if micros < 0:
        if left > 0:
            _again(one, today)
        return "returned"
    return "matched" if left == 0 else "partial" if left > 0 else "overpaid"


def reject(one: Payment, trial: int, reason: str | None, today: Today) -> bool:
    """The bank turned a file's payment down: the next file asks again. False if that is known, or not so any more."""
    if trial != len(one.tries) or one.tries[-1].on is None or one.left_micros <= 0:
        return False
    one.tries[-1] = structs.replace(one.tries[-1], rejected=reason or "")
    _again(one, today)
    return True


def release(one: Payment, today: Today) -> bool:
    """A payment that was withheld may be sent; False if it was not."""
    held = one.tries[-1].on is None
    if held:
        _again(one, today)
    return held


def fits(one: Payment, line: Line) -> bool:
    """Whether a line may count for a payment it names: payers write ids too, so what takes back must come from the bank."""
    forward = (line.amount_micros < 0) == (one.amount_micros > 0)
    return one.clearing.currency == line.currency and (forward or line.returned)


def _again(one: Payment, today: Today) -> None:
    """The next file asks for what is left, between the accounts that are agreed by now."""
    clearing, cash = one.clearing, today.bank.cash_at(one.partner, today.settlement)
    newer = today.bank.clearing_at(today.settlement)
    if newer is not None:
        clearing = structs.replace(clearing, account=newer.account, creditor_id=newer.creditor_id)
    on = business_day_after(today.day, clearing.due_days)
    one.tries.append(Try(on, one.left_micros, today.now, clearing, cash if cash.account is not None else one.cash))
