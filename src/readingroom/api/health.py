"""`GET /healthz`: 200 when calls can be served, and the truth otherwise."""

from __future__ import annotations

import asyncio

from litestar import Response, Router, get

from readingroom.app.house import House
from readingroom.gateway.service import Gateway


def create_health(gateway: Gateway, house: House) -> Router:
    """Return the route, over this worker's gateway."""

    @get("/healthz", summary="Can calls be served?")
    async def healthz() -> Response[dict[str, bool]]:
        """Answer 200 when the database and the engine answer, else 503; tell of a restoring that suspends all grants."""
        good = await gateway.healthy()
        said = {"ok": good}
        if good and await asyncio.to_thread(house.restorations.pending):
            said["restored"] = True  # the house stands, or nobody could confirm the gap here; no key is served
        return Response(said, status_code=200 if good else 503, headers={"cache-control": "no-store"})

    return Router("/", route_handlers=[healthz], tags=["health"])
