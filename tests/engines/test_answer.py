"""Frames of a broken or lying server never become pieces that a meter or a screen could trip over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.engines.answer import IMPOSSIBLE, AnswerReader
from readingroom.engines.model import Chunk, EngineUnavailable, Kind, Usage

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(good, good, good, JSON)


def record(**names: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return mostly(st.fixed_dictionaries({}, optional={name: mostly(value) for name, value in names.items()}))


COUNT = st.integers(-5, 5) | st.just(10**30)
TOKEN = {"token": st.text(max_size=3), "logprob": st.floats(), "bytes": st.lists(st.integers(0, 255))}
DELTA = record(
    content=st.text(max_size=5),
    reasoning_content=st.text(max_size=5),
    tool_calls=st.lists(record(index=COUNT, function=record(name=st.text(), arguments=st.text()))),
)
LOGPROBS = record(
    content=st.lists(record(**TOKEN, top_logprobs=st.lists(record(**TOKEN)))),
    tokens=st.lists(st.text(max_size=3)),
    token_logprobs=st.lists(st.floats() | st.none()),
    top_logprobs=st.lists(st.dictionaries(st.text(max_size=3), st.floats())),
)
CHOICE = record(
    index=st.integers(-2, 2), delta=DELTA, text=st.text(), logprobs=LOGPROBS, finish_reason=st.sampled_from(["stop", 3])
)
FRAME = record(
    choices=st.lists(CHOICE, max_size=2),
    usage=record(prompt_tokens=COUNT, completion_tokens=COUNT),
    timings=record(predicted_n=COUNT),
)


@given(st.lists(FRAME, max_size=4), st.sampled_from(Kind), st.integers(1, 2))
def test_whatever_a_frame_holds_its_pieces_are_of_their_types(frames: list[Any], kind: Kind, choices: int) -> None:
    reader = AnswerReader(kind, choices)
    try:
        for frame in frames:
            for chunk in reader.push(json.dumps(frame).encode()):
                _check(chunk, choices)
        usage = reader.usage()
    except EngineUnavailable:
        return
    assert usage is None or (usage.prompt_tokens >= 0 and usage.completion_tokens >= 0)


def _check(chunk: Chunk, choices: int) -> None:
    assert 0 <= chunk.index < choices
    assert chunk.tokens >= 0
    (chunk.text + chunk.reasoning).encode()
    assert chunk.finish_reason is None or isinstance(chunk.finish_reason, str)
    for call in chunk.tool_calls:
        assert int(call.get("index") or 0) >= 0
        assert isinstance((call.get("function") or {}).get("arguments") or "", str)
    for entry in chunk.logprobs:
        if "token" in entry:
            assert isinstance(entry["token"], str)
            assert isinstance(entry["logprob"], float)
        else:
            assert len(entry["tokens"]) == len(entry["token_logprobs"])


@given(
    st.binary(max_size=40).filter(lambda data: not data.strip().startswith(b"{"))  # `{}` is a frame, of nothing
    | st.sampled_from(
        [b"{", b'{"choices": 1}', b"[" * 300_000, b'{"a":' * 300_000, b'{"usage": {"prompt_tokens": 1e999}}']
    )
)
def test_bytes_that_are_no_frame_are_a_fault(data: bytes) -> None:
    with pytest.raises(EngineUnavailable):
        AnswerReader(Kind.CHAT, 1).push(data)


def frame(text: str = "", finish: str | None = None, index: int = 0, **beside: Any) -> bytes:
    choice = {"index": index, "delta": {"content": text}, "finish_reason": finish}
    return json.dumps({"choices": [choice], **beside}).encode()


def tokens(reader: AnswerReader, *frames: bytes) -> list[int]:
    return [chunk.tokens for each in frames for chunk in reader.push(each)]


def used(count: int, prompt: int = 3) -> dict[str, Any]:
    return {"prompt_tokens": prompt, "completion_tokens": count}


def test_a_running_count_is_taken_where_a_frame_holds_several_tokens() -> None:
    by_timings = [frame("ab", timings={"predicted_n": 2}), frame("cde", "stop", timings={"predicted_n": 5})]
    assert tokens(AnswerReader(Kind.CHAT, 1), *by_timings) == [2, 3]
    by_usage = [frame("", usage=used(0)), frame("ab", usage=used(2)), frame("cde", "stop", usage=used(5))]
    assert tokens(AnswerReader(Kind.CHAT, 1), *by_usage) == [0, 2, 3]
    assert tokens(AnswerReader(Kind.CHAT, 1), frame("ab"), frame("cde", "stop")) == [1, 1]


def test_a_usage_that_does_not_run_leaves_the_count_to_the_frames() -> None:
    stuck = [frame("ab", usage=used(0)), frame("c", usage=used(0))]
    assert tokens(AnswerReader(Kind.CHAT, 1), *stuck) == [1, 1]
    falling = [frame("ab", usage=used(4)), frame("c", usage=used(1))]
    assert tokens(AnswerReader(Kind.CHAT, 1), *falling) == [4, 0]


def test_usage_beside_several_choices_runs_only_where_it_was_asked_to() -> None:
    frames = [frame("a", index=0, usage=used(5)), frame("b", index=1, usage=used(5))]
    assert tokens(AnswerReader(Kind.CHAT, 2), *frames) == [1, 1]
    assert tokens(AnswerReader(Kind.CHAT, 2, usage_runs=True), *frames) == [5, 5]


@pytest.mark.parametrize(
    ("choices", "frames", "whole"),
    [
        (1, [frame("a", "stop")], None),
        (1, [frame("a", "stop", usage=used(4))], Usage(3, 4)),
        (1, [frame("a", usage=used(1)), frame("b", "stop", usage=used(2)), {"usage": used(2)}], Usage(3, 2)),
        (2, [frame("a", "stop"), frame("b", "stop", 1), {"usage": used(9)}], Usage(3, 9)),
        (2, [frame("a", "stop"), {"usage": used(4)}, frame("b", "stop", 1), {"usage": used(5)}], Usage(3, 9)),
        (2, [frame("a", "stop", usage=used(4)), frame("b", "stop", 1, usage=used(5))], Usage(3, 9)),
    ],
)
def test_the_usage_of_an_answer_covers_all_its_choices(choices: int, frames: list[Any], whole: Usage | None) -> None:
    reader = AnswerReader(Kind.CHAT, choices)
    for each in frames:
        reader.push(each if isinstance(each, bytes) else json.dumps(each).encode())
    assert reader.usage() == whole


def test_every_choice_must_have_its_end() -> None:
    reader = AnswerReader(Kind.CHAT, 2)
    reader.push(frame("a", "stop", 1))
    with pytest.raises(EngineUnavailable, match="before its end"):
        reader.usage()


def test_an_error_in_the_middle_is_a_fault_and_a_null_is_none() -> None:
    reader = AnswerReader(Kind.CHAT, 1)
    assert reader.push(frame("a", error=None))[0].text == "a"
    with pytest.raises(EngineUnavailable, match="in the middle") as caught:
        reader.push(b'{"error": {"message": "/models/secret.gguf"}}')
    assert "secret" not in str(caught.value)


def test_an_impossible_token_has_a_figure_that_json_can_spell() -> None:
    entry = {"token": "x", "logprob": None, "id": 5, "top_logprobs": [{"token": "y", "logprob": -1}]}
    choice = {"index": 0, "text": "x", "logprobs": {"content": [entry]}}
    (found,) = AnswerReader(Kind.COMPLETION, 1).push(json.dumps({"choices": [choice]}).encode())
    assert found.logprobs[0]["logprob"] == IMPOSSIBLE
    assert "id" not in found.logprobs[0]
