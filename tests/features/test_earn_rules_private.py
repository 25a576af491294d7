"""Whose affair earn rules and baskets are."""

from __future__ import annotations

import json

from sqlalchemy import text

from counterfoil.core.encoding import earn_rule_hash
from tests.features.test_earning import BASE, SPRING, earn, one, publish
from tests.features.test_seldom import everything
from tests.gateway.stand import Stand, good

__all__ = ["one"]  # a fixture


def test_baskets_are_kept_nowhere_and_erasure_forgets_the_caps(one: Stand) -> None:
    publish(one, BASE)
    publish(one, SPRING, per_member=900, per_member_day=900)
    member = one.member()
    lines = [{"amount_micros": 70_000_000, "category": "zz-category", "brand": "zz-brand", "sku": "zz-sku"}]
    earn(one, {"member": member, "basket": {"lines": lines, "tags": ["zz-tag"]}})
    kept = json.dumps({name: list(map(str, rows)) for name, rows in everything(one).items()})
    assert "zz-" not in kept
    assert f"{int(member[4:], 16)}:spring" in kept
    good(one.post("operator", f"members/{member}/erasure", {}))
    one.clock("2026-01-05T10:00:00Z")
    good(one.post("operator", f"members/{member}/erase", {}))
    with one.app.state.gateway.engine.connect() as connection:
        left = connection.execute(text("SELECT name FROM record WHERE kind = 'usage'")).scalars().all()
    assert left == []


def test_who_sees_which_rules(one: Stand) -> None:
    for name in "CD":
        one.add(name)
    ids = {name: side.id for name, side in one.sides.items()}
    good(one.post("operator", "promotions", {"name": "joint", "shares": {"A": 4_000, "C": 6_000}}))
    publish(one, BASE, name="every")
    publish(one, BASE, name="of-a", partners=[ids["A"]])
    publish(one, SPRING, name="at-a-by-c", partners=[ids["A"]], promotion="joint")
    publish(one, BASE, name="of-b", partners=[ids["B"]])

    def seen(who: str) -> list[str]:
        return [rule["name"] for rule in one.read(who, "earn-rules")["data"]]

    assert {who: seen(who) for who in "ABCD"} == {
        "A": ["at-a-by-c", "every", "of-a"], "B": ["every", "of-b"], "C": ["at-a-by-c", "every"], "D": ["every"],
    }  # fmt: skip
    rules = one.read("operator", "earn-rules")["data"]
    published = one.read("operator", "rulebook")["earn_rules"]
    for rule in rules:
        assert earn_rule_hash(bytes.fromhex(rule["salt"]), rule["document"].encode()).hex() == rule["hash"]
        assert json.loads(rule["document"])["name"] == rule["name"]
    assert published == sorted(rule["hash"] for rule in rules)
    assert "spring bonus" not in json.dumps(one.read("", "rulebook"))
