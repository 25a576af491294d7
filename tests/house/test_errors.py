"""Each error has one code, each code one row in the gateway's table."""

from __future__ import annotations

import collections
import importlib
import re
from http import HTTPStatus

from tests.house import tree


def coded() -> dict[type[Exception], str]:
    """The classes of core/errors.py, core/refusals.py and core/limits.py that set a code of their own."""
    rooms = [importlib.import_module(f"counterfoil.core.{name}") for name in ("errors", "refusals", "limits")]
    return {
        made: vars(made)["code"]
        for room in rooms
        for made in vars(room).values()
        if isinstance(made, type)
        and issubclass(made, Exception)
        and made.__module__ == room.__name__
        and isinstance(vars(made).get("code"), str)
    }


def status() -> dict[str, int]:
    found: dict[str, int] = importlib.import_module("counterfoil.gateway.problems").STATUS
    return found


def test_there_is_a_tree_of_errors() -> None:
    assert len(coded()) > 1


def test_no_code_is_used_twice() -> None:
    counted = collections.Counter(coded().values())
    assert {code for code, count in counted.items() if count > 1} == set()


def test_codes_are_snake_case() -> None:
    assert {code for code in coded().values() if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", code)} == set()


def test_every_code_has_a_status_and_every_status_a_code() -> None:
    assert set(status()) == set(coded().values())


def test_every_status_is_an_error_of_http() -> None:
    real = {int(known) for known in HTTPStatus if known >= HTTPStatus.BAD_REQUEST}
    assert {code: number for code, number in status().items() if number not in real} == {}


def test_the_table_is_the_only_place_where_a_code_meets_a_status() -> None:
    """HTTP has no place in an error: core/errors.py knows no status."""
    text = (tree.PACKAGE / "core" / "errors.py").read_text()
    assert re.findall(r"\bstatus\w*\s*[:=]|HTTPStatus", text) == []
