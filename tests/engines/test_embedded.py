"""llama.cpp with the real model: no door but ours, exact counts, and it stops when told (promise 10)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from readingroom.core.errors import Broken
from readingroom.engines.demo_model import MODEL_BYTES, fetch
from readingroom.engines.embedded import EmbeddedProcess
from readingroom.engines.http import HttpEngine
from readingroom.engines.model import ForwardRequest, Kind

pytestmark = pytest.mark.model
PATHS = (
    "/completion", "/completions", "/v1/completions", "/v1/chat/completions", "/props", "/slots", "/tokenize",
    "/detokenize", "/apply-template", "/infill", "/embedding", "/v1/embeddings", "/metrics", "/lora-adapters",
    "/models", "/v1/models", "/invocations", "/rerank", "/api/tags",
)  # fmt: skip


@pytest.fixture(scope="module")
def process() -> Iterator[EmbeddedProcess]:
    made = EmbeddedProcess(fetch(), 1024)
    made.start()
    yield made
    made.stop()


def knock(url: str, method: str, key: str = "") -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.request(method, url, headers=headers, content=b"{}" if method == "POST" else None)


@pytest.mark.parametrize("path", PATHS)
def test_no_path_answers_without_the_key(process: EmbeddedProcess, path: str) -> None:
    root = process.url.removesuffix("/v1")
    for method in ("GET", "POST"):
        for key in ("", "guessed"):
            assert knock(root + path, method, key).status_code in {401, 404}


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
        found = [chunk async for chunk in engine.stream(request)]
        texts.append("".join(chunk.text for chunk in found))
        usage = next(chunk.usage for chunk in found if chunk.usage)
        assert await engine.count_prompt(request) == usage.prompt_tokens
        assert usage.completion_tokens <= 12
    assert texts[0] == texts[1] != ""
    await engine.close()


async def test_a_reader_who_leaves_stops_the_engine(process: EmbeddedProcess) -> None:
    engine = HttpEngine(process.url, "m", 1024, process.key)
    stream = engine.stream(ask("Count from one to a thousand.", 900))
    for _ in range(4):
        await anext(stream)
    await stream.aclose()
    slots = process.url.removesuffix("/v1") + "/slots"
    for _ in range(50):
        seen = await asyncio.to_thread(knock, slots, "GET", process.key)
        busy = any(slot["is_processing"] for slot in seen.json())
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


def test_the_demo_model_is_the_pinned_one_and_a_swapped_one_is_fetched_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = fetch().read_bytes()
    assert len(good) == MODEL_BYTES
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "readingroom"
    folder.mkdir()
    (folder / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"swapped")
    assert fetch().read_bytes() == good
