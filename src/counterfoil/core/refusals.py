"""Refusals of the rulebook: people and partners, state, limits. They answer in this order, after those of core/errors.py."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.core.errors import Refusal

# --- people and partners ----------------------------------------------------------------------


@dataclass(eq=False)
class MemberErased(Refusal):
    code = "member_erased"
    says = "{field}: {member} has been erased"
    member: str
    field: str = "member"


@dataclass(eq=False)
class MemberFrozen(Refusal):
    code = "member_frozen"
    says = "{field}: {member} is frozen and cannot spend; what was earned stays"
    member: str
    field: str = "member"


@dataclass(eq=False)
class MemberLeaving(MemberFrozen):
    code = "member_leaving"
    says = "{field}: {member} has asked to be erased; it cannot be merged"


@dataclass(eq=False)
class SecondApproverNeeded(Refusal):
    code = "second_approver_needed"
    says = "{field}: {adjustment} was proposed with this credential; another operator's must agree"
    adjustment: str
    field: str = "adjustment"


@dataclass(eq=False)
class PartnerSuspended(Refusal):
    code = "partner_suspended"
    says = "{field}: {partner} is suspended; its members' points stay good elsewhere"
    partner: str
    field: str = "partner"


class PartnerExited(PartnerSuspended):
    code = "partner_exited"
    says = "{field}: {partner} has left the coalition"


@dataclass(eq=False)
class WrongPartner(Refusal):
    code = "wrong_partner"
    says = "{field}: {value} is given by another partner"
    value: str
    field: str = "voucher"


@dataclass(eq=False)
class CurrencyNotAccepted(Refusal):
    code = "currency_not_accepted"
    says = "{field}: {currency} is another brand's own currency"
    currency: str
    field: str = "currency"


# --- state ------------------------------------------------------------------------------------


@dataclass(eq=False)
class HoldExpired(Refusal):
    code = "hold_expired"
    says = "{field}: the hold {hold} ended at {expired_at}"
    hold: str
    expired_at: str
    field: str = "hold"


@dataclass(eq=False)
class AlreadyCaptured(Refusal):
    code = "already_captured"
    says = "{field}: the hold {hold} was captured before; a hold is captured once"
    hold: str
    field: str = "hold"


class AlreadyReleased(AlreadyCaptured):
    code = "already_released"
    says = "{field}: the hold {hold} was released before"


@dataclass(eq=False)
class WalletNotLinked(Refusal):
    code = "wallet_not_linked"
    says = "{field}: {member} has no account linked to withdraw to"
    member: str
    field: str = "member"


class WalletTaken(WalletNotLinked):
    code = "wallet_taken"
    says = "{field}: the account that {member} should have is linked to another member"


@dataclass(eq=False)
class ProgrammeSunset(Refusal):
    code = "programme_sunset"
    says = "{field}: the programme gives no points since {since}; what members have stays good"
    since: str
    field: str = "points"


@dataclass(eq=False)
class AlreadyClaimed(Refusal):
    code = "already_claimed"
    says = "{field}: the purchase {slip} was reported before ({claim} is {state})"
    slip: str
    claim: str
    state: str
    field: str = "slip"


class AlreadyDecided(AlreadyClaimed):
    code = "already_decided"
    says = "{field}: the report {claim} of the purchase {slip} is {state}"


@dataclass(eq=False)
class ClaimOverdue(Refusal):
    code = "claim_overdue"
    says = "{field}: the report {claim} could be refused until {until}; it can only be accepted now"
    claim: str
    until: str
    field: str = "claim"


@dataclass(eq=False)
class NotWaiting(Refusal):
    code = "not_waiting"
    says = "{field}: no adjustment {adjustment} waits for approval"
    adjustment: str
    field: str = "adjustment"


@dataclass(eq=False)
class PartnersFixed(Refusal):
    code = "partners_fixed"
    says = "{field}: the settlement contract is deployed with its partners; {value} cannot be added to it"
    value: str
    field: str = "name"


@dataclass(eq=False)
class SettlementNotWaiting(Refusal):
    code = "settlement_not_waiting"
    says = "{field}: settlement {number} is {state}; it takes no signature"
    number: int
    state: str
    field: str = "settlement"


@dataclass(eq=False)
class BadSignature(Refusal):
    code = "bad_signature"
    says = "{field}: {why}"
    why: str
    field: str = "signature"


@dataclass(eq=False)
class ClockBackwards(Refusal):
    code = "clock_backwards"
    says = "{field}: the test clock stands at {now} and only moves forward"
    now: str
    field: str = "at"


@dataclass(eq=False)
class NotInLivemode(Refusal):
    code = "not_in_livemode"
    says = "{field}: this belongs to a sandbox; the programme is live"
    field: str = "livemode"


@dataclass(eq=False)
class ReadOnly(Refusal):
    code = "books_behind_checkpoint"
    says = "{field}: the books are behind a checkpoint they once signed ({size} leaves, {signed} signed); posting stops"
    size: int
    signed: int
    field: str = "database"


@dataclass(eq=False)
class ChainUnavailable(Refusal):
    code = "chain_unavailable"
    says = "{field}: {why}"
    why: str
    field: str = "rpc"


@dataclass(eq=False)
class RewardAlreadyUsed(Refusal):
    code = "reward_already_used"
    says = "{field}: {voucher} was used before"
    voucher: str
    field: str = "voucher"


class RewardRefunded(RewardAlreadyUsed):
    code = "reward_refunded"
    says = "{field}: {voucher} was refunded"


@dataclass(eq=False)
class RewardExpired(Refusal):
    code = "reward_expired"
    says = "{field}: {voucher} ran out at {expired_at}"
    voucher: str
    expired_at: str
    field: str = "voucher"


@dataclass(eq=False)
class ErasureNotDue(Refusal):
    code = "erasure_not_due"
    says = "{field}: {why}"
    why: str
    due_at: str | None
    field: str = "member"


@dataclass(eq=False)
class LineDisputed(Refusal):
    code = "line_disputed"
    says = "{field}: {burn} is disputed; a ruling comes first"
    burn: str
    field: str = "burn"


class AlreadyDisputed(LineDisputed):
    code = "already_disputed"
    says = "{field}: {burn} was disputed before; a line is disputed once"


class AlreadyRuled(LineDisputed):
    code = "already_ruled"
    says = "{field}: the dispute of {burn} has its ruling"


class NotDisputed(LineDisputed):
    code = "not_disputed"
    says = "{field}: {burn} is not disputed"


class NothingToDispute(LineDisputed):
    code = "nothing_to_dispute"
    says = "{field}: {burn} moved no money, or was refunded"


@dataclass(eq=False)
class DisputeWindowClosed(Refusal):
    code = "dispute_window_closed"
    says = "{field}: {burn} could be disputed until {ended_at}"
    burn: str
    ended_at: str
    field: str = "burn"


@dataclass(eq=False)
class QuoteExpired(Refusal):
    code = "quote_expired"
    says = "{field}: the quote {quote} ended at {expired_at}"
    quote: str
    expired_at: str
    field: str = "quote"


@dataclass(eq=False)
class QuoteUsed(Refusal):
    code = "quote_used"
    says = "{field}: the quote {quote} was used before"
    quote: str
    field: str = "quote"


@dataclass(eq=False)
class RateCycleArbitrage(Refusal):
    code = "rate_cycle_arbitrage"
    says = "{field}: exchanging around {cycle} multiplies points by {product}"
    cycle: list[str]
    product: str
    gain: str
    field: str = "edges"
