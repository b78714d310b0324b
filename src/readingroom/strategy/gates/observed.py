"""`observed`: a rate seen at an earlier stage, bounded from above at a stated confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from readingroom.core.canonical import Json
from readingroom.core.document import Node
from readingroom.strategy.facts import Facts, whole
from readingroom.strategy.gates.scope import Scope, earlier_stage
from readingroom.strategy.model import Channel, Judgement, Verdict
from readingroom.strategy.statistics import poisson_lower, poisson_upper

KIND = "observed"
METRICS = ("serious_incidents_per_million_passes",)
_FIELDS = ("stage", "metric", "at_most", "confidence")
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Observed:
    """The clause: the metric's rate at `stage` is at most `at_most`, by the exact Poisson bound."""

    stage: str
    metric: str
    at_most: float
    confidence: float
    kind: ClassVar[str] = KIND

    @property
    def label(self) -> str:
        """The clause's name within its gate."""
        return f"{KIND}:{self.stage}/{self.metric}"

    def canonical(self) -> Json:
        """Return the clause as JSON."""
        return {KIND: {name: getattr(self, name) for name in _FIELDS}}

    def covers(self) -> frozenset[str]:
        """What was seen in use covers the hazard that is named after the metric, if one is."""
        return frozenset({self.metric})

    def describe(self) -> str:
        """Say what must hold."""
        metric = self.metric.replace("_", " ")
        return f"{metric} at {self.stage} are at most {self.at_most:g} at {self.confidence:.4g} confidence"

    def judge(self, facts: Facts) -> Judgement:
        """Judge the incidents and passes of the stage; no use is no evidence of safety."""
        use = facts.use.get(self.stage)
        events = whole(use.serious_incidents) if use else None
        passes = whole(use.passes) if use else None
        if events is None or not passes:
            sentence = f"{self.stage}: serious incidents or passes are not known, or nothing was served yet"
            return Judgement(Verdict.INCONCLUSIVE, sentence, f"Let {self.stage} be used, and triage what is seen")
        upper = poisson_upper(events, self.confidence) * _MILLION / passes
        lower = poisson_lower(events, self.confidence) * _MILLION / passes
        sentence = (
            f"{self.stage}: {events} serious incidents in {passes:,} passes, so at most {upper:.3g} per million "
            f"at {self.confidence:.4g} confidence (allowed: {self.at_most:g})"
        )
        if upper <= self.at_most:
            return Judgement(Verdict.MET, sentence)
        if lower > self.at_most:
            return Judgement(Verdict.UNMET, sentence, "Fewer incidents: hold the stage and mend what causes them")
        return Judgement(Verdict.INCONCLUSIVE, sentence, "More use could settle it either way")


def parse(node: Node, scope: Scope) -> Observed | None:
    """Read the clause; the stage must come before this one and serve passes."""
    fields = node.fields(_FIELDS)
    if len(fields) < len(_FIELDS):
        return None
    stage = earlier_stage(fields["stage"], scope)
    if scope.earlier.get(stage, Channel.API) is not Channel.API:
        what = f"nothing is observed at {stage!r}, which serves no passes"
        fields["stage"].problem(what, "Name a stage with channel api")
    return Observed(
        stage=stage,
        metric=fields["metric"].choice(METRICS),
        at_most=fields["at_most"].number(1e-9, _MILLION),
        confidence=fields["confidence"].number(0.5, 1 - 1e-6),
    )
