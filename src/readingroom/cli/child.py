"""A child of the supervisor: `python -m readingroom.cli.child NAME HOME READY LIFELINE ...`; NAME is worker or portal.

It says when it is ready, and ends when the supervisor does. READY and LIFELINE are inherited descriptors: one byte is
written to READY; LIFELINE is a pipe of which the supervisor alone holds the other end, so that a child ends with it
however and whenever it dies, also while it still loads.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import threading
import time

GRACE_SECONDS = 5  # for what is under way, once told to stop


def say_ready(ready: int) -> None:
    """Tell the supervisor that what this process serves can be asked for."""
    with contextlib.suppress(BrokenPipeError):  # it is gone: the lifeline ends this, too
        os.write(ready, b"1")
    os.close(ready)


def end_with(lifeline: int) -> None:
    """Stop when the supervisor is gone: nobody would restart the engine or release the house's lock."""
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: int) -> None:
    os.read(lifeline, 1)  # nothing is ever written: this returns at its end
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(2 * GRACE_SECONDS)  # a thread that computes on and on would keep the process, and with it the lock
    os._exit(1)


def main(name: str, home: str, ready: str, lifeline: str, *more: str) -> None:
    """Be that child, until told to stop."""
    end_with(int(lifeline))
    importlib.import_module(f"readingroom.cli.{name}").main(home, int(ready), *more)


if __name__ == "__main__":
    main(*sys.argv[1:])
