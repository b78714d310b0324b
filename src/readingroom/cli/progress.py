"""Progress bars for what takes a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from readingroom.cli.output import Output


def fetch_model(output: Output) -> Path:
    """Return the demo model, fetching it with a progress bar if it is not in the cache."""
    from readingroom.engines.demo_model import fetch

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=output.err, transient=True) as progress:
        task = progress.add_task("Fetching the demo model")
        return fetch(lambda done, total: progress.update(task, completed=done, total=total))


@contextmanager
def counted(output: Output, what: str, done: int, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of so many are done; what is yielded takes the number that is done now."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=output.err, transient=True) as progress:
        task = progress.add_task(what, total=total, completed=done)
        yield lambda count: progress.update(task, completed=count)
