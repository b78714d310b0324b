"""The exit: every channel of every choice goes through a screen of its own before it may leave (promise 3).

Text, reasoning and tool arguments are screened as they stream. A log-probability entry shows a token too, so it waits
until its token's text was let go, and an alternative that would complete a match is left out of it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from readingroom.core.canonical import Json
from readingroom.engines.model import Chunk, Kind
from readingroom.gateway.frames import Delta, Finish, Position, Token, ToolCall
from readingroom.gateway.screening.stream import Screen, StreamScreen

_FINISH = {each.value: each for each in Finish}


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A log-probability entry that waits for its token's characters to be let go."""

    start: int
    end: int
    position: Position


@dataclass
class ChoiceExit:
    """One choice on its way out."""

    index: int
    screen: Screen
    kind: Kind
    finished: Finish | None = None
    text: str = ""
    _content: StreamScreen = field(init=False)
    _reasoning: StreamScreen = field(init=False)
    _arguments: dict[int, StreamScreen] = field(default_factory=dict)
    _names: dict[int, str] = field(default_factory=dict)
    _waiting: deque[_Waiting] = field(default_factory=deque)

    def __post_init__(self) -> None:
        """Begin before the first character."""
        self._content = self.screen.stream()
        self._reasoning = self.screen.stream()

    def push(self, chunk: Chunk) -> Delta:
        """Take a piece in and return what may leave of it and of what was held before."""
        if self.finished:
            return Delta(self.index)
        positions = self._positions(chunk)
        start = self._content.seen
        content = self._content.push(chunk.text)
        self._wait(start, positions)
        reasoning = self._reasoning.push(chunk.reasoning)
        calls, refused = self._tool_calls(chunk)
        if content.refused or reasoning.refused or refused:
            self.finished = Finish.CONTENT_FILTER
            return self._delta(content.text, reasoning.text, calls)
        if chunk.finish_reason is None:
            return self._delta(content.text, reasoning.text, calls)
        ending = self.finish(_FINISH.get(chunk.finish_reason, Finish.STOP))
        return Delta(
            self.index,
            content.text + ending.text,
            reasoning.text + ending.reasoning,
            (*calls, *ending.tool_calls),
            ending.positions,
            self.finished,
        )

    def finish(self, reason: Finish) -> Delta:
        """See the end of the choice; what was held and is no match leaves now."""
        if self.finished:
            return Delta(self.index)
        self.finished = reason
        content, reasoning = self._content.finish(), self._reasoning.finish()
        calls = []
        refused = bool(content.refused or reasoning.refused)
        for number, screen in self._arguments.items():
            rest = screen.finish()
            refused = refused or rest.refused is not None
            if rest.text:
                calls.append(ToolCall(number, arguments=rest.text))
        if refused:
            self.finished = Finish.CONTENT_FILTER
        return self._delta(content.text, reasoning.text, tuple(calls))

    def _delta(self, text: str, reasoning: str, calls: tuple[ToolCall, ...]) -> Delta:
        self.text += text
        return Delta(self.index, text, reasoning, calls, self._let_go(), self.finished)

    def _tool_calls(self, chunk: Chunk) -> tuple[tuple[ToolCall, ...], bool]:
        made, refused = [], False
        for raw in chunk.tool_calls:
            number, function = int(raw.get("index") or 0), raw.get("function") or {}
            name = str(function.get("name") or "")
            _, named = self.screen.whole(name)
            screen = self._arguments.setdefault(number, self.screen.stream())
            passed = screen.push(str(function.get("arguments") or ""))
            refused = refused or named.refused is not None or passed.refused is not None
            if not refused and (name or passed.text):
                made.append(ToolCall(number, name, passed.text))
        return tuple(made), refused

    def _positions(self, chunk: Chunk) -> list[Position]:
        entries = [each for raw in chunk.logprobs for each in _entries(raw, self.kind)]
        return [Position(each.chosen, tuple(t for t in each.top if self._may_show(t.text))) for each in entries]

    def _may_show(self, alternative: str) -> bool:
        """Tell whether an alternative, put where the chosen token goes, would match nothing."""
        twin = self._content.fork()
        before = len(twin.hits)
        twin.push(alternative)
        twin.finish()
        return twin.refused is None and not any(hit.action == "redact" for hit in twin.hits[before:])

    def _wait(self, start: int, positions: list[Position]) -> None:
        for position in positions:
            end = start + len(position.chosen.text)
            self._waiting.append(_Waiting(start, end, position))
            start = end

    def _let_go(self) -> tuple[Position, ...]:
        free = []
        while self._waiting and self._waiting[0].end <= self._content.released:
            each = self._waiting.popleft()
            if not any(start < each.end and each.start < end for start, end in self._content.taken_out):
                free.append(each.position)
        return tuple(free)


def _entries(raw: Json, kind: Kind) -> list[Position]:
    if kind is Kind.CHAT or "token" in raw:
        return [Position(_token(raw), tuple(_token(each) for each in raw.get("top_logprobs") or ()))]
    made = []
    tops = raw.get("top_logprobs") or [{}] * len(raw["tokens"])
    for text, logprob, top in zip(raw["tokens"], raw["token_logprobs"], tops, strict=False):
        others = tuple(Token(str(name), float(value)) for name, value in (top or {}).items())
        made.append(Position(Token(str(text), float(logprob)), others))
    return made


def _token(raw: Json) -> Token:
    return Token(str(raw["token"]), float(raw["logprob"]))
