"""The gate behind the exits: what judges must say yes to before it may leave. Only stages with judges have one.

What the exits let go of waits here until the windows that it stands in were judged; a judge is asked once enough
new text has come, or the choice has ended. While one judges, the engine goes on and text gathers for the next window.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from readingroom.core.refusal import Refused
from readingroom.gateway.ask import Ask
from readingroom.gateway.entrance import Screens, contents
from readingroom.gateway.exits import ChoiceExit
from readingroom.gateway.frames import Delta, Finish
from readingroom.gateway.judges import Judges, Outcome, failed, windows
from readingroom.gateway.screening.model import Rule, Side
from readingroom.gateway.verdicts import Verdicts, added

MOST_ASKED = 4000  # characters of a request that the judge of its answer is shown, so that he knows what it answers


@dataclass(slots=True)
class _Channel:
    """The content, the reasoning or one tool call of a choice: a text of its own.

    Attributes:
        text: its end, from character `base` on: all that some judge may still need.
        overlaps: per rule, how much of what was judged waits for the next window, where a match may go on.
        judged: per rule, up to where it was judged.
    """

    overlaps: Sequence[int]
    judged: list[int]
    text: str = ""
    base: int = 0

    @property
    def end(self) -> int:
        return self.base + len(self.text)

    def free(self, *, ended: bool) -> int:
        """Return up to where it may leave; once it has `ended`, nothing can go on."""
        end = self.end
        pairs = zip(self.judged, self.overlaps, strict=True)
        return min(judged if ended and judged == end else judged - overlap for judged, overlap in pairs)

    def forget(self, keep: int) -> None:
        """Drop what is neither unjudged nor context of what is."""
        cut = min(self.judged) - keep - self.base
        if cut > keep:
            self.text, self.base = self.text[cut:], self.base + cut


@dataclass(slots=True)
class _Choice:
    """One choice at the gate.

    Attributes:
        exit: it comes from there.
        waiting: what came, each with where its texts end in their channels.
        left: the text that has left.
    """

    exit: ChoiceExit
    waiting: deque[tuple[Delta, dict[str, int]]] = field(default_factory=deque)
    channels: dict[str, _Channel] = field(default_factory=dict)
    left: str = ""
    verdicts: Verdicts = field(default_factory=Verdicts)
    cut: bool = False

    def take(self, delta: Delta, overlaps: Sequence[int]) -> None:
        """Take in what an exit let go of."""
        ends = {}
        for name, text in _texts(delta):
            if name not in self.channels:
                self.channels[name] = _Channel(overlaps, [0] * len(overlaps))
            channel = self.channels[name]
            channel.text += text
            ends[name] = channel.end
        self.waiting.append((delta, ends))

    def release(self) -> list[Delta]:
        """Let go of what all judges have judged, in the order in which it came."""
        free, ended = [], self.exit.finished is not None
        while self.waiting:
            delta, ends = self.waiting[0]
            if any(self.channels[name].free(ended=ended) < end for name, end in ends.items()):
                break
            self.waiting.popleft()
            self.left += delta.text
            free.append(delta)
        return free


@dataclass(frozen=True, slots=True)
class _Question:
    """What a rule's judge is to be asked about: the text of a channel up to `end`."""

    choice: _Choice
    channel: _Channel
    place: int
    rule: Rule
    end: int

    @property
    def shown(self) -> list[str]:
        judged = self.rule.judged
        assert judged is not None  # noqa: S101 - only such rules stand at the gate
        begin = self.channel.judged[self.place] - self.channel.base
        text = self.channel.text[: self.end - self.channel.base]
        return list(windows(text[max(0, begin - judged.window) : begin], text[begin:], judged.window))


class Gate:
    """The gate of one answer."""

    def __init__(self, judges: Judges, rules: Sequence[Rule], exits: Sequence[ChoiceExit], asked: str) -> None:
        """Take who judges, by which rules, the choices, and the end of what the request says."""
        self._judges = judges
        self._rules = tuple(rules)
        self._choices = {each.index: _Choice(each) for each in exits}
        self._asked = asked
        judged = [rule.judged for rule in rules if rule.judged]
        self._overlaps = [each.overlap for each in judged]
        self._keep = max(each.window for each in judged)

    async def through(self, made: Sequence[Delta], *, more: bool) -> list[Delta]:
        """Take in what the exits let go of; return what may leave.

        Args:
            made: from the exits.
            more: more has come from the engine already, so that a fuller window can be judged at once.

        Raises:
            Refused: a judge gave no verdict, and its rule closes the way then.
        """
        for delta in made:
            self._choices[delta.choice].take(delta, self._overlaps)
        choices = self._choices.values()
        questions = [each for choice in choices for each in self._due(choice, more=more)]
        answers = await asyncio.gather(*map(self._answer, questions))
        for each, outcomes in zip(questions, answers, strict=True):
            self._note(each, outcomes)
        for each, outcomes in zip(questions, answers, strict=True):
            if any(outcome.closes for outcome in outcomes):
                each.choice.verdicts.stopped_by = each.rule.id, "failed"
                raise Refused(failed())
        return [delta for choice in choices for delta in self._let_go(choice)]

    def _due(self, choice: _Choice, *, more: bool) -> Iterator[_Question]:
        whole = choice.exit.finished is not None
        for channel in choice.channels.values():
            for place, rule in enumerate(self._rules):
                judged = rule.judged
                assert judged is not None  # noqa: S101 - only such rules stand here
                new = channel.end - channel.judged[place]
                enough = judged.window // 2 if more else judged.every
                if new and (whole or new >= enough):
                    yield _Question(choice, channel, place, rule, channel.end)

    async def _answer(self, question: _Question) -> list[Outcome]:
        ask, asked = self._judges.ask, self._asked
        return await asyncio.gather(*(ask(question.rule, Side.EXIT, each, asked) for each in question.shown))

    @staticmethod
    def _note(question: _Question, outcomes: Sequence[Outcome]) -> None:
        choice, channel, new = question.choice, question.channel, question.end - question.channel.judged[question.place]
        for place, each in enumerate(outcomes):
            each.note(choice.verdicts, 0 if place else new)
            if each.ends and not choice.cut:
                choice.cut = True
                choice.verdicts.stopped_by = question.rule.id, question.rule.action.value
        if not any(each.ends or each.closes for each in outcomes):
            channel.judged[question.place] = question.end

    def _let_go(self, choice: _Choice) -> list[Delta]:
        free = choice.release()
        for channel in choice.channels.values():
            channel.forget(self._keep)
        if choice.cut and choice.waiting:
            choice.waiting.clear()
            choice.exit.finished = Finish.CONTENT_FILTER
            free.append(Delta(choice.exit.index, finish=Finish.CONTENT_FILTER))
        return free

    @property
    def texts(self) -> list[str]:
        """The texts that have left, by choice."""
        return [each.left for each in self._choices.values()]

    @property
    def verdicts(self) -> Verdicts:
        """What goes on record of the judges."""
        return added([each.verdicts for each in self._choices.values()])


def gate_of(screens: Screens, judges: Judges, exits: Sequence[ChoiceExit], ask: Ask) -> Gate | None:
    """Set up the gate of an answer; None where its stage has no judges at the exit."""
    rules = screens.exit.judged
    if not rules:
        return None
    asked = "\n".join(each for each in contents(ask.body) if each)[-MOST_ASKED:]
    return Gate(judges, rules, exits, asked)


def _texts(delta: Delta) -> Iterator[tuple[str, str]]:
    """Yield what a piece shows in words, by channel."""
    if delta.text:
        yield "content", delta.text
    if delta.reasoning:
        yield "reasoning", delta.reasoning
    for call in delta.tool_calls:
        yield f"call {call.index}", (f"{call.name} " if call.name else "") + call.arguments
