"""The partner's signer, against a gateway that is honest and through one that lies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from counterfoil.audit import signer as signing
from counterfoil.chain.signer import recover
from counterfoil.core import netting
from counterfoil.rehearsal.coalition import asked
from tests.gateway.liar import Lie, of_json
from tests.gateway.waiting import Waiting, of_header, of_waiting, waiting_for_signatures

ROWS = "/v1/settlements/2/rows"


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiting]:
    with waiting_for_signatures(tmp_path_factory.mktemp("signers")) as here:
        yield here


@pytest.fixture
def waiting(coalition: Waiting) -> Iterator[Waiting]:
    coalition.liar.posted.clear()
    yield coalition
    coalition.liar.lie, coalition.liar.status = (lambda _path, content: content), 0


def moved(numbers: dict[int, int], *names: str) -> Lie:
    """Micro-units moved between parties, in gross words and outcome alike, or in the fields named."""

    def change(packed: str) -> str:
        words = netting.unpack(bytes.fromhex(packed[2:]))
        after = {number: words.get(number, 0) + numbers.get(number, 0) for number in {*words, *numbers}}
        return "0x" + netting.pack({number: word for number, word in sorted(after.items()) if word}).hex()

    return of_header(**dict.fromkeys(names or ("gross", "positions"), change))


def flipped(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def test_an_honest_header_is_signed(waiting: Waiting) -> None:
    for name in "ABC":
        code, lines, _ = waiting.sign(name)
        assert (code, lines) == (0, [f"settlement 2: signed header {waiting.shown['header_hash']}"])
    digest = waiting.header().digest(waiting.shown["chain_id"], waiting.shown["settlement"])
    for name, (path, body) in zip("ABC", waiting.liar.posted, strict=True):
        assert path == "/v1/settlements/2/signatures"
        signed = bytes.fromhex(body["signature"][2:])
        assert recover(digest, signed) == waiting.coalition.partners[name].signer.address


@pytest.mark.parametrize("micros", [1, -1, 10_000])
def test_one_micro_unit_gets_no_signature_from_those_concerned(waiting: Waiting, micros: int) -> None:
    a, b = (waiting.coalition.partners[name].number for name in "AB")
    waiting.liar.lie = moved({a: micros, b: -micros})
    gross = netting.unpack(waiting.header().closing.gross)
    for name, number, change in (("A", a, micros), ("B", b, -micros)):
        code, lines, _ = waiting.sign(name)
        assert code == 1
        assert lines[0].startswith("settlement 2: refused header 0x")
        assert lines[1:] == [f"  position: expected {gross[number]}, found {gross[number] + change}"]
    assert waiting.liar.posted == []
    assert waiting.sign("C")[0] == 0  # whose word is right


def test_canary_without_the_position_check_the_lie_is_signed(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = (waiting.coalition.partners[name].number for name in "AB")
    waiting.liar.lie = moved({a: 1, b: -1})
    monkeypatch.setattr(signing, "_position", lambda *_: iter(()))
    assert waiting.sign("A")[0] == 0
    assert len(waiting.liar.posted) == 1


LIES: dict[str, tuple[Lie, str]] = {
    "log root": (of_header(log_root=flipped), "log"),
    "log size": (of_header(log_size=lambda size: size - 1), "log"),
    "log shrunk": (of_header(log_size=lambda _size: 1), "log"),
    "previous header": (of_header(previous_header=flipped), "previous_header"),
    "previous closing": (of_header(previous_closing=flipped), "previous_closing"),
    "attempt": (of_header(attempt=lambda attempt: attempt + 1), "attempt"),
    "programme": (of_header(programme=flipped), "programme"),
    "claim root": (of_header(claim_root=flipped), "claim_root"),
    "outcome": (moved({16: 1, 17: -1}, "positions"), "outcome"),
    "gross": (moved({16: 1, 17: -1}, "gross"), "position"),
    "no outcome": (of_header(positions=lambda _packed: "0x"), "outcome"),
    "defaults": (of_header(defaults=lambda _packed: "0x0010"), "defaults"),
    "collateral block": (of_header(collateral_block_hash=flipped), "collateral_block"),
    "withdrawn": (of_header(supply=lambda packed: packed[: 2 + 64 * 3] + "0" * 63 + "1" + packed[2 + 64 * 4 :]), "supply"),
    "manifest": (of_header(manifest=flipped), "manifest"),
    "file": (of_waiting(lambda one: one["files"][0].update(size=1)), "manifest"),
    "file hash": (of_waiting(lambda one: one["files"][1].update(sha256=flipped(one["files"][1]["sha256"]))), "manifest"),
    "row removed": (of_json(ROWS, lambda page: page["data"].pop()), "position"),
    "all rows removed": (of_json(ROWS, lambda page: page.update(data=[])), "position"),
    "row twice": (of_json(ROWS, lambda page: page["data"].append(page["data"][0])), "rows"),
    "row at another leaf": (of_json(ROWS, lambda page: page["data"][-1].update(leaf=page["data"][-1]["leaf"] + 1)), "rows"),
    "row before the settlement": (of_json(ROWS, lambda page: page["data"][0].update(leaf=0)), "rows"),
    "row altered": (of_json(ROWS, lambda page: page["data"][0].update(body=flipped(page["data"][0]["body"]))), "rows"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_refused_and_named(waiting: Waiting, name: str) -> None:
    waiting.liar.lie, check = LIES[name]
    code, lines, errors = waiting.sign("A", "--json")
    assert code in {1, 2}
    assert waiting.liar.posted == []
    told = json.loads(lines[0])
    if code == 1:
        assert (told["status"], told["settlement"]) == ("refused", 2)
        assert check in {one["check"] for one in told["differences"]}
        assert all(one["expected"] != one["found"] for one in told["differences"])
    else:  # what is no entry at all cannot be compared
        assert name == "row altered"
        assert told["status"] == "error"
        assert errors.startswith("counterfoil: ")


def test_an_entry_of_another_partner_is_not_its_own(waiting: Waiting) -> None:
    theirs = asked(waiting.coalition.partners["B"].client.get(f"{ROWS}?limit=10"))["data"][0]
    waiting.liar.lie = of_json(ROWS, lambda page: page["data"].insert(1, theirs))
    code, lines, _ = waiting.sign("A")
    assert code == 1
    assert "  rows: expected entry " in lines[1]


def test_a_rewritten_leaf_of_what_was_signed_is_noticed(waiting: Waiting) -> None:
    """The signer keeps the log as of its last signature; with none, it starts where the contract stands."""

    def rewritten(path: str, content: bytes) -> bytes:
        return content[:2] + bytes([content[2] ^ 1]) + content[3:] if "entries" in path else content

    waiting.liar.lie = rewritten
    for state in (None, waiting.folder / "A" / "kept"):
        more = {"state": str(state)} if state else {}
        code, lines, _ = waiting.sign("A", **more)
        if state is None:
            assert code == 1
            assert any(line.startswith("  log: expected ") for line in lines[1:])
        else:  # what it signed before is not asked for again
            assert code == 0


def test_signed_before_another_header_for_the_same_number(waiting: Waiting, tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    assert waiting.sign("A", state=state)[0] == 0
    assert waiting.sign("A", state=state)[0] == 0  # the same header again is no other
    waiting.liar.lie = of_header(manifest=flipped)
    code, lines, _ = waiting.sign("A", state=state)
    assert code == 1
    assert lines[1].startswith(f"  already_signed: expected {waiting.shown['header_hash']}, found 0x")
    kept = json.loads((tmp_path / "state" / "signer.json").read_text())
    assert kept["signed"] == {"2:1": waiting.shown["header_hash"]}


def test_it_is_written_down_before_it_leaves(waiting: Waiting, tmp_path: Path) -> None:
    waiting.liar.status = 500
    assert waiting.sign("A", state=str(tmp_path / "none"))[0] == 2  # nothing was read: nothing is kept
    assert not (tmp_path / "none").exists()
    waiting.liar.status = 0
    seen: list[bool] = []

    def look(_path: str, content: bytes) -> bytes:
        seen.append((tmp_path / "kept").exists())
        return content

    waiting.liar.lie = look
    assert waiting.sign("A", state=str(tmp_path / "kept"))[0] == 0
    assert not any(seen)
    assert (tmp_path / "kept" / "signer.json").exists()
