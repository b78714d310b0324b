"""An engine that costs next to nothing: fixed answers, as fast as a socket takes them; the gateway is what is measured.

    python -m benchmarks.engine PORT

A JSON request gets a fixed answer of about 750 bytes. A streamed one gets a hundred events: at once, each its own
write, or one each ten milliseconds where the request says `paced`, each with the time at which it was written.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import httptools
import uvloop

CHUNKS = 100
PACE_SECONDS = 0.01
WORDS = " ".join(f"token-{n:03d}" for n in range(CHUNKS))
_HEAD = {"id": "chatcmpl-0", "created": 1_760_000_000, "model": "fast"}
_USAGE = {"prompt_tokens": 40, "completion_tokens": CHUNKS, "total_tokens": CHUNKS + 40}
_MODELS = {"object": "list", "data": [{"id": "fast", "object": "model"}]}


def _answer(body: object) -> bytes:
    data = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(data), data)


def _event(choice: dict[str, object], more: dict[str, object] | None = None) -> bytes:
    chunk = {**_HEAD, "object": "chat.completion.chunk", "choices": [choice] if choice else [], **(more or {})}
    data = b"data: " + json.dumps(chunk).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(data), data)


def _piece(text: str) -> bytes:
    return _event({"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None})


_MESSAGE = {"role": "assistant", "content": WORDS[:500]}
_CHOICE = {"index": 0, "message": _MESSAGE, "logprobs": None, "finish_reason": "stop"}
WHOLE = _answer({**_HEAD, "object": "chat.completion", "choices": [_CHOICE], "usage": _USAGE})
MODELS = _answer(_MODELS)
NO_SUCH = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENTS = [_piece(f" token-{n:03d}") for n in range(CHUNKS)]
END = [
    _event({"index": 0, "delta": {}, "finish_reason": "stop"}),
    _event({}, {"usage": _USAGE}),
    b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n",
]


class Engine(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""
        self._url = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the line."""
        self._line = cast("asyncio.Transport", transport)
        self._streaming: asyncio.Task[None] | None = None

    def connection_lost(self, _fault: Exception | None) -> None:
        """Stop what streams."""
        if self._streaming is not None:
            self._streaming.cancel()

    def data_received(self, data: bytes) -> None:
        """Read requests."""
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._body = self._url = b""

    def on_url(self, url: bytes) -> None:
        """Note the address."""
        self._url += url

    def on_body(self, body: bytes) -> None:
        """Note the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer."""
        stays = self._parser.should_keep_alive()
        self._answer()
        if not stays and self._streaming is None:
            self._line.close()

    def _answer(self) -> None:
        if self._url.endswith(b"/models"):
            self._line.write(MODELS)
        elif not self._url.endswith(b"/completions"):
            self._line.write(NO_SUCH)
        elif b'"stream":true' not in self._body.replace(b" ", b""):
            self._line.write(WHOLE)
        elif b'"paced"' in self._body:
            self._streaming = asyncio.create_task(self._pace())
        else:
            self._line.write(STREAM)
            for event in [*EVENTS, *END]:
                self._line.write(event)

    async def _pace(self) -> None:
        self._line.write(STREAM)
        began = time.monotonic()
        for n in range(CHUNKS):
            await asyncio.sleep(max(0.0, began + n * PACE_SECONDS - time.monotonic()))
            self._line.write(_piece(f"@{time.monotonic_ns()}@ "))
        for event in END:
            self._line.write(event)


async def serve(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Engine, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
