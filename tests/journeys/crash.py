"""Run the program and kill it, as `kill -9` does, just before its N-th touch of the disk.

    python crash.py N ARGUMENTS...

A touch is a statement that changes the database, a commit, a file that is opened to be written, or one put in
place. A kill before a statement that only reads leaves what the kill before the next change leaves. Exits as the
program does when it made fewer.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

left = int(sys.argv.pop(1))


def touch(*_: Any, **__: Any) -> None:
    global left  # noqa: PLW0603 - one counter for the process
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def statement(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
    if not text.lstrip().upper().startswith(("SELECT", "PRAGMA")):
        touch()


sa.event.listen(Engine, "before_cursor_execute", statement)
sa.event.listen(Engine, "commit", touch)


def after_touch(act: Any) -> Any:
    def touched(*arguments: Any, **options: Any) -> Any:
        touch()
        return act(*arguments, **options)

    return touched


for name in ("open", "link", "replace"):
    setattr(os, name, after_touch(getattr(os, name)))

if __name__ == "__main__":
    from readingroom.cli.app import main

    main()
