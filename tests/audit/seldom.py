"""The verbs that operators and few members need, in two settlements: for a ledger in which the whole rulebook occurs."""

from __future__ import annotations

from typing import Any

from counterfoil.core.accounts import OPERATOR
from counterfoil.core.operation import Operation
from counterfoil.core.rulebook.earning import Basket, EarnRule, Line
from counterfoil.core.units import NEVER
from tests.audit.coalition import BAKER, FLORIST, GROCER, Coalition
from tests.store.ground import change


def furnish(made: Coalition) -> None:
    """Brands' own currencies, a reward; then the contract is deployed, one that takes claims."""
    change(made.engine, "add_currency", name="ROSE", issuer=FLORIST)
    change(made.engine, "add_currency", name="BREAD", issuer=BAKER)
    change(made.engine, "add_reward", 20, name="coffee", partner=GROCER, cost_micros=150_000, valid_days=10)
    made.open_claims()


def seldom(made: Coalition) -> None:
    """Exchange, packs, rewards, disputes, erasure, default, exit."""
    fay, gus = made.members(2)
    by_rules(made)
    rose = {"src": "ROSE", "dst": "BREAD", "takes": 5, "gives": 4, "increment": 5, "price_micros": 9_500, "fee_bp": 100}
    made.act("publish_rates", edges=[rose])
    adjusted(made, fay)
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
    merged(made)
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
    wallets(made, fay)
    made.do("burn", GROCER, fay, 30)
    made.settle()


def linked(made: Coalition, member: int, digit: str) -> str:
    """An account of a member's own."""
    account = "0x" + digit * 40
    answers, _group = made.poster.post([Operation("wallet_nonce", OPERATOR, member=member)])
    nonce = answers[0].facts["nonce"]
    made.act("link_wallet", member=member, account=account, nonce=nonce, expires_at=NEVER, not_before=0)
    return account


def event(made: Coalition) -> dict[str, Any]:
    """An event of the chain that nothing was booked by."""
    return {"block": f"0x{0xB10C:064x}", "index": len(made.kept)}


def wallets(made: Coalition, fay: int) -> None:
    """Withdrawn in two currencies, given back by somebody else, after its day, redeemed; what others funded is used."""
    (ida,) = made.members(1)
    of_fay, of_ida = linked(made, fay, "f"), linked(made, ida, "1")
    made.do("earn", GROCER, ida, 50)
    made.do("earn", BAKER, ida, 30)
    made.act("withdraw", member=fay, points=40)
    made.act("withdraw", member=fay, points=2, currency="ROSE")
    made.act("withdraw", member=ida, points=60)
    made.act("give_back", points=70, account=of_ida, partner=0, **event(made))  # ten of them were fay's
    made.settle()
    linked(made, ida, "2")
    made.act("withdraw", member=ida, points=20)
    made.wait(20)  # the grocer's points run out, but not in wallets
    made.act("give_back", points=12, account=of_fay, partner=0, **event(made))
    made.act("redeem", points=25, account=of_fay, partner=BAKER, **event(made))
    made.act("give_back", points=3, account="0x" + "9" * 40, partner=0, **event(made))  # nobody's
    made.settle()


def adjusted(made: Coalition, member: int) -> int:
    """Points given at the operator's and the grocer's cost, and taken back; the entry of the first."""
    made.act("set_budget", name="goodwill", owner=OPERATOR, points=100)
    made.act("set_budget", name="grocers", owner=GROCER, points=100)
    given = made.act("adjust", member=member, points=20, take=False, budget="goodwill", code="late_delivery")
    made.act("adjust", member=member, points=10, take=False, budget="grocers", code="late_delivery")
    made.act("adjust", member=member, points=25, take=True, budget="goodwill", code="mistake")
    made.act("freeze", member=member)
    made.act("unfreeze", member=member)
    made.act("look_up", member=member)
    return given


def merged(made: Coalition) -> int:
    """Two that are one: with lots used up, a hold, a voucher, a debt and one that waits; both names still work."""
    una, two = made.members(2)
    made.do("earn", FLORIST, una, 90, external_id="una-first")
    burned = made.do("burn", BAKER, una, 60, external_id="una-burn")
    made.do("earn", GROCER, una, 25, pending_days=3)
    made.do("earn", GROCER, una, 40)
    held = made.do("hold", BAKER, una, 15, ttl_seconds=600)
    voucher = made.act("buy_reward", member=una, reward="coffee")
    made.do("earn", GROCER, two, 50, external_id="two-first")
    made.do("burn", GROCER, two, 50)
    made.do("refund_earn", GROCER, two, 45, original="two-first")  # a debt, which what una has repays
    entry = made.act("merge", member=una, recipient=two)
    made.act("merge", member=made.members(1)[0], recipient=two)  # somebody who has nothing
    made.do("refund_burn", BAKER, 0, 20, original="una-burn")
    made.do("refund_earn", FLORIST, 0, 5, original="una-first")
    made.do("capture", BAKER, 0, 10, hold=held)
    made.act("refund_reward", hold=voucher)
    made.do("earn", FLORIST, una, 7)
    assert burned
    return entry


def publish(made: Coalition, rule: EarnRule) -> None:
    """A rule without conditions, from now on."""
    made.act("publish_earn_rule", rule=rule)


def by_rules(made: Coalition) -> int:
    """A basket earns a base, a joint bonus and one of the grocer alone; refunded in parts. The refund in which they tie."""
    salt = "5a" * 32
    publish(made, EarnRule("base", 0, 0, "base", rate_bp=200, salt=salt))
    publish(made, EarnRule("joint", 0, 0, "campaign", points="base.points / 2", promotion="spring", salt=salt))
    publish(made, EarnRule("own", 0, 0, "campaign", points="base.points / 2", per_day=60, salt=salt))
    hal = made.members(1)[0]
    made.do("earn", GROCER, hal, basket=Basket((Line(50_000_000),)), external_id="hal-basket")
    made.do("burn", BAKER, hal, 40)
    tied = made.do("refund_earn", GROCER, hal, 2, original="hal-basket")  # 60, 50 and 50 are left
    made.do("refund_earn", GROCER, hal, 33, original="hal-basket")
    made.do("earn", GROCER, hal, basket=Basket((Line(50_000_000),)), external_id="hal-capped")
    made.do("refund_earn", GROCER, hal, 11, original="hal-capped")
    made.do("refund_earn", GROCER, hal, 14, original="hal-capped")
    return tied
