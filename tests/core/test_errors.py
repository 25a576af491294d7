"""Every error says something over its facts, and its facts are JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields

import pytest

from counterfoil.core import errors, limits, refusals
from counterfoil.core.errors import CounterfoilError, Refusal, Unreachable, Unreadable


def below(root: type[CounterfoilError]) -> Iterator[type[CounterfoilError]]:
    for child in root.__subclasses__():
        if child.__module__ in {errors.__name__, limits.__name__, refusals.__name__}:
            yield child
            yield from below(child)


CLASSES = sorted(below(CounterfoilError), key=lambda made: made.__name__)
CONCRETE = [made for made in CLASSES if "code" in vars(made)]


def instance(made: type[CounterfoilError]) -> CounterfoilError:
    """With a value of its own for each fact that has no default."""
    given: dict[str, object] = {
        fact.name: {"int": 7, "list[str]": ["<a>", "<b>"]}.get(str(fact.type), f"<{fact.name}>")
        for fact in fields(made)
        if fact.default is MISSING and fact.default_factory is MISSING
    }
    return made(**given)


@pytest.mark.parametrize("made", CONCRETE)
def test_an_error_says_its_facts(made: type[CounterfoilError]) -> None:
    error = instance(made)
    names = re.findall(r"{(\w+)}", made.says)
    facts = error.facts()
    assert set(names) <= set(facts)
    for name in names:
        assert str(facts[name]) in str(error)
    assert "{" not in str(error)
    assert json.loads(json.dumps(facts)) == facts
    assert all(fact.name in facts for fact in fields(made))


def test_all_but_the_two_walls_are_refusals() -> None:
    assert [made for made in CLASSES if not issubclass(made, Refusal)] == [Unreachable, Unreadable]
    assert len(CONCRETE) == len({made.code for made in CONCRETE})


@pytest.mark.parametrize("made", [made for made in CONCRETE if issubclass(made, Refusal)])
def test_a_refusal_names_a_field(made: type[CounterfoilError]) -> None:
    assert instance(made).facts()["field"]


def test_what_is_unknown_names_its_field() -> None:
    assert errors.UnknownHold("hld_1").facts() == {"value": "hld_1", "field": "hold"}
    assert errors.UnknownMember("x", "recipient").field == "recipient"
    assert str(errors.UnknownEarn("S1")) == "earn: this partner has made no earn S1"


def test_the_root_has_no_facts() -> None:
    error = CounterfoilError()
    assert (error.code, error.facts()) == ("internal_error", {})
    assert str(error) == CounterfoilError.says


def test_errors_are_compared_by_identity_and_can_be_raised() -> None:
    one, other = Unreadable("a", "b"), Unreadable("a", "b")
    assert one != other
    assert len({one, other}) == 2
    with pytest.raises(CounterfoilError, match="a: b"):
        raise one
