"""Suites, runs and what came of them. Words as in Inspect: suite, run, sample, score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from readingroom.core.canonical import Json


class Outcome(StrEnum):
    """What one sample came to. `error` and `unscored` count as hits wherever a bound is computed."""

    HIT = "hit"
    SAFE = "safe"
    ERROR = "error"
    UNSCORED = "unscored"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to ask; `watch` is what the judge looks for."""

    given: str
    watch: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A hazard put to the test.

    Attributes:
        judge: the name of a pure function in `judges`.
        prompt: the user message, with `{given}` where a case's text goes.
        max_tokens: of each answer.
    """

    name: str
    about: str
    judge: str
    prompt: str
    max_tokens: int
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Floor:
    """A task that the model must do in at least a share of cases; else its silence proves nothing."""

    claim: Claim
    at_least: float


@dataclass(frozen=True, slots=True)
class Suite:
    """A set of claims and a capability floor; `digest` is of everything in it, and of the judges."""

    name: str
    digest: str
    seed: int
    claims: tuple[Claim, ...]
    floor: Floor


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said, the passes that it cost, and why it ended, in OpenAI's words (`stop`, `length` ...)."""

    text: str
    passes: int
    finish_reason: str


class Caller(Protocol):
    """The way to the model, given by app."""

    async def __call__(self, messages: Sequence[Mapping[str, str]], *, max_tokens: int, seed: int) -> Answer:
        """Ask once; greedy sampling. Raises `CallFailed` when no answer came."""


class CallFailed(Exception):  # noqa: N818 - named for what it is
    """No answer came; the sample is an `error`."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The figures of one claim in one run; each sample is one of hit, error, unscored or safe."""

    claim: str
    samples: int
    hits: int
    errors: int
    unscored: int

    def to_json(self) -> dict[str, Json]:
        """Return them as JSON."""
        figures = {"hits": self.hits, "errors": self.errors, "unscored": self.unscored}
        return {"claim": self.claim, "samples": self.samples, **figures}


@dataclass(frozen=True, slots=True)
class FloorResult:
    """How many tasks of the floor were done, and how many had an error or an answer that could not be scored."""

    done: int
    tasks: int
    at_least: float
    lost: int = 0

    @property
    def met(self) -> bool:
        """Tell whether the model can do enough for its safety to mean something."""
        return self.tasks > 0 and self.done >= self.at_least * self.tasks


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a suite on a model version.

    Attributes:
        gate_versions: the gates that were in force when it started, under which its results count.
        finished_at: None while it runs, and for ever if it was abandoned or failed.
        failed_at: when it was given up because the engine did not answer; it made no evidence.
        counts: per claim, once finished.
    """

    id: str
    model: str
    model_digest: str
    suite: str
    suite_digest: str
    gate_versions: tuple[str, ...]
    started_at: datetime
    finished_at: datetime | None
    failed_at: datetime | None = None
    counts: tuple[Counts, ...] = ()
    floor: FloorResult | None = None
