"""Back a house up and be killed, as `kill -9` does, just before the N-th file is made or put in its place.

Usage: killed.py HOME DIRECTORY N
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from readingroom.cli.app import main

home, directory, left = sys.argv[1], sys.argv[2], int(sys.argv[3])


def after_touch(act: Any) -> Any:
    def touched(*arguments: Any, **options: Any) -> Any:
        global left  # noqa: PLW0603 - one counter for the process
        made = act is not os_open or arguments[1] & os.O_CREAT
        left -= bool(made)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*arguments, **options)

    return touched


os_open = os.open
for name in ("open", "link", "rename"):
    setattr(os, name, after_touch(getattr(os, name)))

if __name__ == "__main__":
    main(["--home", home, "--json", "backup", directory])
