"""One word for one thing: names that say nothing are not used in this house."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.house import tree

EMPTY_WORDS = re.compile(r"(^|_)(utils?|helpers?|managers?|services?|misc|common)($|_)")
EMPTY_ENDINGS = re.compile(r"(Utils?|Helpers?|Managers?|Services?)$")


def test_no_module_or_folder_has_an_empty_name() -> None:
    empty = {
        tree.name(path)
        for path in tree.files()
        for part in path.relative_to(tree.ROOT).parts
        if path.suffix in tree.HAND_WRITTEN and EMPTY_WORDS.search(part.partition(".")[0].lower())
    }
    assert empty == set()


def definitions() -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in tree.python_files():
        for node in ast.walk(tree.syntax(path)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{tree.name(path)}:{node.lineno}: {node.name}", node


def overrides(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Marked `@override`: the name is another library's."""
    marks = {ast.unparse(mark).rpartition(".")[2] for mark in node.decorator_list}
    return "override" in marks


def test_no_class_has_an_empty_name() -> None:
    empty = {
        where for where, node in definitions() if isinstance(node, ast.ClassDef) and EMPTY_ENDINGS.search(node.name)
    }
    assert empty == set()


def test_no_function_is_named_get_something() -> None:
    getters = {
        where
        for where, node in definitions()
        if not isinstance(node, ast.ClassDef) and node.name.startswith(("get_", "_get_")) and not overrides(node)
    }
    assert getters == set()


def test_every_package_says_what_its_room_is_for() -> None:
    silent = {
        tree.name(path)
        for path in tree.source_files()
        if path.stem == "__init__" and not ast.get_docstring(tree.syntax(path))
    }
    assert silent == set()
