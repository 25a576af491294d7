"""The worker: a thread that sequences the log and steps the cycle, and keeps the last trouble for /readyz and metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from counterfoil.chain.client import Reverted
from counterfoil.core.errors import CounterfoilError
from counterfoil.settlement.cycle import Cycle
from counterfoil.store import sequencer

_log = structlog.get_logger("settlement")


class Worker:
    """Runs one step at a time; `nudge` makes it look at once. `trouble` is None while all is well."""

    def __init__(
        self, cycle: Cycle, seconds: float = 1.0, note: Callable[[int, bytes], None] = lambda size, root: None
    ) -> None:
        self.cycle, self._seconds, self._note, self.trouble = cycle, seconds, note, None
        self._wake, self._closed = threading.Event(), False
        self.lock = threading.Lock()  # the cycle is stepped by one thread at a time
        self._thread = threading.Thread(target=self._run, name="settlement-worker", daemon=True)
        self._thread.start()

    trouble: str | None

    def nudge(self) -> None:
        """Look now."""
        self._wake.set()

    def advance(self) -> None:
        """Do everything due, in the caller's thread."""
        with self.lock:
            self.cycle.run()

    def close(self) -> None:
        """Stop after the step under way."""
        self._closed = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed:
            try:
                self.cycle.assert_writable()
                self._note(*sequencer.sequence(self.cycle.engine, self.cycle.crash))
                self.advance()
                self.trouble = None
            except (CounterfoilError, Reverted) as error:
                self._report(str(error))
            except Exception as error:  # noqa: BLE001 the worker must outlive what it did not foresee, and say so
                self._report(f"{type(error).__name__}: {error}")
            self._wake.wait(self._seconds)
            self._wake.clear()

    def _report(self, trouble: str) -> None:
        if trouble != self.trouble:
            _log.warning("settlement_trouble", trouble=trouble)
        self.trouble = trouble
