"""The posting writer: one thread per gateway process that takes everything waiting into one transaction.

What queued while the last commit ran is the next batch. A till's single operation and a batch of thousands go the same
way, each with its own answer after the commit. Alone, an operation never waits; after a commit that answered several
requests those who were answered get a moment to come back (PostgreSQL's commit_delay with commit_siblings is the same
thought): with 64 clients that made transactions twice as large and each operation a fifth cheaper.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError

from counterfoil.core.errors import Unreachable
from counterfoil.core.journal import GroupFull
from counterfoil.core.operation import Answer, Operation
from counterfoil.store import bulk
from counterfoil.store.engine import is_conflict
from counterfoil.store.posting import Group, Poster

MAX_BATCH = 4_000  # operations gathered into one transaction; one request may bring more
LINGER_SECONDS = 0.002
_TRIES = 5
_log = structlog.get_logger("writer")

Result = tuple[list[Answer], Group | None]


Done = Callable[[Result | Exception], None]


@dataclass(slots=True)
class _Job:
    operations: Sequence[Operation]
    done: Done


class Writer:
    """Owns the thread. `submit` may be called from any thread; `close` answers what is waiting, then stops."""

    def __init__(self, poster: Poster, on_commit: Callable[[int, float], None] = lambda count, seconds: None) -> None:
        self._poster, self._on_commit = poster, on_commit
        self._waiting: SimpleQueue[_Job | None] = SimpleQueue()  # None: nothing will follow
        self._next: _Job | None = None  # taken, but one too many for the batch before
        self._door = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="posting-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return self._waiting.qsize()

    def submit(self, operations: Sequence[Operation]) -> Future[Result]:
        """The answers of these operations, in order, once they are committed. They share one transaction."""
        future: Future[Result] = Future()
        future.set_running_or_notify_cancel()  # what is in the queue is carried out: nobody can take it back

        def done(outcome: Result | Exception) -> None:
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self.put(operations, done)
        return future

    def put(self, operations: Sequence[Operation], done: Done) -> None:
        """The same for who needs no future: `done` is called in the writer's thread, and must neither wait nor raise."""
        with self._door:
            if self._closed:
                raise Unreachable("books", "the posting writer is closing")
            self._waiting.put(_Job(operations, done))

    def close(self) -> None:
        """Finish what waits and stop the thread."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        busy = False
        while jobs := self._batch(busy):
            self._carry_out(jobs)
            busy = len(jobs) > 1

    def _batch(self, busy: bool) -> list[_Job]:
        """All that waits, up to MAX_BATCH operations, and at least one job; empty: the end."""
        job = self._next or self._waiting.get()
        if busy and self._next is None:
            time.sleep(LINGER_SECONDS)
        jobs: list[_Job] = []
        count = 0
        while job is not None and (not jobs or count + len(job.operations) <= MAX_BATCH):
            jobs.append(job)
            count += len(job.operations)
            try:
                job = self._waiting.get_nowait()
            except Empty:
                self._next = None
                return jobs
        if job is None and jobs:
            self._waiting.put(None)  # to be read again, after these
        self._next = job
        return jobs

    def _carry_out(self, jobs: list[_Job]) -> None:
        operations = [op for job in jobs for op in job.operations]
        start = time.perf_counter()
        try:
            answers, group = self._post(operations)
            self._on_commit(len(operations), time.perf_counter() - start)
        except Exception as error:  # noqa: BLE001 whatever it is, it belongs to those who wait, never to the thread
            if len(jobs) == 1:
                _log.error("batch_failed", operations=len(operations), error=repr(error))
                jobs[0].done(error)
            else:  # one poison operation must not fail its neighbours
                for job in jobs:
                    self._carry_out([job])
            return
        at = 0
        for job in jobs:
            end = at + len(job.operations)
            job.done((answers[at:end], group))
            at = end

    def _post(self, operations: Sequence[Operation]) -> Result:
        """One transaction, or several if they need more than one group: then without a group."""
        for left in reversed(range(_TRIES)):
            try:
                return self._poster.post(operations)
            except GroupFull:  # what came due with these operations may be many times as much
                if len(operations) == 1:
                    raise
                middle = len(operations) // 2
                parts = [self._post(operations[:middle]), self._post(operations[middle:])]
                return [answer for answers, _group in parts for answer in answers], None
            except bulk.Lost:
                if not left:
                    raise
            except DBAPIError as error:
                if left and is_conflict(error):
                    continue
                if isinstance(error, OperationalError):
                    raise Unreachable("books", str(error.orig).splitlines()[0]) from error
                raise
        raise AssertionError("unreachable")
