"""The portal's end of the hop: an ASGI application, asked over a Unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import MutableMapping
from typing import Any

from readingroom.cli.hop import Asked, Begun, Line, Piece

_BROKEN = b"Something of ours is broken; it has been logged. (app/broken)"
log = logging.getLogger("readingroom.serve")


class Answering:
    """Answers each connection's one request with an application."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - ASGI's own types
        """Take the application; its lifespan is the caller's."""
        self._app = app
        self._under_way: set[asyncio.Task[Any]] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and close its connection."""
        line = Line(reader, writer)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio calls this in a task
        self._under_way.add(task)
        try:
            await self._answer(line)
        except ConnectionError:
            pass  # the reader, or his worker, has left
        except Exception:
            log.exception("the portal failed")
        finally:
            self._under_way.discard(task)
            line.leave()

    async def finish(self, seconds: float) -> None:
        """Wait until what is under way is answered, but no longer than this."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)

    async def _answer(self, line: Line) -> None:
        asked = await line.read(Asked)
        if asked is None:
            return
        exchange = _Exchange(line)
        try:
            await self._app(asked.scope(), exchange.receive, exchange.send)
        finally:
            if not exchange.begun:  # its own faults it answers itself: this one is the framework's
                await line.write(Begun(500, [(b"content-type", b"text/plain; charset=utf-8")]))
                await line.write(Piece(_BROKEN, more=False))
        # The worker closes first. A Unix socket that is closed while it holds what nobody read, say the rest of a body
        # that was refused, tells the other end that the connection is lost, and with it goes the answer.
        await line.wait_for_end()


class _Exchange:
    """One request, as ASGI has it."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._more = True  # of the body
        self.begun = False

    async def receive(self) -> MutableMapping[str, Any]:
        if not self._more:
            await self._line.wait_for_end()
            return {"type": "http.disconnect"}
        piece = await self._line.read(Piece)
        if piece is None:
            return {"type": "http.disconnect"}
        self._more = piece.more
        return {"type": "http.request", "body": piece.data, "more_body": piece.more}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        with contextlib.suppress(ConnectionError):  # who has left needs no answer; the application may finish its work
            if message["type"] == "http.response.start":
                self.begun = True
                await self._line.write(Begun(message["status"], list(message.get("headers", []))))
            else:
                await self._line.write_body(message.get("body", b""), more=message.get("more_body", False))
