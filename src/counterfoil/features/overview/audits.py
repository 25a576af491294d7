"""The last audit: what `counterfoil audit --json` found, kept beside the books so that the page shows it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from counterfoil.core.calendar import text_instant
from counterfoil.store import json_text
from counterfoil.store.memory import BooksMemory

NAME = "audit"
Status = Literal["passed", "failed", "not_run"]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class Check(BaseModel):
    """One check by its stable name; `needs` says what one that was not run lacks."""

    model_config = ConfigDict(extra="allow")
    name: Text
    status: Status
    needs: Annotated[str, Field(max_length=1_000)] | None = None


class Finding(BaseModel):
    """Something wrong: the check that found it, what it is, and where (settlement, entry, header, leaf)."""

    model_config = ConfigDict(extra="allow")
    check: Text
    message: Annotated[str, Field(max_length=4_000)]

    def where(self) -> dict[str, str]:
        """The facts beside name and message, as text."""
        return {name: _said(value) for name, value in (self.model_extra or {}).items() if value is not None}


class Audit(BaseModel):
    """The output of `counterfoil audit --json`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "checks": [{"name": "log_consistent", "status": "passed", "needs": None}],
                "findings": [],
            }
        },
    )
    checks: Annotated[list[Check], Field(min_length=1, max_length=1_000)]
    findings: Annotated[list[Finding], Field(max_length=10_000)]

    def count(self, status: Status) -> int:
        """Checks that ended so."""
        return sum(check.status == status for check in self.checks)


class KeptAudit(Audit):
    """An audit with the instant it was handed in, RFC 3339."""

    at: Annotated[str, Field(max_length=40)]


class Kept(BaseModel):
    """What was kept."""

    at: str
    passed: int
    failed: int
    not_run: int
    findings: int


def keep(memory: BooksMemory, body: Audit, now: int) -> Kept:
    """Keep an audit instead of the one before."""
    at = text_instant(now)
    memory.remember(NAME, json_text.dumps({**body.model_dump(), "at": at}).decode())
    return Kept(
        at=at, passed=body.count("passed"), failed=body.count("failed"), not_run=body.count("not_run"),
        findings=len(body.findings),
    )  # fmt: skip


def last(memory: BooksMemory) -> tuple[KeptAudit | None, str | None]:
    """The last audit if there is one, and what is wrong with it if it cannot be read."""
    text = memory.recall(NAME)
    if text is None:
        return None, None
    try:
        return KeptAudit.model_validate_json(text), None
    except ValidationError as error:
        first = error.errors()[0]
        return None, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _said(value: object) -> str:
    return value if isinstance(value, str) else json_text.dumps(value).decode()
