"""Plain requests, read at once. Nearly all are: texts and a few figures, and nothing that needs a second look.

What is not plain, or is wrong, is left to `requests.read`, which knows everything that may stand in a request and says
what is wrong with it; where both read a request, they read the same in it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from readingroom.api.wire.strict import MAX_INTEGER
from readingroom.core.canonical import Json
from readingroom.gateway.ask import Ask, Kind
from readingroom.gateway.spelling import is_plain, sorted_json

_Text = Annotated[str, Meta(min_length=1)]
_Count = Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
_FLOATS = ("temperature", "top_p", "presence_penalty", "frequency_penalty")
_SAMPLING = ("seed", "stop", *_FLOATS)
_EXACT = (0.001, 1e9)  # between these, all spell a fraction in the same way


class _Message(Struct, forbid_unknown_fields=True):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str
    name: str | None = None


class _Options(Struct, forbid_unknown_fields=True):
    include_usage: bool | None = None


class _Common(Struct, forbid_unknown_fields=True, kw_only=True):
    model: _Text
    max_tokens: _Count | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    seed: Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)] | None = None
    stop: _Text | Annotated[list[_Text], Meta(max_length=16)] | None = None
    stream: bool | None = None
    stream_options: _Options | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    user: str | None = None


class _Chat(_Common, kw_only=True):
    messages: Annotated[list[_Message], Meta(min_length=1, max_length=10_000)]
    max_completion_tokens: _Count | None = None


class _Completion(_Common, kw_only=True):
    prompt: _Text


_CHAT = msgspec.json.Decoder(_Chat).decode
_COMPLETION = msgspec.json.Decoder(_Completion).decode
_RAW = msgspec.json.Decoder(dict[str, Any]).decode


def read(data: bytes, kind: Kind) -> tuple[Ask, bool] | None:
    """Read a plain request: what is asked, and whether a stream is to end with its usage; None if it is not plain."""
    try:
        asked: _Chat | _Completion = _CHAT(data) if kind is Kind.CHAT else _COMPLETION(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    form = _form(data)
    if form is None or (asked.stream_options is not None and not asked.stream):
        return None
    body: dict[str, Json] = {}
    for name in _SAMPLING:
        value = getattr(asked, name)
        if value is not None:
            body[name] = value
    if asked.stop is not None:
        body["stop"] = [asked.stop] if isinstance(asked.stop, str) else asked.stop
        if not asked.stop:
            del body["stop"]
    maximum = asked.max_tokens
    if isinstance(asked, _Chat):
        body["messages"] = [_message(each) for each in asked.messages]
        others = [each for each in (maximum, asked.max_completion_tokens) if each is not None]
        maximum = min(others, default=None)
    else:
        body["prompt"] = asked.prompt
    stream = asked.stream or False
    ask = Ask(kind, asked.model, body, form, choices=asked.n or 1, maximum=maximum, streamed=stream)
    return ask, bool(asked.stream_options and asked.stream_options.include_usage)


def _message(message: _Message) -> dict[str, Json]:
    made: dict[str, Json] = {"role": message.role, "content": message.content}
    if message.name is not None:
        made["name"] = message.name
    return made


def _form(data: bytes) -> bytes | None:
    """Return a request's canonical form, if the quick encoder writes it; it has the fields of its kind only.

    A repeated name is lost in reading, and with it at least two quotation marks, which is how it is seen; only an
    escape by number could make up for them.
    """
    raw = _RAW(data)
    form = sorted_json(raw)
    if b"\\u" in data or form.count(b'"') != data.count(b'"') or not is_plain(form):
        return None
    for name in _FLOATS:
        value = raw.get(name)
        if type(value) is float and (value.is_integer() or not _EXACT[0] < abs(value) < _EXACT[1]):
            return None
    return form
