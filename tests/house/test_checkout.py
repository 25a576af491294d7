"""What a clone holds: few things at the top, a test folder per floor, nothing of anyone's machine."""

from __future__ import annotations

import re

import pytest

from tests.house import tree

TOP_LEVEL = {"README.md", "pyproject.toml", "LICENSE", "contracts", "src", "tests", "scripts", "deploy"}
BINARY = {".png", ".ico", ".woff2", ".gz", ".parquet", ".db"}

# The patterns are written so that they do not find themselves.
REGISTRIES = re.compile(
    r"(?:files\.)python[h]osted\.org|\b(?:test\.)?py[p]i\.org|registry\.(?:np[m]js|yarn[p]kg)\.(?:org|com)"
    r"|proxy\.go[l]ang\.org|index\.cr[a]tes\.io|deb\.deb[i]an\.org|\"resolv[e]d\":"
)
MACHINE_PATHS = re.compile(r"(?<![\w.}/-])/(?:ro[o]t|wo[r]k|op[t]/py|ho[m]e/[a-z]|Us[e]rs/\w)(?=[/\"'\s\w])")
PRIVATE_KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIV[A]TE KEY-----"
    r"|(?i:private|secret|priv)[\w\[\]\"']{0,20}\s*[:=(]\s*[\"'bx]{0,3}(?:0x)?[0-9a-fA-F]{64}\b"
    r"|ac0974bec39a17e36ba4a6b4d238f[f]944"  # the first account of every anvil
)
MARK = re.compile(r"test[ _-]?key", re.IGNORECASE)


def test_the_top_level_holds_only_what_it_should() -> None:
    tops = {path.relative_to(tree.ROOT).parts[0] for path in tree.files()}
    assert {top for top in tops if not top.startswith(".")} - TOP_LEVEL == set()


def test_every_floor_has_its_tests() -> None:
    tested = {
        path.relative_to(tree.ROOT).parts[1]
        for path in tree.files()
        if path.match("test_*.py") and path.is_relative_to(tree.ROOT / "tests")
    }
    assert tree.floors() - tested == set()


def matches(pattern: re.Pattern[str]) -> list[str]:
    """Where it stands; a private key may, if its line or one of the two before says that it is a test key."""
    found = []
    for path in tree.files():
        if path.suffix in BINARY:
            continue
        rows = path.read_text(errors="replace").splitlines()
        for number, row in enumerate(rows):
            marked = MARK.search("\n".join(rows[max(0, number - 2) : number + 1]))
            if pattern.search(row) and not (marked and pattern is PRIVATE_KEYS):
                found.append(f"{tree.name(path)}:{number + 1}")
    return found


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(REGISTRIES, id="addresses of registries"),
        pytest.param(MACHINE_PATHS, id="paths of a machine"),
        pytest.param(PRIVATE_KEYS, id="private keys"),
    ],
)
def test_nothing_of_a_machine_is_committed(pattern: re.Pattern[str]) -> None:
    assert matches(pattern) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (REGISTRIES, "https://registry.np" + "mjs.org/solc"),
        (MACHINE_PATHS, "data = '/ro" + "ot/data'"),
        (MACHINE_PATHS, "cd /ho" + "me/ada/counterfoil"),
        (PRIVATE_KEYS, "-----BEGIN EC PRIV" + "ATE KEY-----"),
        (PRIVATE_KEYS, "private_key = '0x" + "1f" * 32 + "'"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)
