"""Bodies that are almost right, or far from it: a clear refusal in OpenAI's shape, never a fault of ours, nothing of
the inside, and never a charge for what was refused. What single fields may hold is in `test_bad_requests.py`; how
bodies travel in `test_hostile_requests.py`.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raw import INTERNALS
from served import Served

TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}, "strict": True}}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
SAMPLING: dict[str, Any] = {
    "model": "echo", "max_tokens": 5, "n": 2, "seed": 1, "stop": ["x"], "stream": False, "temperature": 1, "top_p": 0.5,
    "presence_penalty": 0, "frequency_penalty": 0, "user": "u", "metadata": {"a": "b"},
}  # fmt: skip
WHOLE: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {
        **SAMPLING, "max_completion_tokens": 5, "logprobs": False, "tools": [TOOL], "tool_choice": "auto",
        "parallel_tool_calls": True, "response_format": SCHEMA, "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": "one two"}], "name": "a"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "content": "three", "tool_call_id": "c"},
        ],
    },
    "/v1/completions": {**SAMPLING, "prompt": "one two three"},
}  # fmt: skip
CHAT, TEXT = WHOLE
WORD = '{"model":"echo","messages":[{"role":"user","content":%s}]}'


def deep(depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for _ in range(depth):
        made = {"properties": made}
    return made


def tool(parameters: Any) -> bytes:
    function = {**TOOL["function"], "parameters": parameters}  # type: ignore[dict-item]
    return json.dumps({**WHOLE[CHAT], "tools": [{"type": "function", "function": function}]}).encode()


def with_(fields: str) -> bytes:
    """Spell a right body with more at its beginning."""
    return (WORD % '"a"').replace("{", "{" + fields, 1).encode()


def said(count: int, content: str = "a") -> bytes:
    return json.dumps({"model": "echo", "messages": [{"role": "user", "content": content}] * count}).encode()


CASES: dict[str, tuple[bytes, int]] = {
    "a schema as deep as may be": (tool(deep(28)), 200),
    "a schema that is deeper": (tool(deep(29)), 400),
    "objects without end": (b'{"a":' * 150_000, 400),
    "lists in a known field without end": (b'{"model": "echo", "stop": ' + b"[" * 400_000, 400),
    "infinity": (b'{"model":"echo","messages":[],"temperature":Infinity}', 400),
    "minus infinity": (b'{"model":"echo","messages":[],"temperature":-Infinity}', 400),
    "a number beyond all": (with_('"temperature":1e999,'), 400),
    "a number of a hundred thousand digits": (with_('"seed":' + "9" * 100_000 + ","), 400),
    "a fraction of a hundred thousand digits": (with_('"top_p":0.' + "1" * 100_000 + ","), 200),
    "a number too small to be": (with_('"top_p":1e-999,'), 200),
    "a key twice, deep inside": (b'{"model":"echo","messages":[{"role":"user","content":"a","role":"system"}]}', 400),
    "a key twice, spelt otherwise": (b'{"model":"echo","mo\\u0064el":"echo","messages":[]}', 400),
    "half a pair in a text": ((WORD % r'"\ud800"').encode(), 400),
    "half a pair in a name": (with_(r'"metadata":{"\udfff":1},'), 400),
    "a whole pair": ((WORD % r'"\ud83d\ude00"').encode(), 200),
    "a null in a text": ((WORD % r'"a\u0000b"').encode(), 200),
    "a null in a model's name": (rb'{"model":"ec\u0000ho","messages":[{"role":"user","content":"a"}]}', 404),
    "a bare null": ((WORD % '"a\0b"').encode(), 400),
    "too long a byte order": (b"\xc0\xaf" + (WORD % '"a"').encode(), 400),
    "a cut off letter": ((WORD % '"é"').encode().replace(b"\xa9", b""), 400),
    "UTF-16": ((WORD % '"a"').encode("utf-16"), 400),
    "a byte order mark": (b"\xef\xbb\xbf" + (WORD % '"a"').encode(), 400),
    "something behind": ((WORD % '"a"').encode() + b"{}", 400),
    "two bodies": ((WORD % '"a"').encode() * 2, 400),
    "white space alone": (b" \n\t" * 1000, 400),
    "a megabyte of names": (b"{" + b",".join(b'"n%d":1' % n for n in range(80_000)) + b"}", 400),
    "a name of a megabyte": (b'{"' + b"n" * 900_000 + b'":1}', 400),
    "ten thousand messages": (said(10_000), 400),  # more than the echo's context
    "ten thousand empty messages": (said(10_000, ""), 200),
    "more than ten thousand messages": (said(10_001), 400),
    "a prompt of nothing to see": ((WORD % json.dumps("\u200b" * 150_000, ensure_ascii=False)).encode(), 400),
    "a hundred and twenty-nine choices": (with_('"n":129,'), 400),
    "seventeen stops": (with_('"stop":' + json.dumps(["a"] * 17) + ","), 400),
}  # fmt: skip


class Door:
    """The data plane's door, and how to ask at it."""

    def __init__(self, house: Served) -> None:
        self.house, issued = house, house.grant()
        self.headers = {"authorization": f"Bearer {issued['key']}", "content-type": "application/json"}

    def ask(self, path: str, body: bytes) -> httpx.Response:
        """Ask, and look at the answer: never a fault of ours, always in shape, nothing of the inside."""
        answer = self.house.http.post(path, content=body, headers=self.headers)
        assert answer.status_code < 500, (answer.text, body[:500])
        if answer.status_code != 200:
            error = answer.json()["error"]
            assert set(error) >= {"message", "type", "code", "param"}
            assert len(error["message"]) < 400
            leaked = INTERNALS.search(answer.content)
            assert not leaked, answer.text
        return answer

    def used(self) -> int:
        """Return how many calls were charged, as the door itself tells."""
        return int(self.house.http.get("/v1/grant", headers=self.headers).json()["used"]["calls"])


@pytest.fixture(scope="module")
def door(house: Served) -> Door:
    return Door(house)


@pytest.mark.parametrize("name", CASES)
def test_each_body_has_its_answer(door: Door, name: str) -> None:
    body, status = CASES[name]
    before = door.used()
    answer = door.ask(CHAT, body)
    assert answer.status_code == status, answer.text
    assert door.used() == before + (status == 200)
    assert door.ask(CHAT, (WORD % '"good"').encode()).status_code == 200


def test_the_whole_bodies_are_right(door: Door) -> None:
    for path, body in WHOLE.items():
        assert door.ask(path, json.dumps(body).encode()).status_code == 200


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=12)
    | st.sampled_from(["", "\0", "\ud800", "a" * 5000, "NaN", "\u202e", "echo", "user", "function", "text"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Give the place of everything in a body."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(found for name, each in inner for found in places(each, (*here, name)))]


@st.composite
def almost_right(draw: st.DrawFn) -> tuple[str, bytes]:
    """Make a body that was right before something was put in, taken out or torn."""
    path = draw(st.sampled_from([CHAT, TEXT]))
    body = copy.deepcopy(WHOLE[path])
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from(places(body)[1:]))
        inside: Any = body
        for step in way:
            inside = inside[step]
        what = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if what == "remove":
            del inside[last]
        elif what == "add" and isinstance(inside, dict):
            inside[draw(st.text(max_size=8) | st.sampled_from(sorted(WHOLE[CHAT])))] = draw(JUNK)
        else:
            inside[last] = draw(JUNK)
    spelled = json.dumps(body).encode()
    if draw(st.integers(0, 3)) == 0:  # torn on the way
        at = draw(st.integers(0, len(spelled)))
        end = min(len(spelled), at + draw(st.integers(0, 4)))
        spelled = spelled[:at] + draw(st.binary(max_size=4)) + spelled[end:]
    return path, spelled


def ask_of_all(door: Door, examples: int) -> None:
    before, answered = door.used(), 0

    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(almost_right())
    def asked(made: tuple[str, bytes]) -> None:
        nonlocal answered
        answered += door.ask(*made).status_code == 200

    asked()
    assert 0 < answered < examples
    assert door.used() == before + answered, "what was refused was charged, or what was answered was not"
    assert "Traceback" not in door.house.log.read_text()


def test_an_almost_right_body_is_answered_or_refused_and_charged_only_if_answered(door: Door) -> None:
    ask_of_all(door, 80)


@pytest.mark.deep
def test_thousands_of_almost_right_bodies_too(door: Door) -> None:
    ask_of_all(door, 2000)
