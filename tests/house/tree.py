"""What is in the checkout: the files git knows or would add, and their Python read as syntax trees."""

from __future__ import annotations

import ast
import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "counterfoil"
HAND_WRITTEN = {".py", ".sol", ".js", ".mjs", ".cjs", ".ts"}
SOURCE_LINES_MAX = 299


@functools.cache
def files() -> tuple[Path, ...]:
    """Tracked files and new ones that git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    paths = {ROOT / name for name in listed.split("\0") if name}
    return tuple(sorted(path for path in paths if path.is_file()))


def is_python(path: Path) -> bool:
    if path.suffix == ".py":
        return True
    return path.suffix == "" and path.parent.name == "scripts" and "python" in first_line(path)


def is_script(path: Path) -> bool:
    return path.suffix == "" and first_line(path).startswith("#!")


def first_line(path: Path) -> str:
    with path.open("rb") as opened:
        return opened.readline(200).decode(errors="replace")


@functools.cache
def python_files() -> tuple[Path, ...]:
    return tuple(path for path in files() if is_python(path))


@functools.cache
def source_files() -> tuple[Path, ...]:
    """The Python of src/ alone."""
    return tuple(path for path in python_files() if path.is_relative_to(PACKAGE))


@functools.cache
def syntax(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def floor(path: Path) -> str:
    """The room a source file is in: `store`, or `cli` for a module of its own."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def floors() -> set[str]:
    """The folders of src/counterfoil that hold Python."""
    return {path.relative_to(PACKAGE).parts[0] for path in source_files() if path.parent != PACKAGE}


@functools.cache
def imported(path: Path) -> set[str]:
    """Every absolute module name a file imports, wherever in it the import stands."""
    found: set[str] = set()
    package = path.relative_to(PACKAGE.parent).parent.parts
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found.update(f"{module}.{alias.name}" for alias in node.names)
    return found


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def sizes() -> list[tuple[int, Path]]:
    """Hand-written source, the largest first."""
    source = [path for path in files() if path.suffix in HAND_WRITTEN or is_script(path)]
    return sorted(((lines(path), path) for path in source), key=lambda size: (-size[0], name(size[1])))


def main() -> None:
    """Print the largest files: `python -m tests.house.tree`."""
    table = sizes()
    over = sum(count > SOURCE_LINES_MAX for count, _ in table)
    middle = table[len(table) // 2][0]
    print(f"The largest of {len(table)} hand-written files; median {middle} lines, limit {SOURCE_LINES_MAX}:")
    for count, path in table[: max(12, over)]:
        print(f"  {count:>5}  {name(path)}{'   TOO LONG' if count > SOURCE_LINES_MAX else ''}")


if __name__ == "__main__":
    main()
