"""The exit: every channel of every choice goes through a screen of its own before it may leave (promise 3).

Text, reasoning and tool arguments are screened as they stream, a tool's name when it is whole. Log-probabilities show
tokens too, so they leave only if they spell the text that they came with, once that text was let go; alternatives that
would complete a match in their token's place are left out.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from readingroom.core.canonical import Json
from readingroom.engines.model import Chunk, Kind
from readingroom.gateway.frames import Delta, Finish, Position, Token, ToolCall
from readingroom.gateway.screening.model import Action
from readingroom.gateway.screening.stream import Screen, StreamScreen
from readingroom.gateway.verdicts import Verdicts

_FINISH = {each.value: each for each in Finish}


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A log-probability entry that waits for its token's characters to be let go."""

    start: int
    end: int
    position: Position


@dataclass
class _Call:
    """One tool call on its way out. Its name waits until it is whole: until arguments or the end come."""

    arguments: StreamScreen
    name: str = ""
    named: StreamScreen | None = None


@dataclass
class ChoiceExit:
    """One choice on its way out.

    Attributes:
        top: how many alternatives per position the reader asked for; None asked for no log-probabilities at all.
        text: what has left.
    """

    index: int
    screen: Screen
    kind: Kind
    top: int | None = None
    finished: Finish | None = None
    text: str = ""
    _content: StreamScreen = field(init=False)
    _reasoning: StreamScreen = field(init=False)
    _calls: dict[int, _Call] = field(default_factory=dict)
    _waiting: deque[_Waiting] = field(default_factory=deque)

    def __post_init__(self) -> None:
        """Begin before the first character."""
        self._content = self.screen.stream()
        self._reasoning = self.screen.stream()

    @property
    def flags(self) -> Counter[str]:
        """How often each rule that only flags has matched."""
        hits = [hit for screen in self._screens for hit in screen.hits]
        return Counter(hit.rule for hit in hits if hit.action is Action.FLAG) if hits else Counter()

    @property
    def _screens(self) -> list[StreamScreen]:
        calls = [screen for call in self._calls.values() for screen in (call.named, call.arguments) if screen]
        return [self._content, self._reasoning, *calls]

    @property
    def verdicts(self) -> Verdicts:
        """What goes on record of this choice."""
        screens = self._screens
        ending = next((screen.refused for screen in screens if screen.refused), None)
        stopped_by = (ending.rule, ending.action.value) if ending else None
        return Verdicts(sum(screen.seen for screen in screens), self.flags, stopped_by=stopped_by)

    def push(self, chunk: Chunk) -> Delta:
        """Take a piece in and return what may leave of it and of what was held before."""
        if self.finished:
            return Delta(self.index)
        if self._is_plain_and_whole(chunk):
            self._content.let_by(chunk.text)
            self.finished, self.text = _FINISH.get(chunk.finish_reason or "", Finish.STOP), chunk.text
            return Delta(self.index, chunk.text, finish=self.finished)
        self._wait(chunk)
        content, reasoning = self._content.push(chunk.text), self._reasoning.push(chunk.reasoning)
        calls, refused = self._tool_calls(chunk)
        if content.refused or reasoning.refused or refused:
            self.finished = Finish.CONTENT_FILTER
        made = self._delta(content.text, reasoning.text, calls)
        if self.finished or chunk.finish_reason is None:
            return made
        ending = self.finish(_FINISH.get(chunk.finish_reason, Finish.STOP))
        return Delta(
            self.index,
            made.text + ending.text,
            made.reasoning + ending.reasoning,
            (*made.tool_calls, *ending.tool_calls),
            (*made.positions, *ending.positions),
            self.finished,
        )

    def _is_plain_and_whole(self, chunk: Chunk) -> bool:
        """Tell whether this piece is all that the choice says, and cannot match: most answers that come whole are."""
        if chunk.finish_reason is None or self._content.seen or self._reasoning.seen or self._calls:
            return False
        more = chunk.reasoning or chunk.tool_calls or self.top is not None
        return not more and not self.screen.may_match(chunk.text)

    def finish(self, reason: Finish) -> Delta:
        """See the end of the choice; what was held and is no match leaves now."""
        if self.finished:
            return Delta(self.index)
        self.finished = reason
        content, reasoning = self._content.finish(), self._reasoning.finish()
        refused, calls = bool(content.refused or reasoning.refused), []
        for number, call in self._calls.items():
            name, bad_name = self._name(call)
            rest = call.arguments.finish()
            refused = refused or bad_name or rest.refused is not None
            if (name or rest.text) and not refused:
                calls.append(ToolCall(number, name, rest.text))
        if refused:
            self.finished = Finish.CONTENT_FILTER
        return self._delta(content.text, reasoning.text, tuple(calls))

    def _delta(self, text: str, reasoning: str, calls: tuple[ToolCall, ...]) -> Delta:
        self.text += text
        return Delta(self.index, text, reasoning, calls, self._let_go(), self.finished)

    def _tool_calls(self, chunk: Chunk) -> tuple[tuple[ToolCall, ...], bool]:
        made: list[ToolCall] = []
        for raw in chunk.tool_calls:
            number, function = int(raw.get("index") or 0), raw.get("function") or {}
            call = self._calls.setdefault(number, _Call(self.screen.stream()))
            if not call.named:  # a name that comes after its arguments began is none
                call.name += str(function.get("name") or "")
            arguments = str(function.get("arguments") or "")
            if not arguments:
                continue
            name, refused = self._name(call)
            passed = call.arguments.push(arguments)
            if refused or passed.refused:
                return tuple(made), True
            if name or passed.text:
                made.append(ToolCall(number, name, passed.text))
        return tuple(made), False

    def _name(self, call: _Call) -> tuple[str, bool]:
        """Let a call's name go, once; tell whether it was refused."""
        if call.named:
            return "", False
        passed, call.named = self.screen.whole(call.name)
        return ("", True) if call.named.refused else (passed, False)

    def _wait(self, chunk: Chunk) -> None:
        """Take in the entries of a piece, if they spell its text: others would show what no screen has seen."""
        if self.top is None or chunk.reasoning or chunk.tool_calls:
            return
        entries = [each for raw in chunk.logprobs for each in _entries(raw, self.kind)]
        if "".join(each.chosen.text for each in entries) != chunk.text:
            return
        here, start = self._content.fork(), self._content.seen
        for entry in entries:
            top = tuple(each for each in entry.top[: self.top] if here.may_end_with(each.text))
            end = start + len(entry.chosen.text)
            self._waiting.append(_Waiting(start, end, Position(entry.chosen, top)))
            here.push(entry.chosen.text)
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
