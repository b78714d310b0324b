"""Progress bars for what takes a while."""

from __future__ import annotations

from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from readingroom.cli.output import Output


def fetch_model(output: Output) -> Path:
    """Return the demo model, fetching it with a progress bar if it is not in the cache."""
    from readingroom.engines.demo_model import fetch

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=output.err, transient=True) as progress:
        task = progress.add_task("Fetching the demo model")
        return fetch(lambda done, total: progress.update(task, completed=done, total=total))
