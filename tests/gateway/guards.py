"""A real classifier server, of the test's choosing, in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Answer = Callable[[str], web.StreamResponse | Awaitable[web.StreamResponse]]


@dataclass
class Guard:
    """What it was asked, and where it is."""

    url: str = ""
    texts: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    gone: int = 0  # questions whose asker hung up

    def rule(self, style: str = "chat", more: str = "", **changes: str) -> str:
        """Spell a rule set with one rule that asks it."""
        fields = {"id": "guard", "side": "exit", "action": "refuse", "clause": '"7"', **changes}
        judge = f"classifier: {{url: {self.url}, model: guard, style: {style}{', ' if more else ''}{more}}}"
        return "rules:\n  - {" + ", ".join(f"{name}: {value}" for name, value in fields.items()) + f", {judge}}}\n"


def told(word: str) -> web.Response:
    """Answer as a chat classifier does."""
    body = {"choices": [{"index": 0, "message": {"role": "assistant", "content": word}, "finish_reason": "stop"}]}
    return web.json_response(body)


def moderated(*, flagged: bool, score: Any = 0.5, **more: Any) -> web.Response:
    """Answer as OpenAI's moderations do."""
    result = {"flagged": flagged, "categories": {"violence": flagged}, "category_scores": {"violence": score}}
    return web.json_response({"id": "modr-1", "model": "guard", "results": [result], **more})


def watching(*words: str) -> Callable[[str], web.Response]:
    """Be a chat classifier that finds these words."""
    return lambda text: told("unsafe\nS1" if any(word in text for word in words) else "safe")


async def never(_text: str) -> web.Response:
    """Never answer."""
    await asyncio.sleep(3600)
    raise AssertionError


@asynccontextmanager
async def guard(answer: Answer) -> AsyncIterator[Guard]:
    """Run a server that answers each text as it is told to."""
    made = Guard()

    async def handle(request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        text = body["input"] if "input" in body else body["messages"][-1]["content"]
        made.texts.append(text)
        made.bodies.append(body)
        made.keys.append(request.headers.get("authorization", ""))
        made.paths.append(request.path)
        said = answer(text)
        try:
            return said if isinstance(said, web.StreamResponse) else await said
        except asyncio.CancelledError:
            made.gone += 1
            raise

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield made
    finally:
        await runner.cleanup()
