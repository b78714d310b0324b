"""Where the portal listens: a Unix socket in a folder that nobody else can enter.

Under the system's folder for what is short-lived, since a socket's path may have about a hundred bytes and a HOME's may
have more; and since not every disk that a HOME can be on (a shared or a mounted one) holds sockets. HOME/run/portal
points to it: whoever looks for it finds it there, and so does the next server, should this one be killed.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from pathlib import Path

from readingroom.core.errors import Broken, Problem

_PATH_BYTES = 100  # systems take 103 or 107
_NAME = "socket"
_BACKLOG = 1024
_POINTER = "portal"


def make_place(run: Path) -> Path:
    """Make a folder for the socket, instead of what a dead server left; return the socket's path.

    Args:
        run: HOME/run, of which this process holds the lock.

    Raises:
        Broken: the system's folder for what is short-lived has too long a path, or cannot be written to.
    """
    forget_place(run)
    try:
        folder = Path(tempfile.mkdtemp(prefix="readingroom-portal-"))  # mode 0700
    except OSError as fault:
        cure = "Make room there, or set TMPDIR to a folder that can be written to"
        raise Broken(Problem(tempfile.gettempdir(), f"takes no socket ({fault})", cure)) from None
    path = folder / _NAME
    if len(os.fsencode(path)) > _PATH_BYTES:
        folder.rmdir()
        cure = "Set TMPDIR to a folder with a shorter path"
        raise Broken(Problem(str(folder), "has too long a path for a socket", cure))
    (run / _POINTER).symlink_to(folder)
    return path


def forget_place(run: Path) -> None:
    """Remove the socket, its folder and what points there; of a folder that holds anything else, nothing else."""
    pointer = run / _POINTER
    with contextlib.suppress(OSError):
        folder = pointer.readlink()
        (folder / _NAME).unlink(missing_ok=True)
        folder.rmdir()
    pointer.unlink(missing_ok=True)


def listen_at(path: Path) -> socket.socket:
    """Listen at a path; a dead portal's socket makes way. Only this user can connect."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(_BACKLOG)
    return listener
