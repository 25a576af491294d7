"""What commands that read exports show on a terminal: a progress bar, and words that any terminal can carry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

Progress = Callable[[str, int, int], None]  # what, done, of how many


def silent(what: str, done: int, total: int) -> None:
    """Shows nothing."""


def plain(text: str) -> str:
    """Text that any terminal and any JSON can carry: names of files may hold bytes that are no text."""
    return text.encode("utf-8", "backslashreplace").decode()


@contextmanager
def progress_bar(*, shown: bool) -> Iterator[Progress]:
    """What shows progress on standard error while the work lasts, or nothing."""
    if not shown:
        yield silent
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=max(done, total))

        yield show
