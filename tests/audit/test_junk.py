"""Whatever bytes the files hold: exit 0, 1 or 2, one line on stderr for 2, never a traceback."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from counterfoil.audit import command, onchain
from counterfoil.audit.onchain import Chain
from counterfoil.chain.client import connect
from tests.audit.coalition import Coalition

Settled = tuple[Coalition, Path, Chain]
NASTY: list[Any] = [
    None, True, 0, -1, 2**53, 2**64, 10**400, 1.5, 1e308, "", "0x", "0xzz", "\ud800".encode("utf-8", "surrogatepass"),
    "0x" + "ff" * 1000, [], {}, [[]], "١٢", "nan", "../../etc/passwd", "a" * 10_000,
]  # fmt: skip


@pytest.fixture
def run(settled: Settled, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Path], int]:
    """The command over a folder; asserts what every run must be like."""
    chain = settled[2]
    monkeypatch.setattr(onchain, "read", lambda _w3, _address: chain)

    def run(copy: Path, *, kept: bool = True) -> int:
        lines = copy / "counterfoils.jsonl" if kept else None
        code = command.run(copy / "public", copy / "sealed", lines, "http://unused", chain.address, as_json=True)
        shown = capsys.readouterr()
        assert code in {0, 1, 2}
        printed = json.loads(shown.out)
        assert ("error" in printed) == (code == 2)
        assert shown.err.count("\n") == (code == 2)
        return code

    return run


def everything(ledger: Path) -> list[Path]:
    return sorted(path.relative_to(ledger) for path in ledger.rglob("*") if path.is_file())


def junk(content: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(content) + 1)
    return dice.choice([
        b"", content[:at], dice.randbytes(at), content + dice.randbytes(9), b"\x00" * len(content), b"[" * 100_000,
        content[:at] + dice.randbytes(8) + content[at + 8 :], content[:at] + b"\xff" * 8 + content[at + 8 :],
        content[:at] + content[at + 1 + at % 40 :],
    ])  # fmt: skip


def test_junk_in_any_file(
    settled: Settled, copy: Path, run: Callable[[Path], int], times: Callable[[int, int], int]
) -> None:
    dice, ledger = random.Random(42), settled[1]
    names = everything(ledger)
    for i in range(times(150, 10_000)):
        name = names[i % len(names)]
        (copy / name).write_bytes(junk((ledger / name).read_bytes(), dice))
        same = (copy / name).read_bytes() == (ledger / name).read_bytes()
        assert run(copy) != 0 or same or name.suffix == ".jsonl", name  # fewer counterfoils are fewer promises
        shutil.copyfile(ledger / name, copy / name)


def test_nasty_values_in_any_json(
    settled: Settled, copy: Path, run: Callable[[Path], int], times: Callable[[int, int], int]
) -> None:
    dice, ledger = random.Random(43), settled[1]
    names = [name for name in everything(ledger) if name.suffix in {".json", ".jsonl"}]
    for i in range(times(150, 10_000)):
        name = names[i % len(names)]
        first, *rest = (ledger / name).read_text().splitlines() if name.suffix == ".jsonl" else [
            (ledger / name).read_text()
        ]  # fmt: skip
        data = json.loads(first)
        value = dice.choice(NASTY)
        node: Any = data
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            key = dice.choice(keys)
            if not isinstance(node[key], dict | list) or not node[key] or not dice.randrange(3):
                break
            node = node[key]
        node[key] = "\ud800" if isinstance(value, bytes) else value
        (copy / name).write_text("\n".join([json.dumps(data), *rest]))
        run(copy)
        shutil.copyfile(ledger / name, copy / name)


def test_files_missing_swapped_or_of_another_kind(settled: Settled, copy: Path, run: Callable[[Path], int]) -> None:
    ledger = settled[1]
    names = everything(ledger)
    kinds: list[Callable[[Path], object]] = [
        Path.mkdir, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to(path), os.mkfifo,
        lambda path: path.symlink_to("/etc/hostname"), lambda path: None,
        lambda path: shutil.copyfile(ledger / names[(names.index(path.relative_to(copy)) + 1) % len(names)], path),
    ]  # fmt: skip
    for name in [one for one in names if not {"000001", "000003", "000004"} & set(one.parts)]:
        for kind in kinds:
            (copy / name).unlink()
            kind(copy / name)
            gone = not os.path.lexists(copy / name)
            optional = "handles" in name.name or "checkpoints" in name.parts  # then checks are not run, or run on less
            assert run(copy) != 0 or (gone and optional), name
            if (copy / name).is_dir() and not (copy / name).is_symlink():
                (copy / name).rmdir()
            (copy / name).unlink(missing_ok=True)
            shutil.copyfile(ledger / name, copy / name)


def test_folders_missing(copy: Path, run: Callable[[Path], int], tmp_path: Path) -> None:
    for name in ("public/settlements", "public/tile", "public/checkpoints", "sealed/settlements", "public", "sealed"):
        shutil.move(copy / name, tmp_path / "aside")
        assert run(copy) != 0 or name == "public/checkpoints"
        (copy / name).write_text("a file where a folder was")
        assert run(copy) != 0
        (copy / name).unlink()
        shutil.move(tmp_path / "aside", copy / name)
    assert run(copy) == 0


def test_a_chain_that_is_not_there(settled: Settled, capsys: pytest.CaptureFixture[str]) -> None:
    made, ledger, chain = settled
    other = "0x" + "12" * 20
    for rpc, address in (("http://127.0.0.1:9", chain.address), ("nonsense", chain.address), ("", chain.address)):
        assert command.run(ledger / "public", None, None, rpc, address, as_json=False) == 2
        shown = capsys.readouterr()
        assert shown.err.startswith("counterfoil: chain cannot be reached")
        assert shown.out == ""
    for address in (other, "0x12", ""):
        assert command.run(ledger / "public", None, None, "", address, as_json=False, w3=made.cycle.w3) == 2
        assert "settlement" in capsys.readouterr().err


def test_a_node_that_talks_nonsense(settled: Settled) -> None:
    made, ledger, chain = settled
    honest = made.embedded.provider
    answers: list[Any] = [None, {}, [], "", "0x", "0x00", 7, {"result": None}, [{"a": 1}]]

    state: dict[str, Any] = {"count": 0, "when": 0, "nonsense": None}

    class Bent(type(honest)):  # type: ignore[misc]
        def make_request(self, method: Any, params: Any) -> Any:
            state["count"] += 1
            bent = state["count"] == state["when"]
            return (
                {"jsonrpc": "2.0", "id": 1, "result": state["nonsense"]}
                if bent
                else honest.make_request(method, params)
            )

    for nonsense in answers:
        for when in (2, 9, 20):
            state |= {"count": 0, "when": when, "nonsense": nonsense}
            bent = object.__new__(Bent)
            bent.__dict__.update(honest.__dict__)
            code = command.run(ledger / "public", None, None, "", chain.address, as_json=True, w3=connect(bent))
            assert code in {0, 1, 2}
