"""The release plan as frozen types, and the stage fact that other rooms are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from readingroom.core.canonical import Json, digest
from readingroom.strategy.facts import Facts

DEFAULT_MAX_TOKENS = 1024  # where neither the request nor the stage says; one request never holds a whole grant


class Channel(StrEnum):
    """What leaves the house at a stage."""

    SAMPLES = "samples"
    API = "api"
    WEIGHTS = "weights"

    @property
    def irreversible(self) -> bool:
        """Tell whether opening can never be undone: weights that left cannot be called back."""
        return self is Channel.WEIGHTS


class Audience(StrEnum):
    """To whom a stage is open."""

    STAFF = "staff"
    INVITED = "invited"
    GRANTED = "granted"
    PUBLIC = "public"


class Verdict(StrEnum):
    """What a gate says of the facts. Only `met` opens."""

    MET = "met"
    UNMET = "unmet"
    INCONCLUSIVE = "inconclusive"


class DocumentKind(StrEnum):
    """The documents that a dossier may hold."""

    MODEL_CARD = "model_card"
    ENERGY = "energy"
    LINEAGE = "lineage"
    LICENCE = "licence"
    SAFETY_CASE = "safety_case"
    MARGINAL_RISK = "marginal_risk"  # what is already public, and what this release adds to it


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its one English sentence; `missing` names what would settle it, or is empty."""

    verdict: Verdict
    sentence: str
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast each grant of a tier may read; None is as fast as the house can.

    Attributes:
        requests_per_minute: that may begin in any one of the grant's minutes.
        tokens_per_minute: of prompts and answers, of the requests that begin in it.
        parallel: requests that may be open at once.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    parallel: int | None = None

    def canonical(self) -> dict[str, Json]:
        """Return what is stated, and nothing else: a plan that states none has the digest that it always had."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) is not None}

    def describe(self) -> str:
        """Say it in words; empty where nothing is stated."""
        said = [
            f"{value:,} {words}"
            for value, words in (
                (self.requests_per_minute, "requests a minute"),
                (self.tokens_per_minute, "tokens a minute"),
                (self.parallel, "at once"),
            )
            if value is not None
        ]
        return ", ".join(said)


@dataclass(frozen=True, slots=True)
class Retention:
    """What a stage keeps of its readers' prompts and answers; a stage without one keeps nothing.

    Attributes:
        days: for which each text is kept, and not an hour longer.
        purpose: why, in the lab's words; readers see it before they agree.
    """

    days: int
    purpose: str

    def canonical(self) -> Json:
        """Return it as JSON."""
        return {"days": self.days, "purpose": self.purpose}

    @property
    def digest(self) -> str:
        """What a reader agrees to: this very number of days, for this very purpose."""
        return digest(self.canonical())

    def shown(self, agreed: str) -> Json:
        """Return it as JSON for a grant's holder: with the digest to agree to, and whether that was done."""
        return {**self.canonical(), "digest": self.digest, "agreed": agreed == self.digest}

    def describe(self) -> str:
        """Say it in words, as readers are told; the sentence goes on, or ends with a stop of the caller's."""
        days = f"{self.days} day" + ("s" if self.days > 1 else "")
        return f"prompts and answers are kept for {days}, encrypted, for this purpose: {self.purpose.rstrip('.')}"


@dataclass(frozen=True, slots=True)
class Tier:
    """How much of the distribution a grant may see, and how fast; `top_logprobs` 0 means text only."""

    name: str
    top_logprobs: int = 0
    pace: Pace = field(default_factory=Pace)

    def canonical(self) -> Json:
        """Return the tier as JSON."""
        return {"top_logprobs": self.top_logprobs, **self.pace.canonical()}


class GateClause(Protocol):
    """One condition of a gate. Each kind is a frozen dataclass in `strategy/gates/<kind>.py`."""

    @property
    def kind(self) -> str:
        """The kind's name, as written in the plan."""

    @property
    def label(self) -> str:
        """What names this clause within its gate, e.g. `stress:core/memorised-text`."""

    def canonical(self) -> Json:
        """Return the clause as JSON; what is not in it is not bound by the gate version."""

    def covers(self) -> frozenset[str]:
        """Return the hazards that this clause speaks to, by name."""

    def describe(self) -> str:
        """Say in one sentence what must hold."""

    def judge(self, facts: Facts) -> Judgement:
        """Judge the facts; whatever is missing, stale or unreadable is inconclusive."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The condition in front of a stage: every clause must be met.

    Attributes:
        clauses: never empty, unless `ungated` gives the reason (`gate: {none: "..."}`, samples only).
        ungated: why there is no condition.
    """

    clauses: tuple[GateClause, ...] = ()
    ungated: str = ""

    def canonical(self) -> Json:
        """Return the gate as JSON."""
        return {"none": self.ungated} if self.ungated else [each.canonical() for each in self.clauses]


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the plan; `artifact` names a registered model version in the dossier."""

    name: str
    artifact: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A rung of access: model, channel, audience and limits, behind a gate."""

    name: str
    channel: Channel
    model: Model
    audience: Audience
    gate: Gate
    screening: tuple[str, ...] = ()
    tiers: Mapping[str, Tier] = field(default_factory=dict)
    default_max_tokens: int = DEFAULT_MAX_TOKENS
    retention: Retention | None = None

    @property
    def irreversible(self) -> bool:
        """Tell whether opening this stage can never be undone."""
        return self.channel.irreversible

    def canonical(self) -> Json:
        """Return the stage as JSON: everything that decides what is exposed, to whom and on what condition."""
        return {
            "name": self.name,
            "channel": self.channel.value,
            "artifact": self.model.artifact,
            "audience": self.audience.value,
            "screening": list(self.screening),
            "tiers": {name: tier.canonical() for name, tier in self.tiers.items()},
            "default_max_tokens": self.default_max_tokens,
            "gate": self.gate.canonical(),
            # Only where there is one: a plan that keeps nothing has the digest that it always had.
            **({"retention": self.retention.canonical()} if self.retention else {}),
        }


@dataclass(frozen=True, slots=True)
class Hazard:
    """A way in which the release could do harm; `explanation` stands where no gate covers it."""

    name: str
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A release plan: one model family moving through ordered stages."""

    release: str
    steward: str
    benefits: tuple[str, ...]
    hazards: tuple[Hazard, ...]
    levers: tuple[str, ...]
    models: Mapping[str, Model]
    stages: tuple[Stage, ...]

    def stage(self, name: str) -> Stage | None:
        """Return a stage by name."""
        return next((each for each in self.stages if each.name == name), None)

    def canonical(self) -> Json:
        """Return the plan as JSON; two files that say the same have the same form.

        The steward's address is left out: its digest goes into the ledger, which holds nothing personal.
        """
        return {
            "release": self.release,
            "benefits": list(self.benefits),
            "hazards": {each.name: each.explanation for each in self.hazards},
            "levers": list(self.levers),
            "models": {name: {"artifact": model.artifact} for name, model in self.models.items()},
            "stages": [each.canonical() for each in self.stages],
        }

    @property
    def digest(self) -> str:
        """The digest of what the plan says, whatever its layout and comments."""
        return digest(self.canonical())


def gate_version(stage: Stage) -> str:
    """Return the version of a stage's gate; evidence and signatures given under another one do not count.

    It binds the whole stage and not only the gate's clauses: a signature given for twenty granted readers is
    none for the public, and figures measured behind one screen say nothing about another.
    """
    return digest(stage.canonical())


@dataclass(frozen=True, slots=True)
class StageFact:
    """What the rooms on the left need to know of a stage, as it stands now.

    Attributes:
        open: whether it may be used now; anything uncertain is False.
        reason: if not open, why, in one sentence for a reader.
        model: the model's name in the plan, which readers call it by.
        max_tokens: the default maximum of an answer whose request states none.
        artifact: the registered model version behind the name.
        digest: that version's digest, or empty where it is not registered.
        gate_version: of the stage in the plan in force.
        open_until: if it was opened by a waiver, when that ends; who keeps this fact for a while must look at it.
        screens: the digest of the rule sets that it was opened with, and may be served with; empty: any.
        retention: what is kept of prompts and answers; None keeps nothing.
    """

    name: str
    channel: Channel
    audience: Audience
    open: bool
    reason: str
    model: str
    tiers: Mapping[str, Tier]
    screening: tuple[str, ...]
    max_tokens: int
    artifact: str = ""
    digest: str = ""
    gate_version: str = ""
    open_until: datetime | None = None
    screens: str = ""
    retention: Retention | None = None

    def usable(self, now: datetime) -> bool:
        """Tell whether the stage may be used at a moment, also when this fact was read a while ago."""
        return self.open and (self.open_until is None or now < self.open_until)
