"""The signer where nothing is as it should be: gateways down, junk answers, another chain, a folder of another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from counterfoil.chain.client import connect
from counterfoil.chain.settlement import SettlementContract
from counterfoil.rehearsal.coalition import asked
from tests.gateway.liar import honest
from tests.gateway.waiting import Waiting, of_header, of_waiting, waiting_for_signatures

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiting]:
    with waiting_for_signatures(tmp_path_factory.mktemp("signers")) as here:
        yield here


@pytest.fixture
def waiting(coalition: Waiting) -> Iterator[Waiting]:
    coalition.liar.posted.clear()
    yield coalition
    coalition.liar.lie, coalition.liar.status = honest, 0


def unread(waiting: Waiting, *flags: str, **more: str) -> str:
    """Exit 2 with one line that says what is wrong; nothing was signed."""
    code, lines, errors = waiting.sign("A", *flags, **more)
    assert code == 2, (lines, errors)
    told = errors.splitlines()
    assert len(told) == 1
    assert told[0].startswith("counterfoil: ")
    assert waiting.liar.posted == []
    return told[0]


def test_a_gateway_that_is_down(waiting: Waiting) -> None:
    assert "gateway cannot be reached" in unread(waiting, against=NOWHERE)
    code, lines, _ = waiting.sign("A", "--json", against=NOWHERE)
    assert code == 2
    told = json.loads(lines[0])
    assert (told["status"], told["error"]["code"]) == ("error", "unreachable")
    for status in (500, 503):
        waiting.liar.status = status
        assert "answers" in unread(waiting)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_gateway_that_refuses(waiting: Waiting, status: int) -> None:
    waiting.liar.status = status
    assert str(status) in unread(waiting)


def test_a_chain_that_is_down(waiting: Waiting) -> None:
    assert "chain cannot be reached" in unread(waiting, rpc=NOWHERE)


@pytest.mark.parametrize("where", ["0x", "nonsense", "0x" + "12" * 20, "0x" + "0" * 40])
def test_no_settlement_there(waiting: Waiting, where: str) -> None:
    assert "settlement" in unread(waiting, settlement=where)


def test_another_contract_is_not_the_programmes(waiting: Waiting) -> None:
    contract = SettlementContract(connect(waiting.coalition.host.rpc), str(waiting.shown["settlement"]))
    assert "settlement" in unread(waiting, settlement=str(contract.money().address))


@pytest.mark.parametrize(
    "junk",
    [
        b"", b"null", b"[]", b"3", b"{}", b'{"data": 3}', b'{"data": [3]}', b'{"data": [{}]}', b"<html>", b"\xff\xfe",
        b'{"data": [{"number": 2, "header": {"number": 2}, "signed_by": []}]}',
        b'{"data": [{"number": 2, "header": 7, "signed_by": []}]}',
        b'{"data": [{"number": 2, "header": {"programme": 5}}]}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_junk_answers(waiting: Waiting, junk: bytes) -> None:
    waiting.liar.lie = lambda path, content: junk if path.partition("?")[0] == "/v1/settlements" else content
    unread(waiting)


@pytest.mark.parametrize("junk", [b"", b"null", b"[]", b"{}", b'{"data": [{}], "has_more": false}', b"<html>"])
def test_junk_rows(waiting: Waiting, junk: bytes) -> None:
    waiting.liar.lie = lambda path, content: junk if path.startswith("/v1/settlements/2/rows") else content
    unread(waiting)


@pytest.mark.parametrize("junk", [b"", b"\x00", b"\x00\x20" + b"x" * 31, b"\x00\x21" + b"x" * 33])
def test_junk_tiles(waiting: Waiting, junk: bytes) -> None:
    waiting.liar.lie = lambda path, content: junk if path.startswith("/log/") else content
    unread(waiting)


def test_rows_for_ever(waiting: Waiting) -> None:
    def endless(path: str, content: bytes) -> bytes:
        if not path.startswith("/v1/settlements/2/rows"):
            return content
        return json.dumps({"data": [], "has_more": True, "next_cursor": "0"}).encode()

    waiting.liar.lie = endless
    assert "cursor" in unread(waiting)


@pytest.mark.parametrize("huge", [2**63, 2**64 - 1, 10**9])
def test_a_log_of_any_size_is_not_fetched_blindly(waiting: Waiting, huge: int) -> None:
    waiting.liar.lie = of_header(log_size=lambda _size: huge)
    unread(waiting)  # the first tile that is not there ends it


def test_nothing_waits(waiting: Waiting) -> None:
    for lie in (
        of_waiting(lambda one: one.pop("header")),
        of_waiting(lambda one: one.update(signed_by=[16])),
        of_waiting(lambda one: one.update(number=9)),
    ):
        waiting.liar.lie = lie
        assert waiting.sign("A")[:2] == (0, ["nothing waits for this partner's signature"])
        code, lines, _ = waiting.sign("A", "--json")
        expected: dict[str, object] = {"status": "nothing", "settlement": None, "header": None, "differences": []}
        assert (code, json.loads(lines[0])) == (0, expected)


def test_json_of_a_signature(waiting: Waiting) -> None:
    code, lines, errors = waiting.sign("A", "--json")
    assert (code, len(lines), errors) == (0, 1, "")
    assert json.loads(lines[0]) == {
        "status": "signed", "settlement": 2, "header": waiting.shown["header_hash"], "differences": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"chain_id": 1, "settlement": "0x00", "size": 0, "peaks": "", "signed": {}}'],
)
def test_a_state_folder_that_cannot_be_trusted(waiting: Waiting, tmp_path: Path, text: str) -> None:
    (tmp_path / "signer.json").write_text(text)
    assert "signer.json" in unread(waiting, state=str(tmp_path))


def test_a_state_folder_of_another_contract(waiting: Waiting, tmp_path: Path) -> None:
    assert waiting.sign("A", state=str(tmp_path))[0] == 0
    waiting.liar.posted.clear()
    data = json.loads((tmp_path / "signer.json").read_text())
    (tmp_path / "signer.json").write_text(json.dumps({**data, "chain_id": data["chain_id"] + 1}))
    assert "belongs to" in unread(waiting, state=str(tmp_path))


def test_keys_that_are_none(waiting: Waiting, tmp_path: Path) -> None:
    unread(waiting, key=str(tmp_path / "missing"))
    unread(waiting, credential=str(tmp_path / "missing"))
    (tmp_path / "short").write_text("0x12")
    unread(waiting, key=str(tmp_path / "short"))
    (tmp_path / "stranger").write_text("0x" + "77" * 32)
    assert "signs for no partner" in unread(waiting, key=str(tmp_path / "stranger"))
    (tmp_path / "odd").write_bytes("żółć\n".encode())
    unread(waiting, credential=str(tmp_path / "odd"))
    (tmp_path / "lines").write_text("cf_a\ncf_b")
    unread(waiting, credential=str(tmp_path / "lines"))


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1", "http://", "http://[::1", "http://127.0.0.1:x"])
def test_urls_that_are_none(waiting: Waiting, url: str) -> None:
    code, _lines, errors = waiting.sign("A", against=url) if url else waiting.sign("A", against=" ")
    assert code == 2
    assert errors.startswith("counterfoil: ")


def test_the_keys_of_one_partner_stay_with_it(waiting: Waiting) -> None:
    """Another's credential shows another's rows: they are not this signer's."""
    code, lines, _ = waiting.sign("A", credential=str(waiting.folder / "B" / "credential"))
    assert code == 1
    assert "  rows: expected entry " in lines[1]
    assert waiting.liar.posted == []


def test_the_real_thing_ends_final(waiting: Waiting) -> None:
    url = waiting.coalition.host.url
    assert [waiting.sign(name, against=url)[0] for name in "AB"] == [0, 0]
    operator = waiting.coalition.operator
    asked(operator.post("/v1/settlements/advance"))
    assert asked(operator.get("/v1/settlements/2"))["state"] == "final"
    assert waiting.sign("C", against=url)[:2] == (0, ["nothing waits for this partner's signature"])
