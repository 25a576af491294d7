"""Planted bugs: a module's source, or a copy of the pages', with a text replaced."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

from tests.core.verdicts import PAGES

Change = tuple[str, str]


def replaced(text: str, changes: tuple[Change, ...], where: str) -> str:
    for old, new in changes:
        assert old in text, f"{where} has changed: no {old!r} to plant a bug in"
        text = text.replace(old, new)
    return text


def plant(monkeypatch: pytest.MonkeyPatch, module: ModuleType, *changes: Change) -> None:
    """The module's own functions and classes, as its changed source defines them."""
    assert module.__file__
    text = replaced(Path(module.__file__).read_text(encoding="utf-8"), changes, module.__name__)
    made: dict[str, object] = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(text, module.__file__, "exec"), made)
    for name, value in made.items():
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if isinstance(value, type):  # the class stays, so that who imported it by name has the bug as well
            for method, body in vars(value).items():
                if isinstance(body, FunctionType | property | classmethod) and not method.startswith("__"):
                    monkeypatch.setattr(vars(module)[name], method, body)
        else:
            monkeypatch.setattr(module, name, value)


def plant_pages(folder: Path, *changes: tuple[str, str, str]) -> Path:
    """A copy of the pages' modules with (file, old text, new text)."""
    copy = folder / "static"
    shutil.copytree(PAGES, copy)
    for name, old, new in changes:
        text = (copy / name).read_text(encoding="utf-8")
        (copy / name).write_text(replaced(text, ((old, new),), name), encoding="utf-8")
    return copy
