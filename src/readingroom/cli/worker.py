"""One worker: `python -m readingroom.cli.worker HOME LISTENER READY LIFELINE PLACES SEAT`.

The three after HOME are inherited descriptors. It serves the shared listener, writes one byte to READY once it can
answer, and ends when LIFELINE does: a pipe of which the supervisor alone holds the other end, so that a worker ends
with its supervisor however and whenever that dies. PLACES is how many requests it may have at the engine at a time, and
SEAT which of the workers it is, from 0: one that takes the place of a dead one has its number.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from types import FrameType

import uvicorn

from readingroom.app.house import House
from readingroom.cli.front import Front
from readingroom.cli.protocol import BoundedProtocol
from readingroom.core.settings import load

_GRACE_SECONDS = 5
_COLLECT_AFTER = 20_000  # new objects, between two looks for cycles among the newest


class Server(uvicorn.Server):
    """uvicorn, which first lets the front end its flowing streams."""

    def __init__(self, config: uvicorn.Config, front: Front, ready: int) -> None:
        """Take the front and the descriptor on which to say that it serves."""
        super().__init__(config)
        self._front = front
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        # What was loaded stays: the collector need not look through it again and again while calls are served.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER, 20, 20)
        if self.started:
            with contextlib.suppress(BrokenPipeError):  # the supervisor is gone: the lifeline ends this, too
                os.write(self._ready, b"1")
        os.close(self._ready)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End flowing streams with their error event before connections are closed."""
        self._front.begin_stop()
        super().handle_exit(sig, frame)


def main(home: str, listener: int, ready: int, lifeline: int, places: int, seat: int) -> None:
    """Serve until told to stop."""
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    house = House(load(Path(home)))
    front = Front(house, places, str(seat))
    config = uvicorn.Config(
        front,
        http=BoundedProtocol,
        loop="uvloop",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    Server(config, front, ready).run(sockets=[socket.socket(fileno=listener)])
    house.close()


def _end_with(lifeline: int) -> None:
    """Stop when the supervisor is gone: nobody would restart the engine or release the house's lock."""
    os.read(lifeline, 1)  # nothing is ever written: this returns at its end
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:7]))
