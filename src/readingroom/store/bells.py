"""Bells: how the processes of one SQLite file tell each other at once that something was decided.

SQLite has no NOTIFY. So each listener has a named pipe, and who commits a decision
writes a byte into each. A bell carries nothing but "look": what was decided stands in the database, and listeners
look there from time to time in any case. Postgres has `LISTEN` for this.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

CHANNEL = "readingroom"  # the name under which Postgres notifies


def folder(database: str) -> Path | None:
    """Return where the bells of a SQLite file hang; None where that folder cannot be trusted.

    They hang in the machine's folder for passing things, not in HOME: whoever copies or searches a house should not
    stumble over pipes. There, only what belongs to the owner of the database counts.
    """
    try:
        real = Path(database).resolve()
        owner = real.stat().st_uid
        name = hashlib.sha256(str(real).encode()).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"readingroom-{owner}-{name}"
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError:
        return None
    return path if stat.S_ISDIR(found.st_mode) and found.st_uid == owner and not found.st_mode & 0o077 else None


def ring(database: str) -> None:
    """Ring all bells; one whose listener is gone is taken down."""
    where = folder(database)
    with contextlib.suppress(OSError):
        for path in where.iterdir() if where else ():
            if not path.name.startswith("."):
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
    """Hang a bell up; return its path, to be unlinked, and the descriptor on which it is heard, to be closed.

    Raises:
        OSError: it cannot be hung.
    """
    where = folder(database)
    if where is None:
        raise PermissionError(f"the folder of bells of {database} belongs to somebody else")
    path, hidden = where / name, where / f".{name}"  # until it is heard: who rings takes down what nobody hears
    os.mkfifo(hidden, 0o600)
    heard = os.open(hidden, os.O_RDWR | os.O_NONBLOCK)  # a writer of our own: without one, it would read as ended
    hidden.rename(path)
    return path, heard
