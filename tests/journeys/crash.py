"""Run the program and kill it, as `kill -9` does, just before its N-th touch of the disk.

    python crash.py N ARGUMENTS...

A touch is a database statement, a commit, a file that is opened to be written, or one put in its place. Exits as the
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


sa.event.listen(Engine, "before_cursor_execute", touch)
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
