"""A relay of bytes before a house: it counts what truly reaches it, since a client's retries are not told to anyone."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit


class Relay:
    """Where clients are sent; `posts` is how many requests to `/v1` went through."""

    def __init__(self, behind: str) -> None:
        where = urlsplit(behind)
        self._behind = (str(where.hostname), int(where.port or 80))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        self.posts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # A thread that waits in accept() is woken by a shutdown, not by a close.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                house = socket.create_connection(self._behind)
                for source, target in ((client, house), (house, client)):
                    threading.Thread(target=self._carry, args=(source, target, source is client), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, counted: bool) -> None:  # noqa: FBT001 - a thread's
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if counted:
                    self.posts += piece.count(b"POST /v1/")
                target.sendall(piece)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
        if not counted:
            source.close()
            target.close()


@contextlib.contextmanager
def relayed(behind: str) -> Iterator[Relay]:
    """Stand before a house."""
    relay = Relay(behind)
    try:
        yield relay
    finally:
        relay.close()
