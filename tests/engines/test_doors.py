"""Promise 10: what answers without the key is found, whichever server it is, and a knock gives nothing away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from readingroom.engines.demo_model import fetch
from readingroom.engines.doors import DOORS, Door, Found, Knock, judge, knock_all, own_addresses
from readingroom.engines.embedded import EmbeddedProcess

Answers = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(answers: Answers, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answers)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def keyed(*open_: str, answer: dict[str, Any] | None = None) -> Answers:
    """Ask for a key everywhere but at some doors."""

    async def answers(request: web.Request) -> web.StreamResponse:
        if f"{request.method} {request.path}" in open_:
            return web.json_response(answer or {"tokens": [1, 2]})
        return web.json_response({"error": {"message": "Invalid API key"}}, status=401)

    return answers


def opened(knocks: list[Knock]) -> list[str]:
    return [each.name for each in knocks if each.found is Found.OPEN]


async def knock(port: int, model: str = "", **options: Any) -> list[Knock]:
    return await knock_all(f"http://127.0.0.1:{port}/v1", model, **{"addresses": (), **options})


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
async def test_each_door_is_found_where_it_alone_is_open(door: Door) -> None:
    async with server(keyed(door.name)) as port:
        assert opened(await knock(port)) == [door.name]


async def test_an_engine_that_asks_for_its_key_everywhere_has_none() -> None:
    async with server(keyed()) as port:
        assert {each.found for each in await knock(port)} == {Found.SHUT}
    assert {each.answer for each in await knock(port)} == {"no connection"}


@pytest.mark.parametrize(
    ("status", "kind", "body", "found"),
    [
        (200, "application/json", b"{}", Found.OPEN),
        (200, "text/plain", b"# HELP vllm:prompt_tokens", Found.OPEN),
        (204, "", b"", Found.OPEN),
        (200, "text/html", b"<!doctype html>", Found.UNCLEAR),
        (307, "", b"", Found.SHUT),
        (400, "application/json", b'{"error": "prompt is not a list"}', Found.OPEN),
        (422, "application/json", b'{"detail": [{"loc": ["body", "inputs"]}]}', Found.OPEN),
        (400, "application/json", b'{"error": "No API key passed in."}', Found.SHUT),
        (401, "", b"", Found.SHUT),
        (403, "", b"", Found.SHUT),
        (404, "", b"", Found.SHUT),
        (405, "", b"", Found.SHUT),
        (429, "", b"", Found.UNCLEAR),
        (500, "", b"", Found.UNCLEAR),
        (501, "", b"", Found.SHUT),
        (503, "", b"", Found.UNCLEAR),
    ],
)
def test_what_an_answer_means(status: int, kind: str, body: bytes, found: Found) -> None:
    assert judge(status, kind, body) is found


async def test_an_engine_that_is_open_at_another_address_is_found_there() -> None:
    async with server(keyed()) as port, server(keyed("GET /slots"), "127.0.0.2", port):
        assert opened(await knock(port)) == []
        found = [each for each in await knock(port, addresses=["127.0.0.2"]) if each.found is Found.OPEN]
    assert [each.name for each in found] == ["GET /slots at another address"]
    assert found[0].url == f"http://127.0.0.2:{port}/slots"


async def test_the_same_model_at_another_port_is_found_and_nothing_else_there_is() -> None:
    models = {"data": [{"id": "small-model"}]}
    async with server(keyed()) as port, server(keyed("GET /v1/models", answer=models)) as other:
        assert opened(await knock(port, "small-model", ports=[other])) == ["GET /v1/models at another port"]
        assert opened(await knock(port, "model", ports=[other])) == []
        assert opened(await knock(port, "small-model", ports=[port])) == []


async def test_behind_a_path_the_hosts_own_root_is_tried_too() -> None:
    async with server(keyed("GET /metrics", "POST /llm/tokenize")) as port:
        found = await knock_all(f"http://127.0.0.1:{port}/llm/v1", addresses=())
    assert sorted(opened(found)) == ["GET /metrics", "POST /tokenize"]


async def test_a_knock_carries_no_key_goes_nowhere_else_and_reads_no_endless_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[web.Request] = []
    monkeypatch.setenv("READINGROOM_ENGINE_KEY", "canary-key")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    async def answers(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        assert b"canary" not in await request.read()
        if request.path == "/away":
            return web.json_response({"choices": []})
        if request.path == "/slots":
            raise web.HTTPTemporaryRedirect("/away")
        if request.path == "/metrics":
            endless = web.StreamResponse(headers={"set-cookie": "a=b"})
            await endless.prepare(request)
            while True:
                await endless.write(b"x" * 65_536)
        return web.json_response({}, status=401)

    async with server(answers) as port:
        async with asyncio.timeout(60):
            assert opened(await knock(port)) == ["GET /metrics"]
    assert not any({"authorization", "cookie", "x-api-key"} & {name.lower() for name in each.headers} for each in seen)
    assert "/away" not in {each.path for each in seen}


async def test_one_that_keeps_silent_is_unclear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("readingroom.engines.doors._SECONDS", 1)  # in which all others answer

    asked_enough = asyncio.Event()  # else the server, when it ends, waits for the answer that never comes

    async def answers(request: web.Request) -> web.StreamResponse:
        if request.path == "/slots":
            await asked_enough.wait()
        return web.json_response({}, status=401)

    async with server(answers) as port:
        found = await knock(port)
        asked_enough.set()
    assert {each.name for each in found if each.found is Found.UNCLEAR} == {"GET /slots"}


def test_this_machines_addresses_are_known() -> None:
    found = own_addresses()
    assert "127.0.0.1" in found
    assert not any(each.startswith(("fe80", "169.254")) for each in found)


@pytest.mark.model
async def test_the_embedded_engine_has_no_other_door() -> None:
    process = EmbeddedProcess(fetch(), 256)
    process.start()
    try:
        found = await knock_all(process.url)
    finally:
        process.stop()
    assert {each.found for each in found} == {Found.SHUT}
    assert {each.answer for each in found} >= {"401"}
