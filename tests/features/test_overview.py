from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from counterfoil.app import Plan, build
from counterfoil.core.accounts import OPERATOR, POOL
from counterfoil.features.overview import rules

HOSTILE = '<img src=x onerror="alert(1)">&"\'\u202ekcab'
SIGNERS = ("0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf", "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF")
AUDIT: dict[str, list[dict[str, object]]] = {
    "checks": [
        {"name": "log_consistent", "status": "passed", "needs": None},
        {"name": "supply_equals_liability", "status": "failed", "needs": None},
        {"name": "liabilities_add_up", "status": "not_run", "needs": "the sealed export"},
    ],
    "findings": [
        {
            "check": "supply_equals_liability",
            "message": "5 <b>points</b> too many",
            "settlement": 2,
            "entry": None,
        }
    ],
}


@dataclass(slots=True)
class House:
    """A gateway without a server, and who may call it."""

    client: TestClient
    operator: dict[str, str]
    key: str
    partners: list[dict[str, str]]

    def page(self, **query: str) -> str:
        answer: Response = self.client.get("/", params=query)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, partner: int, path: str, name: str, **body: object) -> Response:
        headers = {**self.partners[partner], "Idempotency-Key": name}
        answer: Response = self.client.post(path, json={"external_id": name, **body}, headers=headers)
        return answer

    def member(self) -> str:
        member: str = self.client.post("/v1/members", json={}, headers=self.partners[0]).json()["id"]
        return member

    def close(self) -> None:
        assert self.client.post("/v1/settlements", headers=self.operator).status_code == 201
        assert self.client.post("/v1/settlements/advance", headers=self.operator).status_code == 200


@contextmanager
def house(home: Path, *, livemode: bool = False) -> Iterator[House]:
    with TestClient(build(Plan(home, livemode=livemode, worker_seconds=60))) as client:
        key = (home / "operator.api-key").read_text().strip()
        operator = {"Authorization": f"Bearer {key}"}
        partners = []
        for name, signer in zip((HOSTILE, "Kino"), SIGNERS, strict=True):
            made = client.post("/v1/partners", json={"name": name, "signer": signer}, headers=operator)
            assert made.status_code == 201, made.text
            issued = client.post(f"/v1/partners/{made.json()['id']}/keys", json={}, headers=operator)
            partners.append({"Authorization": f"Bearer {issued.json()['key']}"})
        yield House(client, operator, key, partners)


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    with house(tmp_path_factory.mktemp("traded")) as made:
        member = made.member()
        assert made.post(0, "/v1/earns", "e1", member=member, points=123_456).status_code == 201
        assert made.post(1, "/v1/burns", "b1", member=member, points=3_400).status_code == 201
        assert made.post(1, "/v1/holds", "h1", member=member, points=10, ttl_seconds=600).status_code == 201
        other = made.member()
        gift = made.post(0, "/v1/transfers", "g1", sender=member, recipient=other, points=7)
        assert gift.status_code == 201, gift.text
        made.close()
        yield made, member


class Elements(HTMLParser):
    """Every start tag with its attributes, and the visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_page_before_anything_happened(tmp_path: Path) -> None:
    with house(tmp_path) as made:
        text = Elements(made.page()).text
        assert "No settlement has been closed yet" in text
        assert "Nobody looked up" in text
        assert "No audit yet" in text
        assert "counterfoil audit" in text
        assert "There is none older" in made.page(before="1")
        assert made.client.get("/settlements/1/picture.svg").status_code == 404
        made.close()  # nothing was posted
        assert "no money moved" in Elements(made.page()).text


def test_page_says_who_owes_whom(traded: tuple[House, str]) -> None:
    page = Elements(traded[0].page())
    # 123,456 points at a face of 0.01 and a fee of 0.001, 3,400 of them taken by the other partner
    for amount in ("1,392.02", "+34.00", "\N{MINUS SIGN}1,358.02", "120,056"):
        assert amount in page.text, amount
    assert {"wide", "tall"} <= {attrs.get("class") for _tag, attrs in page.found}


def test_picture_is_a_file_of_its_own(traded: tuple[House, str]) -> None:
    answer = traded[0].client.get("/settlements/1/picture.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert ET.fromstring(answer.text).tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme:dark" in answer.text
    assert traded[0].client.get("/settlements/9/picture.svg").status_code == 404


def test_a_hostile_name_stays_text(traded: tuple[House, str]) -> None:
    made, member = traded
    page = Elements(made.page(member=member))
    assert not [attrs for tag, attrs in page.found if "onerror" in attrs or attrs.get("src") == "x"]
    assert HOSTILE in page.text
    found = made.client.get("/", params={"member": '"><script>alert(1)</script>', "settlement": "<b>"})
    assert found.status_code == 404
    assert "<script>alert" not in found.text
    assert "<b>" not in found.text


def test_a_member_is_told_in_order(traded: tuple[House, str]) -> None:
    made, member = traded
    text = Elements(made.page(member=f" {member.upper().replace('MBR', 'mbr')} ")).text
    told = text[text.index("Entries") :]
    places = [told.index(verb) for verb in ("earn", "burn", "hold", "gift given")]
    assert places == sorted(places)
    assert "+123,456" in told
    assert "\N{MINUS SIGN}3,400" in told
    assert "1, leaf 0" in told


@pytest.mark.parametrize("asked", ["mbr_ffffffffffffffff", "mbr_0000000000000001", "mbr_1", "212c39a6e24cc68e", "é"])
def test_a_member_nobody_knows(traded: tuple[House, str], asked: str) -> None:
    answer = traded[0].client.get("/", params={"member": asked})
    assert answer.status_code == 404
    assert "No history for" in answer.text


@pytest.mark.parametrize("number", ["2", "0", "-1", "x", "9" * 40, "\N{ARABIC-INDIC DIGIT ONE}"])
def test_a_settlement_nobody_closed(traded: tuple[House, str], number: str) -> None:
    answer = traded[0].client.get("/", params={"settlement": number})
    assert answer.status_code == 404
    assert "There is no closed settlement" in answer.text


def test_headers_and_no_inline_script(traded: tuple[House, str]) -> None:
    answer = traded[0].client.get("/", params={"member": traded[1]})
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    page = Elements(answer.text)
    assert [attrs for tag, attrs in page.found if tag == "script"] == [{"type": "module", "src": "/static/page.js"}]
    assert not [attrs for tag, attrs in page.found if tag == "style" or "style" in attrs]
    assert not [name for _tag, attrs in page.found for name in attrs if name.startswith("on")]


def test_everything_the_page_names_is_served(traded: tuple[House, str]) -> None:
    made, member = traded
    page = Elements(made.page(member=member))
    named = {
        attrs.get("href") or attrs.get("src") or "" for tag, attrs in page.found if tag in {"script", "link", "img"}
    }
    for path in sorted(named):
        answer = made.client.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["x-content-type-options"] == "nosniff"
    ids = {attrs["id"] for _tag, attrs in page.found if "id" in attrs}
    anchors = {attrs["href"] or "" for tag, attrs in page.found if tag == "a"}
    assert {anchor[1:] for anchor in anchors if anchor.startswith("#")} <= ids
    assert made.client.get("/static/%2e%2e/page.py").status_code == 404


def test_the_page_carries_a_genuine_counterfoil(traded: tuple[House, str]) -> None:
    made, _member = traded
    page = Elements(made.page())
    example = json.loads(next(attrs["data-example"] or "" for _tag, attrs in page.found if "data-example" in attrs))
    replayed = made.post(1, "/v1/burns", "b1", member=traded[1], points=3_400).json()
    assert example["counterfoil"].keys() == replayed["counterfoil"].keys()
    form = next(attrs for tag, attrs in page.found if tag == "form" and "data-key" in attrs)
    assert form["data-programme"] == example["counterfoil"]["programme"]


def test_livemode_asks_for_the_operator(tmp_path: Path) -> None:
    with house(tmp_path, livemode=True) as made:

        def asked(header: str | None, path: str = "/") -> Response:
            headers = {"Authorization": header} if header else {}
            answer: Response = made.client.get(path, headers=headers)
            return answer

        def basic(user: str, key: str) -> str:
            return "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()

        partner = made.partners[0]["Authorization"].removeprefix("Bearer ")
        unknown = "cf_00000000_" + 43 * "x"
        wrong = [
            None, "Basic", "Basic !!!", "Basic " + base64.b64encode(b"\xff\xfe").decode(), "Digest x",
            basic("", ""), basic("x", unknown), basic("x", partner), f"Bearer {partner}", basic(made.key, ""),
        ]  # fmt: skip
        for header in wrong:
            for path in ("/", "/settlements/1/picture.svg"):
                answer = asked(header, path)
                assert answer.status_code == 401, (header, path)
                assert answer.headers["www-authenticate"].startswith("Basic realm=")
                assert "Who owes whom" not in answer.text
        for header in (basic("anybody", made.key), basic("", made.key), f"Bearer {made.key}"):
            assert "Who owes whom" in asked(header).text
        assert asked(None, "/static/style.css").status_code == 200  # the refusal is dressed too


def test_an_audit_is_kept_and_shown(tmp_path: Path) -> None:
    with house(tmp_path) as made:
        kept = made.client.post("/v1/audits", json=AUDIT, headers=made.operator)
        assert kept.status_code == 201
        assert {name: kept.json()[name] for name in ("passed", "failed", "not_run", "findings")} == {
            "passed": 1, "failed": 1, "not_run": 1, "findings": 1,
        }  # fmt: skip
        text = Elements(made.page()).text
        for said in (
            "1 check failed",
            "5 <b>points</b> too many",
            "needs the sealed export",
            kept.json()["at"][:10],
        ):
            assert said in text, said
        good = {"checks": AUDIT["checks"][:1], "findings": []}
        assert made.client.post("/v1/audits", json=good, headers=made.operator).status_code == 201
        assert "Every check passed" in Elements(made.page()).text


def test_an_audit_is_the_operators_and_well_formed(tmp_path: Path) -> None:
    with house(tmp_path) as made:
        assert made.client.post("/v1/audits", json=AUDIT).status_code == 401
        assert made.client.post("/v1/audits", json=AUDIT, headers=made.partners[0]).status_code == 403
        checks = AUDIT["checks"]
        malformed: list[object] = [
            {}, [], {"checks": [], "findings": []}, {"checks": checks},
            {"checks": [{"name": "x"}], "findings": []},
            {"checks": [{"name": "x", "status": "fine"}], "findings": []},
            {"checks": checks, "findings": [{"message": "by nobody"}]},
        ]  # fmt: skip
        for bad in malformed:
            answer = made.client.post("/v1/audits", json=bad, headers=made.operator)
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), bad
        assert "No audit yet" in made.page()


def test_netting_keeps_what_it_adds_up() -> None:
    totals = {
        "rounded": {"1": 10_000, "16": -20_000},
        "rounding": 10_000,
        "flows": [[16, 1, 14_000], [16, 2, 6_000], [16, 16, 5]],
    }
    netting = rules.netting_of(totals, str)
    assert netting.nets == {POOL: 10_000, OPERATOR: 10_000, 16: -20_000}
    assert netting.gross_micros == netting.net_micros == 20_000
    lines = netting.lines({16: 1})
    assert [(line.number, line.paid, line.received, line.collateral) for line in lines] == [
        (POOL, 0, 14_000, None), (OPERATOR, 0, 6_000, None), (16, 20_000, 0, 1),
    ]  # fmt: skip
