"""llama.cpp with the real model: no door but ours, exact counts, and it stops when told (promise 10)."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from readingroom.core.canonical import Json
from readingroom.core.errors import Broken
from readingroom.engines.demo_model import fetch
from readingroom.engines.embedded import EmbeddedProcess
from readingroom.engines.http import HttpEngine
from readingroom.engines.model import EngineRefused, ForwardRequest, Kind, one_by_one

pytestmark = pytest.mark.model
PATHS = (  # every route of llama.cpp's server, as its binary spells them, and ways to spell round a lock
    "/completion", "/completions", "/v1/completions", "/chat/completions", "/v1/chat/completions", "/api/chat",
    "/v1/chat/completions/control", "/chat/completions/input_tokens", "/v1/chat/completions/input_tokens",
    "/v1/responses", "/v1/responses/input_tokens", "/v1/messages", "/v1/messages/count_tokens", "/infill", "/props",
    "/slots", "/slots/0?action=erase", "/slots/0?action=restore", "/tokenize", "/detokenize", "/apply-template",
    "/embedding", "/embeddings", "/v1/embeddings", "/rerank", "/v1/rerank", "/v1/reranking", "/metrics",
    "/lora-adapters", "/models", "/v1/models", "/models/load", "/api/tags", "/api/show", "/tools", "/cors-proxy",
    "/v1/audio/transcriptions", "/v1/stream", "/v1/streams/lookup", "/invocations", "/", "/index.html",
    "//props", "/props/", "/%70rops", "/PROPS", "/health/../props", "/v1/../props", "/props;/health", "/props?api_key=",
)  # fmt: skip


@pytest.fixture(scope="module")
def process() -> Iterator[EmbeddedProcess]:
    made = EmbeddedProcess(fetch(), 1024)
    made.start()
    yield made
    made.stop()


def knock(root: str, path: str, method: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """Ask for the path as it is spelt: clients that tidy it up would not be a thief's."""
    line = http.client.HTTPConnection(root.removeprefix("http://"), timeout=5)
    line.request(method, path, body=b"{}" if method in {"POST", "PUT"} else None, headers=headers)
    response = line.getresponse()
    found = response.status, response.read()
    line.close()
    return found


@pytest.mark.parametrize("path", PATHS)
def test_no_path_answers_without_the_key(process: EmbeddedProcess, path: str) -> None:
    root = process.url.removesuffix("/v1")
    for headers in ({}, {"authorization": "Bearer guessed"}, {"authorization": "Bearer "}, {"x-api-key": "guessed"}):
        for method in ("GET", "POST", "PUT", "DELETE"):
            assert knock(root, path, method, headers)[0] in {401, 404}
        assert knock(root, path, "OPTIONS", headers)[1] == b""


def test_health_says_nothing_but_that_it_lives(process: EmbeddedProcess) -> None:
    assert knock(process.url.removesuffix("/v1"), "/health", "GET", {}) == (200, b'{"status":"ok"}')


def test_it_dies_with_its_parent() -> None:
    start = "p = EmbeddedProcess(fetch(), 256); p.start(); print(p._process.pid, flush=True); time.sleep(60)"
    code = "import time\nfrom readingroom.engines.demo_model import fetch\n"
    code += f"from readingroom.engines.embedded import EmbeddedProcess\n{start}"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout as told:
        child = Path("/proc") / told.readline().strip() / "cmdline"
    assert b"readingroom.engines.embedded" in child.read_bytes()
    parent.kill()
    parent.wait()
    for _ in range(100):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if child.read_bytes():  # a zombie that nobody has buried has no command line
                time.sleep(0.1)
                continue
        return
    pytest.fail("the engine outlives its parent")


def test_the_key_stands_in_no_command_line_and_no_environment(process: EmbeddedProcess) -> None:
    assert process._process is not None
    folder = Path("/proc") / str(process._process.pid)
    assert process.key.encode() not in (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()


def ask(text: str, most: int) -> ForwardRequest:
    body = {"messages": [{"role": "user", "content": text}], "max_tokens": most, "temperature": 0, "seed": 1}
    return ForwardRequest(Kind.CHAT, body)


async def test_a_prompt_is_counted_exactly_and_an_answer_is_the_same_again(process: EmbeddedProcess) -> None:
    engine = HttpEngine(process.url, "m", 1024, process.key)
    request = ask("What is a reading room?", 12)
    texts = []
    for _ in range(2):
        found = [chunk async for chunk in one_by_one(engine, request)]
        texts.append("".join(chunk.text for chunk in found))
        usage = next(chunk.usage for chunk in found if chunk.usage)
        assert await engine.count_prompt(request) == usage.prompt_tokens
        assert usage.completion_tokens <= 12
    assert texts[0] == texts[1] != ""
    await engine.close()


SAID = {"role": "user", "content": "Say hello <|im_end|> to \u00e9 and \U0001f99c."}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Kind.COMPLETION, {"prompt": "Once upon <|im_start|> a time"}),
        (Kind.COMPLETION, {"prompt": "Once", "n": 2}),
        (Kind.CHAT, {"messages": [SAID], "n": 2}),
        (Kind.CHAT, {"messages": [{"role": "system", "content": "s"}, SAID, {"role": "assistant", "content": "I"}]}),
        (Kind.CHAT, {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]}),
        (Kind.CHAT, {"messages": [SAID], "tools": [TOOL], "tool_choice": "required"}),
        (Kind.CHAT, {"messages": [SAID], "response_format": {"type": "json_object"}}),
        (Kind.CHAT, {"messages": [SAID], "logprobs": True, "top_logprobs": 2}),
    ],
)
async def test_every_shape_of_prompt_is_counted_exactly(process: EmbeddedProcess, kind: Kind, body: Json) -> None:
    engine = HttpEngine(process.url, "m", 1024, process.key)
    request = ForwardRequest(kind, {**body, "max_tokens": 6, "temperature": 0})
    counted = await engine.count_prompt(request)
    found = [chunk async for chunk in one_by_one(engine, request)]
    usage = found[-1].usage
    assert usage is not None
    assert counted == usage.prompt_tokens
    assert sum(chunk.tokens for chunk in found) <= usage.completion_tokens <= 6 * request.choices
    await engine.close()


async def test_a_prompt_that_does_not_fit_is_refused(process: EmbeddedProcess) -> None:
    engine = HttpEngine(process.url, "m", 1024, process.key)
    with pytest.raises(EngineRefused):
        await anext(engine.stream(ask("word " * 3000, 4)))
    await engine.close()


async def test_a_reader_who_leaves_stops_the_engine(process: EmbeddedProcess) -> None:
    engine = HttpEngine(process.url, "m", 1024, process.key)
    stream = engine.stream(ask("Count from one to a thousand.", 900))
    for _ in range(4):
        await anext(stream)
    await stream.aclose()
    root, key = process.url.removesuffix("/v1"), {"authorization": f"Bearer {process.key}"}
    for _ in range(50):
        _, seen = await asyncio.to_thread(knock, root, "/slots", "GET", key)
        busy = any(slot["is_processing"] for slot in json.loads(seen))
        if not busy:
            break
        await asyncio.sleep(0.1)
    assert not busy
    await engine.close()


def test_a_missing_or_broken_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="is not there"):
        EmbeddedProcess(tmp_path / "none.gguf", 512).start()
    (tmp_path / "bad.gguf").write_bytes(b"no model")
    with pytest.raises(Broken, match="did not start"):
        EmbeddedProcess(tmp_path / "bad.gguf", 512).start()
