"""Bells: how processes beside one SQLite file tell each other at once that something was decided.

SQLite has no NOTIFY. So each listener has a named pipe in a folder beside the database, and who commits a decision
writes a byte into each. A bell carries nothing but "look": what was decided stands in the database, and listeners
look there from time to time in any case. Postgres has `LISTEN` for this.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

CHANNEL = "readingroom"  # the name under which Postgres notifies


def folder(database: str) -> Path:
    """Return where the bells of a SQLite file hang."""
    return Path(f"{database}-bells")


def ring(database: str) -> None:
    """Ring all bells; one whose listener is gone is taken down."""
    with contextlib.suppress(OSError):
        for path in folder(database).iterdir():
            _ring(path)


def _ring(path: Path) -> None:
    try:
        bell = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # nobody reads it any more
        path.unlink(missing_ok=True)
        return
    try:
        os.write(bell, b"!")
    except BlockingIOError:  # it is full: its listener has been told often enough
        pass
    finally:
        os.close(bell)


def hang(database: str, name: str) -> tuple[Path, int]:
    """Hang a bell up; return its path, to be unlinked, and the descriptor on which it is heard, to be closed."""
    path = folder(database) / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    os.mkfifo(path, 0o600)
    return path, os.open(path, os.O_RDWR | os.O_NONBLOCK)  # a writer of our own: without one, it would read as ended
