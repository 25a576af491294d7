"""The second rulebook's money: what issue, use, expiry and their reversals move between the parties. See rulebook.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.story.rulebook_words import (
    COALITION,
    OPERATOR,
    POOL,
    WHOLE_BP,
    Block,
    Dict,
    Lot,
    Member,
    Part,
    Stake,
    Terms,
    cut,
    instant,
    terms_of,
)


@dataclass
class Estate:
    """What a failed partner left unpaid, and who bore it."""

    claim: int
    losses: dict[str, int]
    paid: dict[str, int] = field(default_factory=dict)


class Money:
    """Parties, their terms, and the positions of the open settlement."""

    def __init__(self, start: Dict) -> None:
        self.zone = ZoneInfo(start.get("zone", "Europe/Warsaw"))
        self.now = instant("2000-01-01T00:00:00Z")
        self.partners: list[str] = list(start["partners"])
        self.contracts: dict[str, list[Terms]] = {}
        for name in self.partners:
            said = start.get("contracts", {}).get(name, {})
            self.contracts[name] = [terms_of(one) for one in (said if isinstance(said, list) else [said])]
        self.issuers: dict[str, str] = dict(start.get("currencies", {}))
        self.promotions: dict[str, Dict] = dict(start.get("promotions", {}))
        self.members = {name: Member() for name in start["members"]}
        self.collateral: dict[str, int] = dict(start.get("collateral", {}))
        self.first_loss: int = start.get("first_loss", 0)
        self.money: dict[str, int] = {}
        self.fees: dict[str, int] = {}
        self.credits: dict[str, int] = {}
        self.issued: dict[str, int] = {}
        self.packs: dict[str, list[Block]] = {}
        self.reserves: dict[str, int] = {}  # of partners that left: what is still there
        self.estates: dict[str, Estate] = {}

    # --- parties ------------------------------------------------------------------------------------------------

    def pay(self, payer: str, payee: str, micros: int) -> None:
        if micros < 0:
            payer, payee, micros = payee, payer, -micros
        if micros:
            self.money[payer] = self.money.get(payer, 0) - micros
            self.money[payee] = self.money.get(payee, 0) + micros
            self.credits[payee] = self.credits.get(payee, 0) + micros

    def fee(self, payer: str, micros: int) -> None:
        """A fee to the operator (less than 0: back), known as such when a partner fails."""
        self.pay(payer, OPERATOR, micros)
        self.fees[payer] = self.fees.get(payer, 0) + micros

    def terms(self, partner: str, at: datetime) -> Terms:
        """The version in force at a moment."""
        versions = self.contracts[partner]
        return [one for one in versions if one.since is None or one.since <= at][-1]

    def by_number(self, party: str) -> int:
        return self.partners.index(party) if party in self.partners else -1

    def stakes(self, issuer: str, currency: str, at: datetime, promotion: str | None = None) -> tuple[Stake, ...]:
        """Who pays what for a point: the issuer alone, or the named funders by their percentages of its face."""
        if currency != COALITION:
            return ()
        shares = self.promotions[promotion] if promotion else {issuer: WHOLE_BP}
        parties = sorted(shares, key=self.by_number)
        weights, made = [shares[one] for one in parties], []
        for place, party in enumerate(parties):
            own = self.terms(issuer if party == OPERATOR else party, at)
            face, fee = cut(own.face, weights)[place], cut(own.fee, weights)[place]
            now, later = cut(face, (own.issuance_bp, WHOLE_BP - own.issuance_bp))
            fees = (fee, 0) if own.issuance_bp else (0, fee)
            if party == OPERATOR:  # as the issuer's contract has it, without a fee; what breaks is its own anyway
                fees = (0, 0)
            made.append(Stake(party, now, later, *fees, own.breakage_bp, fee_refundable=own.fee_refundable))
        return tuple(made)

    # --- points and what they move ------------------------------------------------------------------------------

    def issue(self, lot: Lot, points: int) -> None:
        """Points become available: from the blocks they were drawn from, or from who funds them."""
        for stake in lot.stakes:
            payers = [(block.payer, part) for block, part in lot.draws] or [(stake.party, points)]
            for payer, part in payers:
                self.pay(payer, POOL, stake.issue * part)
                self.fee(payer, stake.issue_fee * part)

    def take_back(self, lot: Lot, points: int) -> None:
        """Points of a refunded sale leave the lot it made: their money goes where it came from."""
        for payer, part in self.give_blocks(lot, points):
            for stake in lot.stakes:
                self.pay(POOL, payer or stake.party, stake.issue * part)
                if stake.fee_refundable:
                    self.fee(payer or stake.party, -stake.issue_fee * part)

    def give_blocks(self, lot: Lot, points: int) -> list[tuple[str, int]]:
        """Points go back to the blocks they were drawn from, the last drawn first; who paid for each part."""
        found = []
        while points and lot.draws:
            block, part = lot.draws.pop()
            back = min(part, points)
            block.left += back
            points -= back
            found.append((block.payer, back))
            if part > back:
                lot.draws.append((block, part - back))
        return [*found, ("", points)] if points else found

    def use(self, lot: Lot, points: int, payee: str) -> None:
        """Points are used: the pool pays what lies there, who funds them the rest."""
        for stake in lot.stakes:
            self.pay(POOL, payee, stake.issue * points)
            for micros, whom in ((stake.use * points, payee), (stake.use_fee * points, OPERATOR)):
                reserved = min(micros, self.reserves.get(stake.party, 0))
                if reserved:
                    self.reserves[stake.party] -= reserved
                    self.pay(f"exit_reserve:{stake.party}", whom, reserved)
                self.pay(stake.party, whom, micros - reserved)
                if whom == OPERATOR:
                    self.fees[stake.party] = self.fees.get(stake.party, 0) + micros - reserved

    def unuse(self, lot: Lot, points: int, payer: str) -> None:
        """Points used come back: their money too; of a partner that left, to its reserve."""
        for stake in lot.stakes:
            late, fee = stake.use * points, stake.use_fee * points if stake.fee_refundable else 0
            payee = stake.party
            if payee in self.reserves and late:
                self.reserves[payee] += late + fee
                payee = f"exit_reserve:{payee}"
            self.pay(payer, POOL, stake.issue * points)
            self.pay(payer, payee, late)
            self.fee(payee, -fee)

    def breakage(self, lot: Lot, points: int, source: str = POOL) -> None:
        """What lies in the pool (or, of a voucher, in escrow) for points that are over."""
        for stake in lot.stakes:
            micros = (stake.issue + (0 if source == POOL else stake.use)) * points
            kept = micros * stake.breakage_bp // WHOLE_BP
            self.pay(source, OPERATOR, kept)
            self.pay(source, stake.party, micros - kept)

    @staticmethod
    def face(parts: list[Part]) -> int:
        return sum((s.issue + s.use) * points for lot, points in parts for s in lot.stakes)

    # --- packs and reserves -------------------------------------------------------------------------------------

    def draw(self, partner: str, points: int) -> tuple[list[tuple[Block, int]], list[list[object]]] | None:
        """From which blocks an earn is drawn, and the alerts that fire; None: the blocks hold too little."""
        blocks = self.packs[partner]
        blocks = sorted(blocks, key=lambda b: not b.payer.startswith("prefund:"))  # all packs, then the reserves
        if points > sum(block.left for block in blocks):
            return None
        drawn, alerts = [], []
        for block in blocks:
            part = min(points, block.left)
            if part:
                block.left -= part
                points -= part
                drawn.append((block, part))
                if block.alert_at is not None and block.left <= block.alert_at:
                    alerts.append([partner, block.place])
                    block.alert_at = None
        return drawn, alerts

    def unpaid(self, partner: str) -> tuple[int, int]:
        """Points outstanding for which a partner still has to pay, and how much that is."""
        points = micros = 0
        for member in self.members.values():
            for lot in member.lots:
                late = sum(stake.use for stake in lot.stakes if stake.party == partner)
                points += lot.open if late else 0
                micros += lot.open * late
        return points, micros

    def release_reserves(self) -> None:
        """With the last point outstanding the rest of an exit reserve goes back."""
        for partner, left in self.reserves.items():
            if left and not self.unpaid(partner)[0]:
                self.pay(f"exit_reserve:{partner}", partner, left)
                self.reserves[partner] = 0

    # --- a partner that cannot pay --------------------------------------------------------------------------------

    def waterfall(self, failed: str) -> Dict:
        """Its fee is written off, then its collateral, the operator's first loss, the others by what they issued."""
        due = -self.money.get(failed, 0)
        if due <= 0:
            return {}
        closeout = self.credits.get(failed, 0)
        fee = max(0, min(due, self.fees.get(failed, 0)))
        left = due - fee
        self.pay(OPERATOR, failed, fee)
        own = min(left, self.collateral.get(failed, left))
        left -= own
        claim = left + fee
        first = min(left, max(0, self.first_loss))
        self.pay(OPERATOR, failed, first)
        left -= first
        others = {p: n for p in self.partners if (n := self.issued.get(p, 0)) and p != failed}
        shares = dict(zip(others, cut(left, others.values()), strict=True)) if others else {}
        for partner, micros in (shares or {OPERATOR: left}).items():
            self.pay(partner, failed, micros)
        estate = self.estates.setdefault(failed, Estate(0, {}))  # who fails again owes that too
        estate.claim += claim
        for partner, micros in shares.items():
            estate.losses[partner] = estate.losses.get(partner, 0) + micros
        return {
            "closeout": closeout,
            "collateral": own,
            "first_loss": first,
            "fee_written_off": fee,
            "claim": claim,
            "partners": shares,
        }

    def dividend(self, partner: str, bp: int) -> dict[str, int]:
        """The estate pays a part of its claim, and never more than all of it: partners are made whole first."""
        estate = self.estates[partner]
        micros = min(estate.claim * bp // WHOLE_BP, estate.claim - sum(estate.paid.values()))
        owed = {p: loss - estate.paid.get(p, 0) for p, loss in estate.losses.items()}
        whole = min(micros, sum(owed.values()))
        paid = dict(zip(owed, cut(whole, owed.values()), strict=True)) if whole else {}
        if micros > whole:
            paid[OPERATOR] = micros - whole
        for name, part in paid.items():
            estate.paid[name] = estate.paid.get(name, 0) + part
            self.pay(f"estate:{partner}", name, part)
        return {name: part for name, part in paid.items() if part}
