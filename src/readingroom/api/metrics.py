"""`GET /metrics`: the operator's figures in Prometheus's text format, over all workers of this house on this machine.

For nobody else. With a key in the environment (`READINGROOM_METRICS_KEY`) whoever shows it may read, from anywhere.
Without one, only programs on this machine that come straight to the server: by a loopback address, by a name of it, and
through no proxy; and not at all where the house has a public address, for a proxy on this machine that leaves no trace
would let everybody in. All others are told what they are told of any page that there is not.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import readingroom
from readingroom.api.brief import Send, answer
from readingroom.app.house import House
from readingroom.core.errors import Broken
from readingroom.core.settings import metrics_key
from readingroom.gateway import counts, observed
from readingroom.gateway.counts import series

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_PROXIED = ("forwarded", "via", "x-forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "cf-")
_LEDGER_SECONDS = 1.0  # that the database may take to tell the ledger's size
KIND = "text/plain; version=0.0.4; charset=utf-8"


def may_read(peer: str, headers: Mapping[str, str], key: str, *, public: bool) -> bool:
    """Tell whether a request may read the metrics.

    Args:
        peer: the address that it comes from.
        headers: its own, by lower-case names.
        key: that opens them; empty where none is set.
        public: whether the house has a public address.
    """
    if key:
        kind, _, shown = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), key.encode())
    straight = not any(name.startswith(_PROXIED) for name in headers) and "authorization" not in headers
    host = urlsplit(f"//{headers.get('host', '')}").hostname
    return straight and not public and peer in _LOOPBACK and host in _LOOPBACK


class Metrics:
    """The ASGI application of the route, for those who may read it."""

    def __init__(self, house: House) -> None:
        """Take the house whose figures they are."""
        self._house = house
        self._key = metrics_key()
        self._sheets = house.settings.run / counts.FOLDER

    def may_read(self, scope: Mapping[str, Any]) -> bool:
        """Tell whether a request is for them and may read them; if not, it is for whoever knows of no such page."""
        peer = scope["client"][0] if scope["client"] else ""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        shown = may_read(peer, headers, self._key, public=bool(self._house.settings.public_url))
        return scope["method"] in {"GET", "HEAD"} and shown

    async def __call__(self, send: Send) -> None:
        """Answer with all metrics."""
        text = observed.page(self._sheets, self._house.clock.now().timestamp(), await self._more())
        await answer(send, 200, KIND, text.encode())

    async def _more(self) -> dict[str, float]:
        found = {series("readingroom_build_info", {"version": readingroom.__version__}): 1.0}
        try:
            async with asyncio.timeout(_LEDGER_SECONDS):
                found["readingroom_ledger_entries"] = await asyncio.to_thread(self._house.log.size)
        except (Broken, TimeoutError):
            pass  # the other figures tell that the database is gone
        return found
