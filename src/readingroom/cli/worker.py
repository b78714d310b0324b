"""One worker, a `child` with arguments of its own: LISTENER SOCKET PLACES SEAT.

It serves the shared LISTENER, an inherited descriptor. SOCKET is where the portal listens. PLACES is how many requests
it may have at the engine at a time, and SEAT which of the workers it is, from 0: one that takes the place of a dead one
has its number.
"""

from __future__ import annotations

import gc
import socket
from pathlib import Path
from types import FrameType

import uvicorn

from readingroom.app.house import House
from readingroom.cli.child import GRACE_SECONDS, say_ready
from readingroom.cli.front import Front
from readingroom.cli.listening import Listening
from readingroom.cli.protocol import BoundedProtocol
from readingroom.core.settings import load

_COLLECT_AFTER = 20_000  # new objects, between two looks for cycles among the newest


class Server(uvicorn.Server):
    """uvicorn, which first lets the front end its flowing streams."""

    def __init__(self, config: uvicorn.Config, front: Front, ready: int) -> None:
        """Take the front and the descriptor on which to say that it serves."""
        super().__init__(config)
        self._front = front
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, take connections in our own way, then say so."""
        await super().startup([])
        self.servers = [Listening(each, self._protocol) for each in sockets or ()]  # type: ignore[misc]
        # What was loaded stays: the collector need not look through it again and again while calls are served.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER, 20, 20)
        if self.started:
            say_ready(self._ready)

    def _protocol(self) -> BoundedProtocol:
        return BoundedProtocol(self.config, self.server_state, self.lifespan.state)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End flowing streams with their error event before connections are closed."""
        self._front.begin_stop()
        super().handle_exit(sig, frame)


def main(home: str, ready: int, listener: str, portal: str, places: str, seat: str) -> None:
    """Serve until told to stop."""
    house = House(load(Path(home)))
    front = Front(house, Path(portal), int(places), seat)
    config = uvicorn.Config(
        front,
        http=BoundedProtocol,
        ws="none",
        lifespan="on",  # by default, one that fails to begin would let readers in all the same
        proxy_headers=False,  # the front reads them where they matter
        loop="uvloop",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    Server(config, front, ready).run(sockets=[socket.socket(fileno=int(listener))])
    house.close()
