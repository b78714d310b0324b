"""Run the program and kill it, as `kill -9` does, just before its N-th touch of the disk.

    python crash.py N ARGUMENTS...

A touch is a database statement, a commit, or a file put in its place. Exits as the program does when it made fewer.
"""

from __future__ import annotations

import os
import pathlib
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

replace = pathlib.Path.replace


def replace_after_touch(self: pathlib.Path, target: Any) -> Any:
    touch()
    return replace(self, target)


pathlib.Path.replace = replace_after_touch  # type: ignore[method-assign]

if __name__ == "__main__":
    from readingroom.cli.app import main

    main()
