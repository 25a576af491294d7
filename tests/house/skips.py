"""No test is skipped in silence: each skip is printed with its reason, and one not listed fails the run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest

ALLOWED = {
    # reason given by the test : why a run without it is still a full run
    r"COUNTERFOIL_CITUS_DSN is not set": "no registry has Citus; it is tested where a cluster is at hand",
}


@dataclass(eq=False)
class Skips:
    """A pytest plugin, registered in tests/conftest.py."""

    long: bool
    listed: dict[str, str] = field(default_factory=dict)
    unlisted: dict[str, str] = field(default_factory=dict)
    only_long: list[str] = field(default_factory=list)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        if self.long:
            return
        left_out = [item for item in items if item.get_closest_marker("long")]
        self.only_long = [item.nodeid for item in left_out]
        items[:] = [item for item in items if not item.get_closest_marker("long")]
        if left_out:
            config.hook.pytest_deselected(items=left_out)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """When others run the tests (xdist), the process that prints collects nothing itself."""
        self.only_long, listed, unlisted = getattr(node, "workeroutput", {}).get("skips", (self.only_long, {}, {}))
        self.listed |= listed
        self.unlisted |= unlisted

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report.nodeid, report.longrepr)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._note(report.nodeid, report.longrepr)

    def _note(self, name: str, longrepr: object) -> None:
        reason = str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
        known = any(re.search(pattern, reason) for pattern in ALLOWED)
        (self.listed if known else self.unlisted)[name] = reason.removeprefix("Skipped: ")

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["skips"] = self.only_long, self.listed, self.unlisted
        if self.unlisted and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        write = terminalreporter.write_line
        if self.only_long:
            write(f"left out without --long: {', '.join(self.only_long)}", yellow=True)
        for name, reason in self.listed.items():
            write(f"skipped, as tests/house/skips.py allows: {name}: {reason}", yellow=True)
        for name, reason in self.unlisted.items():
            write(f"SKIPPED WITHOUT LEAVE, so this run fails: {name}: {reason}", red=True)
