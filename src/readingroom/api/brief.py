"""Short answers of plain ASGI applications, which need no framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from readingroom.api.wire.answers import to_json
from readingroom.core.canonical import Json

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_ALWAYS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


async def answer(send: Send, status: int, kind: str, body: bytes, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
    """Send an answer that nobody keeps.

    Args:
        send: of ASGI.
        status: of HTTP.
        kind: its media type.
        body: of it, whole.
        headers: more of them.
    """
    own = ((b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": [*own, *_ALWAYS, *headers]})
    await send({"type": "http.response.body", "body": body})


async def answer_json(
    send: Send, status: int, body: Mapping[str, Json], headers: Sequence[tuple[bytes, bytes]] = ()
) -> None:
    """Send a JSON answer that nobody keeps."""
    await answer(send, status, "application/json", to_json(body), headers)
