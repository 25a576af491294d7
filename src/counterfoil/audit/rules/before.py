"""What a rule looks at: the state before an entry, and how it says what it expected."""

from __future__ import annotations

from dataclasses import dataclass, field

from counterfoil.audit.published import Rules
from counterfoil.audit.shapes import Wrong
from counterfoil.audit.wallets import InWallets
from counterfoil.core.entry import Drawn, Entry, Move, Paid, Place
from counterfoil.core.holdings import Holdings, Lot, take
from counterfoil.core.reserves import Reserve
from counterfoil.core.rulebook.contracts import Contract
from counterfoil.core.rulebook.packs import Pack
from counterfoil.core.rulebook.rewards import Reward

Parts = tuple[tuple[int, int, int], ...]  # lot's entry, index, points


@dataclass(slots=True)
class Original:
    """An earn or burn that may be refunded: whose it was, what it burned (in order), what was refunded so far."""

    partner: int
    handle: int
    points: int
    burned: Parts | None  # None: it is an earn
    value_micros: int = 0
    refunded: int = 0
    paid_micros: int = 0  # by the pool, for a burn
    disputed: str = ""  # or open, ruled
    drawn: tuple[Drawn, ...] = ()
    returned: int = 0  # points that returned to packs


@dataclass(slots=True)
class Books:
    """What is folded beside the members: terms of every rulebook so far, this settlement's sums, packs, reserves, estates."""

    rules: Rules | None = None  # of the settlement under way
    contracts: dict[tuple[int, int], Contract] = field(default_factory=dict)  # by partner and version
    rewards: set[Reward] = field(default_factory=set)
    originals: dict[int, Original] = field(default_factory=dict)  # by entry
    holders: dict[int, Holdings] = field(default_factory=dict)  # by handle
    nets: dict[int, int] = field(default_factory=dict)  # micros by owner, of the settlement under way
    issued: dict[int, int] = field(default_factory=dict)  # points by issuer, of the settlement under way
    packs: dict[int, list[Pack]] = field(default_factory=dict)  # by partner
    reserves: dict[int, Reserve] = field(default_factory=dict)  # of partners that left
    rulebook: bytes | None = None  # SHA-256 of the rulebook as acts have changed it; None before the first one is known
    hashes: dict[int, bytes] = field(default_factory=dict)  # of the entries of the group under way
    unacted: set[int] = field(default_factory=set)  # entries of the group that an operator made, and no act says so yet
    wallets: InWallets = field(default_factory=InWallets)
    withdrawn: dict[tuple[bytes, int], int] = field(default_factory=dict)  # points ever, by account and currency
    returned: dict[int, int] = field(default_factory=dict)  # points ever given back, by currency
    events: set[tuple[bytes, int]] = field(default_factory=set)  # of the chain, by which points came back
    given: Entry | None = None  # the last giving back
    merged: dict[int, int] = field(default_factory=dict)  # handles that are another's now
    borne: dict[int, dict[int, int]] = field(default_factory=dict)  # by estate: micros that partners miss

    def begin(self, rules: Rules | None) -> None:
        """A settlement begins, with its rulebook."""
        self.rules, self.nets, self.issued = rules, {}, {}
        if rules is not None:
            self.contracts = {**self.contracts, **rules.contracts}
            self.rewards |= set(rules.rewards)

    def now_of(self, handle: int) -> int:
        """Whose is now what was once this handle's."""
        while handle in self.merged:
            handle = self.merged[handle]
        return handle

    def in_force(self, partner: int, at: int) -> Contract | None:
        """A partner's contract at an instant; None without a rulebook."""
        return self.rules.in_force(partner, at) if self.rules is not None else None


@dataclass(frozen=True, slots=True)
class Before:
    """The state an entry meets: the first member, their own lots of a refunded earn, the original, the books.

    `others` is what the rule finds that other partners must pay or receive right behind the entry.
    """

    who: Holdings
    own: list[Lot]
    original: Original | None
    books: Books
    others: list[tuple[int, tuple[Paid, ...]]] = field(default_factory=list)


def taken(entry: Entry, before: Before, points: int, target: Place) -> list[Move]:
    """What `points` of the currency that the entry moves are taken from, in burn order."""
    first = before.who.lots[entry.moves[0].entry, entry.moves[0].index]
    return take(before.who.usable(entry.at, first.terms.currency), points, Place.AVAILABLE, target)


def require_value(entry: Entry, before: Before) -> None:
    """Raises Wrong unless points used there pay what the partner's contract says."""
    contract = before.books.in_force(entry.partner, entry.at)
    if contract is not None and entry.value_micros != (contract.redemption_micros or 0):
        said = f"partner {entry.partner}'s contract says {contract.redemption_micros or 'the face'}"
        raise Wrong(f"it pays {entry.value_micros} micros a point, {said}")
    if entry.value_micros and contract is not None and contract.redemption_budget is None:
        lots = [before.who.terms_of(move.entry, move.index) for move in entry.moves if move.target is Place.BURNED]
        if any(0 < lot.funds.face_micros < entry.value_micros for lot in lots):
            raise Wrong(
                f"it pays more than a point's face, and partner {entry.partner}'s contract names no budget for that"
            )


def expect(entry: Entry, moves: list[Move], order: str) -> None:
    """Raises Wrong unless the entry's moves are these."""
    if entry.moves == tuple(moves):
        return
    raise Wrong(f"its moves are not what they must be ({order}): {_brief(moves)} expected")


def _brief(moves: list[Move]) -> str:
    shown = ", ".join(f"{m.points} of ent_{m.entry:016x}.{m.index}" for m in moves[:3])
    return shown + (", ..." if len(moves) > 3 else "") if moves else "nothing"


def points_of(entry: Entry) -> int:
    """Points that an entry moves."""
    return points_in(list(entry.moves))


def points_in(moves: list[Move]) -> int:
    """Points of moves."""
    return sum(move.points for move in moves)
