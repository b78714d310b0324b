"""The echo engine: repeats the last user message word by word. Deterministic; one word is one token.

It ships with the package: tests, benchmarks, houses for trials and the fast demo use it. Its faults are there to be
injected, so that whatever stands before an engine can be tried against a bad one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from readingroom.core.canonical import Json
from readingroom.core.errors import BadInput, Problem
from readingroom.engines.model import (
    Chunk,
    EngineInfo,
    EngineUnavailable,
    ForwardRequest,
    Kind,
    Usage,
)

_WORD = re.compile(r"\s*\S+|\s+$")


@dataclass(frozen=True, slots=True)
class EchoOptions:
    """How the echo behaves.

    Attributes:
        words_per_second: pace; 0 is as fast as it can.
        fail_after: raise `EngineUnavailable` after so many words of a choice; -1 never.
        hang_after: say nothing more after so many words; -1 never.
        end_early: end without a finish reason after so many words, as a dying server does; -1 never.
        by_character: one frame per character instead of per word (a word's count stands on its last one).
        extra_tokens: words said beyond max_tokens, as a server that ignores the limit does.
        claims: completion tokens that its usage claims in place of the truth; -1 tells the truth.
        no_usage: give no usage.
        no_count: cannot count prompts.
        context: tokens.
    """

    words_per_second: float = 0
    fail_after: int = -1
    hang_after: int = -1
    end_early: int = -1
    by_character: bool = False
    extra_tokens: int = 0
    claims: int = -1
    no_usage: bool = False
    no_count: bool = False
    context: int = 8192


def options_from(given: Mapping[str, float | int | str | bool]) -> EchoOptions:
    """Read options from the settings file.

    Raises:
        BadInput: an unknown option.
    """
    known = {each.name: each for each in fields(EchoOptions)}
    for name in given:
        if name not in known:
            cure = f"Known: {', '.join(known)}"
            raise BadInput([Problem("engine_options", f"the echo engine has no option {name!r}", cure)])
    return EchoOptions(**given)  # type: ignore[arg-type]


class EchoEngine:
    """Repeats what it is told."""

    def __init__(self, options: EchoOptions | None = None) -> None:
        """Take the options."""
        self.options = options or EchoOptions()
        self.running = 0  # answers being made now: a test sees here that a hung-up reader stopped the engine
        self.words_said = 0

    async def stream(self, request: ForwardRequest) -> AsyncGenerator[Sequence[Chunk], None]:
        """Repeat the last user message, choice after choice."""
        self.running += 1
        said = 0
        try:
            for index in range(request.choices):
                async for chunks in self._choice(index, request):
                    said += sum(each.tokens for each in chunks)
                    yield chunks
            if not self.options.no_usage:
                claimed = said if self.options.claims < 0 else self.options.claims
                yield [Chunk(usage=Usage(len(_words(_prompt_of(request))), claimed))]
        finally:
            self.running -= 1

    async def _choice(self, index: int, request: ForwardRequest) -> AsyncIterator[list[Chunk]]:
        """Say the words; those that were due while nobody listened come at once, as from a server's connection."""
        words, reason = _answer(request, self.options.extra_tokens)
        began, due = asyncio.get_running_loop().time(), list[Chunk]()
        for count, word in enumerate(words):
            wait = self._wait(began, count + 1)
            if due and (wait is not None or count in {self.options.fail_after, self.options.hang_after}):
                yield due
                due = []
            if self.options.fail_after == count:
                raise EngineUnavailable(f"told to fail after {count} words")
            if self.options.hang_after == count:
                await asyncio.Event().wait()
            if self.options.end_early == count:
                break
            if wait is not None:
                await asyncio.sleep(wait)
            self.words_said += 1
            due += self._pieces(index, word, request)
        else:
            due.append(Chunk(index=index, finish_reason=reason))
        if due:
            yield due

    def _wait(self, began: float, count: int) -> float | None:
        """Tell how long a word must wait: by the clock, since a sleep is never shorter than a millisecond."""
        rate = self.options.words_per_second
        wait = count / rate - (asyncio.get_running_loop().time() - began) if rate else 0.0
        return wait if not rate or wait > 0 else None

    def _pieces(self, index: int, word: str, request: ForwardRequest) -> Iterator[Chunk]:
        logprobs = _logprobs(word, request)
        if not self.options.by_character:
            yield Chunk(index=index, text=word, tokens=1, logprobs=logprobs)
            return
        for position, character in enumerate(word):
            last = position == len(word) - 1
            yield Chunk(index=index, text=character, tokens=int(last), logprobs=logprobs if last else ())

    def gives_whole(self, _request: ForwardRequest) -> bool:
        """Give all answers in pieces."""
        return False

    async def count_prompt(self, request: ForwardRequest) -> int | None:
        """Count the words of all messages."""
        return None if self.options.no_count else len(_words(_prompt_of(request)))

    async def info(self) -> EngineInfo:
        """Return what this engine is."""
        return EngineInfo("echo", self.options.context, counts_prompts=not self.options.no_count)

    async def close(self) -> None:
        """Hold nothing, so release nothing."""


def _answer(request: ForwardRequest, extra: int) -> tuple[list[str], str]:
    """Return the words that one choice says, and why it ends."""
    text = _until_stop(_last_user_text(request), request.body.get("stop"))
    words = _words(text)
    limit = request.max_tokens + extra
    return words[:limit], "length" if len(words) > limit else "stop"


def _until_stop(text: str, stop: Json) -> str:
    stops = [stop] if isinstance(stop, str) else list(stop or [])
    ends = [text.find(each) for each in stops if each and each in text]
    return text[: min(ends)] if ends else text


def _words(text: str) -> list[str]:
    """Split into words that join to the text again: each keeps the white space before it."""
    return _WORD.findall(text)


def _prompt_of(request: ForwardRequest) -> str:
    if request.kind is Kind.COMPLETION:
        return str(request.body["prompt"])
    return " ".join(_text_of(message) for message in request.body["messages"])


def _last_user_text(request: ForwardRequest) -> str:
    if request.kind is Kind.COMPLETION:
        return str(request.body["prompt"])
    said = [message for message in request.body["messages"] if message.get("role") == "user"]
    return _text_of(said[-1]) if said else ""


def _text_of(message: Mapping[str, Json]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content)


def _logprobs(word: str, request: ForwardRequest) -> tuple[Mapping[str, Json], ...]:
    """Make up log-probabilities: always the same for the same word, and in the shape of the route."""
    asked = request.body.get("logprobs")
    if asked is None or asked is False:
        return ()
    if request.kind is Kind.COMPLETION:
        top = {word: -0.1, **{f"other{i}": -1.0 - i for i in range(1, int(asked))}}
        return ({"tokens": [word], "token_logprobs": [-0.1], "top_logprobs": [top], "text_offset": [0]},)
    others = [_entry(f"other{i}", -1.0 - i) for i in range(1, int(request.body.get("top_logprobs") or 0))]
    top_list = [_entry(word, -0.1), *others] if request.body.get("top_logprobs") else []
    return ({**_entry(word, -0.1), "top_logprobs": top_list},)


def _entry(token: str, logprob: float) -> dict[str, Json]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}
