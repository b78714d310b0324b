"""What an OpenAI-compatible server says, read frame by frame into pieces (OpenAI's API reference).

A server may be broken or lie. Frames are read by type, so that nothing goes further which is not of its type, below
zero, or of a choice that was not asked for; fields that no piece carries are dropped unread.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, structs

from readingroom.core.canonical import Json
from readingroom.engines.model import Chunk, EngineUnavailable, Kind, Usage

IMPOSSIBLE = -9999.0  # OpenAI's figure for a log probability of minus infinity, which JSON cannot spell
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class _Token(Struct):
    token: str
    logprob: float | None = None
    bytes: list[int] | None = None


class _Entry(_Token):
    top_logprobs: list[_Token] | None = None


class _Logprobs(Struct):
    """Either the chat route's `content`, or the older parallel lists; llama.cpp gives `content` on both routes."""

    content: list[_Entry] | None = None
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float | None] | None] | None = None


class _Function(Struct, omit_defaults=True):
    name: str | None = None
    arguments: str | None = None


class _Call(Struct, omit_defaults=True):
    index: Count | None = None
    id: str | None = None
    type: str | None = None
    function: _Function | None = None


class _Delta(Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(Struct):
    index: Count = 0
    delta: _Delta | None = None
    message: _Delta | None = None  # in a whole answer
    text: str | None = None
    logprobs: _Logprobs | None = None
    finish_reason: str | None = None


class _Timings(Struct):
    predicted_n: Count | None = None


class _Usage(Struct):
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None


class _Frame(Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    timings: _Timings | None = None
    error: Any = None  # some servers send a null with each frame


_DECODER = msgspec.json.Decoder(_Frame)


class AnswerReader:
    """Reads the frames of one answer."""

    def __init__(self, kind: Kind, choices: int, *, usage_runs: bool = False) -> None:
        """Begin with nothing read.

        Args:
            kind: the route that was asked.
            choices: how many answers were asked for.
            usage_runs: the `usage` beside a choice is that choice's own running count.
        """
        self._kind = kind
        self._choices = choices
        self._usage_runs = usage_runs or choices == 1
        self._open = set(range(choices))
        self._counted: dict[int, int] = {}
        self._beside: dict[int, Usage] = {}  # usage that came beside a choice: the latest of each
        self._apart: list[Usage] = []  # usage that came in a frame of its own

    def push(self, data: bytes) -> list[Chunk]:
        """Take a frame; return its pieces, usage aside.

        Raises:
            EngineUnavailable: the frame tells of an error, or is not one.
        """
        try:
            frame = _DECODER.decode(data)
        except (ValueError, RecursionError) as fault:  # msgspec's errors are of the first kind
            raise EngineUnavailable(f"a frame cannot be read: {type(fault).__name__}") from None
        if frame.error is not None:
            raise EngineUnavailable("an error came in the middle of the answer")
        choices = frame.choices or []
        for choice in choices:
            if choice.index >= self._choices:
                raise EngineUnavailable("a choice came that was not asked for")
        if frame.usage is None and frame.timings is None:
            return [self._chunk(choice, None) for choice in choices]
        self._note(frame.usage, choices)
        running = self._running(frame)
        return [self._chunk(choice, running) for choice in choices]

    def whole(self, data: bytes, most: int) -> list[Chunk]:
        """Take a whole answer, which has no frames; return a piece per choice.

        Args:
            data: the body.
            most: tokens that all choices may have. A server that went beyond it is cut in proportion: where its
                tokens ended is not known any more.

        Raises:
            EngineUnavailable: it tells of an error, or is no answer.
        """
        chunks = [_numbered(each) for each in self.push(data)]
        said = sum(each.completion_tokens for each in self._beside.values()) // max(1, len(self._beside))
        if said <= most:
            return chunks
        return [
            structs.replace(
                each,
                text=each.text[: len(each.text) * most // said],
                reasoning=each.reasoning[: len(each.reasoning) * most // said],
                tool_calls=(),
                tokens=min(each.tokens, most // self._choices),
                finish_reason="length",
            )
            for each in chunks
        ]

    def usage(self) -> Usage | None:
        """See the end; return the usage over all choices, if the server gave one.

        Raises:
            EngineUnavailable: a choice has no finish reason: the answer was cut off.
        """
        if self._open:
            raise EngineUnavailable("the answer ended before its end")
        parts = list(self._beside.values())
        if self._apart:  # the last frame's covers all, unless the server sends one for each choice (llama.cpp)
            parts = self._apart if len(self._apart) == self._choices else self._apart[-1:]
        if not parts:
            return None
        return Usage(parts[-1].prompt_tokens, sum(each.completion_tokens for each in parts))

    def _note(self, usage: _Usage | None, choices: list[_Choice]) -> None:
        if usage is None or usage.completion_tokens is None:
            return
        counts = Usage(usage.prompt_tokens or 0, usage.completion_tokens)
        if not choices:
            self._apart.append(counts)
        for choice in choices:
            self._beside[choice.index] = counts

    def _running(self, frame: _Frame) -> int | None:
        """Return the server's running count of a choice; a zero is what servers say that keep none."""
        if frame.timings is not None and frame.timings.predicted_n:
            return frame.timings.predicted_n
        if frame.usage is not None and self._usage_runs:
            return frame.usage.completion_tokens or None
        return None

    def _chunk(self, choice: _Choice, running: int | None) -> Chunk:
        delta = choice.delta or choice.message or _Delta()
        index = choice.index
        text = (choice.text if self._kind is Kind.COMPLETION else delta.content) or ""
        reasoning = delta.reasoning_content or delta.reasoning or ""
        calls = tuple(map(msgspec.to_builtins, delta.tool_calls)) if delta.tool_calls else ()
        before = self._counted.get(index, 0)
        counted = before + int(bool(text or reasoning or calls)) if running is None else max(before, running)
        self._counted[index] = counted
        if choice.finish_reason is not None:
            self._open.discard(choice.index)
        return Chunk(
            index=index,
            text=text,
            tokens=counted - before,
            logprobs=_logprobs(choice.logprobs),
            tool_calls=calls,
            reasoning=reasoning,
            finish_reason=choice.finish_reason,
        )


def _numbered(chunk: Chunk) -> Chunk:
    """Number the tool calls of a whole answer, which stand in a list and have no numbers."""
    calls = tuple({**call, "index": number} for number, call in enumerate(chunk.tool_calls))
    return structs.replace(chunk, tool_calls=calls) if calls else chunk


def _logprobs(found: _Logprobs | None) -> tuple[dict[str, Json], ...]:
    if found is None:
        return ()
    if found.content:
        return tuple(map(_entry, found.content))
    if not found.tokens:
        return ()
    values = [_finite(value) for value in found.token_logprobs or ()]
    tops = [{token: _finite(value) for token, value in (top or {}).items()} for top in found.top_logprobs or ()]
    if len(values) != len(found.tokens) or len(tops) not in {0, len(found.tokens)}:
        raise EngineUnavailable("log probabilities are not one per token")
    return ({"tokens": found.tokens, "token_logprobs": values, "top_logprobs": tops},)


def _entry(entry: _Entry) -> dict[str, Json]:
    return {**_spelt(entry), "top_logprobs": [_spelt(each) for each in entry.top_logprobs or ()]}


def _spelt(token: _Token) -> dict[str, Json]:
    return {"token": token.token, "logprob": _finite(token.logprob), "bytes": token.bytes}


def _finite(logprob: float | None) -> float:
    return IMPOSSIBLE if logprob is None else logprob
