"""The quick reading of plain requests reads what the thorough one reads, and leaves everything else to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import hypothesis.strategies as st
import pytest
import rfc8785
from hypothesis import example, given, settings

from readingroom.api.wire import plain
from readingroom.api.wire.requests import _checked
from readingroom.api.wire.strict import parse
from readingroom.core.refusal import Refused
from readingroom.gateway.ask import Kind

texts = st.text(max_size=12) | st.sampled_from(['a"b', "\\", "\n\t\b\f\r", "é\u2028\x7f", "\U0001f600", "/"])
counts = st.integers(-1, 4) | st.integers(2**53 - 2, 2**53 + 1) | st.floats(allow_nan=True) | st.just(2.0)
figures = st.floats(-3, 3) | st.integers(-3, 3) | st.sampled_from([0.7, 1e-7, 0.0, -0.0, 1.0, 0.001, 1e22])
odd = st.none() | st.booleans() | texts | st.integers() | st.lists(texts, max_size=2)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "system", "assistant", "tool", "developer", "nobody"]), "content": texts},
        optional={"name": texts | st.none(), "tool_call_id": texts, "more": odd},
    ),
    max_size=3,
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "model": texts,
    "messages": messages,
    "prompt": texts,
    "stop": texts | st.lists(texts, max_size=3) | st.lists(st.just("x"), min_size=15, max_size=18),
    "stream": st.booleans() | st.none(),
    "stream_options": st.fixed_dictionaries({}, optional={"include_usage": st.booleans() | st.none(), "x": odd})
    | st.none(),
    "user": texts,
    "metadata": st.dictionaries(texts, texts, max_size=1),
    "logprobs": st.booleans() | st.integers(0, 6),
    **dict.fromkeys(("max_tokens", "max_completion_tokens", "n", "seed"), counts),
    **dict.fromkeys(("temperature", "top_p", "presence_penalty", "frequency_penalty"), figures),
}
good = {"model": st.just("m"), "messages": st.just([{"role": "user", "content": "hi"}])}
bodies = st.fixed_dictionaries(
    good, optional={k: v for k, v in FIELDS.items() if k not in good}
) | st.fixed_dictionaries({}, optional=FIELDS | {"x": odd})


def both(data: bytes, kind: Kind) -> None:
    found = plain.read(data, kind)
    if found is None:
        return
    thorough = _checked(parse(data), kind)
    assert (thorough.ask, thorough.stream, thorough.include_usage) == (found[0], found[0].streamed, found[1])
    assert found[0].committed == rfc8785.dumps(json.loads(data))


@settings(max_examples=400)
@given(bodies, st.sampled_from(list(Kind)), st.booleans(), st.booleans())
@example({"model": "m", "prompt": "a"}, Kind.COMPLETION, True, True)
@example({"model": "m", "messages": [{"role": "user", "content": "a"}], "n": 2.0}, Kind.CHAT, True, True)
def test_what_is_read_quickly_is_read_alike(body: Mapping[str, Any], kind: Kind, ascii_: bool, close: bool) -> None:  # noqa: FBT001 - drawn
    separators = (",", ":") if close else None
    try:
        data = json.dumps(body, ensure_ascii=ascii_, separators=separators).encode()
    except UnicodeEncodeError:
        data = json.dumps(body).encode()
    both(data, kind)


PLAIN = b'{"model":"m","messages":[{"role":"user","content":"a \\"word\\" \\/ \xc3\xa9"}],"temperature":0.7,"n":1}'


def test_a_plain_request_is_read_quickly() -> None:
    assert plain.read(PLAIN, Kind.CHAT) is not None
    assert plain.read(b' {"stop": "x", "model" :"m", "prompt":"a", "stream": null}\n', Kind.COMPLETION) is not None
    both(PLAIN, Kind.CHAT)


@pytest.mark.parametrize(
    "data",
    [
        b'{"model":"m","model":"m","messages":[{"role":"user","content":"a"}]}',
        b'{"model":"m","messages":[{"role":"user","content":"a","content":"a"}]}',
        b'{"model":"m","messages":[{"role":"user","content":"a"}],"user":"\\u0022","user":"\\u0022"}',
        b'{"model":"m","messages":[{"role":"user","content":"a"}],"user":"\\ud800"}',
        b'{"model":"m","messages":[{"role":"user","content":"a"}],"temperature":1e999}',
        b'{"model":"m","messages":[{"role":"user","content":"a"}],"temperature":NaN}',
        b'{"model":"m","messages":[{"role":"user","content":"a"}],"seed":9007199254740993}',
        b'{"model":"m","messages":[{"role":"user","content":"\xff"}]}',
        b'\xef\xbb\xbf{"model":"m","messages":[{"role":"user","content":"a"}]}',
        b"[" * 100_000,
        b'{"messages":' * 5000,
        b"",
    ],
)
def test_what_is_wrong_is_never_plain_and_is_refused_by_the_thorough_reading(data: bytes) -> None:
    assert plain.read(data, Kind.CHAT) is None
    with pytest.raises(Refused):
        _checked(parse(data), Kind.CHAT)
