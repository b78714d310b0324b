"""A fingerprint tells the model that was tested from another one, and not from itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from readingroom.core.canonical import canonical
from readingroom.engines.demo_model import fetch
from readingroom.engines.echo import EchoEngine, EchoOptions
from readingroom.engines.embedded import EmbeddedProcess
from readingroom.engines.fingerprint import PROMPTS, TOKENS, TOLERANCE, Fingerprint, Mark, compare, from_json, take
from readingroom.engines.http import HttpEngine
from readingroom.engines.model import Chunk, EngineRefused, EngineUnavailable, ForwardRequest


class WithoutLogprobs(EchoEngine):
    """An echo that has no log-probabilities, and says so as servers do; it may put a word before each answer."""

    word = ""

    async def stream(self, request: ForwardRequest) -> AsyncGenerator[Sequence[Chunk], None]:
        if request.body.get("logprobs"):
            raise EngineRefused("no such field", "logprobs")
        if self.word:
            yield [Chunk(text=self.word + " ", tokens=1)]
        async for chunks in super().stream(request):
            yield chunks


def of(*answers: list[Mark]) -> Fingerprint:
    return Fingerprint(tuple(map(tuple, answers)))


def near(shift: float) -> Fingerprint:
    return of([Mark("a", {"a": -0.5 + shift, "b": -1.5}), Mark("b", {"b": -0.2, "c": -3.0 - shift})])


def test_rounding_is_no_change_and_more_is() -> None:
    for shift, same in ((0.0, True), (TOLERANCE, True), (3 * TOLERANCE, False)):
        found = compare(near(0), near(shift))
        assert found is not None
        assert (found.same, found.alike) == (same, 1.0)


def test_what_comes_after_another_token_is_not_compared() -> None:
    """Greedy text flips where two tokens are nearly alike; from there on the two speak of different things."""
    one = of([Mark("a", {"a": -0.70, "b": -0.71}), Mark("x", {"x": -0.1})])
    other = of([Mark("b", {"a": -0.71, "b": -0.70}), Mark("y", {"y": -4.0})])
    found = compare(one, other)
    assert found is not None
    assert found.same
    assert found.alike == 0.0


def test_a_token_that_one_list_lacks_counts_as_far_as_it_must_be_away() -> None:
    found = compare(of([Mark("a", {"a": -0.1, "b": -2.0})]), of([Mark("z", {"z": -0.1, "y": -3.0})]))
    assert found is not None
    assert not found.same
    assert found.apart == pytest.approx((2.9 + 1.0 + 1.9 + 0.0) / 4)


def test_other_questions_cannot_be_compared() -> None:
    assert compare(near(0), replace(near(0), prompts="sha256:other")) is None


async def test_what_is_kept_is_what_was_taken() -> None:
    taken = await take(EchoEngine())
    assert from_json(taken.to_json()) == taken
    assert len(taken.answers) == len(PROMPTS)
    assert 0 < taken.passes <= len(PROMPTS) * TOKENS
    assert canonical({"fingerprint": taken.digest})


async def test_an_engine_without_logprobs_is_compared_by_its_words() -> None:
    taken = await take(WithoutLogprobs())
    same = compare(taken, await take(WithoutLogprobs()))
    changed = WithoutLogprobs()
    changed.word = "Well,"
    other = compare(taken, await take(changed))
    assert same is not None
    assert (same.same, same.apart) == (True, None)
    assert other is not None
    assert (other.same, other.apart) == (False, None)


async def test_an_engine_that_fails_has_no_fingerprint() -> None:
    with pytest.raises(EngineUnavailable):
        await take(EchoEngine(EchoOptions(fail_after=1)))


@asynccontextmanager
async def embedded(model: Path, slots: int = 4) -> AsyncIterator[HttpEngine]:
    process = EmbeddedProcess(model, 512, slots)
    process.start()
    engine = HttpEngine(process.url, "m", 512, process.key)
    try:
        yield engine
    finally:
        await engine.close()
        process.stop()


@pytest.mark.deep
@pytest.mark.model
async def test_the_demo_model_is_itself_under_load_and_in_any_slots_and_edited_weights_are_not(tmp_path: Path) -> None:
    async with embedded(fetch()) as engine:
        kept = await take(engine)
        for each in await asyncio.gather(*(take(engine) for _ in range(4))):
            agreement = compare(kept, each)
            assert agreement is not None
            assert agreement.same, agreement
    async with embedded(fetch(), 1) as engine:
        agreement = compare(kept, await take(engine))
        assert agreement is not None
        assert agreement.same, agreement
    edited = tmp_path / "edited.gguf"
    weights = bytearray(fetch().read_bytes())
    chance = random.Random(1)  # noqa: S311 - the same bytes each time
    for _ in range(len(weights) // 100_000):
        weights[chance.randrange(len(weights) // 2, len(weights) - 1000)] ^= 0x11
    edited.write_bytes(weights)
    async with embedded(edited) as engine:
        agreement = compare(kept, await take(engine))
        assert agreement is not None
        assert not agreement.same, agreement
