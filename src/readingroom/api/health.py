"""`GET /healthz`: 200 when calls can be served, and the truth otherwise."""

from __future__ import annotations

import asyncio

from litestar import Response, Router, get

from readingroom.app.house import House
from readingroom.core.errors import Broken
from readingroom.gateway.service import Gateway


def create_health(gateway: Gateway, house: House) -> Router:
    """Return the route, over this worker's gateway."""

    def is_restored() -> bool:
        return house.restorations.pending() is not None

    @get("/healthz", summary="Can calls be served?")
    async def healthz() -> Response[dict[str, bool]]:
        """Answer 200 when the database and the engine answer, else 503; tell of a restoring that suspends all."""
        good, restored = await gateway.healthy(), False
        try:
            # Restored, the house stands all the same: else nobody could reach the page that lifts the suspension.
            restored = good and await asyncio.to_thread(is_restored)
        except Broken:
            good = False
        said = {"ok": good, "restored": True} if restored else {"ok": good}
        return Response(said, status_code=200 if good else 503, headers={"cache-control": "no-store"})

    return Router("/", route_handlers=[healthz], tags=["health"])
