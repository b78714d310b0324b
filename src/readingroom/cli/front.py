"""What a worker serves: `/v1` from the data plane's application, everything else from Litestar beside it."""

from __future__ import annotations

from typing import Any

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

import readingroom
from readingroom.api.control import create_control
from readingroom.api.health import create_health
from readingroom.api.ledger import create_ledger
from readingroom.api.metrics import create_metrics
from readingroom.api.openai import OpenAIApp
from readingroom.app.house import House
from readingroom.app.serving import make_gateway
from readingroom.web.app import create_web

OPENAPI = OpenAPIConfig(
    title="Reading Room: control API",
    version=readingroom.__version__,
    path="/api/schema",  # `/api/openapi.json`, the address in the contract, is served by the control API itself
    render_plugins=[JsonRenderPlugin()],
)


class Front:
    """One ASGI application over the house's doors."""

    def __init__(self, house: House, places: int = 0, seat: str = "0") -> None:
        """Build both halves, with so many places at the engine; nothing runs before the lifespan starts."""
        self._gateway = make_gateway(house, places, seat)
        self._data_plane = OpenAIApp(self._gateway, house.clock)
        programs = [
            create_control(house),
            create_ledger(house),
            create_health(self._gateway, house),
            create_metrics(house),
        ]
        self._portal: Litestar = create_web(house, programs, OPENAPI)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own types
        """Hand a connection to the half that it is for."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["type"] == "http" and (scope["path"] == "/v1" or scope["path"].startswith("/v1/")):
            await self._data_plane(scope, receive, send)
        else:
            if scope.get("method") == "HEAD":  # as GET, of which the server leaves out the body
                scope = {**scope, "method": "GET"}
            await self._portal(scope, receive, send)

    def begin_stop(self) -> None:
        """End flowing streams; called from the signal handler, before connections are closed."""
        self._gateway.begin_stop()

    async def _lifespan(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own types
        await self._gateway.start()

        async def send_once_stopped(message: Any) -> None:  # noqa: ANN401 - ASGI's own types
            if message["type"].startswith("lifespan.shutdown"):  # the server waits for this message, and no longer
                await self._gateway.stop()
            await send(message)

        await self._portal(scope, receive, send_once_stopped)
