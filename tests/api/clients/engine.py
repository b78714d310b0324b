"""A small engine that can call tools: an OpenAI-compatible server of its own, over which a house lends a model.

It says what the echo engine says, over HTTP as vLLM would; where it is given tools and a user speaks, it calls the
first of them with what was said, and where a tool has answered, it repeats that. `asked` shows what reached it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

from aiohttp import web

from readingroom.engines.echo import EchoEngine
from readingroom.engines.model import Chunk, ForwardRequest, Kind, one_by_one

NAME = "tooled"


class ToolEngine:
    """What it was asked, and how to answer."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.url = ""

    def app(self) -> web.Application:
        made = web.Application()
        made.router.add_get("/v1/models", self._models)
        made.router.add_post("/v1/chat/completions", self._answer)
        made.router.add_post("/v1/completions", self._answer)
        return made

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": NAME, "object": "model"}]})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        if "fall over" in json.dumps(body):
            return web.json_response({"error": {"message": "CUDA out of memory at /opt/weights"}}, status=500)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # the house has had enough
            async for frame in frames(body, Kind.CHAT if "messages" in body else Kind.COMPLETION):
                await asyncio.sleep(0.02 if "slowly" in json.dumps(body) else 0)
                await response.write(b"data: " + json.dumps(frame).encode() + b"\n\n")
            await response.write(b"data: [DONE]\n\n")
        return response


async def frames(body: dict[str, Any], kind: Kind) -> AsyncIterator[dict[str, Any]]:
    """Give the frames of an answer."""
    last = (body.get("messages") or [{}])[-1]
    if body.get("tools") and last.get("role") == "user":
        for frame in calls(body, str(last["content"])):
            yield frame
        return
    if last.get("role") == "tool":
        body = {**body, "messages": [{"role": "user", "content": last["content"]}]}
    async for chunk in one_by_one(EchoEngine(), ForwardRequest(kind, body)):
        yield spelled(chunk, kind)


def calls(body: dict[str, Any], said: str) -> Iterator[dict[str, Any]]:
    """Call the first tool with what was said, as a server does: the name first, then the arguments in pieces."""
    arguments = json.dumps({"what": said})
    first = {"id": "call_engine", "type": "function", "function": {"name": body["tools"][0]["function"]["name"]}}
    for piece in (first, {"function": {"arguments": arguments[:4]}}, {"function": {"arguments": arguments[4:]}}):
        yield {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, **piece}]}}]}
    yield {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    yield {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 3}}


def spelled(chunk: Chunk, kind: Kind) -> dict[str, Any]:
    """Spell a piece as a frame."""
    if chunk.usage is not None:
        counts = {"prompt_tokens": chunk.usage.prompt_tokens, "completion_tokens": chunk.usage.completion_tokens}
        return {"choices": [], "usage": counts}
    said: dict[str, Any] = {"delta": {"content": chunk.text}} if kind is Kind.CHAT else {"text": chunk.text}
    shown = ({"content": list(chunk.logprobs)} if kind is Kind.CHAT else chunk.logprobs[0]) if chunk.logprobs else None
    return {"choices": [{"index": chunk.index, **said, "logprobs": shown, "finish_reason": chunk.finish_reason}]}


@contextlib.contextmanager
def running() -> Iterator[ToolEngine]:
    """Run one in a thread of its own."""
    engine, loop = ToolEngine(), asyncio.new_event_loop()
    runner = web.AppRunner(engine.app())

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        engine.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"

    loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield engine
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
