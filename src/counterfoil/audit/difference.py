"""A difference: why a partner's signer refuses a header."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """What was checked, what this partner finds, what the header says."""

    check: str
    expected: str
    found: str

    def line(self) -> str:
        """For a person."""
        return f"{self.check}: expected {self.expected}, found {self.found}"


def same(check: str, expected: object, found: object) -> Iterator[Difference]:
    """The difference, if there is one."""
    if expected != found:
        yield Difference(check, str(expected), str(found))
