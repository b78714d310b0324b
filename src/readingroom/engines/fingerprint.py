"""A fingerprint of what an engine says: whether it still answers as it did when it was tested.

A model behind an address shows none of its bytes (ADR 8). So a few fixed prompts are asked greedily, and the
log-probabilities of the likeliest tokens are kept. The same weights give the same figures up to rounding, which depends
on hardware, batch and slot; other weights, another quantisation, another template or another context give others.

The figures are compared, not the text: greedy text is equal or not, and flips where two tokens are nearly alike.
Position by position, as long as both have said the same so far, the distance of the log-probabilities is taken; where
an engine gives none, the words that are the same are counted. `python -m benchmarks.fingerprint` prints how far apart
the same model and changed ones are.

It shows change. It does not prove identity: a server that knows the prompts can give the answers of another model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from readingroom.core.canonical import Json, digest
from readingroom.engines.model import Engine, EngineRefused, ForwardRequest, Kind, one_by_one

PROMPTS = (
    "Name the four seasons.",
    "What is the capital of France?",
    "Count from one to ten.",
    "Write a sentence about a lighthouse.",
    "Translate into French: the book is on the table.",
    "What is seven times eight?",
    "Finish the line: once upon a time",
    "List three uses of copper.",
)
TOKENS = 8  # of each answer
TOP = 5  # log-probabilities of each token
TOLERANCE = 0.1  # nats, on the mean
WORDS_ALIKE = 0.5  # where there are no log-probabilities


@dataclass(frozen=True, slots=True)
class Mark:
    """One position of an answer: the token said, and the likeliest ones with their log-probabilities in nats."""

    token: str
    top: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The answers to the fixed prompts, position by position.

    Attributes:
        answers: one sequence of marks per prompt; without log-probabilities, one mark per word.
        passes: what it took.
        prompts: the digest of what was asked; fingerprints of other questions cannot be compared.
    """

    answers: tuple[tuple[Mark, ...], ...]
    passes: int = 0
    prompts: str = digest([*PROMPTS, TOKENS, TOP])

    def to_json(self) -> dict[str, Json]:
        """Return what is kept of it."""
        listed = [[[mark.token, dict(mark.top)] for mark in answer] for answer in self.answers]
        return {"prompts": self.prompts, "passes": self.passes, "answers": listed}

    @property
    def digest(self) -> str:
        """The digest of what is kept, with figures as texts, since canonical JSON has few floats."""
        listed = [[[mark.token, {t: repr(v) for t, v in mark.top.items()}] for mark in a] for a in self.answers]
        return digest({"prompts": self.prompts, "answers": listed})


def from_json(kept: Mapping[str, Json]) -> Fingerprint:
    """Read what was kept."""
    answers = tuple(tuple(Mark(token, top) for token, top in answer) for answer in kept["answers"])
    return Fingerprint(answers, kept["passes"], kept["prompts"])


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two fingerprints compare.

    Attributes:
        same: whether the engine still answers as it did.
        apart: the mean distance of log-probabilities in nats; None where words were compared.
        alike: the share of positions at which the same was said.
    """

    same: bool
    apart: float | None
    alike: float


def compare(kept: Fingerprint, now: Fingerprint) -> Agreement | None:
    """Compare two fingerprints; None if they were asked for differently, and nothing can be said."""
    if kept.prompts != now.prompts:
        return None
    distances: list[float] = []
    alike = said = 0
    for before, after in zip(kept.answers, now.answers, strict=True):
        said += max(len(before), len(after))
        for one, other in zip(before, after, strict=False):
            if one.top and other.top:
                distances += _distances(one.top, other.top)
            if one.token != other.token:
                break  # from here on the two go on from different texts
            alike += 1
    share = alike / said if said else 1.0
    if not distances:
        return Agreement(share >= WORDS_ALIKE, None, share)
    apart = sum(distances) / len(distances)
    return Agreement(apart <= TOLERANCE, apart, share)


def _distances(one: Mapping[str, float], other: Mapping[str, float]) -> list[float]:
    """Return how far apart each token of two lists is; one that a list lacks is below the least of that list."""
    least, other_least = min(one.values()), min(other.values())
    found = []
    for token in one.keys() | other.keys():
        first, second = one.get(token), other.get(token)
        if first is not None and second is not None:
            found.append(abs(first - second))
        elif first is not None:
            found.append(max(0.0, first - other_least))
        elif second is not None:
            found.append(max(0.0, second - least))
    return found


async def take(engine: Engine) -> Fingerprint:
    """Ask an engine the fixed prompts, one after the other.

    Raises:
        EngineFault: it did not answer.
    """
    answers, passes, logprobs = [], 0, True
    for prompt in PROMPTS:
        try:
            marks, used = await _ask(engine, prompt, logprobs=logprobs)
        except EngineRefused:
            if not logprobs:
                raise
            logprobs = False
            marks, used = await _ask(engine, prompt, logprobs=False)
        answers.append(marks)
        passes += used
    return Fingerprint(tuple(answers), passes)


async def _ask(engine: Engine, prompt: str, *, logprobs: bool) -> tuple[tuple[Mark, ...], int]:
    body: dict[str, Json] = {
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": TOKENS,
        "temperature": 0,
        "seed": 0,
    }
    if logprobs:
        body |= {"logprobs": True, "top_logprobs": TOP}
    text, marks, passes = "", [], 0
    async for chunk in one_by_one(engine, ForwardRequest(Kind.CHAT, body)):
        text += chunk.text + chunk.reasoning
        passes += chunk.tokens
        marks += [mark for entry in chunk.logprobs if (mark := _mark(entry)) is not None]
    if not marks:
        marks = [Mark(word) for word in text.split()]
    return tuple(marks[:TOKENS]), max(1, passes)


def _mark(entry: Mapping[str, Json]) -> Mark | None:
    """Read a position from a log-probability entry; what is not one is left out."""
    token, listed = entry.get("token"), entry.get("top_logprobs") or []
    if not isinstance(token, str):
        return None
    top = {each["token"]: float(each["logprob"]) for each in _entries(listed)}
    return Mark(token, top)


def _entries(listed: Sequence[Mapping[str, Json]]) -> list[Mapping[str, Json]]:
    good = [each for each in listed if isinstance(each, Mapping) and isinstance(each.get("token"), str)]
    return [each for each in good if type(each.get("logprob")) in {int, float} and each["logprob"] > -1e9]  # noqa: PLR2004 - no figure, but "never"
