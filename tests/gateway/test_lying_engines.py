"""Engines that say more than they were asked for, or otherwise: what leaves, what is shown, what is on record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.rooms import Room, room
from readingroom.core.canonical import Json, commitment
from readingroom.engines.demo_model import fetch
from readingroom.engines.echo import EchoEngine
from readingroom.engines.embedded import EmbeddedProcess
from readingroom.engines.http import HttpEngine
from readingroom.engines.model import Chunk, ForwardRequest, Usage
from readingroom.gateway.ask import Ask, Kind
from readingroom.gateway.frames import Delta, End, Position
from readingroom.ledger.receipt import text_form

RULES = """
rules:
  - {id: owls, side: both, literal: ["owl"], action: flag, clause: "1"}
  - {id: herons, side: exit, literal: ["heron"], action: flag, clause: "2"}
"""
STOP = Chunk(finish_reason="stop")


def entry(token: str, others: int) -> dict[str, Any]:
    tops = [{"token": f"w{n}", "logprob": -1.0} for n in range(others)]
    return {"token": token, "logprob": -0.5, "top_logprobs": tops}


class Says(EchoEngine):
    """Says what it was given to say, whatever it is asked, and remembers how it was asked."""

    def __init__(self, *chunks: Chunk) -> None:
        super().__init__()
        self.chunks = chunks
        self.asked: list[Any] = []

    async def stream(self, request: ForwardRequest) -> AsyncGenerator[Sequence[Chunk], None]:
        self.asked.append(request.body)
        for chunk in self.chunks:
            yield [chunk]


async def positions(here: Room, ask: Ask) -> list[Position]:
    frames = [frame async for frame in (await here.gateway.open(here.key, ask)).frames()]
    assert isinstance(frames[-1], End)
    assert frames[-1].refusal is None
    return [each for frame in frames if isinstance(frame, Delta) for each in frame.positions]


async def record(here: Room, **more: Any) -> tuple[Json, bytes]:
    """Ask, and return the usage record as its receipt shows it, with the salt."""
    flow = await here.gateway.open(here.key, here.ask("an owl, an owl", **more))
    async for _ in flow.frames():
        pass
    await here.gateway._purse.post()
    await asyncio.to_thread(here.gateway._batches.flush)
    receipt = await here.gateway.receipt(here.key, flow.hold.id)
    return receipt.to_json()["entry"], receipt.salt


@pytest.mark.parametrize(("top", "left"), [(None, []), (0, [0]), (1, [1]), (5, [5])])
async def test_what_is_asked_of_the_engine_is_explicit_and_what_leaves_is_no_more(
    tmp_path: Path, top: int | None, left: list[int]
) -> None:
    engine = Says(Chunk(text="a", tokens=1, logprobs=(entry("a", 61),)), STOP)
    async with room(tmp_path, engine=engine, top=5) as here:
        found = await positions(here, here.ask(top_logprobs=top))
        assert [len(each.top) for each in found] == left
        asked = {name: value for name, value in engine.asked[0].items() if "logprobs" in name}
        assert asked == ({} if top is None else {"logprobs": True, "top_logprobs": max(1, top)})


async def test_use_that_an_engine_claims_beyond_what_was_reserved_is_not_shown(tmp_path: Path) -> None:
    engine = Says(Chunk(text="a", tokens=1), STOP, Chunk(usage=Usage(2**31 - 1, 2**31 - 1)))
    async with room(tmp_path, engine=engine) as here:
        flow = await here.gateway.open(here.key, here.ask(maximum=3))
        end = [frame async for frame in flow.frames()][-1]
        assert isinstance(end, End)
        assert (end.prompt, end.generated) == (4, 3)
        assert (end.charged.passes, end.charged.tokens) == (3, 7)


async def test_what_was_flagged_at_both_sides_is_on_the_receipt_by_rule_and_never_by_text(tmp_path: Path) -> None:
    call = {"index": 0, "function": {"name": "heron", "arguments": "owl"}}
    engine = Says(Chunk(text="an owl, a heron", tokens=1), Chunk(tool_calls=(call,), tokens=1), STOP)
    async with room(tmp_path, engine=engine, rules=RULES) as here:
        entry, _ = await record(here)
    assert entry["flagged_entrance"] == {"owls": 2}
    assert entry["flagged_exit"] == {"owls": 2, "herons": 2}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("last", [Chunk(text="world", tokens=1, finish_reason="stop"), Chunk(text="world", tokens=1)])
async def test_a_receipt_commits_to_all_of_the_text_though_its_end_comes_with_the_finish(
    tmp_path: Path, last: Chunk, *, streamed: bool
) -> None:
    engine = Says(Chunk(text="hello ", tokens=1), last, *([] if last.finish_reason else [STOP]))
    async with room(tmp_path, engine=engine) as here:
        entry, salt = await record(here, streamed=streamed)
    assert entry["text"] == commitment(salt, text_form(["hello world"]))
    assert "flagged_exit" not in entry


class Borrowed(EchoEngine):
    """Lets another engine speak."""

    def __init__(self, inner: HttpEngine) -> None:
        super().__init__()
        self.inner = inner

    async def stream(self, request: ForwardRequest) -> AsyncGenerator[Sequence[Chunk], None]:
        async for chunks in self.inner.stream(request):
            yield chunks

    async def count_prompt(self, request: ForwardRequest) -> int | None:
        return await self.inner.count_prompt(request)

    async def close(self) -> None:
        await self.inner.close()


@pytest.mark.model
async def test_the_real_engine_gives_each_token_as_many_alternatives_as_were_asked_for(tmp_path: Path) -> None:
    process = EmbeddedProcess(fetch(), 512)
    process.start()
    try:
        engine = Borrowed(HttpEngine(process.url, "m", 512, process.key))
        async with room(tmp_path, engine=engine, top=5, passes=None) as here:
            for kind in Kind:
                for top in (None, 0, 1, 5):
                    found = await positions(here, here.ask("Say hi", kind, maximum=3, top_logprobs=top))
                    assert {len(each.top) for each in found} == (set() if top is None else {top}), kind
    finally:
        process.stop()
