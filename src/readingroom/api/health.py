"""`GET /healthz`: 200 when calls can be served, and the truth otherwise."""

from __future__ import annotations

from litestar import Response, Router, get

from readingroom.gateway.service import Gateway


def create_health(gateway: Gateway) -> Router:
    """Return the route, over this worker's gateway."""

    @get("/healthz", summary="Can calls be served?")
    async def healthz() -> Response[dict[str, bool]]:
        """Answer 200 when the database and the engine answer, else 503."""
        good = await gateway.healthy()
        return Response({"ok": good}, status_code=200 if good else 503, headers={"cache-control": "no-store"})

    return Router("/", route_handlers=[healthz], tags=["health"])
