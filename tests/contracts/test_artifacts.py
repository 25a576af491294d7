"""The committed artefacts are what the sources give, wherever they are compiled."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from counterfoil.chain.artifacts import load

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = Path("src/counterfoil/chain/artifacts")


def check(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "scripts/compile"), "--check"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_sources_give_the_committed_artefacts() -> None:
    """Installs the npm packages if they are missing; a failure to do so fails here."""
    done = check(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "8 artefacts are what the sources give\n"


def test_a_difference_is_found_and_named(tmp_path: Path) -> None:
    for folder in ("contracts", "scripts", ARTIFACTS, "tests/contracts/artifacts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    (tmp_path / "contracts/node_modules").symlink_to(ROOT / "contracts/node_modules")
    changed = tmp_path / ARTIFACTS / "Points.json"
    content = json.loads(changed.read_text())
    content["runtime"] += "00"
    changed.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    (tmp_path / ARTIFACTS / "TestMoney.json").unlink()
    (tmp_path / ARTIFACTS / "Forgotten.json").write_text("{}")

    done = check(tmp_path)
    size = len(load("Points").runtime)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"{ARTIFACTS}/Points.json: runtime differs: {size + 1} bytes committed, {size} rebuilt",
        f"{ARTIFACTS}/TestMoney.json: missing",
        f"{ARTIFACTS}/Forgotten.json: no contract gives this",
    ]


@pytest.mark.parametrize("path", sorted((ROOT / ARTIFACTS).glob("*.json")), ids=lambda path: path.stem)
def test_an_artefact_names_its_compiler_and_no_machine(path: Path) -> None:
    text = path.read_text()
    content = json.loads(text)
    assert text == json.dumps(content, indent=1, sort_keys=True) + "\n"
    assert content["contract"] == path.stem
    assert content["compiler"].startswith("0.8.37+commit.")
    assert content["settings"]["evmVersion"] == "prague"
    assert content["source"] in content["keccak256"]
    assert all(not unit.startswith("/") for unit in content["keccak256"])


def test_the_lock_file_names_no_registry() -> None:
    packages = json.loads((ROOT / "contracts/package-lock.json").read_text())["packages"]
    assert not any("resolved" in package for package in packages.values())
    assert all("integrity" in package for name, package in packages.items() if name)
    assert not any("funding" in package for package in packages.values())  # nor a person to pay


def test_an_artefact_is_loaded_once() -> None:
    assert load("Settlement") is load("Settlement")
    with pytest.raises(FileNotFoundError):
        load("Nothing")
