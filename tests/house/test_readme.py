"""README is held to the house: its tree, the verbs of the command line, the settings."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from tests.house import tree

README = tree.ROOT / "README.md"
TREE_LINE = re.compile(r"^(?P<indent> *)(?P<names>\S+(?:/|\.py)(?: \S+(?:/|\.py))*)(?:  +(?P<caption>\S.*))?$")
OTHER_VARIABLES = {"COUNTERFOIL_TEST_DSN", "COUNTERFOIL_CITUS_DSN"}  # read by the tests


def readme_tree() -> dict[Path, str]:
    """Path to caption, from the fenced block that draws src/counterfoil; deeper means inside."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    drawing = next((block for block in blocks if "src/counterfoil/" in block), None)
    if drawing is None:
        pytest.fail("README.md has no fenced block that draws src/counterfoil/")
    captions: dict[Path, str] = {}
    folders: list[tuple[int, Path]] = []
    for line in drawing.splitlines():
        match = TREE_LINE.match(line)
        if match is None:
            continue  # a caption's second line
        indent = len(match["indent"])
        folders = [folder for folder in folders if folder[0] < indent]
        inside = folders[-1][1] if folders else tree.ROOT
        for entry in match["names"].split(" "):
            captions[inside / entry] = match["caption"] or ""
            if entry.endswith("/"):
                folders.append((indent, inside / entry))
    return captions


def test_every_path_in_the_tree_exists() -> None:
    assert {tree.name(path) for path in readme_tree() if not path.exists()} == set()


def test_every_path_in_the_tree_has_a_caption() -> None:
    captions = readme_tree()
    assert {tree.name(path) for path in captions if not captions[path] and path != tree.PACKAGE} == set()


def test_the_tree_shows_every_room() -> None:
    rooms = {
        tree.PACKAGE / path.relative_to(tree.PACKAGE).parts[0]
        for path in tree.files()
        if path.is_relative_to(tree.PACKAGE) and path.name not in {"__init__.py", "py.typed"}
    }
    assert {tree.name(room) for room in rooms - readme_tree().keys()} == set()


def test_the_tree_shows_the_top_level() -> None:
    tops = {tree.ROOT / path.relative_to(tree.ROOT).parts[0] for path in tree.files()}
    folders = {top for top in tops if top.is_dir() and not top.name.startswith(".")}
    shown = {path for drawn in readme_tree() for path in (drawn, *drawn.parents)}
    assert {tree.name(folder) for folder in folders - shown} == set()


def verbs() -> set[str]:
    typer_main = importlib.import_module("typer.main")
    command = typer_main.get_command(importlib.import_module("counterfoil.cli").app)
    return {verb for verb, made in command.commands.items() if not made.hidden}


def test_readme_names_every_verb_and_no_other() -> None:
    spans = re.findall(r"^```[^\n]*\n.*?^```|`[^`\n]+`", README.read_text(), re.MULTILINE | re.DOTALL)
    named = {verb for span in spans for verb in re.findall(r"(?<![\w./-])counterfoil ([a-z][a-z-]*)", span)}
    assert named == verbs()


def test_readme_names_every_setting_and_no_other() -> None:
    settings = importlib.import_module("counterfoil.settings").Settings
    prefix = settings.model_config["env_prefix"].upper()
    variables = {prefix + name.upper() for name in settings.model_fields}
    named = set(re.findall(r"\bCOUNTERFOIL_[A-Z0-9_]*[A-Z0-9]\b", README.read_text()))
    assert named - OTHER_VARIABLES == variables
