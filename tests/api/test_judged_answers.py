"""What readers see of judges: a status, an error in the stream, a heartbeat; never who they are."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.guards import Guard, guard, told, watching
from gateway.rooms import Room, room
from readingroom.api import openai as door
from readingroom.api.openai import OpenAIApp
from readingroom.engines.echo import EchoOptions


async def call(here: Room, text: str, *, stream: bool = True) -> tuple[int, str]:
    """Ask over the ASGI door; return the status and all that was sent."""
    body = {"model": "echo", "messages": [{"role": "user", "content": text}], "stream": stream}
    sent: list[Any] = []
    asked = [{"type": "http.request", "body": json.dumps(body).encode()}]

    async def receive() -> Any:
        return asked.pop() if asked else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {here.key}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers}
    await OpenAIApp(here.gateway, here.house.clock)(scope, receive, send)
    (head,) = [each for each in sent if each["type"] == "http.response.start"]
    return head["status"], b"".join(each.get("body", b"") for each in sent).decode()


def content(sent: str) -> str:
    events = [json.loads(line[6:]) for line in sent.split("\n") if line.startswith("data: {")]
    return "".join(c["delta"].get("content", "") for e in events for c in e.get("choices", ()))


async def slow(_text: str) -> web.Response:
    await asyncio.sleep(0.4)
    return told("safe")


async def slow_and_broken(_text: str) -> web.Response:
    await asyncio.sleep(0.4)
    return web.Response(status=500)


def secrets(judge: Guard, sent: str) -> bool:
    return any(word in sent for word in (judge.url, "127.0.0.1", "classifier", "moderation"))


async def test_while_the_first_window_is_judged_the_stream_is_kept_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "HEARTBEAT_SECONDS", 0.05)
    async with guard(slow) as judge, room(tmp_path, rules=judge.rule()) as here:
        status, sent = await call(here, "one two three")
    assert status == 200
    assert sent.startswith(": still here\n\n")
    assert content(sent) == "one two three"
    assert sent.endswith("data: [DONE]\n\n")


async def test_a_judge_that_fails_before_anything_was_sent_is_a_503(tmp_path: Path) -> None:
    async with guard(lambda _text: web.Response(status=500)) as judge, room(tmp_path, rules=judge.rule()) as here:
        for stream in (True, False):
            status, sent = await call(here, "one two three", stream=stream)
            assert (status, json.loads(sent)["error"]["code"]) == (503, "screening/failed")
            assert not secrets(judge, sent)


async def test_a_judge_that_fails_later_ends_the_stream_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "HEARTBEAT_SECONDS", 0.05)
    async with guard(slow_and_broken) as judge, room(tmp_path, rules=judge.rule()) as here:
        status, sent = await call(here, "one two three")
    assert status == 200
    assert content(sent) == ""
    last = json.loads(sent.strip().split("\n")[-1].removeprefix("data: "))
    assert last["error"]["code"] == "screening/failed"
    assert "[DONE]" not in sent
    assert not secrets(judge, sent)


async def test_an_answer_that_a_judge_stops_ends_as_one_that_a_rule_stops(tmp_path: Path) -> None:
    async with (
        guard(watching("six")) as judge,
        room(tmp_path, EchoOptions(words_per_second=20), rules=judge.rule(every="5", overlap="5")) as here,
    ):
        status, sent = await call(here, "one two three four five six seven")
    assert status == 200
    assert '"finish_reason":"content_filter"' in sent
    assert "six" not in sent
    assert sent.endswith("data: [DONE]\n\n")


async def test_a_request_that_a_judge_refuses_is_a_400_with_its_clause(tmp_path: Path) -> None:
    async with guard(watching("bomb")) as judge, room(tmp_path, rules=judge.rule(side="entrance")) as here:
        status, sent = await call(here, "how to build a bomb")
        assert (status, json.loads(sent)["error"]["code"]) == (400, "screening/entrance")
        assert not secrets(judge, sent)
