"""The least that a gateway in Python can be: the same server and the same client, and nothing between them.

    python -m benchmarks.bare PORT ENGINE_URL

No key, no meter, no screen, no record. What Reading Room reaches of its figures is what all of these cost.
"""

from __future__ import annotations

import sys
from typing import Any

import aiohttp
import uvicorn


class Bare:
    """Passes everything through."""

    def __init__(self, engine: str) -> None:
        """Take the engine's address."""
        self._engine = engine
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own types
        """Pass a request on and its answer back."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        headers = {"content-type": "application/json"}
        async with self._session.request(
            scope["method"], self._engine + scope["path"], data=body, headers=headers
        ) as got:
            kind = got.headers.get("content-type", "application/json").encode()
            await send({"type": "http.response.start", "status": got.status, "headers": [(b"content-type", kind)]})
            if kind.startswith(b"text/event-stream"):
                async for piece in got.content.iter_any():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
            else:
                await send({"type": "http.response.body", "body": await got.read()})


if __name__ == "__main__":
    config = uvicorn.Config(
        Bare(sys.argv[2]), port=int(sys.argv[1]), http="httptools", loop="uvloop", log_level="error", access_log=False
    )
    uvicorn.Server(config).run()
