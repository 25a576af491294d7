"""The estimate of breakage: matured cohorts, the default, an accountant's own."""

from __future__ import annotations

import pytest

from counterfoil.core.errors import InvalidRequest
from counterfoil.core.units import NEVER
from counterfoil.insights.breakage import Assumptions, Cohort, Given, Matured, matured


def test_only_what_is_over_counts() -> None:
    cohorts = [Cohort(70, 30, 100), Cohort(1, 2, 101), Cohort(5, 5, NEVER), Cohort(0, 0, 50)]
    assert matured(cohorts, 100) == Matured(1, 70, 30)
    assert matured(cohorts, 101) == Matured(2, 71, 32)
    assert matured([], 100) == Matured()


def test_which_estimate_goes_first() -> None:
    known, none = Matured(1, 2, 1), Matured()
    plain = Assumptions(700)
    assert plain.estimate(16, 1, none) == (700, "default")
    assert plain.estimate(16, 1, known) == (3_333, "matured")  # rounded down
    own = Assumptions(700, (Given(16, 1_000, 2), Given(16, 1_500, 4), Given(17, 9)))
    assert [own.estimate(16, n, known) for n in (1, 2, 3, 4, 9)] == [
        (3_333, "matured"), (1_000, "given"), (1_000, "given"), (1_500, "given"), (1_500, "given"),
    ]  # fmt: skip
    assert own.estimate(17, 1, none) == (9, "given")
    assert own.estimate(18, 1, none) == (700, "default")


@pytest.mark.parametrize("text", ["16:0", "16:10000@7", "20:1234"])
def test_an_estimate_given_in_words(text: str) -> None:
    given = Given.parse(text)
    assert str(given) in {text, f"{text}@1"}


@pytest.mark.parametrize("text", ["", "16", "16:", "16:10001", "a:1", "16:1@", "16:-1", "16:1@x", "16:1 ", "١٦:1"])
def test_no_estimate(text: str) -> None:
    with pytest.raises(InvalidRequest, match="estimate"):
        Given.parse(text)
