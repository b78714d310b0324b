"""Load: many clients over connections that stay open, and what each request took.

    python -m benchmarks.load '{"url": ..., "key": ..., "body": {...}, "clients": 64, "seconds": 5}'

Prints one JSON line. It runs in a process of its own, so that it can be kept off the gateway's core.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
import uvloop

_STAMP = re.compile(rb"@(\d{6,})@")


@dataclass
class Seen:
    """What all clients saw."""

    taken: list[float] = field(default_factory=list)  # seconds per request
    first: list[float] = field(default_factory=list)  # seconds to the first byte of a body
    late: list[float] = field(default_factory=list)  # seconds that a stamped piece was on its way
    bad: int = 0


class Client(asyncio.Protocol):
    """One connection, which asks again as soon as it is answered."""

    def __init__(self, request: bytes, seen: Seen, until: float, done: asyncio.Future[None]) -> None:
        """Take the request as bytes, and when to stop."""
        self._request, self._seen, self._until, self._done = request, seen, until, done
        self._begun, self._asked = False, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._line = cast("asyncio.Transport", transport)
        self._ask()

    def connection_lost(self, _fault: Exception | None) -> None:
        """End; a line that is cut before the time is a fault."""
        if not self._done.done():
            self._seen.bad += int(time.monotonic() < self._until)
            self._done.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Read the answer."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Note when the first byte came, and how long stamped pieces were on their way."""
        if not self._begun:
            self._begun = True
            self._seen.first.append(time.monotonic() - self._asked)
        if b"@" in body:
            now = time.monotonic_ns()
            self._seen.late += [(now - int(stamp)) / 1e9 for stamp in _STAMP.findall(body)]

    def on_message_complete(self) -> None:
        """Note what it took, and ask again."""
        now = time.monotonic()
        self._seen.taken.append(now - self._asked)
        self._seen.bad += int(self._parser.get_status_code() != 200)  # noqa: PLR2004 - HTTP's own
        if now < self._until:
            self._ask()
        else:
            self._done.set_result(None)
            self._line.close()

    def _ask(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._begun = False
        self._asked = time.monotonic()
        self._line.write(self._request)


def request_of(url: str, key: str, body: dict[str, Any]) -> bytes:
    """Return a request as bytes."""
    data, parts = json.dumps(body).encode(), urlsplit(url)
    lines = [
        f"POST {parts.path} HTTP/1.1",
        f"host: {parts.netloc}",
        f"authorization: Bearer {key}",
        "content-type: application/json",
        f"content-length: {len(data)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


async def load(url: str, key: str, body: dict[str, Any], clients: int, seconds: float) -> dict[str, float]:
    """Ask for a while; return rates in requests a second and times in milliseconds."""
    loop, seen, parts = asyncio.get_running_loop(), Seen(), urlsplit(url)
    request, began = request_of(url, key, body), time.monotonic()
    ends = [loop.create_future() for _ in range(clients)]
    for end in ends:
        await loop.create_connection(
            lambda end=end: Client(request, seen, began + seconds, end),  # type: ignore[misc]
            parts.hostname or "127.0.0.1",
            parts.port or 80,
        )
    await asyncio.gather(*ends)
    took = time.monotonic() - began
    found = {"requests": len(seen.taken), "rate": len(seen.taken) / took, "bad": seen.bad}
    for name, values in (("ms", seen.taken), ("first_ms", seen.first), ("late_ms", seen.late)):
        if len(values) > 1:
            cuts = statistics.quantiles(values, n=100)
            found |= {f"{name}_p50": cuts[49] * 1000, f"{name}_p99": cuts[98] * 1000}
    return found


if __name__ == "__main__":
    print(json.dumps(uvloop.run(load(**json.loads(sys.argv[1])))))
