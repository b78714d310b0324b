"""Taking connections from the shared listener, fairly also where there is much to do.

The event loop's own server takes one connection for each round of its work. Under load a round is long, and whoever
comes then waits as many rounds as there are others before him, while those who are in ask on and on. Here, as many are
taken as may have come in the last round; an idle worker takes one at a time, and leaves the next to its neighbours.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

_EACH = 0.001  # seconds of a round, for which one more connection is taken
_MOST = 64  # at a time
_REST = 0.25  # seconds without a newcomer, after which nobody had to wait
_FULL = 1.0  # seconds until it is tried again, where there are too many open files

log = logging.getLogger("readingroom.serve")


class Listening:
    """A listener that is served; closed as asyncio's own servers are."""

    def __init__(self, listener: socket.socket, make: Callable[[], asyncio.Protocol]) -> None:
        """Take connections from now on, each with a protocol of its own."""
        self._listener, self._make = listener, make
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[object]] = set()
        self._taken_at = -_REST
        self._closed = False
        listener.setblocking(False)
        self._begin()

    def close(self) -> None:
        """Take no more; those that were taken stay."""
        self._closed = True
        self._loop.remove_reader(self._listener)

    async def wait_closed(self) -> None:
        """Wait for nothing: it closes at once."""

    def _begin(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._listener, self._take)

    def _take(self) -> None:
        now = self._loop.time()
        since, self._taken_at = now - self._taken_at, now
        for _ in range(1 + (min(_MOST, int(since / _EACH)) if since < _REST else 0)):
            try:
                connection, _address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as fault:
                log.warning("no more connections can be taken: %s", fault.strerror)
                self._loop.remove_reader(self._listener)
                self._loop.call_later(_FULL, self._begin)
                return
            self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        if connection.family in {socket.AF_INET, socket.AF_INET6}:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._loop.connect_accepted_socket(self._make, connection))
        self._tasks.add(task)
        task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:  # it left before it was served
            log.debug("a connection was lost at once: %s", type(task.exception()).__name__)
