"""Files that are there whole or not at all, whatever cuts the writing off: a full disk, a kill, a power cut.

Only their owner can read them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet.

    Raises:
        FileExistsError: it is; nothing was changed.
        OSError: it cannot be written.
    """
    with _draft(path, data) as draft:
        os.link(draft, path)


def write_over(path: Path, data: bytes) -> None:
    """Write a file, in the place of what is there.

    Raises:
        OSError: it cannot be written; what was there still is.
    """
    with _draft(path, data) as draft:
        draft.replace(path)


@contextmanager
def _draft(path: Path, data: bytes) -> Iterator[Path]:
    """Write a draft beside the file, down to the disk, and settle the folder once it is in its place."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
    settle(path.parent)


def settle(folder: Path) -> None:
    """Bring down to the disk which names a folder holds: a file in it is safe only then."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
