"""The second rulebook beside the till: rates, rewards, erasure, disputes, packs, partners' standing. See rulebook.py."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from tests.story.rulebook_books import Books
from tests.story.rulebook_words import (
    COALITION,
    NEVER,
    OPERATOR,
    WHOLE_BP,
    Block,
    Dict,
    Refused,
    Use,
    burn_order,
    check,
    day_of,
    midnight,
    over,
    working_days_after,
)

ERASED_AFTER_DAYS = 30


class Market(Books):
    """The verbs that are not a member's sale."""

    # --- rates -----------------------------------------------------------------------------------------------------

    def _publish_rates(self, edges: list[Dict]) -> None:
        table = {(one["src"], one["dst"]): one for one in edges}
        for cycle in self._cycles(table):
            pairs = zip(cycle, cycle[1:] + cycle[:1], strict=True)
            product = Fraction(1)
            for pair in pairs:
                product *= Fraction(table[pair]["out"], table[pair]["in"])
            if product > 1:
                raise Refused("rate_cycle_arbitrage", cycle=cycle, product=str(product), gain=str(product - 1))
        self.rates = table

    @staticmethod
    def _cycles(table: dict[tuple[str, str], Dict]) -> Iterator[list[str]]:
        """Every simple cycle, from each currency that stands on it."""
        paths = [[src] for src, _dst in table]
        while paths:
            path = paths.pop(0)
            for src, dst in table:
                if src == path[-1] and dst == path[0]:
                    yield path
                elif src == path[-1] and dst not in path:
                    paths.append([*path, dst])

    def _offer(self, src: str, dst: str, points: int) -> Dict:
        check("unknown_rate", that=(src, dst) in self.rates)
        edge = self.rates[src, dst]
        taken = points // edge["increment"] * edge["increment"]
        given = taken * edge["out"] // edge["in"]
        return {"taken": taken, "kept": points - taken, "given": given, "edge": edge}

    def _quote(self, ref: str, member: str, src: str, dst: str, points: int, ttl_seconds: int) -> Dict:
        self.whole(points)
        self.unused("quote", "", ref)
        self.person(member)
        offer = self._offer(src, dst, points)
        check("increment_violation", that=bool(offer["taken"] and offer["given"]))
        self.take("quote", "", ref)
        until = self.now + timedelta(seconds=ttl_seconds)
        self.quotes[ref] = {**offer, "member": member, "src": src, "dst": dst, "points": points, "until": until}
        return {name: offer[name] for name in ("taken", "kept", "given")}

    def _exchange(
        self, ref: str, quote: str | None = None, member: str = "", src: str = "", dst: str = "", points: int = 0
    ) -> Dict:
        if quote is None:
            self.whole(points)
        self.unused("exchange", "", ref)
        if quote is not None:
            check("unknown_quote", that=quote in self.quotes)
            offer = self.quotes[quote]
            member, src, dst, points = offer["member"], offer["src"], offer["dst"], offer["points"]
            self.person(member)
            check("quote_used", that="used" not in offer)
            check("quote_expired", that=self.now < offer["until"])
        else:
            self.person(member)
            offer = self._offer(src, dst, points)
        check("insufficient_points", that=self.free(member, src) >= points)
        check("increment_violation", that=bool(offer["taken"] and offer["given"]))
        if quote is not None:
            offer["used"] = True
        self._exchanged(member, src, dst, offer)
        self.take("exchange", "", ref)
        return {name: offer[name] for name in ("taken", "kept", "given")}

    def _exchanged(self, member: str, src: str, dst: str, offer: Dict) -> None:
        edge = offer["edge"]
        used = self.drawn(member, src, offer["taken"], burn_order)
        issuer = self.issuers[src] if dst == COALITION else self.issuers[dst]
        if src == COALITION:
            for lot, part in used:
                self.use(lot, part, issuer)
        elif dst != COALITION:
            price = edge["price_micros"] * offer["given"]
            self.pay(self.issuers[src], issuer, price)
            self.fee(self.issuers[src], -(-price * edge["fee_bp"] // WHOLE_BP))
        terms, day = self.terms(issuer, self.now), day_of(self.now, self.zone)
        end = NEVER if terms.valid_days is None else over(day + timedelta(days=terms.valid_days), self.zone)
        fresh = self.lot(dst, issuer, self.now, end, self.stakes(issuer, dst, self.now))
        fresh.free = offer["given"]
        self.count_issued(fresh, fresh.free)
        self.issue(fresh, fresh.free)
        self.members[member].lots.append(fresh)
        self._freed(member, self.now)

    # --- rewards ---------------------------------------------------------------------------------------------------

    def _buy_reward(self, ref: str, member: str, reward: str) -> None:
        self.unused("voucher", "", ref)
        self.person(member)
        check("unknown_reward", that=reward in self.rewards)
        terms = self.rewards[reward]
        parts = self.drawn(member, COALITION, terms["points"], burn_order)
        for lot, part in parts:
            self.use(lot, part, "reward_escrow")
        end = over(day_of(self.now, self.zone) + timedelta(days=terms["valid_days"]), self.zone)
        self.take("voucher", "", ref)
        self.vouchers[ref] = Use(
            member, terms["partner"], parts, self.number, until=end, n=self.next_number(), cost=terms["cost_micros"]
        )

    def _unspent(self, voucher: str) -> Use:
        check("unknown_voucher", that=voucher in self.vouchers)
        return self.vouchers[voucher]

    @staticmethod
    def _usable_voucher(use: Use) -> None:
        if use.state:
            raise Refused({"used": "reward_already_used"}.get(use.state, f"reward_{use.state}"))

    def _use_reward(self, voucher: str, partner: str) -> None:
        use = self._unspent(voucher)
        self.active(partner)
        check("wrong_partner", that=partner == use.partner)
        self._usable_voucher(use)
        use.state = "used"
        self.pay("reward_escrow", partner, use.cost)
        self.pay("reward_escrow", OPERATOR, self.face(use.parts) - use.cost)

    def _refund_reward(self, ref: str, voucher: str) -> None:
        self.unused("refund_reward", "", ref)
        use = self._unspent(voucher)
        self.alive(use.member)
        self._usable_voucher(use)
        use.state = "refunded"
        self.refer(use.number)
        self.take("refund_reward", "", ref)
        self.restore(use, use.points, "reward_escrow")

    # --- erasure ---------------------------------------------------------------------------------------------------

    def _request_erasure(self, member: str) -> None:
        self.person(member)
        who = self.members[member]
        who.asked = who.asked or self.now

    def _erase(self, member: str) -> None:
        self.person(member)
        who = self.members[member]
        check("erasure_not_due", that=who.asked is not None)
        assert who.asked is not None
        due = midnight(day_of(who.asked, self.zone) + timedelta(days=ERASED_AFTER_DAYS), self.zone)
        check("erasure_not_due", that=self.now >= due)
        who.debts = []
        for hold in self.holds.values():
            if hold.member == member and hold.state == "open":
                self._let_go(hold, "released", self.now)
        for lot in who.lots:
            if lot.pending:
                self.give_blocks(lot, lot.pending)
                lot.pending = 0
            if lot.free:
                self._expire_lot(lot, self.now)
        who.erased = True

    # --- disputes --------------------------------------------------------------------------------------------------

    def _disputed(self, burn: str) -> Use:
        check("unknown_burn", that=burn in self.burns)
        return self.burns[burn]

    def _dispute(self, burn: str) -> None:
        use = self._disputed(burn)
        self.alive(use.member)
        check("already_disputed", that=not use.state)
        if use.number in self.closed:
            last = working_days_after(day_of(self.closed[use.number], self.zone), 10)
            check("dispute_window_closed", that=self.now < over(last, self.zone))
        check("nothing_to_dispute", that=bool(self.face(use.parts)) and not use.refunded)
        use.state = "disputed"
        self.refer(use.number)
        self.pay(use.partner, "suspense", self.face(use.parts))

    def _rule(self, burn: str, valid: bool) -> None:
        use = self._disputed(burn)
        if not valid:  # that the burn stands can be ruled when the member is gone, lest its money wait for ever
            self.alive(use.member)
        check("not_disputed", that=bool(use.state))
        check("already_ruled", that=use.state == "disputed")
        use.state = "ruled"
        self.refer(use.number)
        if valid:
            self.pay("suspense", use.partner, self.face(use.parts))
        else:
            self.restore(use, use.points, "suspense")

    # --- partners --------------------------------------------------------------------------------------------------

    def _buy_pack(self, partner: str, points: int, alert_at: int = 0, reserve: int = 0) -> None:
        self.whole(points)
        self.active(partner)
        terms, blocks = self.terms(partner, self.now), self.packs.setdefault(partner, [])
        place = sum(block.payer != partner for block in blocks)
        self.pay(partner, f"prefund:{partner}", (terms.face + terms.fee) * points)
        blocks += [Block(f"prefund:{partner}", points, place, alert_at), Block(partner, reserve, place, None)]

    def _suspend(self, partner: str) -> None:
        self.standing[partner] = "suspended"

    def _reinstate(self, partner: str) -> None:
        del self.standing[partner]
        for ref, book in self.queue.pop(partner, []):
            try:
                book()
            except Refused:  # dropped without an effect: its name is free again
                self.taken.discard(("refund", partner, ref))

    def _exit_partner(self, partner: str, breakage_bp: int = 0) -> None:
        self.standing[partner] = "exited"
        micros = -(-self.unpaid(partner)[1] * (WHOLE_BP - breakage_bp) // WHOLE_BP)
        self.pay(partner, f"exit_reserve:{partner}", micros)
        self.reserves[partner] = micros

    def _dividend(self, partner: str, bp: int) -> Dict:
        return {"paid_micros": self.dividend(partner, bp)}
