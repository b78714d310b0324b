"""What a worker serves: the data plane itself, and through the hop whatever else there is, which is the portal's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from readingroom.api.health import Health
from readingroom.api.metrics import Metrics
from readingroom.api.openai import OpenAIApp
from readingroom.app.house import House
from readingroom.app.serving import make_gateway
from readingroom.cli.passing import Passing
from readingroom.core.settings import trusted_proxies

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Front:
    """One ASGI application over the house's doors."""

    def __init__(self, house: House, socket: Path, places: int = 0, seat: str = "0") -> None:
        """Build it, with so many places at the engine; nothing runs before the lifespan starts.

        Args:
            house: whose.
            socket: at which its portal listens.
            places: at the engine, of this worker.
            seat: which of the workers it is.
        """
        self._gateway = make_gateway(house, places, seat)
        self._data_plane = OpenAIApp(self._gateway, house.clock)
        passing = Passing(socket)
        self._health = Health(self._gateway, house, passing.is_there)
        self._metrics = Metrics(house)
        # Whose a request is, and whether it came by https, matters to pages alone.
        self._portal: Any = ProxyHeadersMiddleware(passing, trusted_proxies())  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to whom it is for."""
        if scope["type"] != "http":
            await self._lifespan(receive, send)
            return
        path: str = scope["path"]
        if path == "/v1" or path.startswith("/v1/"):
            await self._data_plane(scope, receive, send)
        elif path in {"/healthz", "/healthz/"}:
            await self._health(scope, send)
        elif path in {"/metrics", "/metrics/"} and self._metrics.may_read(scope):
            await self._metrics(send)
        else:
            if scope["method"] == "HEAD":  # as GET, of which the server leaves out the body
                scope = {**scope, "method": "GET"}
            await self._portal(scope, receive, send)

    def begin_stop(self) -> None:
        """End flowing streams; called from the signal handler, before connections are closed."""
        self._gateway.begin_stop()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._gateway.start()
        except Exception as fault:  # noqa: BLE001 - whatever it is: whoever has not begun must not let anybody in
            await send({"type": "lifespan.startup.failed", "message": f"{type(fault).__name__}: {fault}"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._gateway.stop()
        await send({"type": "lifespan.shutdown.complete"})
