"""What a request may hold. Every field is named here or refused; only what is named goes on to the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from readingroom.api.wire import plain
from readingroom.api.wire.strict import MAX_INTEGER, Fields, committed, parse, refuse
from readingroom.core.canonical import Json
from readingroom.gateway.ask import Ask, Kind

MAX_CHOICES = 128
MAX_LOGPROBS = 5  # until the disclosure guard exists
MAX_STOPS = 16
MAX_MESSAGES = 10_000
MAX_TOOLS = 128
_TOO_MUCH = "it would let the model's weights be reconstructed"
_REFUSED = {
    "logit_bias": _TOO_MUCH,
    "prompt_logprobs": _TOO_MUCH,
    "echo": "prompts are not scored",
    "best_of": "every answer that is computed is returned and charged; use n",
}
_COMMON = (
    "model", "max_tokens", "n", "seed", "stop", "stream", "stream_options", "temperature", "top_p",
    "presence_penalty", "frequency_penalty", "logprobs", "user", "metadata",
)  # fmt: skip
_CHAT = (
    *_COMMON, "messages", "max_completion_tokens", "top_logprobs", "tools", "tool_choice",
    "parallel_tool_calls", "response_format",
)  # fmt: skip
_ROLES = ("system", "developer", "user", "assistant", "tool")
_DROPPED = ("refusal", "annotations", "audio", "function_call")  # what clients send back of an earlier answer


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request, and how its answer should be delivered."""

    ask: Ask
    stream: bool
    include_usage: bool


def read(data: bytes, kind: Kind) -> Request:
    """Read a request body.

    Raises:
        Refused: `gateway/bad-request`, with the field's name as fact `param`.
    """
    found = plain.read(data, kind)
    if found is not None:
        return Request(found[0], found[0].streamed, found[1])
    return _checked(parse(data), kind)


def _checked(raw: Mapping[str, Json], kind: Kind) -> Request:
    fields = Fields(raw, "", _CHAT if kind is Kind.CHAT else (*_COMMON, "prompt"), _REFUSED)
    model = fields.text("model", required=True)
    if not model:
        fields.fail("model", "must not be empty")
    body: dict[str, Json] = {}
    _sampling(fields, body)
    if kind is Kind.CHAT:
        body["messages"] = _messages(fields)
        _tools(fields, body)
        top = _chat_logprobs(fields)
    else:
        body["prompt"] = _prompt(fields)
        top = fields.integer("logprobs", 0, MAX_LOGPROBS)
    stream = fields.flag("stream") or False
    ask = Ask(
        kind=kind,
        model=model,
        body=body,
        committed=committed(raw),
        choices=fields.integer("n", 1, MAX_CHOICES) or 1,
        maximum=_maximum(fields),
        top_logprobs=top,
        streamed=stream,
    )
    return Request(ask, stream, _include_usage(fields, stream=stream))


def _sampling(fields: Fields, body: dict[str, Json]) -> None:
    checked = {
        "seed": fields.integer("seed", -MAX_INTEGER, MAX_INTEGER),
        "stop": _stop(fields),
        "temperature": fields.number("temperature", 0, 2),
        "top_p": fields.number("top_p", 0, 1),
        "presence_penalty": fields.number("presence_penalty", -2, 2),
        "frequency_penalty": fields.number("frequency_penalty", -2, 2),
    }
    body.update({name: value for name, value in checked.items() if value is not None})
    fields.text("user")  # allowed, and kept from the engine: who asks is not its business
    metadata = fields.value("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        fields.fail("metadata", "must be an object")


def _stop(fields: Fields) -> list[str] | None:
    value = fields.value("stop")
    if value is None:
        return None
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list) or len(stops) > MAX_STOPS or not all(isinstance(s, str) and s for s in stops):
        fields.fail("stop", f"must be a text or a list of at most {MAX_STOPS} non-empty texts")
    return stops or None


def _maximum(fields: Fields) -> int | None:
    stated = [fields.integer(name, 1, MAX_INTEGER) for name in ("max_tokens", "max_completion_tokens")]
    known = [value for value in stated if value is not None]
    return min(known, default=None)


def _include_usage(fields: Fields, *, stream: bool) -> bool:
    if not fields.has("stream_options"):
        return False
    if not stream:
        fields.fail("stream_options", "is only for streams; set stream to true")
    options = Fields(fields.value("stream_options"), "stream_options", ["include_usage"])
    return options.flag("include_usage") or False


def _chat_logprobs(fields: Fields) -> int | None:
    wanted = fields.flag("logprobs") or False
    top = fields.integer("top_logprobs", 0, MAX_LOGPROBS)
    if top is not None and not wanted:
        fields.fail("top_logprobs", "needs logprobs to be true")
    return (top or 0) if wanted else None


def _prompt(fields: Fields) -> str:
    value = fields.value("prompt")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or not value:
        fields.fail("prompt", "must be one non-empty text; several prompts are several requests")
    return value


def _messages(fields: Fields) -> list[dict[str, Json]]:
    raw = fields.items("messages", MAX_MESSAGES)
    if not raw:
        fields.fail("messages", "must hold at least one message")
    return [_message(each, f"messages[{i}]") for i, each in enumerate(raw)]


def _message(raw: object, where: str) -> dict[str, Json]:
    fields = Fields(raw, where, ["role", "content", "name", "tool_calls", "tool_call_id", *_DROPPED])
    role = fields.choice("role", _ROLES)
    if role is None:
        fields.fail("role", "is required")
    made: dict[str, Json] = {"role": role}
    calls = fields.items("tool_calls", MAX_TOOLS)
    if calls and role != "assistant":
        fields.fail("tool_calls", "is for assistant messages")
    if calls:
        made["tool_calls"] = [_tool_call(each, f"{where}.tool_calls[{i}]") for i, each in enumerate(calls)]
    content = _content(fields)
    if content is None and not calls:
        fields.fail("content", "is required")
    made["content"] = content
    for name in ("name", "tool_call_id"):
        if fields.has(name):
            made[name] = fields.text(name)
    return made


def _content(fields: Fields) -> str | None:
    """Read a content: a text, or parts of text, which become one text."""
    value = fields.value("content")
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, list) or not value:
        fields.fail("content", "must be a text or a list of text parts")
    return "\n".join(_part(each, f"{fields.path('content')}[{i}]") for i, each in enumerate(value))


def _part(raw: object, where: str) -> str:
    fields = Fields(raw, where, ["type", "text"])
    if fields.value("type") != "text":
        fields.fail("type", "must be text; this model reads nothing else")
    return fields.text("text", required=True) or ""


def _tool_call(raw: object, where: str) -> dict[str, Json]:
    fields = Fields(raw, where, ["id", "type", "function", "index"])
    function = Fields(fields.value("function"), f"{where}.function", ["name", "arguments"])
    return {
        "id": fields.text("id") or "",
        "type": fields.choice("type", ["function"]) or "function",
        "function": {
            "name": function.text("name", required=True),
            "arguments": function.text("arguments", required=True),
        },
    }


def _tools(fields: Fields, body: dict[str, Json]) -> None:
    tools = fields.items("tools", MAX_TOOLS)
    if tools:
        body["tools"] = [_tool(each, f"tools[{i}]") for i, each in enumerate(tools)]
    for name in ("tool_choice", "parallel_tool_calls"):
        if fields.has(name) and not tools:
            fields.fail(name, "needs tools")
    if fields.has("tool_choice"):
        body["tool_choice"] = _tool_choice(fields)
    if fields.has("parallel_tool_calls"):
        body["parallel_tool_calls"] = fields.flag("parallel_tool_calls")
    if fields.has("response_format"):
        body["response_format"] = _response_format(fields)


def _tool(raw: object, where: str) -> dict[str, Json]:
    fields = Fields(raw, where, ["type", "function"])
    fields.choice("type", ["function"])
    inner = Fields(fields.value("function"), f"{where}.function", ["name", "description", "parameters", "strict"])
    function: dict[str, Json] = {"name": inner.text("name", required=True)}
    if inner.has("description"):
        function["description"] = inner.text("description")
    if inner.has("strict"):
        function["strict"] = inner.flag("strict")
    if inner.has("parameters"):
        function["parameters"] = _object(inner, "parameters")
    return {"type": "function", "function": function}


def _tool_choice(fields: Fields) -> Json:
    if isinstance(fields.value("tool_choice"), str):
        return fields.choice("tool_choice", ["none", "auto", "required"])
    inner = Fields(fields.value("tool_choice"), "tool_choice", ["type", "function"])
    inner.choice("type", ["function"])
    named = Fields(inner.value("function"), "tool_choice.function", ["name"])
    return {"type": "function", "function": {"name": named.text("name", required=True)}}


def _response_format(fields: Fields) -> dict[str, Json]:
    inner = Fields(fields.value("response_format"), "response_format", ["type", "json_schema"])
    kind = inner.choice("type", ["text", "json_object", "json_schema"])
    if kind is None:
        inner.fail("type", "is required")
    made: dict[str, Json] = {"type": kind}
    if kind == "json_schema":
        allowed = ["name", "description", "schema", "strict"]
        schema = Fields(inner.value("json_schema"), "response_format.json_schema", allowed)
        made["json_schema"] = {
            "name": schema.text("name", required=True),
            **({"description": schema.text("description")} if schema.has("description") else {}),
            **({"strict": schema.flag("strict")} if schema.has("strict") else {}),
            **({"schema": _object(schema, "schema")} if schema.has("schema") else {}),
        }
    elif inner.has("json_schema"):
        refuse("response_format.json_schema needs the type json_schema.", "response_format.json_schema")
    return made


def _object(fields: Fields, name: str) -> dict[str, Any]:
    value = fields.value(name)
    if not isinstance(value, dict):
        fields.fail(name, "must be an object")
    return value
