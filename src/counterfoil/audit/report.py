"""Findings, the checks that gave them, and the report: as text, as JSON, as an exit code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Status = Literal["passed", "failed", "not_run"]
PER_CHECK = 20  # findings kept of one check: what is wrong a thousand times is said twenty times


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong. `entry` is an entry's id, `header` the hash of the header that convicts, `leaf` a log index."""

    check: str
    message: str
    settlement: int | None = None
    entry: int | None = None
    header: bytes | None = None
    leaf: int | None = None

    def as_json(self) -> dict[str, object]:
        """Entry as ent_<16 hex>, header as 0x-hex; header and leaf only where there is one."""
        known: dict[str, object] = {
            "check": self.check,
            "message": self.message,
            "settlement": self.settlement,
            "entry": None if self.entry is None else f"ent_{self.entry:016x}",
        }
        if self.header is not None:
            known["header"] = "0x" + self.header.hex()
        if self.leaf is not None:
            known["leaf"] = self.leaf
        return known

    def __str__(self) -> str:
        where = [] if self.settlement is None else [f"settlement {self.settlement}"]
        where += [] if self.leaf is None else [f"leaf {self.leaf}"]
        where += [] if self.entry is None else [f"ent_{self.entry:016x}"]
        where += [] if self.header is None else [f"header 0x{self.header.hex()}"]
        return f"{self.check}: {self.message}" + (f" ({', '.join(where)})" if where else "")


@dataclass(frozen=True, slots=True)
class Check:
    """A check by its stable name; `needs` says what a check that was not run, or not to its end, lacks."""

    name: str
    status: Status
    needs: str | None = None

    def as_json(self) -> dict[str, object]:
        """Name, status, needs."""
        return {"name": self.name, "status": self.status, "needs": self.needs}


@dataclass(frozen=True, slots=True)
class Report:
    """All checks in their order and all findings in the order found."""

    checks: list[Check] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 without findings, else 1."""
        return 1 if self.findings else 0

    def as_json(self) -> dict[str, object]:
        """The shape that `--json` prints."""
        return {
            "checks": [one.as_json() for one in self.checks],
            "findings": [one.as_json() for one in self.findings],
        }

    def as_text(self) -> str:
        """One line per check, then one per finding."""
        words = {"passed": "passed ", "failed": "FAILED ", "not_run": "not run"}
        lines = [
            f"{words[one.status]}  {one.name}" + (f": needs {one.needs}" if one.needs else "") for one in self.checks
        ]
        if self.findings:
            lines += ["", f"{len(self.findings)} findings:" if len(self.findings) > 1 else "1 finding:"]
            lines += [f"  {one}" for one in self.findings]
        else:
            missing = sum(one.status == "not_run" for one in self.checks)
            lines += ["", "no findings" + (f"; {missing} checks were not run" if missing else "")]
        return "\n".join(lines)
