"""The lock files in deploy/ are what pyproject.toml asks for, every package with its hashes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house import tree

DEPLOY = tree.ROOT / "deploy"
TABLES = tomllib.loads((tree.ROOT / "pyproject.toml").read_text())
RUNTIME: list[str] = TABLES["project"]["dependencies"]
DEMO: list[str] = TABLES["project"]["optional-dependencies"]["demo"]
DEV: list[str] = TABLES["project"]["optional-dependencies"]["dev"]
WANTED = {
    # lock file : the tables of pyproject.toml it answers
    "requirements.txt": RUNTIME,
    "requirements-demo.txt": [*RUNTIME, *DEMO],
    "requirements-dev.txt": [*RUNTIME, *DEMO, *DEV],
    "requirements-build.txt": TABLES["build-system"]["requires"],
}


def pinned(path: Path) -> dict[str, Version]:
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", path.read_text(), re.MULTILINE)
    return {canonicalize_name(package): Version(version) for package, version in pins}


@pytest.mark.parametrize("lock", WANTED)
def test_a_lock_answers_pyproject(lock: str) -> None:
    pins = pinned(DEPLOY / lock)
    wishes = [Requirement(asked) for asked in WANTED[lock]]
    unmet = {
        str(wish)
        for wish in wishes
        if (version := pins.get(canonicalize_name(wish.name))) is None
        or not wish.specifier.contains(version, prereleases=True)
    }
    assert unmet == set()


def test_the_locks_agree_with_each_other() -> None:
    everything = pinned(DEPLOY / "requirements-dev.txt")
    for lock in ("requirements.txt", "requirements-demo.txt"):
        assert pinned(DEPLOY / lock).items() <= everything.items()


@pytest.mark.parametrize("lock", sorted(path.name for path in DEPLOY.glob("requirements*.txt")))
def test_every_pin_has_a_hash(lock: str) -> None:
    text = (DEPLOY / lock).read_text()
    pins = re.findall(r"^[^\s#].*(?:\n .*)*", text, re.MULTILINE)
    assert pins
    assert [pin.splitlines()[0] for pin in pins if "--hash=sha256:" not in pin] == []
