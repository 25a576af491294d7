"""What random walks found wrong once, each as the shortest story that shows it; the second rulebook says how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.house import tree
from tests.story.rulebook import Rulebook
from tests.story.stage import played, trouble

Step = dict[str, Any]
DAY, LATER = "2026-01-01T10:00:00Z", "2026-02-10T10:00:00Z"


def step(do: str, at: str = DAY, **args: Any) -> Step:
    return {"do": do, "at": at, "args": args}


def earn(ref: str, partner: str, points: int, **more: Any) -> Step:
    return step("earn", ref=ref, partner=partner, member="M", points=points, **more)


VOUCHER = {"rewards": {"coffee": {"points": 50, "cost_micros": 400_000, "partner": "B", "valid_days": 90}}}
SHORT = {"rewards": {"coffee": {**VOUCHER["rewards"]["coffee"], "valid_days": 10}}}
ERASED = [
    earn("e1", "A", 100), step("buy_reward", ref="v1", member="M", reward="coffee"), step("request_erasure", member="M"),
    step("erase", LATER, member="M"),
]  # fmt: skip
DEFAULT = [
    next(one for one in json.loads((tree.ROOT.parent / "shared" / "scenarios.json").read_text("utf-8"))["scenarios"]
         if one["id"] == "S21"),
]  # fmt: skip
S21 = [{name: one[name] for name in ("do", "at", "args")} for one in DEFAULT[0]["steps"]]
STORIES: dict[str, tuple[dict[str, Any], list[Step]]] = {
    "a debt in a brand's own currency": (
        {"currencies": {"YY": "C"}},
        [earn("e1", "C", 100, currency="YY"),
         step("burn", ref="b1", partner="C", member="M", points=100, currency="YY"),
         step("refund_earn", ref="r1", earn="e1", points=100), earn("e2", "C", 30, currency="YY")],
    ),
    "no voucher returns to an erased member": (VOUCHER, [*ERASED, step("refund_reward", LATER, ref="r1", voucher="v1")]),
    "erased comes before expired": (SHORT, [*ERASED, step("refund_reward", LATER, ref="r1", voucher="v1")]),
    "an erased member's voucher lives on": (VOUCHER, [*ERASED, step("use_reward", LATER, voucher="v1", partner="B")]),
    "a dispute outlives its member": (
        {},
        [earn("e1", "A", 100), step("burn", ref="b1", partner="B", member="M", points=100), step("dispute", burn="b1"),
         step("request_erasure", member="M"), step("erase", LATER, member="M"),
         step("rule", LATER, burn="b1", valid=False), step("rule", LATER, burn="b1", valid=True)],
    ),
    "funders of two modes, to the micro": (
        {"promotions": {"r": {"B": 1, "D": 9_999}}, "contracts": {"B": {"funding": "share", "issuance_bp": 3_000}}},
        [earn("e1", "A", 100, promotion="r", bonus=100), step("burn", ref="b1", partner="D", member="M", points=200)],
    ),
    "a dividend after reinstatement": (
        {name: DEFAULT[0]["start"][name] for name in ("partners", "members", "collateral", "first_loss")},
        [*S21[:-1], step("reinstate", S21[-1]["at"], partner="A"), S21[-1]],
    ),
    "dividends pay no more than the claim": (
        {name: DEFAULT[0]["start"][name] for name in ("partners", "members", "collateral", "first_loss")},
        [*S21[:-1], *[step("dividend", DAY, partner="A", bp=6_000)] * 2],
    ),
    "who fails twice owes both, and what its estate paid is no collateral": (
        {"collateral": {"A": 0}},
        [earn("e1", "A", 100), earn("e2", "B", 100), step("close", failed="A"), step("dividend", partner="A", bp=2_500),
         step("close"), step("reinstate", partner="A"), earn("e3", "A", 60), step("close", failed="A"),
         step("dividend", LATER, partner="A", bp=10_000)],
    ),
    "what an exit reserve pays is not the failed partner's": (
        {"contracts": {"A": {"funding": "redemption", "fee": 500}}, "collateral": {"A": 0}, "first_loss": 100_000},
        [earn("e1", "A", 100), earn("e2", "B", 10), step("exit_partner", partner="A", breakage_bp=6_000),
         step("burn", ref="b1", partner="B", member="M", points=60), step("refund_burn", ref="r1", burn="b1", points=30),
         step("close", failed="A"), step("burn", ref="b2", partner="B", member="M", points=50), step("close", failed="A")],
    ),
    "a pack gets what its points cost, whatever others were worth": (
        {"contracts": {"B": {"face": 12_300, "fee": 800}, "C": {"fee_refundable": False}}},
        [step("buy_pack", partner="A", points=100), step("buy_pack", partner="C", points=50), earn("e1", "A", 60),
         earn("e2", "C", 30), step("burn", ref="b1", partner="D", member="M", points=90), earn("e3", "B", 90),
         step("refund_earn", ref="r1", earn="e1", points=60), step("refund_earn", ref="r2", earn="e2", points=20)],
    ),
    "what breaks is the partner's that left, not its reserve's": (
        {**SHORT, "contracts": {"A": {"funding": "share", "issuance_bp": 3_333, "face": 9_999}}},
        [earn("e1", "A", 150), step("exit_partner", partner="A", breakage_bp=0),
         step("buy_reward", ref="v1", member="M", reward="coffee"), step("buy_reward", ref="v2", member="M", reward="coffee"),
         step("refund_reward", ref="r1", voucher="v1"), step("burn", LATER, ref="b1", partner="B", member="M", points=50)],
    ),
    "an older debt of another currency waits": (
        {"currencies": {"YY": "C"}},
        [earn("e1", "C", 30, currency="YY"),
         step("burn", ref="b1", partner="C", member="M", points=30, currency="YY"),
         step("refund_earn", ref="r1", earn="e1", points=30), earn("e2", "A", 20),
         step("burn", ref="b2", partner="A", member="M", points=20), step("refund_earn", ref="r2", earn="e2", points=20),
         earn("e3", "B", 50), step("close"), earn("e4", "C", 40, currency="YY")],
    ),
    "a joint bonus came from no pack and returns to none": (
        {"promotions": {"half": {"A": 5_000, "operator": 5_000}}, "contracts": {"C": {"fee_refundable": False}}},
        [step("buy_pack", partner="C", points=120, reserve=60), earn("e1", "C", 150, promotion="half", bonus=53),
         step("refund_earn", ref="r1", earn="e1", points=84),
         step("burn", ref="b1", partner="B", member="M", points=119), earn("e2", "B", 100),
         step("refund_earn", ref="r2", earn="e1", points=60), step("refund_burn", LATER, ref="r3", burn="b1", points=90),
         step("refund_earn", LATER, ref="r4", earn="e1", points=59)],
    ),
    "erasure of a joint bonus": (
        {"promotions": {"half": {"A": 5_000, "operator": 5_000}}},
        [earn("e1", "D", 100, promotion="half", bonus=10), step("request_erasure", member="M"),
         step("erase", LATER, member="M")],
    ),
    "points that became available before an exit count": (
        {"contracts": {"A": {"funding": "redemption"}}},
        [earn("e1", "A", 89, pending_days=5), step("exit_partner", LATER, partner="A", breakage_bp=3_333)],
    ),
    "a funder that leaves owes its part of others' bonuses": (
        {"contracts": {"A": {"funding": "redemption", "fee": 500}},
         "promotions": {"thirds": {"A": 3_300, "B": 3_400, "C": 3_300}}},
        [earn("e1", "B", 45, promotion="thirds", bonus=60), step("exit_partner", partner="A", breakage_bp=3_333)],
    ),
}  # fmt: skip


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("title", STORIES)
def test_a_story_ends_as_the_rulebook_says(title: str, tmp_path: Path) -> None:
    more, steps = STORIES[title]
    start = {"zone": "Europe/Warsaw", "partners": ["A", "B", "C", "D"], "members": ["M"], **more}
    model, last = Rulebook(start, []), steps[-1]["at"]
    told = [{**one, **model.step(one)} for one in [*steps, step("close", last)]]
    path = tmp_path / "story.json"
    path.write_text(json.dumps({"scenarios": [{"id": "story", "start": start, "steps": told}]}), encoding="utf-8")
    result = played(path)
    assert result["ok"], trouble(result)
