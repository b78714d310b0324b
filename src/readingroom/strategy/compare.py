"""The three strategies, and not releasing, side by side for one plan.

Everything is computed from the plan: which stages stand for a strategy, what they expose and to whom, and what in
the plan softens each strategy's drawbacks, or that nothing does. Plain data; the doors render it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from readingroom.strategy.drawbacks import (
    Con,
    all_at_once_cons,
    api_cons,
    not_releasing_cons,
    staged_cons,
)
from readingroom.strategy.model import Audience, Channel, Plan, Stage

TO_WHOM = {
    Audience.STAFF: "the lab's own staff",
    Audience.INVITED: "persons whom the lab invites",
    Audience.GRANTED: "persons with a grant",
    Audience.PUBLIC: "everyone",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One strategy, as this plan makes it.

    Attributes:
        name: `all-at-once`, `staged`, `api` or `not-releasing`.
        title: for people.
        taken: whether this plan takes this path.
        exposes: what, and to whom.
        records: what is on record while it lasts.
        cannot_be_undone: what stays out for good.
        pros: what speaks for it here.
        cons: what speaks against it, each with how this plan softens it, or that it does not.
    """

    name: str
    title: str
    taken: bool
    exposes: tuple[str, ...]
    records: tuple[str, ...]
    cannot_be_undone: tuple[str, ...]
    pros: tuple[str, ...]
    cons: tuple[Con, ...]


@dataclass(frozen=True, slots=True)
class HazardRow:
    """One hazard, with the conditions that cover it as `stage: condition`, or the plan's explanation."""

    name: str
    gates: tuple[str, ...]
    ungated_stages: tuple[str, ...]
    explanation: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole table."""

    release: str
    columns: tuple[Column, ...]
    benefits: tuple[str, ...]
    hazards: tuple[HazardRow, ...]
    levers: tuple[str, ...]


def compare(plan: Plan) -> Comparison:
    """Set the strategies side by side for this plan."""
    columns = (_all_at_once(plan), _staged(plan), _api(plan), _not_releasing(plan))
    hazards = tuple(_hazard(plan, each.name, each.explanation) for each in plan.hazards)
    return Comparison(plan.release, columns, plan.benefits, hazards, plan.levers)


def exposes(stage: Stage) -> str:
    """Say what a stage exposes, and to whom."""
    model, whom = stage.model.artifact, TO_WHOM[stage.audience]
    if stage.channel is Channel.SAMPLES:
        return f"{stage.name}: curated outputs of {model}, to {whom}"
    if stage.channel is Channel.WEIGHTS:
        return f"{stage.name}: the weights of {model}, to {whom}"
    most = max((tier.top_logprobs for tier in stage.tiers.values()), default=0)
    shown = f"metered answers of {model}" + (f" with up to {most} log-probabilities per token" if most else "")
    return f"{stage.name}: {shown}, to {whom}"


def paces(stages: Iterable[Stage]) -> tuple[str, ...]:
    """Say how fast each grant may read, tier by tier, where the plan states it."""
    return tuple(
        f"{stage.name}, tier {tier.name}: each grant at most {said}"
        for stage in stages
        for tier in stage.tiers.values()
        if (said := tier.pace.describe())
    )


def _all_at_once(plan: Plan) -> Column:
    models = sorted(model.artifact for model in plan.models.values())
    conditions = sum(len(stage.gate.clauses) for stage in plan.stages)
    return Column(
        name="all-at-once",
        title="All at once",
        taken=plan.stages[0].channel is Channel.WEIGHTS and plan.stages[0].audience is Audience.PUBLIC,
        exposes=tuple(f"the weights of {name}, to everyone, on the first day" for name in models),
        records=("the signed bundle and its entry in the ledger; nothing of who uses it, or for what",),
        cannot_be_undone=tuple(f"the weights of {name}: every copy stays out" for name in models),
        pros=(
            "open science: anyone may inspect, reproduce and build on a complete, signed bundle",
            *(f"at once for everyone: {each}" for each in plan.benefits),
            f"no waiting: none of this plan's {conditions} conditions would hold it up",
        ),
        cons=all_at_once_cons(plan),
    )


def _staged(plan: Plan) -> Column:
    gated = [stage for stage in plan.stages if stage.gate.clauses]
    return Column(
        name="staged",
        title="Staged",
        taken=len(plan.stages) > 1,
        exposes=tuple(exposes(stage) for stage in plan.stages),
        records=(
            "the plan before the evidence, each verdict, signature and opening, in the ledger",
            *(f"at {stage.name}: use by each grant" for stage in plan.stages if stage.channel is Channel.API),
        ),
        cannot_be_undone=_undoable(plan.stages),
        pros=(
            *(f"{stage.name} opens only when {_conditions(stage)} met" for stage in gated),
            *(f"{stage.name} can be held or rolled back" for stage in plan.stages if not stage.irreversible),
        ),
        cons=staged_cons(plan),
    )


def _api(plan: Plan) -> Column:
    stages = [stage for stage in plan.stages if stage.channel is Channel.API]
    return Column(
        name="api",
        title="API only",
        taken=bool(stages) and not any(stage.irreversible for stage in plan.stages),
        exposes=tuple(exposes(stage) for stage in stages) or ("nothing: this plan has no stage with channel api",),
        records=(
            "passes, tokens and calls of each grant; a receipt for each answer; the register of readers",
            "prompts and answers only as salted commitments",
        )
        if stages
        else (),
        cannot_be_undone=("answers already given",) if stages else (),
        pros=(
            "control over use: a grant can be suspended or revoked in the middle of an answer",
            "a clear record of who the users are",
            *(f"{stage.name} is screened by {', '.join(stage.screening)}" for stage in stages if stage.screening),
            *paces(stages),
        ),
        cons=api_cons(plan),
    )


def _not_releasing(plan: Plan) -> Column:
    return Column(
        name="not-releasing",
        title="Not releasing",
        taken=False,
        exposes=("nothing to anyone outside the lab",),
        records=("nothing that anyone outside could check",),
        cannot_be_undone=(),
        pros=(
            *(f"no exposure to {each.name}" for each in plan.hazards),
            "every later choice stays open",
        ),
        cons=not_releasing_cons(plan),
    )


def _conditions(stage: Stage) -> str:
    count = len(stage.gate.clauses)
    return "1 condition is" if count == 1 else f"{count} conditions are"


def _undoable(stages: Iterable[Stage]) -> tuple[str, ...]:
    lasting = []
    for stage in stages:
        if stage.irreversible:
            lasting.append(f"{stage.name}: every copy of the weights stays out")
        else:
            what = "samples already read" if stage.channel is Channel.SAMPLES else "answers already given"
            lasting.append(f"{stage.name}: {what}; nothing more")
    return tuple(lasting)


def _hazard(plan: Plan, name: str, explanation: str) -> HazardRow:
    gates, ungated = [], []
    for stage in plan.stages:
        covering = [clause for clause in stage.gate.clauses if name in clause.covers()]
        gates += [f"{stage.name}: {clause.describe()}" for clause in covering]
        if not covering:
            ungated.append(stage.name)
    return HazardRow(name, tuple(gates), tuple(ungated), explanation)
