"""Any OpenAI-compatible server, good or bad: real servers on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from readingroom.engines.http import HttpEngine
from readingroom.engines.model import (
    Chunk,
    EngineFault,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    ForwardRequest,
    Kind,
    one_by_one,
)
from readingroom.engines.sse import EventReader

ASK = ForwardRequest(Kind.CHAT, {"messages": [{"role": "user", "content": "x"}], "max_tokens": 9})
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def engine(handler: Handler, **routes: Handler) -> AbstractAsyncContextManager[HttpEngine]:
    return served(handler, routes)


@asynccontextmanager
async def served(handler: Handler, routes: Mapping[str, Handler], silent: float = 30) -> AsyncIterator[HttpEngine]:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", handler)
    for name, extra in routes.items():
        app.router.add_post(f"/{name.replace('_', '-')}", extra)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    made = HttpEngine(f"http://127.0.0.1:{port}/v1", "m", 512, "secret", connect_seconds=30, silent_seconds=silent)
    try:
        yield made
    finally:
        await made.close()
        await runner.cleanup()


def sends(*pieces: bytes, pause: float = 0) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.headers["authorization"] == "Bearer secret"
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(pause)
        return response

    return handler


def delta(text: str = "", finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


USAGE = b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}\n\n'
DONE = b"data: [DONE]\n\n"


async def read(made: HttpEngine) -> list[Chunk]:
    return [chunk async for chunk in one_by_one(made, ASK)]


async def test_a_good_answer_is_read_whatever_the_pieces() -> None:
    whole = b": hello\r\n\r\n" + delta("one ") + delta("two", "stop") + USAGE + DONE
    pieces = [whole[i : i + 7] for i in range(0, len(whole), 7)]
    async with engine(sends(*pieces)) as made:
        found = await read(made)
    assert "".join(chunk.text for chunk in found) == "one two"
    assert found[-1].usage is not None
    assert found[-1].usage.completion_tokens == 2


async def test_a_server_that_counts_each_choice_apart_is_added_up() -> None:
    def choice(index: int) -> bytes:
        event = {"choices": [{"index": index, "delta": {"content": "x"}, "finish_reason": "stop"}]}
        return b"data: " + json.dumps(event).encode() + b"\n\n"

    two = ForwardRequest(Kind.CHAT, {**ASK.body, "n": 2})
    async with engine(sends(choice(1), USAGE, choice(0), USAGE, DONE)) as made:
        found = [chunk async for chunk in one_by_one(made, two)]
    assert found[-1].usage is not None
    assert (found[-1].usage.prompt_tokens, found[-1].usage.completion_tokens) == (3, 4)


@pytest.mark.parametrize(
    "pieces",
    [
        (delta("one "),),
        (delta("one "), DONE),
        (b"data: {broken\n\n",),
        (delta("one "), b'data: {"error": {"message": "boom /models/path"}}\n\n'),
        (b"data: [1, 2]\n\n",),
        (),
    ],
)
async def test_an_answer_without_its_end_is_never_a_clean_one(pieces: tuple[bytes, ...]) -> None:
    async with engine(sends(*pieces)) as made:
        with pytest.raises(EngineUnavailable):
            await read(made)


async def test_a_silent_server_is_a_timeout() -> None:
    async with served(sends(delta("one "), delta("two", "stop"), pause=2), {}, silent=0.4) as made:
        with pytest.raises(EngineTimeout):
            await read(made)


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (400, EngineRefused),
        (413, EngineRefused),
        (422, EngineRefused),
        (501, EngineRefused),
        (401, EngineUnavailable),
        (404, EngineUnavailable),
        (500, EngineUnavailable),
    ],
)
async def test_each_status_is_its_own_fault(status: int, fault: type[EngineFault]) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "no", "param": "seed"}}, status=status)

    async with engine(handler) as made:
        with pytest.raises(fault):
            await read(made)


@pytest.mark.parametrize(
    "body", [b"", b"no json", b"[" * 60_000, b'{"error": "text"}', b'{"error": {"param": 7}}', b"[]"]
)
async def test_an_error_is_the_same_fault_whatever_its_body(body: bytes) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body, status=400)

    async with engine(handler) as made:
        with pytest.raises(EngineRefused) as caught:
            await read(made)
    assert caught.value.param is None


async def test_an_answer_without_bound_is_cut_off() -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                sent += 1
                await response.write(delta() * 100)  # carries no token, so that no limit of tokens ends it
        return response

    async with engine(endless) as made:
        with pytest.raises(EngineUnavailable, match="too long"):
            await read(made)
    assert sent < 10_000


async def test_a_redirect_is_not_followed() -> None:
    async def handler(_: web.Request) -> web.Response:
        raise web.HTTPFound("http://127.0.0.1:1/elsewhere")

    async with engine(handler) as made:
        with pytest.raises(EngineUnavailable):
            await read(made)


async def test_a_dead_port_is_unavailable() -> None:
    made = HttpEngine("http://127.0.0.1:9/v1", "m", 512)
    with pytest.raises(EngineUnavailable):
        await made.info()
    await made.close()


async def test_a_reader_who_leaves_is_seen_by_the_server() -> None:
    gone = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _ in range(6000):
                await response.write(delta("word "))
                await asyncio.sleep(0.01)
        except (ConnectionError, asyncio.CancelledError):
            gone.set()
            raise
        return response

    async with engine(handler) as made:
        stream = made.stream(ASK)
        await anext(stream)
        await stream.aclose()
        await asyncio.wait_for(gone.wait(), 30)


async def test_a_prompt_is_counted_as_llama_cpp_and_as_vllm_count_it() -> None:
    async def template(_: web.Request) -> web.Response:
        return web.json_response({"prompt": "<user>x"})

    async def tokens(_: web.Request) -> web.Response:
        return web.json_response({"tokens": [1, 2, 3, 4]})

    async def count(_: web.Request) -> web.Response:
        return web.json_response({"count": 7})

    async with engine(sends(), apply_template=template, tokenize=tokens) as llama:
        assert await llama.count_prompt(ASK) == 4
    async with engine(sends(), tokenize=count) as vllm:
        assert await vllm.count_prompt(ASK) == 7
    async with engine(sends()) as neither:
        assert await neither.count_prompt(ASK) is None


async def test_a_server_that_still_loads_is_asked_again_how_it_counts() -> None:
    ready = False

    async def template(_: web.Request) -> web.Response:
        return web.json_response({"prompt": "<user>x"} if ready else {}, status=200 if ready else 503)

    async def tokens(_: web.Request) -> web.Response:
        return web.json_response({"tokens": [1, 2]} if ready else {}, status=200 if ready else 503)

    async with engine(sends(), apply_template=template, tokenize=tokens) as made:
        assert await made.count_prompt(ASK) is None
        ready = True
        assert await made.count_prompt(ASK) == 2


@pytest.mark.parametrize("answer", [{"count": "7"}, {"count": -1}, {"count": True}, {"count": None}, [7], "x"])
async def test_a_count_that_is_none_is_not_taken(answer: object) -> None:
    async def count(_: web.Request) -> web.Response:
        return web.json_response(answer)

    async with engine(sends(), tokenize=count) as made:
        assert await made.count_prompt(ASK) is None


async def test_a_running_count_is_asked_for_in_each_servers_words() -> None:
    asked = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(await request.json())
        return await sends(delta("x", "stop"), DONE)(request)

    async def template(_: web.Request) -> web.Response:
        return web.json_response({"prompt": "x"})

    async def tokens(_: web.Request) -> web.Response:
        return web.json_response({"tokens": [1], "count": 1})

    for routes in ({"apply_template": template, "tokenize": tokens}, {"tokenize": tokens}, {}):
        async with engine(handler, **routes) as made:
            await made.count_prompt(ASK)
            await read(made)
    assert [body.get("timings_per_token") for body in asked] == [True, None, None]
    assert [body["stream_options"].get("continuous_usage_stats") for body in asked] == [None, True, None]


@given(st.data())
def test_any_cutting_of_the_bytes_gives_the_same_events(data: st.DataObject) -> None:
    whole = b"data: a\n\n: c\r\ndata: b\r\ndata: c\r\n\r\nevent: x\ndata:d\n\ndata: \xc3\xa9\r\r"
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1))))
    reader, found = EventReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        found += list(reader.push(whole[start:end]))
    assert [*found, *reader.push(b"\n")] == [b"a", b"b\nc", b"d", b"\xc3\xa9"]


def test_an_endless_event_is_refused() -> None:
    reader = EventReader()
    with pytest.raises(ValueError, match="too long"):
        list(reader.push(b"data: " + b"x" * 1_100_000))
