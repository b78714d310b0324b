"""A real engine over HTTP whose doors can be opened, and whose weights can be exchanged, while it serves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from aiohttp import web

KEY = "engine-key"
MODEL = "small"
PAUSE = 0.02  # seconds between two words of a long answer


@dataclass
class Engine:
    """What a test turns while it serves."""

    port: int = 0
    doors: set[str] = field(default_factory=set)  # paths that answer without the key
    word: str = "word"  # what it says: other weights say something else
    down: bool = False
    running: int = 0  # answers being made
    asked: list[str] = field(default_factory=list)  # prompts that came with the key

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.down:
            assert request.transport is not None
            request.transport.abort()
        if request.path in self.doors:
            return web.json_response({"slots": []})
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return web.json_response({"error": {"message": "Unauthorized"}}, status=401)
        if request.path == "/v1/models":
            return web.json_response({"data": [{"id": MODEL}]})
        if request.path == "/v1/chat/completions":
            return await self._stream(request)
        return web.json_response({"error": {"message": "no such route"}}, status=404)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body["messages"][-1]["content"])
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        self.running += 1
        try:
            for number in range(body["max_tokens"]):
                logprobs = {"content": [self._entry(number)]} if body.get("logprobs") else None
                choice = {"index": 0, "delta": {"content": f"{self.word}{number} "}, "logprobs": logprobs}
                await response.write(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n")
                await asyncio.sleep(PAUSE if body["max_tokens"] > 50 else 0)
            last = {"index": 0, "delta": {}, "finish_reason": "length"}
            await response.write(b"data: " + json.dumps({"choices": [last]}).encode() + b"\n\ndata: [DONE]\n\n")
        except ConnectionResetError:
            pass  # whoever asked has gone, and has stopped it
        finally:
            self.running -= 1
        return response

    def _entry(self, number: int) -> dict[str, object]:
        top = [{"token": f"{self.word}{number} ", "logprob": -0.2}, {"token": "other", "logprob": -1.0 - number}]
        return {**top[0], "top_logprobs": top}


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """Serve it from a thread of its own."""
    made, loop = Engine(), asyncio.new_event_loop()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.port = runner.addresses[0][1]

    loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
