"""The second rulebook at the till: earn, burn, hold, gift and their reversals. See rulebook.py."""

from __future__ import annotations

from datetime import date, timedelta

from tests.story.rulebook_market import Market
from tests.story.rulebook_words import (
    COALITION,
    NEVER,
    Debt,
    Dict,
    Hold,
    Lot,
    Part,
    Refused,
    Use,
    burn_order,
    check,
    cut,
    day_of,
    gift_order,
    instant,
    midnight,
    over,
)


class Till(Market):
    """The verbs of members' points."""

    # --- earn and its refund --------------------------------------------------------------------------------------

    def _earn(
        self, *, ref: str, partner: str, member: str, points: int, occurred_at: str | None = None,
        valid_to: str | None = None, currency: str = COALITION, promotion: str | None = None, bonus: int = 0,
        pending_days: int | None = None,
    ) -> Dict:  # fmt: skip
        self.whole(points, *([bonus] if promotion else []))
        sold = instant(occurred_at) if occurred_at else self.now
        check("occurred_in_future", that=sold <= self.now)
        self.unused("earn", partner, ref)
        self.person(member)
        self.active(partner, currency)
        terms, day = self.terms(partner, sold), day_of(sold, self.zone)
        expires = NEVER if terms.valid_days is None else over(day + timedelta(days=terms.valid_days), self.zone)
        if valid_to:
            expires = over(date.fromisoformat(valid_to), self.zone)
        lots = [self.lot(currency, partner, sold, expires, self.stakes(partner, currency, sold))]
        if promotion:
            stakes = self.stakes(partner, currency, sold, promotion)
            lots.append(self.lot(currency, partner, sold, expires, stakes, bonus=True))
        facts: Dict = {}
        if partner in self.packs and currency == COALITION:
            drawn = self.draw(partner, points)
            if drawn is None:
                raise Refused("prefunding_exhausted")
            lots[0].draws, facts["alerts"] = drawn
        wait = midnight(day + timedelta(days=terms.pending_days if pending_days is None else pending_days), self.zone)
        for lot, made in zip(lots, (points, bonus), strict=False):
            lot.sale = ref
            self.members[member].lots.append(lot)
            self.count_issued(lot, made)
            if wait > self.now:
                lot.pending, lot.until = made, wait
            else:
                lot.free = made
                self.issue(lot, made)
        self.take("earn", partner, ref)
        self.sales[ref] = {"member": member, "partner": partner, "points": points + bonus, "refunded": 0,
                           "number": self.number, "lots": lots}  # fmt: skip
        self._freed(member, self.now)
        for name, parked in self.parked.pop(ref, []):
            if parked <= self.sales[ref]["points"] - self.sales[ref]["refunded"]:
                self._give_back(ref, parked)
            else:  # dropped without an effect: its name is free again
                self.taken.discard(("refund", partner, name))
        return facts

    def _refund_earn(self, ref: str, earn: str, points: int) -> Dict:
        self.whole(points)
        made = self.sales.get(earn)
        partner = made["partner"] if made else self.later.get(earn, "")
        self.unused("refund", partner, ref)
        if made is None:
            check("unknown_earn", that=bool(partner))
            self.take("refund", partner, ref)
            self.parked.setdefault(earn, []).append((ref, points))
            return {"status": "parked"}
        self.alive(made["member"])
        if self.standing.get(partner) == "suspended":
            self.take("refund", partner, ref)
            self.queue.setdefault(partner, []).append((ref, lambda: self._refund_earn_now(earn, points)))
            return {"status": "queued"}
        facts = self._refund_earn_now(earn, points)
        self.take("refund", partner, ref)
        return facts

    def _refund_earn_now(self, earn: str, points: int) -> Dict:
        made = self.sales[earn]
        self.alive(made["member"])
        check("refund_exceeds_original", that=made["refunded"] + points <= made["points"])
        return self._give_back(earn, points)

    def _give_back(self, earn: str, points: int) -> Dict:
        """Still pending is cancelled; then the lots it made, then excused, then other lots in burn order, then debt."""
        made = self.sales[earn]
        made["refunded"] += points
        self.refer(made["number"])
        member, base, left = made["member"], made["lots"][0], points
        own = sorted((lot for lot in self.members[member].lots if lot.sale == earn), key=burn_order)
        taken = {"pending": 0, "free": 0, "past": 0}
        for place in taken:
            for lot, part in self._parted(own, place, left):
                setattr(lot, place, getattr(lot, place) - part)
                taken[place] += part
                if place == "free":
                    self.take_back(lot, part)
                elif place == "pending":
                    self.give_blocks(lot, part)
            left = points - sum(taken.values())
        fees = [(s.party, s.issue_fee) for s in base.stakes if s.fee_refundable]
        others = 0
        for lot in self.usable(member, base.currency, burn_order):
            part = min(lot.free, left)
            left -= part
            others += part
            self._recover(lot, part, made["partner"], fees)
            for payer, back in self.give_blocks(
                base, part
            ):  # a pack holds what its points cost, whatever these were worth
                if payer.startswith("prefund:"):
                    price = sum(s.issue + s.issue_fee * s.fee_refundable for s in base.stakes)
                    self.pay(made["partner"], payer, price * back)
        if left:
            self.members[member].debts.append(Debt(made["partner"], base.currency, left, fees))
        return {"recovered": taken["free"] + others, "debt": left, "cancelled": taken["pending"]}

    @staticmethod
    def _parted(own: list[Lot], place: str, points: int) -> list[Part]:
        """Base and bonus in proportion to what is left of each, ties to the base; within each, burn order."""
        left = [sum(getattr(lot, place) for lot in own if lot.bonus == bonus) for bonus in (False, True)]
        points = min(points, sum(left))
        parts = []
        for bonus, share in enumerate(cut(points, left) if points else []):
            rest = share
            for lot in own:
                part = min(rest, getattr(lot, place)) if lot.bonus == bool(bonus) else 0
                rest -= part
                if part:
                    parts.append((lot, part))
        return parts

    # --- burn, hold and their ends --------------------------------------------------------------------------------

    def _burn(self, ref: str, partner: str, member: str, points: int, currency: str = COALITION) -> Dict:
        self.whole(points)
        self.unused("burn", partner, ref)
        self.person(member)
        self.active(partner, currency)
        parts = self.drawn(member, currency, points, burn_order)
        return self._burned(ref, partner, member, parts)

    def _burned(self, ref: str, partner: str, member: str, parts: list[Part]) -> Dict:
        self.take("burn", partner, ref)
        self.burns[ref] = Use(member, partner, parts, self.number)
        for lot, points in parts:
            self.use(lot, points, partner)
        return {"lots": [[lot.issuer, points] for lot, points in parts]}

    def _refund_burn(self, ref: str, burn: str, points: int) -> Dict:
        self.whole(points)
        made = self.burns.get(burn)
        self.unused("refund", made.partner if made else "", ref)
        if made is None:
            raise Refused("unknown_burn")
        self.alive(made.member)
        if self.standing.get(made.partner) == "suspended":
            self.take("refund", made.partner, ref)
            self.queue.setdefault(made.partner, []).append((ref, lambda: self._refund_burn_now(burn, points)))
            return {"status": "queued"}
        self._refund_burn_now(burn, points)
        self.take("refund", made.partner, ref)
        return {}

    def _refund_burn_now(self, burn: str, points: int) -> None:
        made = self.burns[burn]
        self.alive(made.member)
        check("line_disputed", that=made.state != "disputed")
        check("refund_exceeds_original", that=made.refunded + points <= made.points)
        self.refer(made.number)
        self.restore(made, points, made.partner)

    def _hold(self, ref: str, partner: str, member: str, points: int, ttl_seconds: int) -> None:
        self.whole(points)
        self.unused("hold", partner, ref)
        self.person(member)
        self.active(partner, COALITION)
        parts = self.drawn(member, COALITION, points, burn_order)
        for lot, part in parts:
            lot.held += part
        self.take("hold", partner, ref)
        until = self.now + timedelta(seconds=ttl_seconds)
        self.holds[ref] = Hold(self.next_number(), partner, member, parts, until)

    def _held(self, name: str) -> Hold:
        check("unknown_hold", that=name in self.holds)
        return self.holds[name]

    def _capture(self, ref: str, hold: str, points: int) -> Dict:
        self.whole(points)
        self.unused("burn", self.holds[hold].partner if hold in self.holds else "", ref)
        held = self._held(hold)
        self.person(held.member)
        self.active(held.partner, COALITION)
        self._open(held)
        check("capture_exceeds_hold", that=points <= sum(part for _lot, part in held.parts))
        used, left = [], points
        for place, (lot, part) in enumerate(held.parts):
            here = min(part, left)
            left -= here
            if here:
                lot.held -= here
                held.parts[place] = (lot, part - here)
                used.append((lot, here))
        facts = self._burned(ref, held.partner, held.member, used)
        self._let_go(held, "captured", self.now)
        return facts

    def _release(self, hold: str) -> None:
        held = self._held(hold)
        self.person(held.member)
        self._open(held)
        self._let_go(held, "released", self.now)

    @staticmethod
    def _open(hold: Hold) -> None:
        codes = {"captured": "already_captured", "released": "already_released", "lapsed": "hold_expired"}
        if hold.state != "open":
            raise Refused(codes[hold.state])

    def _transfer(self, ref: str, sender: str, recipient: str, points: int) -> Dict:
        self.whole(points)
        check("invalid_recipient", that=sender != recipient)
        self.unused("transfer", "", ref)
        self.person(sender)
        self.person(recipient)
        check("insufficient_points", that=self.free(sender, COALITION) >= points)
        self.within_limits(sender, points)
        parts = self.drawn(sender, COALITION, points, gift_order)
        for lot, part in parts:
            n = self.next_number()
            given = lot.fresh(n, root=n, sale="", bonus=False, draws=[])
            given.free = part
            self.members[recipient].lots.append(given)
        self.take("transfer", "", ref)
        self._freed(recipient, self.now)
        return {"lots": [[lot.issuer, part] for lot, part in parts]}
