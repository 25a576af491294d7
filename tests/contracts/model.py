"""What a programme ought to hold after each step of a history."""

from __future__ import annotations

from tests.contracts.programme import BOND, FLOOR, OPERATOR_ID, PARTNERS


class Model:
    """What the contract ought to hold; currency 1 alone is withdrawn."""

    def __init__(self) -> None:
        self.collateral: dict[int, int] = dict.fromkeys((OPERATOR_ID, *PARTNERS), 10_000)
        self.suspended: set[int] = set()
        self.number, self.attempt, self.challenger = 0, 1, 0
        self.challenged: set[tuple[int, int, int]] = set()  # number, attempt, partner
        self.bond = 0
        self.requests: dict[int, tuple[int, int]] = {}  # amount, payable once this is final
        self.cumulative: dict[int, int] = {}  # by member: what the last final tree says
        self.claimed: dict[int, int] = {}
        self.held: dict[int, int] = {}  # points by member, as the token has them (see `key`)
        self.given_back: dict[int, int] = {1: 0}
        self.custody, self.withdrawn, self.returned = 0, 0, 0
        self.nets: dict[int, int] = {}
        self.paid_out = 0

    def noted(self, kind: str) -> None:
        """For canaries."""

    def debit(self, party: int) -> int:
        return max(0, -self.nets.get(party, 0))

    def free(self, party: int) -> int:
        floor = FLOOR if party in PARTNERS else 0
        return max(0, self.collateral[party] - floor - self.debit(party))

    def pay_again(self) -> None:
        for who in self.claimed:
            self.claimed[who] *= 2

    def untake_bond(self) -> None:
        self.collateral[self.challenger] += BOND

    def misplace_bond(self) -> None:
        self.collateral[OPERATOR_ID] -= BOND
        self.collateral[16] += BOND

    def keep_bond(self) -> None:
        self.bond = BOND

    def apply_again(self) -> None:
        for party, net in self.nets.items():
            self.collateral[party] += net
        self.collateral[OPERATOR_ID] += 1

    def forget_returns(self) -> None:
        self.returned = 0 if self.returned else 1
