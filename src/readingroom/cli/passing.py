"""The worker's end of the hop: whatever is the portal's is passed on, both ways, a piece at a time.

A portal that is away or stands still costs its own readers a 503, and nobody else anything: how much of a worker may
wait for it is bounded, and so is for how long.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, TypeVar

from readingroom.api.brief import answer, answer_json
from readingroom.app.refusals import ending
from readingroom.cli.hop import Asked, Begun, Line, Piece, Scope
from readingroom.core.refusal import Refusal

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
T = TypeVar("T", Begun, Piece)

MOST_AT_ONCE = 256  # requests of one worker: what else it has open is for /v1
SILENT_SECONDS = 120.0  # longest silence of the portal within an answer, as of an engine
_AGAIN_SECONDS = 2
_PROGRAMS = ("/api/", "/ledger/")
_PROTECTING = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    (b"referrer-policy", b"same-origin"),
]
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>One moment · Reading Room</title></head>
<body><h1>One moment</h1><p>{reason}</p><p>Code <code>{code}</code></p></body>
</html>
"""

log = logging.getLogger("readingroom.serve")
_AWAY = Refusal("web/portal-away", "The pages are not to be had for a moment; nothing was changed. Try again.")
_BUSY = Refusal("web/portal-busy", "Too many ask for pages at once; nothing was changed. Try again.")
_LEFT = Refusal(
    "web/no-answer",
    "The pages gave no answer. What you asked for may have been done all the same: look, before you send it again.",
)


class Passing:
    """The ASGI application of what is the portal's."""

    def __init__(self, socket: Path) -> None:
        """Take the path at which the portal listens; it need not listen yet."""
        self._socket = socket
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and its answer back."""
        if self._open >= MOST_AT_ONCE:
            await _refuse(scope, send, _BUSY)
            return
        self._open += 1
        try:
            line = await self._connected()
            if line is None:
                await _refuse(scope, send, _AWAY)
                return
            try:
                await _pass(line, scope, receive, send)
            finally:
                line.leave()
        finally:
            self._open -= 1

    async def is_there(self) -> bool:
        """Tell whether the portal listens."""
        line = await self._connected()
        if line is not None:
            line.leave()
        return line is not None

    async def _connected(self) -> Line | None:
        try:
            return Line(*await asyncio.open_unix_connection(str(self._socket)))
        except OSError:
            return None


async def _pass(line: Line, scope: Scope, receive: Receive, send: Send) -> None:
    asking = asyncio.create_task(_ask(line, scope, receive))
    try:
        begun = await _next(line, Begun)
        if begun is None:
            await _refuse(scope, send, _LEFT)
            return
        await send({"type": "http.response.start", "status": begun.status, "headers": begun.headers})
        more = True
        while more:
            piece = await _next(line, Piece)
            if piece is None:  # the server sees an answer without its end, and cuts the connection, as it should
                return
            more = piece.more
            await send({"type": "http.response.body", "body": piece.data, "more_body": more})
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def _ask(line: Line, scope: Scope, receive: Receive) -> None:
    """Send the request, then wait until the reader hangs up, to tell the portal."""
    with contextlib.suppress(ConnectionError):  # it is for the other direction to notice
        await line.write(Asked.of(scope))
        while (message := await receive())["type"] != "http.disconnect":
            await line.write_body(message.get("body", b""), more=message.get("more_body", False))
    line.leave()


async def _next(line: Line, kind: type[T]) -> T | None:
    """Return the portal's next message; None if it has left or says nothing for too long."""
    try:
        async with asyncio.timeout(SILENT_SECONDS):
            return await line.read(kind)
    except TimeoutError:
        log.warning("the portal has said nothing for %.0f s", SILENT_SECONDS)
        return None


async def _refuse(scope: Scope, send: Send, refusal: Refusal) -> None:
    """Answer in the portal's place: a program as every fault does, a person with a page that needs no portal."""
    status, kind = ending(refusal.code).status, ending(refusal.code).type
    headers = [*_PROTECTING, (b"retry-after", str(_AGAIN_SECONDS).encode())]
    if scope["path"].startswith(_PROGRAMS) or b"text/html" not in dict(scope["headers"]).get(b"accept", b""):
        error = {"code": refusal.code, "message": refusal.reason, "type": kind, "facts": {}}
        await answer_json(send, status, {"error": error}, headers)
    else:
        page = _PAGE.format(reason=html.escape(refusal.reason), code=refusal.code)
        await answer(send, status, "text/html; charset=utf-8", page.encode(), headers)
