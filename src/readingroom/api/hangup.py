"""How an answer learns that its reader has hung up.

ASGI tells it to whoever waits in `receive`, which takes a task beside the one that answers. Our own server calls back
instead, by an extension of the scope; under any other, such a task is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

HANG_UP = "readingroom.hang_up"


class HangUp:
    """Of one request."""

    def __init__(self) -> None:
        """Nobody has hung up."""
        self._happened = False
        self._then: Callable[[], object] | None = None

    def happens(self) -> None:
        """The reader has hung up."""
        self._happened = True
        if self._then is not None:
            self._then()

    def then(self, call: Callable[[], object] | None) -> None:
        """Call this once it happens, or now if it has; None calls nothing any more."""
        self._then = call
        if self._happened and call is not None:
            call()


async def until_hung_up(
    work: Awaitable[None],
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    leaves: Callable[[Callable[[], None]], object],
) -> None:
    """Do the work until it is done or the reader has left: then it is cancelled.

    Args:
        work: to do, in this task.
        scope: of the request, whose body has been read.
        receive: of the request.
        leaves: is given what to call where somebody else finds that the reader has left.
    """
    working = asyncio.current_task()
    assert working is not None  # noqa: S101 - a request is a task
    left = False

    def leave() -> None:
        nonlocal left
        if not left:
            left = True
            working.cancel()

    async def disconnect() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        leave()

    leaves(leave)
    told: HangUp | None = scope.get("extensions", {}).get(HANG_UP)
    watching = asyncio.create_task(disconnect()) if told is None else None
    if told is not None:
        told.then(leave)
    try:
        await work
    except asyncio.CancelledError:
        if not left:
            raise
        working.uncancel()
    finally:
        left = True  # whoever finds it out from now on cancels nothing that comes after
        if told is not None:
            told.then(None)
        if watching is not None:
            watching.cancel()
