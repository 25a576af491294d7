"""No read route shows one partner's rows to another, and no public one shows anybody's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from counterfoil.store import books, registry
from tests.features.wallets import account_of, event, key_of, linked, withdraw
from tests.gateway.routes import ACCOUNT, PUBLIC, ROUTES, filled, routes_of
from tests.gateway.stand import START, Stand, good, problem, stand
from tests.settlement.opened import Opened

BANK = {
    "cash": "bank", "account": {"holder": "Holder of A", "iban": "NL91ABNA0417164300", "bic": "ABNANL2A"},
    "mandate": {"id": "MANDATE-OF-A", "signed_on": "2025-01-05"},
}  # fmt: skip
SALES = (7_654_321, 1_234_567, 3_141_593)  # points of A's sales, each in a lot of its own
BURN, HOLD, REFUND = 271_829, 161_803, 57_721
AWAY = 173  # points that a member of A's takes to an account: public, but not whose
BONUS, CAP = 141_421, 1_732_051  # of a campaign of A's


@dataclass
class Planted:
    """A gateway where A did distinctive things, and what of them nobody else may see."""

    stand: Stand
    both: str = ""
    own: str = ""  # a member only A has met
    secrets: set[str] = field(default_factory=set)
    hold: str = ""
    entry: str = ""
    invoices: list[str] = field(default_factory=list)

    def amount(self, points: int) -> None:
        """Points and their money as texts and as the bytes of an encoding (in hex)."""
        for value in (points, points * 10_000, points * 1_000, points * 11_000):
            self.secrets |= {str(value), f"{value:,}", value.to_bytes(8, "big").hex()}

    def made(self, body: dict[str, Any]) -> None:
        self.secrets |= {body["id"], body.get("hold", body["id"])}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    folder: Path = tmp_path_factory.mktemp("planted")
    with stand(folder, partners="ABC") as one:
        one.clock(START)
        good(one.post("operator", "bank", {"account": ACCOUNT, "creditor_id": "DE98ZZZ09999999999"}))
        good(one.post("operator", f"partners/{one.sides['A'].id}/cash", BANK))
        here = Planted(one, one.member("shared-card"), one.member("card-only-a-knows"))
        one.earn("B", here.both, 1, "B-first")  # its id is the example in the OpenAPI document
        for place, (who, points) in enumerate(zip((here.both, here.own, here.own), SALES, strict=True)):
            made = one.earn("A", who, points, f"planted-sale-{place}")
            here.made(made)
            here.entry = made["id"]
        here.made(one.burn("A", here.own, BURN, "planted-burn"))
        kept = {"external_id": "planted-hold", "member": here.own, "points": HOLD, "ttl_seconds": 600}
        answer = good(one.post("A", "holds", kept))
        here.made(answer)
        here.hold = answer["hold"]
        back = {"external_id": "planted-refund", "earn": "planted-sale-0", "points": REFUND}
        here.made(good(one.post("A", "refunds", back)))
        for number in (*SALES, BURN, HOLD, REFUND, BONUS, CAP):
            here.amount(number)
        good(one.post("operator", "budgets", {"name": "planted-budget", "points": 9, "owner": one.sides["A"].id}))
        slip = {"member": here.own, "partner": one.sides["A"].id, "slip": "planted-slip", "sold_on": "2025-11-30"}
        good(one.post("operator", "claims", {**slip, "amount_micros": 7}))
        good(
            one.post(
                "operator", f"partners/{one.sides['A'].id}/brands", {"name": "Planted", "reason": "planted-reason"}
            )
        )
        for name, brand in (("A", "planted-brand"), ("B", "corner")):
            good(one.post("operator", f"partners/{one.sides[name].id}/brands", {"name": brand}))
            entity = {"name": f"{brand} Ltd", "email": f"bills@{brand}.example"}
            good(one.post("operator", f"legal-entities/of-{brand}", entity))
            good(one.post("operator", f"partners/{one.sides[name].id}/legal-entity", {"entity": f"of-{brand}"}))
        plant_rules(one)
        Opened.stand_in(one.app.state.worker.cycle)
        linked(one, here.own, 1)
        withdraw(one, here.own, AWAY)
        good(one.post("operator", "returns", event(one, account_of(key_of(1)), 1)))
        here.secrets |= {"Holder of A", "NL91ABNA0417164300", "ABNANL2A", "MANDATE-OF-A", "CF-1-16"}
        here.secrets |= {"planted-", "card-only-a-knows", "shared-card", here.own}
        for who in "BC":
            one.earn(who, here.both, 1_000, f"{who}-sale")
            one.burn(who, here.both, 700, f"{who}-burn")
        assert one.settle()["state"] == "final"
        here.made(one.earn("A", here.own, SALES[0], "planted-late"))
        one.earn("B", here.both, 5, "B-late")
        one.close()
        good(one.advance())
        made = one.read("A", "invoices")["data"]
        here.invoices = [document["number"] for document in made]
        here.secrets |= {document["sha256"] for document in made}
        yield here


def plant_rules(one: Stand) -> None:
    """A campaign of A's alone, with its words, condition and cap."""
    good(one.post("operator", "budgets", {"name": "planted-budget", "points": CAP, "owner": one.sides["A"].id}))
    rule = {"name": "planted-rule", "kind": "campaign", "points": f"{BONUS}", "when": "line.sku == 'planted-sku'"}
    more = {"text": "planted-words", "per_day": CAP, "budget": "planted-budget", "partners": [one.sides["A"].id]}
    good(one.post("operator", "earn-rules", {**rule, **more}))


def questions(here: Planted) -> Iterator[tuple[str, str]]:
    """(scope, URL) for every GET route, asking for what is A's."""
    size = here.stand.read("operator", "settlements/2")["log_size"]
    values = {
        "member": [here.both, here.own], "entry": [here.entry], "number": ["1", "2"],
        "account": [account_of(key_of(1))], "invoice": here.invoices, "entity": ["of-planted-brand", "partner-16"],
        "path": [f"0/000.p/{size}", f"entries/000.p/{size}", "style.css"],
    }  # fmt: skip
    queries = {
        "/v1/entries": ["?limit=500", "?cursor=ent_0000000000000000"],
        "/v1/members/{member}/entries": ["?limit=500"],
        "/v1/settlements/{number}/rows": ["?limit=5000", "?cursor=1"],
        "/v1/settlements/{number}/liability": ["?format=csv", "?estimate=16:5000"],
        "/v1/invoices/{invoice}": ["?format=csv"],
        "/v1/invoices": ["?limit=1", "?cursor=1"],
        "/v1/statement": ["?settlement=1", "?settlement=2"],
    }
    for method, path in sorted(routes_of(here.stand.app)):
        if method != "GET":
            continue
        name = re.search(r"{(\w+)}", path)
        urls = [filled(path, **{name[1]: value}) for value in values[name[1]]] if name else [path]
        for url in urls:
            for query in ["", *queries.get(path, [])]:
                yield ROUTES[method, path][0], url + query


def leaks(here: Planted, answer: Response, url: str) -> set[str]:
    """What of A's stands in an answer, as text, as bytes, or as hex; what the question itself said is no leak."""
    raw = answer.content
    shown = raw.decode("utf-8", "replace") + " " + raw.hex()
    whole = re.compile(r"(?<![\d,.])(?:{})(?![\d,])")
    found = set()
    for secret in here.secrets:
        if secret in url:
            continue
        pattern = whole.pattern.format(re.escape(secret)) if secret[0].isdigit() else re.escape(secret)
        if re.search(pattern, shown) or (len(secret) >= 16 and secret in shown):
            found.add(secret)
    return found


def told(here: Planted, scopes: set[str], who: str) -> dict[str, set[str]]:
    answers = {url: here.stand.get(who, url) for scope, url in questions(here) if scope in scopes}
    return {url: found for url, answer in answers.items() if (found := leaks(here, answer, url))}


@pytest.mark.parametrize("who", ["B", "C"])
def test_a_partner_sees_nothing_of_anothers(planted: Planted, who: str) -> None:
    assert told(planted, {"read", PUBLIC}, who) == {}


def test_the_public_sees_nobodys_rows(planted: Planted) -> None:
    assert told(planted, {PUBLIC}, "") == {}


def test_the_owner_sees_its_own(planted: Planted) -> None:
    seen = set().union(*told(planted, {"read"}, "A").values())
    assert {str(BONUS), str(SALES[0]), "planted-", f"-{BURN}"[1:], planted.entry} <= seen
    assert {"NL91ABNA0417164300", "MANDATE-OF-A", "CF-1-16"} <= seen
    rows = planted.stand.get("A", "/v1/settlements/1/rows")
    assert SALES[0].to_bytes(8, "big").hex() in leaks(planted, rows, "")


def test_what_b_sees_is_b(planted: Planted) -> None:
    one = planted.stand
    entries = [entry for entry in one.read("B", "entries")["data"] if entry["verb"] != "act"]
    assert {entry["partner"] for entry in entries} == {"B"}
    assert [entry["external_id"] for entry in entries] == ["B-first", "B-sale", "B-burn", "B-late"]
    assert {entry["external_id"] for entry in one.read("B", f"members/{planted.both}/entries")["data"]} == {
        "B-first", "B-sale", "B-burn", "B-late",
    }  # fmt: skip
    assert one.read("B", f"members/{planted.own}/entries")["data"] == []
    assert one.read("B", f"members/{planted.own}/lots")["data"] == []
    rows = [row["external_id"] for row in one.read("B", "settlements/1/rows")["data"]]
    assert [name for name in rows if name is not None] == [  # what has none is an act that concerns B
        "B-first",
        "B-sale",
        "B-burn",
    ]
    shown = one.read("B", "settlements/1")
    for name in ("exact", "rounded", "issued", "burned"):
        assert set(shown[name]) == {"B"}, name
    assert shown["refers_to"] is None
    assert one.read("B", "statement", settlement=1)["entries"] == 5  # two of them acts that concern B
    problem(one.get("B", f"/v1/entries/{planted.entry}"), 404, "not_found")
    problem(one.post("B", f"holds/{planted.hold}/release"), 404, "unknown_hold")
    problem(one.post("B", f"holds/{planted.hold}/capture", {"external_id": "c", "points": 1}), 404, "unknown_hold")
    refund = {"external_id": "r", "earn": "planted-sale-0", "points": 1}
    problem(one.post("B", "refunds", refund), 404, "unknown_earn")


@pytest.mark.parametrize("removed", ["bank", "operator", "rows_of", "leaves", "entry", "invoices", "entities", "rules"])
def test_canary_a_filter_removed_is_caught(planted: Planted, monkeypatch: pytest.MonkeyPatch, removed: str) -> None:
    if removed == "operator":
        monkeypatch.setattr(registry, "is_operator", lambda _caller: True)
    elif removed == "bank":
        monkeypatch.setattr("counterfoil.features.bank.routes._own", lambda _caller: None)
    elif removed == "rows_of":
        rows_of = books.rows_of
        monkeypatch.setattr(books, "rows_of", lambda engine, **more: rows_of(engine, **{**more, "partner": None}))
    elif removed == "leaves":
        leaves = books.leaves
        monkeypatch.setattr(books, "leaves", lambda engine, start, end, _partner=None: leaves(engine, start, end))
    elif removed == "invoices":
        monkeypatch.setattr("counterfoil.features.invoices.routes._partner", lambda _caller: None)
    elif removed == "entities":
        monkeypatch.setattr("counterfoil.features.invoices.entities._seen", lambda _gateway, _caller: [16, 17, 18])
    elif removed == "rules":
        monkeypatch.setattr("counterfoil.features.earning.routes._concerns", lambda *_asked: True)
    else:
        monkeypatch.setattr("counterfoil.features.statements.routes.registry.is_operator", lambda _caller: True)
    assert told(planted, {"read"}, "B") != {}
