"""What a gate is judged on: plain facts, gathered by others, each of which may be missing.

`None`, an empty tuple or a NaN is a missing fact. A gate kind turns a missing fact into `inconclusive`, never
into `met` (promise 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

LARGEST_COUNT = 10**12  # a count beyond this is a broken file, and would keep the exact bounds busy for ever


@dataclass(frozen=True, slots=True)
class EvidenceFact:
    """One filed piece of evidence on a model version.

    Attributes:
        id: the dossier's id of it.
        gate_version: the version of the gate it was gathered under; under another it is not evidence.
        claim: what was tested, as `suite/claim`.
        counts: the figures as filed; read with suspicion, since they come from a file.
        filed_at: when it was filed.
    """

    id: str
    gate_version: str
    claim: str
    counts: Mapping[str, Any]
    filed_at: datetime


@dataclass(frozen=True, slots=True)
class RunsFact:
    """How often a claim was put to the test on a model version, under whatever gates and plans.

    Attributes:
        started: all runs of the suite as it is now: each is a look at its figures.
        finished: those that have a result.
        abandoned: those that have none, be it that they were stopped or that they failed.
        suite: the suite's digest as it is now; a result of another one is no evidence.
    """

    started: int
    finished: int
    abandoned: int
    suite: str


@dataclass(frozen=True, slots=True)
class DocumentFact:
    """A document in a model version's dossier."""

    kind: str
    digest: str


@dataclass(frozen=True, slots=True)
class SignatureFact:
    """A person's signature under one stage's gate version; `person` is a pseudonym."""

    person: str
    role: str
    gate_version: str


@dataclass(frozen=True, slots=True)
class UseFact:
    """What a stage has seen since it first opened under the gate version it has now.

    Attributes:
        days: whole days during which it was open; time on hold does not count.
        passes: forward passes served.
        readers: distinct persons who made at least one pass, under a grant that they applied for.
        serious_incidents: incidents triaged as serious, whether or not they are closed.
    """

    days: float | None = None
    passes: int | None = None
    readers: int | None = None
    serious_incidents: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is known when a stage's gate is judged.

    Attributes:
        now: the moment of judging.
        gate_version: of the stage under judgement.
        model_digest: of the registered artifact, or None where it is not registered.
        pinned: whether that digest is of the model's bytes, and not of its name and address only.
        evidence: all evidence on that model version, of whatever gate version.
        documents: the documents in its dossier.
        signatures: all signatures on the stage, of whatever gate version.
        runs: test runs per `suite/claim`.
        use: what the stages of this plan have seen, by stage name.
        engine: why the engine behind the stage cannot be relied on; empty where nothing is known against it.
    """

    now: datetime
    gate_version: str
    model_digest: str | None = None
    pinned: bool = True
    evidence: tuple[EvidenceFact, ...] = ()
    documents: tuple[DocumentFact, ...] = ()
    signatures: tuple[SignatureFact, ...] = ()
    runs: Mapping[str, RunsFact] = field(default_factory=dict)
    use: Mapping[str, UseFact] = field(default_factory=dict)
    engine: str = ""


def whole(value: object) -> int | None:
    """Read a count that came from elsewhere: a whole number from 0, or None where it is anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_COUNT:
        return None
    return value


class StageHistory(Protocol):
    """Facts that rooms on the left hold (usage, incidents, test runs); `app` passes an implementation down.

    `tx` is the transaction in which the decision is made; it is opaque here, since this room knows no database.
    """

    def use(self, tx: Any, stage: str, intervals: tuple[tuple[datetime, datetime], ...]) -> UseFact | None:  # noqa: ANN401 - opaque
        """Return what a stage saw within the intervals in which it was open; `days` may be left None."""

    def runs(self, tx: Any, model_digest: str, claim: str) -> RunsFact | None:  # noqa: ANN401 - opaque
        """Return the test runs of a claim (`suite/claim`) on a model."""
