"""The last audit: what `counterfoil audit --json` found, kept beside the books so that the page can show it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator

from counterfoil.core.calendar import text_instant
from counterfoil.store import json_text
from counterfoil.store.memory import BooksMemory

NAME = "audit"
STATUSES = ("passed", "failed", "not_run")
Text = Annotated[str, Field(min_length=1, max_length=200)]


class Check(BaseModel):
    """One check: its name and how it ended; other facts are kept as they are."""

    model_config = ConfigDict(extra="allow")
    name: Annotated[Text, Field(validation_alias=AliasChoices("name", "check"))]
    status: Annotated[str, Field(validation_alias=AliasChoices("status", "result", "outcome"))]

    @field_validator("status")
    @classmethod
    def known(cls, value: str) -> str:
        """Written with a space or an underscore, it is the same."""
        status = value.replace(" ", "_").replace("-", "_")
        if status not in STATUSES:
            raise ValueError("must be passed, failed or not_run")
        return status


class Finding(BaseModel):
    """What a check found: the check's name and the facts."""

    model_config = ConfigDict(extra="allow")
    check: Annotated[Text, Field(validation_alias=AliasChoices("check", "name"))]

    def facts(self) -> dict[str, str]:
        """The facts beside the name, as text."""
        return {name: _said(value) for name, value in (self.model_extra or {}).items() if value is not None}


class Audit(BaseModel):
    """The output of `counterfoil audit --json`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {"checks": [{"name": "log_consistent", "status": "passed"}], "findings": []}
        },
    )
    checks: Annotated[list[Check], Field(min_length=1, max_length=1_000)]
    findings: Annotated[list[Finding], Field(max_length=10_000)] = []

    def count(self, status: str) -> int:
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
    data: dict[str, Any] = {**body.model_dump(), "at": text_instant(now)}
    memory.remember(NAME, json_text.dumps(data).decode())
    counts = {status: body.count(status) for status in STATUSES}
    return Kept(at=data["at"], findings=len(body.findings), **counts)


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
