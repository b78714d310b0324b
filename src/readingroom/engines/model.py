"""The small interface behind which every engine stands.

An answer comes in pieces, whether or not the reader asked for a stream: so it is counted, screened and stopped while
it is made. Only an engine that keeps no count may give a whole one in one piece (`gives_whole`), for its frames would
be no count either. Closing the iterator stops the engine.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from readingroom.core.canonical import Json


class Kind(StrEnum):
    """Which of OpenAI's two routes a request is for."""

    CHAT = "chat"
    COMPLETION = "completion"


class ForwardRequest(Struct, frozen=True):
    """What is asked of an engine.

    Attributes:
        kind: chat or completion.
        body: the fields as OpenAI spells them, already checked against the gateway's allow-list: `messages` or
            `prompt`, `max_tokens` (always present: what was reserved), `n`, `seed`, `stop`, `temperature` ...
            Neither `model` nor `stream`: the engine knows both.
        streamed: whether the reader takes the answer as it comes.
    """

    kind: Kind
    body: Mapping[str, Json]
    streamed: bool = True

    @property
    def max_tokens(self) -> int:
        """The most tokens that each choice may have."""
        return int(self.body["max_tokens"])

    @property
    def choices(self) -> int:
        """How many answers are asked for."""
        return int(self.body.get("n") or 1)


@dataclass(frozen=True, slots=True)
class Usage:
    """What the engine says it used, over all choices, in tokens."""

    prompt_tokens: int
    completion_tokens: int


class Chunk(Struct, frozen=True):
    """A piece of an answer.

    Attributes:
        index: which choice.
        text: what is added to its text.
        tokens: how many tokens this piece carries: the engine's own running count where it gives one, else 1 per
            frame that carries something.
        logprobs: entries as OpenAI spells them: for chat the `content` list; for completion one object.
        tool_calls: deltas as OpenAI spells them.
        reasoning: what is added to its reasoning text, where the engine gives it apart.
        finish_reason: `stop`, `length`, `tool_calls` on the choice's last piece, else None.
        usage: on the answer's last piece, where the engine gives it.
    """

    index: int = 0
    text: str = ""
    tokens: int = 0
    logprobs: tuple[Mapping[str, Json], ...] = ()
    tool_calls: tuple[Mapping[str, Json], ...] = ()
    reasoning: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine says of itself.

    Attributes:
        model: its own name for the model; never shown to readers.
        context: tokens that prompt and answer may have together.
        counts_prompts: whether `count_prompt` is exact.
    """

    model: str
    context: int
    counts_prompts: bool


class EngineFault(Exception):  # noqa: N818 - the family of what can go wrong behind us
    """An engine did not answer as it should. Its message is for the log, never for a reader."""


class EngineUnavailable(EngineFault):
    """It cannot be reached, failed, or ended an answer without its proper end."""


class EngineTimeout(EngineFault):
    """It was silent for too long."""


class EngineRefused(EngineFault):
    """It cannot do what was asked (a field that it does not have, a prompt that is too long)."""

    def __init__(self, message: str, param: str | None = None) -> None:
        """Take the engine's reason and the field it names, if it names one."""
        super().__init__(message)
        self.param = param


class Engine(Protocol):
    """An engine. One instance serves one process; it may be shared by tasks."""

    def stream(self, request: ForwardRequest) -> AsyncGenerator[Sequence[Chunk], None]:
        """Yield the answer's pieces, those together that came at once, until each choice has its finish reason.

        Raises:
            EngineFault: as its subclasses say; in the middle of an answer too.
        """

    def gives_whole(self, request: ForwardRequest) -> bool:
        """Tell whether an answer comes in one piece, so that one that is cut short has no count."""

    async def count_prompt(self, request: ForwardRequest) -> int | None:
        """Return the exact number of prompt tokens, template included; None where the engine cannot tell."""

    async def info(self) -> EngineInfo:
        """Return what the engine is; raises `EngineFault` if it cannot be reached."""

    async def close(self) -> None:
        """Release connections."""


async def one_by_one(engine: Engine, request: ForwardRequest) -> AsyncGenerator[Chunk, None]:
    """Yield an answer's pieces one by one, for those who are in no hurry."""
    async with contextlib.aclosing(engine.stream(request)) as stream:
        async for together in stream:
            for chunk in together:
                yield chunk
