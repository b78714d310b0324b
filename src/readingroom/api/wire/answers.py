"""How answers are spelled: OpenAI's JSON bodies and stream events, from frames that were free to leave.

An answer's bytes are committed to in its usage record, so what is sent and what is committed to are made by the same
code: the body of a JSON answer, or the list of a stream's events.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from readingroom.app.refusals import ending
from readingroom.core.canonical import Json, canonical
from readingroom.core.refusal import Refusal
from readingroom.gateway.ask import Kind
from readingroom.gateway.frames import Delta, End, Position, Token, ToolCall
from readingroom.gateway.spelling import is_plain, sorted_json, spelled
from readingroom.ledger.receipt import stream_form

DONE = b"data: [DONE]\n\n"
_encode = msgspec.json.Encoder().encode


def to_json(value: Json) -> bytes:
    """Spell JSON; half of a surrogate pair, which has no UTF-8, is escaped."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Head:
    """What every part of one answer repeats."""

    id: str
    created: int
    model: str
    kind: Kind

    def to_json(self, *, chunk: bool) -> dict[str, Json]:
        """Return it as the first fields of a body or an event."""
        if self.kind is Kind.CHAT:
            prefix, what = "chatcmpl", "chat.completion.chunk" if chunk else "chat.completion"
        else:
            prefix, what = "cmpl", "text_completion"
        return {"id": f"{prefix}-{self.id}", "object": what, "created": self.created, "model": self.model}


def event_bytes(event: Json) -> bytes:
    """Return an event or a body in canonical form: what is sent is what is committed to.

    Only log-probabilities have floats.
    """
    plain = all(choice["logprobs"] is None for choice in event.get("choices", ()))
    return spelled(event) if plain else canonical(event)


@dataclass
class Body:
    """A JSON answer, collected."""

    head: Head
    choices: list[dict[str, Json]]
    _spelt: bytes = b""

    @classmethod
    def begin(cls, head: Head, count: int) -> Body:
        """Begin with empty choices."""
        return cls(
            head, [{"text": "", "reasoning": "", "calls": {}, "positions": [], "finish": None} for _ in range(count)]
        )

    def add(self, delta: Delta) -> None:
        """Add a piece; the last one comes again once the whole is spelled."""
        if self._spelt:
            return
        choice = self.choices[delta.choice]
        choice["text"] += delta.text
        choice["reasoning"] += delta.reasoning
        choice["positions"] += delta.positions
        choice["finish"] = delta.finish or choice["finish"]
        for call in delta.tool_calls:
            whole = choice["calls"].setdefault(call.index, {"name": "", "arguments": ""})
            whole["name"] += call.name
            whole["arguments"] += call.arguments

    def to_json(self, end: End) -> dict[str, Json]:
        """Return the answer's body."""
        made = [self._choice(index, each) for index, each in enumerate(self.choices)]
        return {**self.head.to_json(chunk=False), "choices": made, "usage": usage(end)}

    def spell(self, end: End) -> bytes:
        """Return the bytes that are sent and committed to, the answer's last piece included, which comes after."""
        if not self._spelt:
            if end.last is not None:
                self.add(end.last)
            self._spelt = event_bytes(self.to_json(end))
        return self._spelt

    def _choice(self, index: int, raw: Mapping[str, Json]) -> dict[str, Json]:
        finish = raw["finish"].value if raw["finish"] else "stop"
        shown = logprobs(raw["positions"], self.head.kind)
        if self.head.kind is Kind.COMPLETION:
            return {"index": index, "text": raw["text"], "logprobs": shown, "finish_reason": finish}
        message: dict[str, Json] = {"role": "assistant", "content": raw["text"] or (None if raw["calls"] else "")}
        if raw["reasoning"]:
            message["reasoning_content"] = raw["reasoning"]
        if raw["calls"]:
            message["tool_calls"] = [
                {"id": f"call_{index}_{number}", "type": "function", "function": dict(call)}
                for number, call in sorted(raw["calls"].items())
            ]
        return {"index": index, "message": message, "logprobs": shown, "finish_reason": finish}


@dataclass
class Stream:
    """A stream's events, as they were sent so far."""

    head: Head
    include_usage: bool
    events: list[bytes] = field(default_factory=list)
    _begun: set[int] = field(default_factory=set)
    _around: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)  # a choice's text, in its events
    _spelt: tuple[Delta, bytes] | None = None

    def add(self, delta: Delta) -> bytes:
        """Spell a piece as an event."""
        if self._spelt is not None and self._spelt[0] is delta:
            return self._send(self._spelt[1])
        return self._send(self._plain(delta) or event_bytes(self._chunk(delta)))

    def _plain(self, delta: Delta) -> bytes:
        """Spell a piece that says nothing but text, after a choice's first; empty for any other."""
        choice = delta.choice
        if choice not in self._begun or not delta.text or delta.reasoning or delta.tool_calls:
            return b""
        if delta.positions or delta.finish:
            return b""
        try:
            text = sorted_json(delta.text)
        except UnicodeEncodeError:
            return b""
        if not is_plain(text):
            return b""
        if choice not in self._around:
            name = b'"text":' if self.head.kind is Kind.COMPLETION else b'"content":'
            before, _, after = event_bytes(self._chunk(Delta(choice, "?"))).partition(name + b'"?"')
            self._around[choice] = before + name, after
        before, after = self._around[choice]
        return before + text + after

    def close(self, end: End) -> bytes:
        """Spell the end: the usage frame and [DONE], or an error event and nothing after it."""
        last = b"".join(self._send(each) for each in self._last(end))
        return last if end.refusal else last + DONE

    def spell(self, end: End) -> bytes:
        """Return the bytes that the usage record commits to: all events, those too that come after it."""
        coming: list[bytes] = []
        if end.last is not None:
            self._spelt = end.last, event_bytes(self._chunk(end.last))
            coming = [self._spelt[1]]
        return stream_form([*self.events, *coming, *self._last(end)])

    def _last(self, end: End) -> list[bytes]:
        if end.refusal is not None:
            return [event_bytes(error(end.refusal))]
        if not self.include_usage:
            return []
        return [event_bytes({**self.head.to_json(chunk=True), "choices": [], "usage": usage(end)})]

    def _send(self, event: bytes) -> bytes:
        self.events.append(event)
        return b"data: " + event + b"\n\n"

    def _chunk(self, delta: Delta) -> Json:
        finish = delta.finish.value if delta.finish else None
        shown = logprobs(delta.positions, self.head.kind)
        choice: dict[str, Json] = {"index": delta.choice}
        if self.head.kind is Kind.COMPLETION:
            choice["text"] = delta.text
        else:
            choice["delta"] = self._delta(delta)
        choice |= {"logprobs": shown, "finish_reason": finish}
        return {**self.head.to_json(chunk=True), "choices": [choice]}

    def _delta(self, delta: Delta) -> dict[str, Json]:
        made: dict[str, Json] = {}
        if delta.choice not in self._begun:
            self._begun.add(delta.choice)
            made["role"] = "assistant"
        if delta.text or not (delta.tool_calls or delta.reasoning or delta.finish):
            made["content"] = delta.text
        if delta.reasoning:
            made["reasoning_content"] = delta.reasoning
        if delta.tool_calls:
            made["tool_calls"] = [_call(delta.choice, each) for each in delta.tool_calls]
        return made


def _call(choice: int, call: ToolCall) -> dict[str, Json]:
    made: dict[str, Json] = {"index": call.index, "function": {"arguments": call.arguments}}
    if call.name:
        made |= {"id": f"call_{choice}_{call.index}", "type": "function"}
        made["function"]["name"] = call.name
    return made


def usage(end: End) -> dict[str, Json]:
    """Return the usage of an answer, in tokens."""
    counts = {"prompt_tokens": end.prompt, "completion_tokens": end.generated}
    return {**counts, "total_tokens": end.prompt + end.generated}


def logprobs(positions: list[Position] | tuple[Position, ...], kind: Kind) -> Json:
    """Return log-probabilities in the shape of the route, or None where there are none."""
    if not positions:
        return None
    if kind is Kind.CHAT:
        return {
            "content": [{**_token(p.chosen), "top_logprobs": [_token(each) for each in p.top]} for p in positions],
            "refusal": None,
        }
    return {
        "tokens": [p.chosen.text for p in positions],
        "token_logprobs": [p.chosen.logprob for p in positions],
        "top_logprobs": [{each.text: each.logprob for each in p.top} for p in positions],
        "text_offset": None,
    }


def _token(token: Token) -> dict[str, Json]:
    return {"token": token.text, "logprob": token.logprob, "bytes": list(token.text.encode("utf-8", "replace"))}


def error(refusal: Refusal) -> dict[str, Json]:
    """Return a refusal as OpenAI spells errors."""
    param = refusal.facts.get("param")
    made = {"message": refusal.reason, "type": ending(refusal.code).type, "code": refusal.code, "param": param}
    left = refusal.facts.get("left")
    return {"error": made if left is None else {**made, "left": left}}
