"""What the rulebook remembers beside entries: the kinds of records, see records.py."""

from __future__ import annotations

from msgspec import Struct

from counterfoil.core.entities import Belongs, Brand, LegalEntity
from counterfoil.core.exchange import Edge
from counterfoil.core.reserves import Reserve
from counterfoil.core.rulebook.earning import EarnRule
from counterfoil.core.rulebook.packs import Pack
from counterfoil.core.rulebook.payments import Bank, Line, Payment
from counterfoil.core.rulebook.rewards import Reward


class Rates(Struct):
    """Every rate table published, by the instant from which it holds."""

    tables: list[tuple[int, list[Edge]]] = []

    def edge(self, src: str, dst: str, at: int) -> Edge | None:
        """The edge in force at an instant."""
        held = [edges for since, edges in self.tables if since <= at]
        return next((one for one in held[-1] if (one.src, one.dst) == (src, dst)), None) if held else None


class Quote(Struct):
    """A ratio fixed for one member until `until`, for `points` offered."""

    member: int
    edge: Edge
    points: int
    until: int
    used: bool = False


class Packs(Struct):
    """A partner's prepaid packs, in order of purchase."""

    packs: list[Pack]


class Returned(Struct):
    """Points of an earn that returned to the packs it drew on."""

    points: int


class Waiting(Struct):
    """A refund that waits: for its sale, or for its partner to be reinstated."""

    verb: str
    partner: int
    external_id: str
    original: str
    points: int


class Parked(Struct):
    """Refunds that came before their sale, by partner and the sale's id."""

    refunds: list[Waiting]


class Queue(Struct):
    """Refunds of a suspended partner, in order."""

    refunds: list[Waiting]


class Estate(Struct):
    """What a partner that defaulted owes: micros borne by others and paid back to them, by party."""

    borne: dict[int, int]
    repaid: dict[int, int]


class Dispute(Struct):
    """Of a burn, by its entry: open, valid or denied."""

    state: str


class Erasure(Struct):
    """Asked for by a member."""

    requested_at: int


class Velocity(Struct):
    """A member's gifts of one local day."""

    points: int
    count: int


class Promotion(Struct):
    """Who funds a bonus together: basis points by party."""

    shares: dict[int, int]


class Limits(Struct):
    """Of the programme: what a member may give in a local day, and what the operator bears of a default first."""

    transfer_daily_points: int | None = None
    transfer_daily_count: int | None = None
    first_loss_micros: int = 0
    sunset_at: int | None = None  # from then on the programme gives no points; what members have stays good


class LookUp(Struct):
    """That somebody looked at a member, by credential, member and local day: noted once."""

    at: int


class Exposure(Struct):
    """What a partner with a credit limit receives (+) and pays (-) in settlements not final yet: micros by settlement."""

    micros: dict[int, int]


class Claim(Struct):
    """A member's report that a purchase is missing; the partner accepts it, or refuses it before `until`."""

    id: str
    member: int
    partner: int
    slip: str
    sold_on: str
    amount_micros: int
    photo: str
    reported_at: int
    until: int
    state: str = "open"  # or accepted, refused
    reason: str = ""
    points: int = 0


class Linked(Struct):
    """An account on chain, 0x and 40 hex digits, that was a member's from `since`, until another one or none was."""

    account: str
    since: int
    until: int | None = None


class Wallets(Struct):
    """A member's accounts in order: the last may be linked still."""

    accounts: list[Linked]

    @property
    def linked(self) -> Linked | None:
        """The account linked now."""
        return self.accounts[-1] if self.accounts and self.accounts[-1].until is None else None


class Owner(Struct):
    """Whose an account is now; 0: nobody's any more."""

    member: int


class Nonce(Struct):
    """What a member's next sign-in message must carry, once, before `until`."""

    value: str
    until: int
    used: bool = False


class Stray(Struct):
    """Points that came back on chain and could not be booked: by whose event, and why. It waits to be assigned."""

    account: str
    currency: str
    points: int
    block: str
    index: int
    partner: int
    why: str
    at: int
    state: str = "waiting"


class Proposal(Struct):
    """An adjustment that waits for a second operator, by its external id; `by` proposed it."""

    member: int
    points: int
    take: bool
    budget: str
    code: str
    by: str
    at: int
    state: str = "waiting"


class Budget(Struct):
    """What a party sets aside for points given without a sale or beyond one; `approval_above`: a second operator agrees."""

    owner: int
    points: int
    spent: int = 0
    approval_above: int | None = None

    @property
    def left(self) -> int:
        """Points not spent; 0 where it was set below what is."""
        return max(0, self.points - self.spent)


class EarnRules(Struct):
    """The versions of an earn rule, in order."""

    versions: list[EarnRule]


class Usage(Struct):
    """Points that an earn rule gave, counted against one of its caps: `member:rule`, with `:day`, or `:rule:day` for all."""

    points: int


class Due(Struct):
    """Partners whose position of a final settlement is paid by bank, by the settlement's number."""

    partners: list[int]


class Statement(Struct):
    """A bank's statement, by account and id: the file it came in, and the numbers of its lines."""

    digest: str
    file: str
    lines: list[int]


class BankFile(Struct):
    """A file as it came, whole, by its digest."""

    xml: str


class Cashbook(Struct):
    """How many lines statements had so far; those that match nothing; payments not paid yet, oldest first.

    `banked`: micros received from each partner by bank, less those paid to it.
    """

    lines: int = 0
    unmatched: list[int] = []
    open: list[str] = []
    banked: dict[int, int] = {}


KINDS: dict[type[Struct], str] = {
    Rates: "rates", Quote: "quote", Packs: "packs", Returned: "returned", Parked: "parked", Queue: "queue",
    Bank: "bank", Payment: "payment", Due: "payments_due", Line: "bank_line", Statement: "bank_statement",
    BankFile: "bank_file", Cashbook: "cashbook",
    Estate: "estate", Reserve: "reserve", Dispute: "dispute", Erasure: "erasure", Velocity: "velocity",
    Budget: "budget", Reward: "reward", Promotion: "promotion", Limits: "limits", LookUp: "look_up", Proposal: "proposal",
    Exposure: "exposure", Claim: "claim",
    LegalEntity: "legal_entity", Belongs: "belongs", Brand: "brand",
    EarnRules: "earn_rule", Usage: "usage",
    Wallets: "wallets", Owner: "account", Nonce: "nonce", Stray: "stray",
}  # fmt: skip
