"""`GET /healthz`: 200 when calls can be served, and the truth otherwise. Each worker answers for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from readingroom.api.brief import Send, answer_json
from readingroom.app.house import House
from readingroom.core.errors import Broken
from readingroom.core.refusal import Refusal
from readingroom.gateway.service import Gateway

_ANSWER = {
    "description": "What there is to say; `ok` is whether calls can be served",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["ok"],
                "properties": {name: {"type": "boolean"} for name in ("ok", "restored", "portal")},
            }
        }
    },
}
# As the OpenAPI document tells it, which is made where this route is not.
DESCRIBED = {
    "/healthz": {
        "get": {
            "tags": ["health"],
            "summary": "Can calls be served?",
            "operationId": "Healthz",
            "security": [],
            "responses": {"200": _ANSWER, "503": _ANSWER},
        }
    }
}


class Health:
    """The ASGI application of the route, over this worker's gateway."""

    def __init__(self, gateway: Gateway, house: House, portal: Callable[[], Awaitable[bool]]) -> None:
        """Take what is to be well, and how to see whether the portal is there."""
        self._gateway = gateway
        self._house = house
        self._portal = portal

    async def __call__(self, scope: Mapping[str, Any], send: Send) -> None:
        """Answer 200 when the database and the engine answer, else 503; tell of what else is not as usual."""
        if scope["method"] not in {"GET", "HEAD"}:
            refusal = Refusal("gateway/method-not-allowed", "/healthz takes GET.")
            error = {"code": refusal.code, "message": refusal.reason, "type": "invalid_request_error"}
            await answer_json(send, 405, {"error": error}, [(b"allow", b"GET, HEAD")])
            return
        good, restored = await self._gateway.healthy(), False
        try:
            # Restored, the house stands all the same: else nobody could reach the page that lifts the suspension.
            restored = good and await asyncio.to_thread(self._is_restored)
        except Broken:
            good = False
        said = {"ok": good}
        if restored:
            said["restored"] = True
        if not await self._portal():  # no reason to send no calls: those go on
            said["portal"] = False
        await answer_json(send, 200 if good else 503, dict(said))

    def _is_restored(self) -> bool:
        return self._house.restorations.pending() is not None
