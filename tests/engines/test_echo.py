"""The echo engine does what it says, faults included."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.core.errors import BadInput
from readingroom.engines.echo import EchoEngine, EchoOptions, options_from
from readingroom.engines.model import Chunk, EngineUnavailable, ForwardRequest, Kind, one_by_one


def asked(text: str, **body: object) -> ForwardRequest:
    return ForwardRequest(Kind.CHAT, {"messages": [{"role": "user", "content": text}], "max_tokens": 1000, **body})


async def chunks(engine: EchoEngine, request: ForwardRequest) -> list[Chunk]:
    return [chunk async for chunk in one_by_one(engine, request)]


@given(st.text(st.characters(codec="utf-8"), max_size=80), st.booleans())
def test_the_pieces_join_to_the_message(text: str, by_character: bool) -> None:  # noqa: FBT001 - drawn
    found = asyncio.run(chunks(EchoEngine(EchoOptions(by_character=by_character)), asked(text)))
    assert "".join(chunk.text for chunk in found) == text
    usage = found[-1].usage
    assert usage is not None
    assert usage.completion_tokens == sum(chunk.tokens for chunk in found)


async def test_every_choice_ends_with_its_reason_and_the_limit_is_kept() -> None:
    found = await chunks(EchoEngine(), asked("a b c d", n=2, max_tokens=3))
    ends = {chunk.index: chunk.finish_reason for chunk in found if chunk.finish_reason}
    assert ends == {0: "length", 1: "length"}
    assert sum(chunk.tokens for chunk in found) == 6


async def test_it_stops_at_a_stop_text() -> None:
    found = await chunks(EchoEngine(), asked("a b STOP c", stop=["STOP"]))
    assert "".join(chunk.text for chunk in found) == "a b "


async def test_leaving_the_iterator_stops_the_engine() -> None:
    engine = EchoEngine(EchoOptions(words_per_second=1000))
    stream = engine.stream(asked("word " * 500))
    await anext(stream)
    assert engine.running == 1
    await stream.aclose()
    assert engine.running == 0
    said = engine.words_said
    await asyncio.sleep(0.05)
    assert engine.words_said == said < 500


async def test_injected_faults_are_faults() -> None:
    with pytest.raises(EngineUnavailable):
        await chunks(EchoEngine(EchoOptions(fail_after=1)), asked("a b c"))
    early = await chunks(EchoEngine(EchoOptions(end_early=1)), asked("a b c"))
    assert not any(chunk.finish_reason for chunk in early)
    over = await chunks(EchoEngine(EchoOptions(extra_tokens=2)), asked("a b c d", max_tokens=1))
    assert sum(chunk.tokens for chunk in over) == 3


def test_an_unknown_option_is_told() -> None:
    with pytest.raises(BadInput, match="no option 'speed'"):
        options_from({"speed": 3})
