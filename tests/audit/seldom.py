"""The verbs that operators and few members need, in two settlements: for a ledger in which the whole rulebook occurs."""

from __future__ import annotations

from tests.audit.coalition import BAKER, FLORIST, GROCER, Coalition
from tests.store.ground import change


def furnish(made: Coalition) -> None:
    """Before the contract stands: brands' own currencies, a reward."""
    change(made.engine, "add_currency", name="ROSE", issuer=FLORIST)
    change(made.engine, "add_currency", name="BREAD", issuer=BAKER)
    change(made.engine, "add_reward", 20, name="coffee", partner=GROCER, cost_micros=150_000, valid_days=10)


def seldom(made: Coalition) -> None:
    """Exchange, packs, rewards, disputes, erasure, default, exit."""
    fay, gus = made.members(2)
    rose = {"src": "ROSE", "dst": "BREAD", "takes": 5, "gives": 4, "increment": 5, "price_micros": 9_500, "fee_bp": 100}
    made.act("publish_rates", edges=[rose])
    made.do("earn", FLORIST, fay, 103, currency="ROSE")
    made.act("exchange", member=fay, points=103, src="ROSE", dst="BREAD")
    made.act("buy_pack", points=40, partner=BAKER, reserve=30)
    made.do("earn", BAKER, fay, 60, external_id="fay-pack")
    made.do("refund_earn", BAKER, fay, 25, original="fay-pack")
    made.do("earn", FLORIST, gus, 200)
    bought = [made.act("buy_reward", member=gus, reward="coffee") for _ in range(3)]
    made.do("use_reward", GROCER, 0, hold=bought[0], more={})
    made.act("refund_reward", hold=bought[1])
    burned = made.do("burn", GROCER, gus, 50)
    stands = made.do("burn", BAKER, gus, 10)
    made.settle()
    for burn, valid in ((burned, False), (stands, True)):
        made.act("dispute", hold=burn)
        made.act("rule", hold=burn, valid=valid)
    made.act("request_erasure", member=gus)
    made.wait(31)  # the third voucher runs out
    made.act("erase", member=gus)
    made.do("earn", FLORIST, fay, 500)
    made.do("earn", BAKER, fay, 5)
    made.do("earn", GROCER, fay, 10)
    made.act("default", partner=FLORIST, collateral=1_000_000, first_loss=500_000)
    made.act("dividend", partner=FLORIST, bp=2_500)
    made.act("exit_partner", partner=FLORIST, breakage_bp=1_000)
    made.do("burn", GROCER, fay, 30)
    made.settle()
